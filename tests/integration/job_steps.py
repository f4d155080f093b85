"""Jobs in the job database, made and moved by its own steps."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal, TypedDict, Unpack

from services.coordinator.database import checks, intake, outcomes, queries, steps
from services.coordinator.database.commands import Issue
from services.coordinator.database.engine import Database
from services.coordinator.database.new_rows import NewRow, RefusedRow
from services.coordinator.database.step import Step
from services.coordinator.identity import job_id_for, request_hash
from shared.bus.publishing import fresh_id
from shared.contracts.documents import JobDocument, RowDocument
from shared.contracts.ledger import Claimed, Evidence, Failed, InDoubt, Outcome, Shipped
from shared.contracts.requests import JobRequest
from shared.contracts.source import CsvSource, Source
from shared.contracts.states import InterruptPolicy, JobMode
from shared.contracts.writeback import RowWritten
from shared.errors import ErrorBody
from shared.shipping import Money
from tests.contract.messages import SHIPMENT

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
ISSUE = Issue("epoch-1", timedelta(minutes=5))
INSTALLATION = "ABCDEFGH"
ORDERS = CsvSource(path="orders.csv")
ERROR = ErrorBody(code="E-3001", message="The carrier refused the shipment.")


class Options(TypedDict, total=False):
    """What else a job may be taken in with."""

    reship: bool
    fingerprint: str
    at: datetime
    on_interrupt: InterruptPolicy | None
    source: Source
    batch: Sequence[NewRow | RefusedRow]


async def take_in(
    database: Database,
    request_id: str,
    rows: int = 3,
    *,
    reship: bool = False,
    fingerprint: str = "print",
    at: datetime = NOW,
    on_interrupt: InterruptPolicy | None = None,
    source: Source = ORDERS,
    batch: Sequence[NewRow | RefusedRow] = (),
) -> str:
    request = JobRequest(
        request_id=request_id,
        source=source,
        mode=JobMode.AUTO,
        reship=reship,
        on_interrupt=on_interrupt,
    )
    job_id = job_id_for(INSTALLATION, request_id)
    await database.write(intake.admit, job_id, request, request_hash(request), at)
    await database.write(intake.begin_intake, job_id, "intake", request.source, NOW)
    numbers = range(1, rows + 1)
    batch = batch or [NewRow(number, str(number), "sum", f"{fingerprint}-{number}", SHIPMENT) for number in numbers]
    await database.write(intake.add_rows, job_id, "intake", INSTALLATION, 1, batch, NOW)
    await database.write(intake.finish_intake, job_id, "intake", len(batch), "mapping", NOW)
    return job_id


async def started(
    database: Database, request_id: str = "orders", rows: int = 3, issue: Issue = ISSUE, **options: Unpack[Options]
) -> str:
    job_id = await take_in(database, request_id, rows, **options)
    await database.write(steps.start, job_id, "intake", "ann", NOW, issue)
    return job_id


def claimed(
    job_id: str,
    row: int,
    attempt: int = 1,
    epoch: str = ISSUE.epoch,
    *,
    claim_id: str | None = None,
    reference: str = "R",
) -> Claimed:
    return Claimed(
        job_id=job_id,
        row_number=row,
        attempt=attempt,
        epoch=epoch,
        claim_id=claim_id or fresh_id(),
        reference=reference,
        owner="shipper",
        claimed_at=NOW,
        last_possible_commit=NOW,
    )


def shipped(job_id: str, row: int, attempt: int = 1, number: str | None = None) -> Shipped:
    number = number or f"1Z{row:016d}"
    return Shipped(
        job_id=job_id,
        row_number=row,
        attempt=attempt,
        epoch="epoch-1",
        claim_id="claim",
        shipment_id=number,
        tracking_numbers=(number,),
        cost=Money(amount=Decimal("9.10")),
        label_key="label",
        shipped_at=NOW,
    )


def failed(job_id: str, row: int, attempt: int = 1) -> Failed:
    return Failed(
        job_id=job_id, row_number=row, attempt=attempt, epoch="epoch-1", claim_id="c", error=ERROR, failed_at=NOW
    )


def in_doubt(job_id: str, row: int) -> InDoubt:
    evidence = Evidence(at=NOW, asked="by reference", answer="not found")
    return InDoubt(
        job_id=job_id,
        row_number=row,
        attempt=1,
        epoch="epoch-1",
        claim_id="c",
        reference="R",
        error=ERROR,
        parked_at=NOW,
        evidence=(evidence,),
    )


async def record(database: Database, outcome: Outcome) -> Step:
    return await database.write(outcomes.record_outcome, outcome, NOW, ISSUE)


async def written(
    database: Database, job_id: str, row_number: int, version: int = 1, error: ErrorBody | None = None
) -> Step:
    """Writeback reports on a row."""
    status: Literal["written", "failed"] = "written" if error is None else "failed"
    report = RowWritten(job_id=job_id, row_number=row_number, row_version=version, status=status, error=error)
    return await database.write(steps.record_written, job_id, [report], NOW)


async def checked(database: Database, job_id: str, *missing: int) -> Step:
    """The source of a job at its end was checked."""
    return await database.write(checks.record_check, job_id, missing, NOW)


async def job(database: Database, job_id: str) -> JobDocument:
    return await database.read(queries.show_job, job_id)


async def row(database: Database, job_id: str, number: int) -> RowDocument:
    return await database.read(queries.show_row, job_id, number)
