"""A job's progress: a live bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from services.cli.following import OnChange
from services.cli.rendering.wording import money
from shared.contracts.documents import JobDocument, RowDocument

_TENTHS = 10
# A bar's width takes what the longest usual status line leaves.
_NARROWEST, _WIDEST, _LINE = 8, 40, 66


@dataclass
class Pace:
    """How fast rows are settled, from when the first document was seen."""

    clock: Callable[[], float] = time.monotonic
    _first: tuple[float, int] | None = field(default=None, init=False)
    _elapsed: float = field(default=0.0, init=False)
    _settled: int = field(default=0, init=False)

    def note(self, cursor: int) -> None:
        """Note that `cursor` rows are settled by now."""
        now = self.clock()
        if self._first is None:
            self._first = (now, cursor)
        self._elapsed, self._settled = now - self._first[0], cursor - self._first[1]

    @property
    def rate(self) -> float | None:
        """Rows a second; None before anything was settled."""
        return self._settled / self._elapsed if self._elapsed > 0 and self._settled > 0 else None

    def remaining(self, rows: int) -> float | None:
        """Seconds that `rows` more rows take at this pace; None before there is one."""
        return None if self.rate is None else rows / self.rate


def clock_time(seconds: float | None) -> str:
    """`0:42`, `1:02:42`, or dashes where nobody can say."""
    if seconds is None:
        return "-:--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def status_line(job: JobDocument, pace: Pace, tracking_number: str) -> str:
    """`15/30  $184.20  6.1 rows/s  0:03 left  1Z…`."""
    rate = "-" if pace.rate is None else f"{pace.rate:.1f}"
    left = clock_time(pace.remaining(job.rows.total - job.cursor))
    parts = (f"{job.cursor}/{job.rows.total}", money(job.cost), f"{rate} rows/s", f"{left} left", tracking_number)
    return "  ".join(part for part in parts if part)


@contextmanager
def shown_progress(console: Console) -> Iterator[OnChange]:
    """Show a job's progress on `console` while the block runs; feed what is yielded with its changes."""
    with _live_bar(console) if console.is_terminal else _lines(console) as on_change:
        yield on_change


@contextmanager
def _live_bar(console: Console) -> Iterator[OnChange]:
    pace = Pace()
    tracking = ""
    bar_column = BarColumn(bar_width=max(_NARROWEST, min(_WIDEST, console.width - _LINE)))
    words = TextColumn("{task.description}", markup=False)
    with Progress(bar_column, words, console=console, transient=True, refresh_per_second=8) as bar:
        task = bar.add_task("", total=None)

        def on_change(job: JobDocument, row: RowDocument | None) -> None:
            nonlocal tracking
            pace.note(job.cursor)
            if row is not None and row.tracking_numbers:
                tracking = row.tracking_numbers[0]
            bar.update(
                task, completed=job.cursor, total=job.rows.total or None, description=status_line(job, pace, tracking)
            )

        yield on_change


@contextmanager
def _lines(console: Console) -> Iterator[OnChange]:
    pace = Pace()
    said = 0

    def on_change(job: JobDocument, row: RowDocument | None) -> None:
        nonlocal said
        pace.note(job.cursor)
        tenth = job.cursor * _TENTHS // job.rows.total if job.rows.total else 0
        if tenth > said:
            said = tenth
            tracking = row.tracking_numbers[0] if row is not None and row.tracking_numbers else ""
            console.print(Text(status_line(job, pace, tracking)))

    yield on_change
