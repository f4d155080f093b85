"""The end of `tally demo`: what it came to, what is in the file now, and what to type next."""

from __future__ import annotations

import csv
import shlex
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.cli.ledger_check import LedgerCheck
from services.cli.outcomes import print_error
from services.cli.rendering.jobs import job_summary, next_steps
from services.cli.rendering.wording import plural
from services.cli.terminal import command
from shared.contracts.documents import JobDocument

LINES_SHOWN = 5
_IDENTIFYING = 2
_WRITTEN = ("tracking_number", "shipped_at")


def tell_the_end(
    console: Console, job: JobDocument, check: LedgerCheck, *, orders: Path, data_dir: Path, named: bool
) -> None:
    """Print the summary, the written-back file, the labels, the carrier's ledger and the next commands."""
    console.print("", job_summary(job), "")
    if job.error is not None:
        print_error(job.error)
    console.print(Text(f"The first lines of {orders} now:"))
    console.print(written_back(orders), "")
    labels = data_dir / "labels"
    count = sum(path.is_file() for path in labels.rglob("*")) if labels.exists() else 0
    console.print(Text(f"Labels: {count} in {labels}"))
    console.print(ledger_line(check), "")
    console.print(next_steps(*_steps(orders.parent, data_dir, named=named)), soft_wrap=True)


def _steps(folder: Path, data_dir: Path, *, named: bool) -> tuple[tuple[str, str], ...]:
    """The next commands: with the data directory that was typed, else from the folder where it is found unnamed."""
    there = "" if named else f"cd {shlex.quote(str(folder))} && "
    data = data_dir if named else None
    return (
        (there + command("up", "--sandbox", data=data), "start this house again; then, in another terminal:"),
        (there + command("rows", "last", data=data), "every row with its tracking number"),
        (there + command("ship", "YOUR.csv", data=data), "a file of your own; still no real labels"),
    )


def written_back(orders: Path) -> Table:
    """The first lines of a written-back CSV file: what tells the orders apart, and the two written columns."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    with orders.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.DictReader(file)
        columns = (*list(lines.fieldnames or ())[:_IDENTIFYING], *_WRITTEN)
        for column in columns:
            table.add_column(column, no_wrap=True, overflow="ellipsis")
        for _, line in zip(range(LINES_SHOWN), lines, strict=False):
            table.add_row(*(Text(line.get(column) or "") for column in columns))
    return table


def ledger_line(check: LedgerCheck) -> Text:
    """What the carrier's own ledger says of the job's rows."""
    if check.holds:
        return Text(
            f"The carrier's ledger holds exactly one live shipment for each of the {plural(check.rows, 'row')}.",
            style="bold green",
        )
    return Text(
        f"The carrier's ledger does not match: {check.once} of {plural(check.rows, 'row')} sold once;"
        f" never sold: {_rows(check.never)}; sold twice: {_rows(check.twice)}; other number: {_rows(check.wrong)}.",
        style="bold red",
    )


def _rows(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers)) or "none"
