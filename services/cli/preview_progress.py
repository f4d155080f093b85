"""How far a preview is, on a terminal: rows read, then rows priced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from shared.contracts.api import PreviewProgress
from shared.contracts.documents import JobDocument, RowDocument

_BAR_WIDTH = 30


class PreviewBar:
    """A bar that is told of rows read and priced."""

    def __init__(self, update: Callable[..., None]) -> None:
        self._update = update

    def heard(self, progress: PreviewProgress) -> None:
        """Show how far a preview without a job is."""
        self._show(progress.read, progress.to_rate, progress.rated)

    def changed(self, job: JobDocument, _: RowDocument | None) -> None:
        """Show how far a job's preview is; its rows are counted once they all are read."""
        to_ship = job.rows.total - job.rows.skipped
        self._show(job.rows.total, to_ship or None, job.rows.rated + job.rows.estimated)

    def _show(self, read: int, to_rate: int | None, rated: int) -> None:
        if to_rate is None:
            count = f" {read:,}" if read else ""
            self._update(description=f"Reading the orders …{count}", total=None)
        else:
            self._update(description=f"Pricing {rated:,} of {to_rate:,} rows", completed=rated, total=to_rate)


@contextmanager
def shown_preview(console: Console, *, quiet: bool) -> Iterator[PreviewBar]:
    """A bar on a terminal while the block runs; elsewhere, or `quiet`, nothing is shown."""
    if quiet or not console.is_terminal:
        yield PreviewBar(_ignore)
        return
    columns = (BarColumn(bar_width=_BAR_WIDTH), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=console, transient=True, refresh_per_second=8) as bar:
        task = bar.add_task("Reading the orders …", total=None)

        def update(**changes: object) -> None:
            bar.update(task, **changes)  # type: ignore[arg-type]

        yield PreviewBar(update)


def _ignore(**_: object) -> None:
    """Show nothing."""
