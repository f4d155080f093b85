"""What writing numbers back costs: `python -m tests.bench.writeback --rows 10000 --pace 100`.

The rows of a file arrive at writeback's own Flusher at the pace of a job (those of a CSV file also all at once); it
writes them into a real file as the settings say. Measured are the time it spent on the file and how long rows waited
for their numbers. Beside it stands what a program does that rewrites the file for every row: for CSV it reads all of it
with the csv module, sets the row's number and replaces the file; for a workbook it loads and saves it with openpyxl.
That is measured a few times, before and after the run, and multiplied by the rows.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import openpyxl
import uvloop

from services.writeback.flushing import Flusher, Rest, Writer
from services.writeback.targets.backups import Backups
from services.writeback.targets.csv import CsvTarget
from services.writeback.targets.excel import ExcelTarget
from services.writeback.targets.lock import SourceLocks
from services.writeback.targets.target import Target
from shared.bus.publishing import Publisher
from shared.clock import utc_now
from shared.contracts.commands import WritebackCommand, WrittenValues
from shared.contracts.source import CsvSource, ExcelSource, Source
from shared.contracts.writeback import RowWritten, SourceWritten
from shared.settings import WritebackSettings
from shared.sources import open_source
from shared.sources.changes import RowChange
from tests.bench.report import add_to_report
from tests.samples import HEADERS, orders, write_orders

_REWRITES = 3  # before and again after the run
_TICK = 0.01


@dataclass(frozen=True)
class Result:
    """One run; `share` is the time spent on the file over that of rewriting it per row, in percent."""

    kind: str
    rows: int
    rows_per_second: int | None
    flushes: int
    spent_s: float
    rewrite_ms: float
    rewriting_s: float
    share: float
    wait_p50_s: float
    wait_max_s: float


@dataclass
class Timed:
    """A target, and the time spent in it."""

    target: Target
    spent: float = 0.0
    flushes: int = 0

    def apply(self, source: Source, changes: Sequence[RowChange]) -> list[RowWritten]:
        """Apply the changes by the target."""
        started = time.perf_counter()
        try:
            return self.target.apply(source, changes)
        finally:
            self.spent += time.perf_counter() - started
            self.flushes += 1


@dataclass
class Outcomes:
    """What was published, instead of a bus: none of its time is write-back's."""

    rows: list[RowWritten] = field(default_factory=list)

    async def publish(self, _stream: str, _subject: str, message: SourceWritten, **_: Any) -> None:
        """Keep the outcome."""
        self.rows += message.rows


def commands(source: Source, root: Path) -> list[WritebackCommand]:
    """The write-back of every row."""
    with open_source(source, [root]) as snapshot:
        return [
            WritebackCommand(
                job_id="bench",
                row_number=row.number,
                source=source,
                source_row=row.number,
                row_key=row.key,
                checksum=row.checksum,
                row_version=1,
                values=WrittenValues(tracking_number=f"1ZTALLY1{row.number:010}", shipped_at=utc_now()),
            )
            for row in snapshot.rows()
        ]


async def write_back(flusher: Flusher, all_rows: Sequence[WritebackCommand], pace: int | None) -> list[float]:
    """Write every row back, arriving at `pace` rows a second; how long each waited for its number, in seconds."""
    waits: list[float] = []

    async def write(command: WritebackCommand) -> None:
        arrived = time.perf_counter()
        await flusher.write(command)
        waits.append(time.perf_counter() - arrived)

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        sent = 0
        while sent < len(all_rows):
            due = len(all_rows) if pace is None else int((time.perf_counter() - started) * pace) + 1
            for command in all_rows[sent:due]:
                group.create_task(write(command))
            sent = max(sent, min(due, len(all_rows)))
            await asyncio.sleep(_TICK)
    return waits


