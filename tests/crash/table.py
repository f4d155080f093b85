"""The matrix's table: faults, what they did, what healed them, how long it took."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from tests.crash.cases import Result

HEADINGS = ("fault", "runs", "duplicates", "lost", "stuck", "wrong", "healed by", "recovered in, s (median / max)")


def table(results: Iterable[Result], by: Callable[[Result], str]) -> list[tuple[str, ...]]:
    """A line for each group of `by`, in the order in which they came, below the headings."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(by(result), []).append(result)
    return [HEADINGS, *(_line(name, group) for name, group in groups.items())]


def by_fault(result: Result) -> str:
    """Group by what happened to which process."""
    return f"{result.fault}: {result.target}"


def by_place(result: Result) -> str:
    """Group by where it happened."""
    return f"{result.fault}: {result.target}, {result.place}"


def total(results: Sequence[Result]) -> tuple[str, ...]:
    """The last line."""
    return _line("all", list(results))


def plain(lines: Sequence[Sequence[str]]) -> str:
    """Lines in columns, for a terminal."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def markdown(lines: Sequence[Sequence[str]]) -> str:
    """Lines as a Markdown table."""
    heading, *rest = lines
    return "\n".join(_markdown_line(line) for line in (heading, ["---"] * len(heading), *rest))


def _markdown_line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _line(name: str, group: Sequence[Result]) -> tuple[str, ...]:
    healed = Counter(how for result in group for how in result.healed_by)
    seconds = [moment for result in group for moment in result.recovered_in]
    times = f"{statistics.median(seconds):.1f} / {max(seconds):.1f}" if seconds else ""
    return (
        name,
        str(sum(result.runs for result in group)),
        str(sum(len(result.verdict.duplicates) for result in group)),
        str(sum(len(result.verdict.lost) for result in group)),
        str(sum(bool(result.stuck) for result in group)),
        str(sum(bool(result.verdict.problems) for result in group)),
        ", ".join(f"{how} {count}" for how, count in healed.most_common()),
        times,
    )
