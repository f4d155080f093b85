"""Many jobs at once in a rig: submitted before a shipper is there, shipped side by side, judged by bus and carrier."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.contracts import subjects
from shared.contracts.events import EventType, JobEvent
from shared.contracts.ledger import Claimed, Shipped, ledger_entry
from tests.crash.books import tracking_numbers
from tests.crash.rig import Rig


@dataclass
class Progress:
    """What the jobs' events say: which were started, and how each that is at an end came to it, by request."""

    started: dict[str, str] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def note(self, message: Msg) -> None:
        """An event of a job."""
        event = JobEvent.model_validate_json(message.data)
        if event.request_id is None or event.job_id is None:
            return
        async with self._changed:
            if event.type is EventType.RUNNING:
                self.started[event.request_id] = event.job_id
            elif event.type in {EventType.COMPLETED, EventType.COMPLETED_WITH_WARNINGS, EventType.FAILED}:
                self.started.setdefault(event.request_id, event.job_id)
                self.ended[event.request_id] = event.type
            self._changed.notify_all()

    async def until_started(self, requests: Iterable[str], within: float) -> None:
        """Wait until each of them is a job that runs."""
        await self._until(self.started, set(requests), within)

    async def until_ended(self, requests: Iterable[str], within: float) -> None:
        """Wait until each of them is at an end."""
        await self._until(self.ended, set(requests), within)

    async def _until(self, found: Mapping[str, str], wanted: set[str], within: float) -> None:
        async with asyncio.timeout(within), self._changed:
            await self._changed.wait_for(lambda: wanted <= found.keys())


@asynccontextmanager
async def following(client: Client) -> AsyncIterator[Progress]:
    """The jobs' progress as it is told within the block."""
    progress = Progress()
    subscription = await client.subscribe(subjects.ALL_EVENTS, cb=progress.note)
    try:
        yield progress
    finally:
        await subscription.unsubscribe()


async def add_shippers(rig: Rig, count: int) -> None:
    """Start so many more shippers."""
    names = [f"shipper-{len(rig.of_role('shipper')) + number}" for number in range(count)]
    for name in names:
        await rig._add_service("shipper", int(name.partition("-")[2]))
    await asyncio.gather(*(rig.processes[name].start() for name in names))


@dataclass(frozen=True)
class Told:
    """A claim or a sale, where it is in the ledger stream."""

    sequence: int
    entry: Claimed | Shipped


async def ledger(client: Client) -> dict[str, list[Told]]:
    """Every job's way through the ledger, in the order of the stream."""
    js = client.jetstream(timeout=10)
    left = (await js.stream_info(subjects.LEDGER)).state.messages
    subscription = await js.subscribe(subjects.ALL_LEDGER, ordered_consumer=True)
    found: dict[str, list[Told]] = defaultdict(list)
    for _ in range(left):
        message = await subscription.next_msg(30)
        entry = ledger_entry.validate_json(message.data)
        assert isinstance(entry, Claimed | Shipped), entry
        found[entry.job_id].append(Told(message.metadata.sequence.stream, entry))
    await subscription.unsubscribe()
    return found


async def judge(rig: Rig, jobs: Mapping[str, Path], rows: int) -> None:
    """That each job (its file by its id) was shipped in order, once a row, written back, and beside all the others."""
    told = await ledger(rig.client)
    assert told.keys() == jobs.keys()
    in_order = [(kind, number) for number in range(1, rows + 1) for kind in ("claimed", "shipped")]
    for job_id, entries in told.items():
        assert [(each.entry.kind, each.entry.row_number) for each in entries] == in_order, job_id
    # No job was at its end before each of them had begun.
    assert max(entries[1].sequence for entries in told.values()) < min(
        entries[-1].sequence for entries in told.values()
    )
    claims = [each.entry for entries in told.values() for each in entries if isinstance(each.entry, Claimed)]
    whose = {claim.reference: claim for claim in claims}
    sold = sorted(await rig.sold(), key=lambda sale: sale.created_at)
    assert Counter(sale.reference for sale in sold) == dict.fromkeys(whose, 1)
    by_job: dict[str, list[int]] = defaultdict(list)
    for sale in sold:
        by_job[whose[sale.reference].job_id].append(whose[sale.reference].row_number)
    assert all(numbers == list(range(1, rows + 1)) for numbers in by_job.values())
    written = [number for path in jobs.values() for number in tracking_numbers(path.read_bytes())]
    assert Counter(written) == Counter(sale.tracking_numbers[0] for sale in sold)


async def ship_side_by_side(rig: Rig, *, jobs: int, rows: int, shippers: int, within: float) -> None:
    """Take in so many jobs, then ship them all, and judge what came of it."""
    async with following(rig.client) as progress:
        batches = [await rig.submit(rows, seed=number + 1, name=f"job{number}") for number in range(jobs)]
        requests = [batch.request_id for batch in batches]
        await progress.until_started(requests, within)
        await add_shippers(rig, shippers)
        await progress.until_ended(requests, within)
        await rig.until_quiet(within)
        assert set(progress.ended.values()) == {EventType.COMPLETED}, progress.ended
        paths = {progress.started[batch.request_id]: batch.path for batch in batches}
    await judge(rig, paths, rows)
