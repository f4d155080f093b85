"""The HTTP API as an OpenAPI document: `make docs` writes docs/openapi.json."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from services.console.app import api


def document() -> str:
    """The OpenAPI document as JSON."""
    return json.dumps(api().openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document(), encoding="utf-8")
