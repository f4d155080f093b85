"""Writers that are killed -9, one after the other, each at a random instant of writing a file.

Run as a program, this is their parent: it forks a writer that writes without end for each line it is sent, so that a
hundred writers take one start of Python.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.writeback.targets.lock import SourceLocks
from services.writeback.targets.sidecar import SidecarTarget
from services.writeback.targets.target import Target
from shared.contracts.source import CsvSource, ExcelSource, ParquetSource, Source
from shared.sources.changes import RowChange
from tests.unit import csv_changes, excel_changes
from tests.unit.csv_changes import change

ROOT = Path(__file__).parents[2]
KILLS = 100
TEXTS = ("old", "new")
_PATIENCE = 30.0
_FORMER = (*TEXTS, "last")


@dataclass(frozen=True)
class Kind:
    """How a kind of file is written to: by which target, as which source, and how its rows are told apart."""

    target: Callable[[Path], Target]
    source: Callable[[str], Source]
    checksums: Callable[[Path, int], Sequence[str]]


def _csv_checksums(path: Path, rows: int) -> list[str]:
    return [each.checksum for each in csv_changes.changes(path, dict.fromkeys(range(1, rows + 1)))]


def _excel_checksums(path: Path, rows: int) -> list[str]:
    return [each.checksum for each in excel_changes.changes(path, dict.fromkeys(range(1, rows + 1)))]


KINDS = {
    "csv": Kind(
        lambda folder: csv_changes.target(folder, timeout=_PATIENCE), lambda name: CsvSource(path=name), _csv_checksums
    ),
    "excel": Kind(
        lambda folder: excel_changes.target(folder, timeout=_PATIENCE),
        lambda name: ExcelSource(path=name),
        _excel_checksums,
    ),
    "sidecar": Kind(
        lambda folder: SidecarTarget([folder], SourceLocks(folder / "locks", timeout=_PATIENCE)),
        lambda name: ParquetSource(path=name),
        lambda _path, rows: [f"sum{number}" for number in range(1, rows + 1)],
    ),
}


class Writing:
    """Writes one text at a time into every row of a source, over whichever stood there; each row is told apart once."""

    def __init__(self, kind: str, path: Path, rows: int) -> None:
        self._kind = KINDS[kind]
        self._path = path
        self._checksums = self._kind.checksums(path, rows)

    def target(self) -> Target:
        """A target of a process just started."""
        return self._kind.target(self._path.parent)

    def write(self, target: Target, text: str) -> list[str | None]:
        """Write `text` into every row, in one flush; the code of each failure."""
        wanted: list[RowChange] = [
            change(number, checksum, text, replaces=_FORMER) for number, checksum in enumerate(self._checksums, start=1)
        ]
        return csv_changes.codes(target.apply(self._kind.source(self._path.name), wanted))


def after_each_kill(kind: str, path: Path, rows: int, *, within: float) -> Iterator[None]:
    """Kill a hundred writers of the source at `path`, each `within` so many seconds of its first write.

    Afterwards the next writer has its way, and nothing of the dead ones is left.
    """
    with subprocess.Popen(
        [sys.executable, __file__, kind, str(path), str(rows)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        instants = random.Random(4)
        for _ in range(KILLS):
            parent.stdin.write("go\n")
            parent.stdin.flush()
            child = int(parent.stdout.readline())
            # Not awaiting anything: the kill is to come at a random instant of the child's work.
            with subprocess.Popen(["sleep", f"{instants.uniform(0, within):.4f}"]) as pause:
                pause.wait(30)
            os.kill(child, signal.SIGKILL)
            assert parent.stdout.readline() == "killed\n"
            yield
    assert parent.returncode == 0
    writing = Writing(kind, path, rows)
    assert set(writing.write(writing.target(), "last")) == {None}
    assert not [file.name for file in path.parent.iterdir() if file.suffix == ".tally-tmp"]


def _fork_writers(writing: Writing) -> None:
    print("ready", flush=True)
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            _write_without_end(writing)
        _, status = os.waitpid(child, 0)
        print("killed" if os.WIFSIGNALED(status) else f"ended with {status}", flush=True)


def _write_without_end(writing: Writing) -> None:
    target = writing.target()
    writing.write(target, TEXTS[0])
    print(os.getpid(), flush=True)
    while True:
        for text in reversed(TEXTS):
            writing.write(target, text)


if __name__ == "__main__":
    _fork_writers(Writing(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
