"""`tally demo`: thirty orders, a shipper killed half-way, and a carrier's ledger that holds each row once."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

import services
from services.cli.demo_report import tell_the_end
from services.cli.documents import DemoDocument, LedgerDocument
from services.cli.following import await_write_back, follow, has_stopped, take_in
from services.cli.house.announcing import death_in_words
from services.cli.house.child import child_house
from services.cli.house.leftovers import is_ours
from services.cli.house.record import HouseRecord, ProcessRecord, read_record
from services.cli.ledger_check import LedgerCheck, check_ledger, fetch_shipments
from services.cli.outcomes import ExitCode, exit_code_of_job, print_json
from services.cli.progress import shown_progress
from services.cli.rendering.preview import SHOWN_ROWS, job_preview
from services.cli.rendering.repeats import Repeats
from services.cli.rendering.wording import without_repeats
from services.cli.requests import Wish, to_request
from services.cli.terminal import output, person
from shared.client import TallyClient
from shared.clock import utc_now
from shared.contracts.documents import JobDocument, RowDocument
from shared.contracts.states import JobStatus
from shared.errors import SOURCE_NOT_FOUND, UNEXPECTED, TallyError

LATENCY_MS = 150
AT_MOST = 150.0
_ROWS_AHEAD = 5


@dataclass(frozen=True)
class Stage:
    """Where the demo plays: a house's data directory, and a folder with a scratch copy of the orders."""

    folder: Path
    data_dir: Path
    orders: Path


@dataclass
class Accident:
    """The shipper's sudden death once half of the rows are shipped, and what the supervisor says of it."""

    data_dir: Path
    console: Console
    killed_pid: int | None = None
    killed_after_row: int | None = None
    restarted_pid: int | None = None
    _is_over: bool = field(default=False, init=False)

    def at_half_way(self, job: JobDocument) -> None:
        """Kill the shipper, once, when half of the rows are shipped."""
        if self._is_over or job.rows.shipped * 2 < job.rows.total:
            return
        self._is_over = True
        shipper = _process(self.data_dir, "shipper")
        if shipper is None or shipper.pid is None or not is_ours(shipper):
            return
        os.kill(shipper.pid, signal.SIGKILL)
        self.killed_pid, self.killed_after_row = shipper.pid, job.rows.shipped
        self.console.print(
            Text(f"Half-way, at row {job.rows.shipped}: kill -9 {shipper.pid}, the shipper.", style="bold red")
        )

    def hear(self, word: Mapping[str, Any]) -> None:
        """Tell what the supervisor says of its processes."""
        match word["event"]:
            case "died":
                death = death_in_words(word["name"], word["pid"], word["how"], word["restart_in"])
                self.console.print(f"Supervisor: {death}.")
            case "runs_again":
                self.restarted_pid = word["pid"]
                self.console.print(
                    f"Supervisor: {word['name']} runs again (pid {word['pid']}); before it buys anything"
                    " it looks up at the carrier what became of the row in hand."
                )


def demo(data: Path | None, *, as_json: bool) -> int:
    """Play the demo; 0 where the job completed and the carrier sold every row exactly once, else 1."""
    console = Console(quiet=True) if as_json else output()
    stage = set_stage(data)
    accident = Accident(stage.data_dir, console)
    console.print(Text("Tallyman demo", style="bold"))
    console.print(Text(f"Everything is kept in {stage.folder}"))
    try:
        job, check = asyncio.run(_play(stage, accident))
    except KeyboardInterrupt:
        console.print(Text(f"Stopped every process; what there is is kept in {stage.folder}"))
        raise
    if as_json:
        print_json(_document(stage, accident, job, check).model_dump(mode="json"))
    else:
        tell_the_end(console, job, check, orders=stage.orders, data_dir=stage.data_dir, named=data is not None)
    if exit_code_of_job(job) is not ExitCode.DONE or not check.holds:
        return ExitCode.FAILED
    return ExitCode.DONE