def rewrite_csv(path: Path, row: int) -> None:
    """Set one number the plain way: read the whole file, write the whole file."""
    with path.open(encoding="utf-8", newline="") as file:
        records = list(csv.reader(file))
    if "tracking_number" not in records[0]:
        records = [
            [*record, *(("tracking_number", "shipped_at") if number == 0 else ("", ""))]
            for number, record in enumerate(records)
        ]
    records[row][-2:] = [f"1ZPLAIN1{row:010}", utc_now().isoformat()]
    temporary = path.with_suffix(".new")
    with temporary.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(records)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def rewrite_xlsx(path: Path, row: int) -> None:
    """Set one number the plain way: load the workbook, save the workbook."""
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    sheet.cell(row + 1, len(HEADERS) + 1, f"1ZPLAIN1{row:010}")
    sheet.cell(row + 1, len(HEADERS) + 2, utc_now().isoformat())
    book.save(path)


def write_workbook(path: Path, rows: int) -> None:
    """A workbook of `rows` orders."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Orders")
    sheet.append(list(HEADERS))
    for order in orders(rows):
        sheet.append(list(order.values()))
    book.save(path)


def rewriting(rewrite: Callable[[Path, int], None], path: Path) -> list[float]:
    """Seconds that each of a few rewrites takes."""
    times = []
    for row in range(1, _REWRITES + 1):
        started = time.perf_counter()
        rewrite(path, row)
        times.append(time.perf_counter() - started)
    return times


def measure(kind: str, rows: int, pace: int | None) -> Result:
    """One run on a file of its own, with the settings' defaults."""
    settings = WritebackSettings()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        locks, backups = SourceLocks(root / "locks"), Backups(settings.backups, utc_now)
        if kind == "csv":
            path, rewrite = root / "orders.csv", rewrite_csv
            write_orders(path, rows)
            source: Source = CsvSource(path=str(path))
            target = Timed(CsvTarget([root], locks, backups))
            rest = Rest(settings.pace, settings.min_wait, settings.max_wait)
        else:
            path, rewrite = root / "orders.xlsx", rewrite_xlsx
            write_workbook(path, rows)
            source = ExcelSource(path=str(path), sheet="Orders")
            target = Timed(ExcelTarget([root], locks, backups))
            rest = Rest(settings.excel_pace, settings.min_wait, settings.excel_max_wait)
        shutil.copy(path, plain := root / f"plain{path.suffix}")
        times = rewriting(rewrite, plain)
        all_rows, outcomes = commands(source, root), Outcomes()
        writer = "csv" if kind == "csv" else "excel"
        flusher = Flusher({writer: Writer(target, rest)}, cast("Publisher", outcomes), max_batch=settings.max_batch)
        waits = uvloop.run(write_back(flusher, all_rows, pace))
        assert all(row.error is None for row in outcomes.rows), outcomes.rows[0]
        one = statistics.median(times + rewriting(rewrite, plain))
    return Result(
        kind=kind,
        rows=rows,
        rows_per_second=pace,
        flushes=target.flushes,
        spent_s=round(target.spent, 2),
        rewrite_ms=round(one * 1000, 1),
        rewriting_s=round(one * rows, 1),
        share=round(100 * target.spent / (one * rows), 3),
        wait_p50_s=round(statistics.median(waits), 2),
        wait_max_s=round(max(waits), 2),
    )


def main() -> None:
    """Measure, print a table, add to build/bench.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--pace", type=int, default=100, help="rows a second, as a job ships them")
    options = parser.parse_args()
    print(
        "| file | rows | rows/s | flushes | writing back, s | one rewrite, ms | a rewrite per row, s | % "
        "| wait p50, s | wait max, s |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    results = []
    for kind, pace in (("csv", options.pace), ("csv", None), ("xlsx", options.pace)):
        result = measure(kind, options.rows, pace)
        results.append(result)
        print(
            f"| {kind} | {result.rows} | {pace or 'all at once'} | {result.flushes} | {result.spent_s} "
            f"| {result.rewrite_ms} | {result.rewriting_s} | {result.share} | {result.wait_p50_s} "
            f"| {result.wait_max_s} |",
            flush=True,
        )
    add_to_report("writeback", [asdict(result) for result in results])


if __name__ == "__main__":
    main()
