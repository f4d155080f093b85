"""Where measurements go: build/bench.json, an object with a list of results for each kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

REPORT = Path("build/bench.json")


def add_to_report(kind: str, results: list[dict[str, Any]]) -> None:
    """Put `results` in place of the earlier ones of their kind."""
    REPORT.parent.mkdir(exist_ok=True)
    report = json.loads(REPORT.read_text(encoding="utf-8")) if REPORT.exists() else {}
    if not isinstance(report, dict):
        report = {}
    report[kind] = results
    REPORT.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
