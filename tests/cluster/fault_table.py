"""The section "Cluster" of docs/fault-table.md, written by `make cluster` from what it saw."""

from __future__ import annotations

from pathlib import Path

from tests.cluster.runs import Run

PAGE = Path(__file__).parents[2] / "docs" / "fault-table.md"
BEGIN, END = "<!-- cluster: written by make cluster -->", "<!-- cluster ends -->"
_HEADING = ("what is done to the three servers", "rows", "labels twice", "labels lost", "longest pause, s")


def write(runs: dict[str, Run], claims: str) -> None:
    """Put a line for each fault, and what became of the claims, between the section's marks."""
    lines = [_HEADING, tuple("---" for _ in _HEADING), *(_line(name, run) for name, run in runs.items())]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{table}\n\n{claims}\n{END}{after}", encoding="utf-8")


def _line(name: str, run: Run) -> tuple[str, ...]:
    verdict = run.verdict
    return (
        name,
        str(run.rows),
        str(len(verdict.duplicates)),
        str(len(verdict.lost)),
        f"{run.longest_pause:.1f}",
    )
