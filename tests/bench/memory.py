"""What processes take of memory, from /proc."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def processes_of(pid: int) -> Iterator[int]:
    """A process and all that it started, and they in turn."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*"):
        for child in _read(task / "children").split():
            yield from processes_of(int(child))


def proportional_memory(pid: int) -> float:
    """Megabytes of a process, of what it shares its part only; 0 where it is gone."""
    told = (line.split() for line in _read(Path(f"/proc/{pid}/smaps_rollup")).splitlines())
    return next((int(words[1]) / 1024 for words in told if words[0] == "Pss:"), 0.0)


def _read(path: Path) -> str:
    """A file of a process; nothing where it has ended."""
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return ""