def set_stage(data: Path | None) -> Stage:
    """A folder for the demo with a scratch copy of the sample orders. Raises E-1001 where the sample is missing."""
    sample = Path(services.__file__ or "").parents[1] / "samples" / "orders.csv"
    if not sample.is_file():
        raise TallyError(SOURCE_NOT_FOUND, path=sample.name, root=sample.parent)
    if data is None:
        folder = Path(tempfile.mkdtemp(prefix="tally-demo-"))
        data_dir = folder / ".tally"
    else:
        data_dir = data.expanduser().absolute()
        folder = data_dir / f"demo-{utc_now():%Y%m%d-%H%M%S}"
        folder.mkdir(parents=True)
    return Stage(folder, data_dir, Path(shutil.copyfile(sample, folder / "orders.csv")))


async def _play(stage: Stage, accident: Accident) -> tuple[JobDocument, LedgerCheck]:
    console = accident.console
    console.print("Starting bus, sandbox carrier, coordinator, shipper and writeback, a process each …")
    settings = {"TALLY_LATENCY_MS": str(LATENCY_MS)}
    async with child_house(stage.data_dir, stage.folder, settings, accident.hear) as house:
        console.print(Text(_roll(house)), "")
        async with await TallyClient.connect(house.nats_url) as client:
            try:
                async with asyncio.timeout(AT_MOST):
                    job = await _ship(client, stage, accident)
                    rows = [row async for row in client.rows(job.job_id)]
                    await _tell_what_was_looked_up(client, job, accident)
            except TimeoutError as error:
                what = f"the demo did not end within {AT_MOST:g} s; see the logs in {stage.data_dir / 'logs'}"
                raise TallyError(UNEXPECTED, what=what) from error
        assert house.carrier_url is not None
        shipments = await asyncio.to_thread(fetch_shipments, house.carrier_url)
    return job, check_ledger(rows, shipments)


async def _ship(client: TallyClient, stage: Stage, accident: Accident) -> JobDocument:
    request = to_request(Wish(str(stage.orders), name="Demo orders"), stage.folder, utc_now())
    job = await take_in(client, request)
    if job.status is not JobStatus.AWAITING_APPROVAL:
        return job
    rows = [row async for row in client.rows(job.job_id)]
    accident.console.print(job_preview(job, rows[:SHOWN_ROWS], Repeats.of_job(job, ())), "")
    await client.approve(job.job_id, person())
    with shown_progress(accident.console) as show:

        def on_change(now: JobDocument, row: RowDocument | None) -> None:
            show(now, row)
            accident.at_half_way(now)

        job = await follow(client, job.job_id, has_stopped, on_change)
    return await await_write_back(client, job)


async def _tell_what_was_looked_up(client: TallyClient, job: JobDocument, accident: Accident) -> None:
    """Tell what the shipper found out at the carrier about the row that its predecessor had in hand."""
    if accident.killed_after_row is None:
        return
    first = accident.killed_after_row + 1
    # News travels a few times a second, so the job may have been some rows further than it was known to be.
    for row_number in range(first, min(first + _ROWS_AHEAD, job.rows.total + 1)):
        row = await client.row(job.job_id, row_number)
        for evidence in row.evidence:
            accident.console.print(
                Text(f"Row {row_number} was in hand; the carrier, asked, said: {without_repeats(evidence.answer)}")
            )


def _roll(house: HouseRecord) -> str:
    return ", ".join(f"{service.name} {service.pid}" for service in house.services)


def _process(data_dir: Path, name: str) -> ProcessRecord | None:
    record = read_record(data_dir)
    return next((service for service in record.services if service.name == name), None) if record else None


def _document(stage: Stage, accident: Accident, job: JobDocument, check: LedgerCheck) -> DemoDocument:
    return DemoDocument(
        job=job,
        orders=str(stage.orders),
        data_dir=str(stage.data_dir),
        labels=str(stage.data_dir / "labels"),
        killed_pid=accident.killed_pid,
        restarted_pid=accident.restarted_pid,
        ledger=LedgerDocument(
            rows=check.rows, once=check.once, never=check.never, twice=check.twice, holds=check.holds
        ),
    )
