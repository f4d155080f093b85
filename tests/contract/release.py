"""Keeps a release's messages, for later releases to be held to: `python -m tests.contract.release 0.1.0`.

A folder for each release in tests/contract/released: of each message and document a sample as it looks on the bus, its
JSON schema and the newest version of it that the release reads. Written once, before the release is tagged.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from shared.contracts.api import Reply
from shared.contracts.message import Message
from tests.contract.messages import DOCUMENTS, MESSAGES

RELEASED = Path(__file__).parent / "released"
SAMPLES: dict[str, BaseModel] = {**MESSAGES, **DOCUMENTS}


@dataclass(frozen=True)
class Kept:
    """What a release's folder has of one message."""

    release: str
    name: str
    newest: int
    schema: dict[str, Any]
    sample: dict[str, Any]


def newest_of(model: type[BaseModel]) -> int:
    """The newest version that is read; a document's is that of the reply it comes in."""
    return model.newest if issubclass(model, Message) else Reply.newest


def kept() -> list[Kept]:
    """What all releases have, oldest first."""
    paths = sorted(RELEASED.glob("*/*.json"), key=lambda path: (_number(path.parent.name), path.name))
    return [Kept(path.parent.name, path.stem, **json.loads(path.read_bytes())) for path in paths]


def keep(release: str) -> None:
    """Write the folder of a release."""
    folder = RELEASED / release
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, sample in SAMPLES.items():
        model = type(sample)
        content = {
            "newest": newest_of(model),
            "sample": sample.model_dump(mode="json"),
            "schema": model.model_json_schema(),
        }
        body = json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        (folder / f"{name}.json").write_text(body, encoding="utf-8")


def _number(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))


if __name__ == "__main__":
    keep(sys.argv[1])
