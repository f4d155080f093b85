"""How a client finds its house: by TALLY_NATS_URL, else by the data directory's record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from services.cli.house.record import HouseRecord, read_record
from shared.bus.connecting import BusAccess, bus_access
from shared.client import TallyClient
from shared.contracts.documents import JobDocument, RowDocument
from shared.errors import BUS_UNREACHABLE, JOB_AMBIGUOUS, JOB_NOT_FOUND, TallyError
from shared.settings import ClientSettings, load
from shared.telemetry import tracing

_JOBS_A_PAGE = 500
_NAMED = 5
_FEW_ROWS = 5


@dataclass(frozen=True)
class House:
    """A house's bus; `record` is what its supervisor wrote down, if one runs it on this machine."""

    bus: BusAccess
    data_dir: Path
    timeout: float
    record: HouseRecord | None
    otlp_endpoint: str = ""


def find_house(data: Path | None) -> House:
    """The house to speak to. Raises E-4001 where neither a setting nor the data directory names one."""
    settings = load(ClientSettings)
    data_dir = (data or settings.data_dir).expanduser().absolute()
    record = read_record(data_dir)
    if "nats_url" in settings.model_fields_set:
        same = record is not None and record.nats_url == settings.nats_url
        return House(bus_access(settings), data_dir, settings.timeout, record if same else None, settings.otlp_endpoint)
    if record is None:
        raise TallyError(BUS_UNREACHABLE, url=f"an unknown address (no house in {data_dir})")
    return House(bus_access(settings, record.nats_url), data_dir, settings.timeout, record, settings.otlp_endpoint)


@asynccontextmanager
async def client_of(data: Path | None) -> AsyncIterator[TallyClient]:
    """A client of the house, connected; what it asks for is traced, where that is set. Raises E-4001."""
    house = find_house(data)
    tracing.start("cli", house.otlp_endpoint)
    try:
        async with await TallyClient.connect(house.bus, house.timeout) as client:
            yield client
    finally:
        if tracing.is_on():
            await asyncio.to_thread(tracing.stop)


async def resolve_job(client: TallyClient, text: str) -> JobDocument:
    """The job that `text` names: its id, a beginning that only its id has, or `last`.

    Raises E-4003 where there is none, E-4007 where there are several.
    """
    if text == "last":
        newest = await client.list_jobs(limit=1)
        if not newest:
            raise TallyError(JOB_NOT_FOUND, job_id=text)
        return newest[0]
    try:
        return await client.show(text)
    except TallyError as error:
        if error.kind is not JOB_NOT_FOUND:
            raise
    matches = [job async for job in _all_jobs(client) if job.job_id.startswith(text)]
    if not matches:
        raise TallyError(JOB_NOT_FOUND, job_id=text)
    if len(matches) > 1:
        raise TallyError(JOB_AMBIGUOUS, prefix=text, job_ids=_some(matches))
    return matches[0]


async def rows_named(client: TallyClient, job_id: str, row_numbers: Sequence[int]) -> tuple[RowDocument, ...]:
    """The rows named, in order; a few are asked for one by one, many are read with all the others. Raises E-4004."""
    wanted = set(row_numbers)
    if len(wanted) <= _FEW_ROWS:
        return tuple([await client.row(job_id, number) for number in sorted(wanted)])
    found = {row.row_number: row async for row in client.rows(job_id) if row.row_number in wanted}
    if missing := wanted - set(found):
        await client.row(job_id, min(missing))  # raises E-4004
    return tuple(found[number] for number in sorted(wanted))


async def _all_jobs(client: TallyClient) -> AsyncIterator[JobDocument]:
    before: str | None = None
    while True:
        page = await client.list_jobs(limit=_JOBS_A_PAGE, before=before)
        for job in page:
            yield job
        if len(page) < _JOBS_A_PAGE:
            return
        before = page[-1].created_at.isoformat()


def _some(jobs: list[JobDocument]) -> str:
    more = f" and {len(jobs) - _NAMED} more" if len(jobs) > _NAMED else ""
    return ", ".join(job.job_id for job in jobs[:_NAMED]) + more
