"""What a coordinator that starts makes of the ledger, where its job database was put back to an earlier state."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypedDict

import nats.errors
import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext
from sqlalchemy import select

from services.coordinator.announcer import Announcer
from services.coordinator.database import steps
from services.coordinator.database.engine import Database
from services.coordinator.database.steps import Finding
from services.coordinator.database.tables import rows
from services.coordinator.running.dispatch import Dispatcher
from services.coordinator.running.ends import JobsAtTheirEnd
from services.coordinator.running.progress import Progress
from services.coordinator.running.replay import replay
from shared.bus import topology
from shared.bus.ledger import Entry, Ledger
from shared.bus.publishing import Publisher, fresh_id
from shared.contracts import subjects
from shared.contracts.states import JobStatus
from tests.integration.job_steps import (
    ISSUE,
    NOW,
    claimed,
    failed,
    in_doubt,
    job,
    record,
    row,
    shipped,
    started,
    take_in,
)

LATER = NOW + timedelta(days=5)


@dataclass
class Told:
    """A ledger whose entries other coordinators had: everything that was in it before counts as known."""

    js: JetStreamContext
    publisher: Publisher
    database: Database
    progress: Progress
    deliveries: JetStreamContext.PullSubscription
    mark: int = 0

    async def tell(self, *entries: Entry) -> None:
        """Append entries, each behind the one before."""
        for entry in entries:
            place = subjects.ledger(entry.job_id, entry.row_number)
            await self.publisher.publish(subjects.LEDGER, place, entry, message_id=fresh_id())

    async def acknowledge(self, *, all_but: int = 0) -> None:
        """Acknowledge what coordinators were sent, as they do; not the message at sequence `all_but`.

        So is what another test was sent and did not acknowledge, once it comes again.
        """
        while await self._has_more(all_but):
            with suppress(TimeoutError):
                for message in await self.deliveries.fetch(100, timeout=5):
                    if message.metadata.sequence.stream != all_but:
                        await message.ack_sync(timeout=10)

    async def _has_more(self, all_but: int) -> bool:
        consumer = await self.js.consumer_info(subjects.LEDGER, topology.LEDGER_ENTRIES.durable)
        return bool(consumer.num_pending or (consumer.num_ack_pending and not all_but))

    async def end(self) -> int:
        """The sequence of the ledger's last entry."""
        return (await self.js.stream_info(subjects.LEDGER)).state.last_seq

    async def replay(self) -> int:
        """What a coordinator does that starts."""
        return await replay(self.js, self.database, self.progress, self.mark)

    async def looked_up_first(self, job_id: str) -> Mapping[int, bool]:
        """By row, whether it is looked up with the carrier before it is bought."""
        query = select(rows.c.row_number, rows.c.recover).where(rows.c.job_id == job_id)
        found = await self.database.read(lambda connection: connection.execute(query).all())
        return {number: bool(recover) for number, recover in found}


@pytest.fixture
async def told(client: Client, database: Database) -> Any:
    js = client.jetstream()
    publisher = Publisher(js)
    ledger = Ledger(client, publisher)
    await ledger.refresh()
    announcer, dispatcher = Announcer(publisher, database, lambda: LATER), Dispatcher(publisher)
    progress = Progress(database, dispatcher, announcer, ledger, lambda: LATER, ISSUE.lifetime, JobsAtTheirEnd())
    deliveries = await js.pull_subscribe_bind(topology.LEDGER_ENTRIES.durable, subjects.LEDGER)
    told = Told(js, publisher, database, progress, deliveries)
    await told.acknowledge()
    told.mark = await told.end()
    return told


class Fresh(TypedDict):
    request_id: str
    fingerprint: str


def fresh(request: str) -> Fresh:
    """A job's own request id and orders: the bus is every test's."""
    return {"request_id": f"{request}-{fresh_id()}", "fingerprint": fresh_id()}


async def test_what_was_told_and_is_known_moves_nothing_and_nothing_is_looked_up(
    database: Database, told: Told
) -> None:
    job_id = await started(database, **fresh("known"))
    await told.tell(claimed(job_id, 1, 1), shipped(job_id, 1), claimed(job_id, 2, 1))
    await record(database, shipped(job_id, 1))
    await told.acknowledge()
    assert await told.replay() == told.mark + 3
    assert await told.looked_up_first(job_id) == {1: False, 2: False, 3: False}
    assert (await row(database, job_id, 2)).attempt == 1


async def test_a_sale_that_is_missing_is_recorded_and_what_is_still_to_ship_is_looked_up_first(
    database: Database, told: Told
) -> None:
    job_id, other = await started(database, **fresh("behind")), await started(database, **fresh("other"))
    await told.tell(shipped(job_id, 1), shipped(job_id, 2))
    await told.acknowledge()
    await told.replay()
    assert [(await row(database, job_id, number)).status for number in (1, 2, 3)] == ["shipped", "shipped", "in_flight"]
    assert (await told.looked_up_first(job_id))[3]
    assert await told.looked_up_first(other) == {1: True, 2: True, 3: True}


async def test_entries_that_a_purge_took_have_every_row_looked_up_that_is_still_to_ship(
    database: Database, told: Told
) -> None:
    purged, waiting = await started(database, **fresh("purged")), await take_in(database, **fresh("waiting"))
    await told.tell(*(shipped(purged, number) for number in (1, 2, 3)))
    await told.acknowledge()
    await told.publisher.purge(subjects.LEDGER, subjects.ledger_of(purged))
    assert await told.replay() == told.mark + 3
    assert await told.looked_up_first(purged) == {1: True, 2: True, 3: True}
    assert (await row(database, purged, 1)).status == "in_flight"  # nobody knows what became of it
    first = await database.write(steps.start, waiting, "intake", "ann", LATER, ISSUE)
    assert first.ship is not None
    assert first.ship.recover
    following = await record(database, shipped(purged, 1))
    assert following.ship is not None
    assert (following.ship.row_number, following.ship.recover) == (2, True)


async def test_a_label_is_looked_for_from_the_day_on_that_its_job_was_made(database: Database, told: Told) -> None:
    """An approval that came after the backup is forgotten: the second one is days behind what the first one sold."""
    job_id = await take_in(database, **fresh("approved-twice"))
    await told.tell(shipped(job_id, 1))
    await told.acknowledge()
    await told.publisher.purge(subjects.LEDGER, subjects.ledger_of(job_id))
    await told.replay()
    again = await database.write(steps.start, job_id, "intake", "ann", LATER, ISSUE)
    assert again.ship is not None
    assert again.ship.since == NOW


async def test_a_row_in_flight_takes_over_the_attempt_that_the_ledger_knows(database: Database, told: Told) -> None:
    job_id = await started(database, **fresh("in-flight"))
    await told.tell(failed(job_id, 1), claimed(job_id, 1, 2), failed(job_id, 1, 2), claimed(job_id, 1, 3))
    await told.acknowledge()
    await told.replay()
    found = await row(database, job_id, 1)
    assert (found.status, found.attempt) == ("in_flight", 3)
    assert (await told.looked_up_first(job_id))[1]


async def test_a_failure_of_a_later_attempt_is_the_rows(database: Database, told: Told) -> None:
    job_id = await started(database, **fresh("failed-later"))
    await told.tell(failed(job_id, 1), failed(job_id, 1, 2))
    await told.acknowledge()
    await told.replay()
    found = await row(database, job_id, 1)
    assert (found.status, found.attempt) == ("failed", 2)
    assert (await job(database, job_id)).status is JobStatus.FAILED


async def test_a_row_that_is_not_begun_gets_the_attempt_that_the_ledger_has_an_outcome_for(
    database: Database, told: Told
) -> None:
    job_id = await take_in(database, **fresh("pending"))
    await told.tell(failed(job_id, 1, 3))
    await told.acknowledge()
    await told.replay()
    begun = await database.write(steps.start, job_id, "intake", "ann", LATER, ISSUE)
    assert begun.ship is not None
    assert (begun.ship.attempt, begun.ship.recover) == (3, True)
    await record(database, failed(job_id, 1, 3))
    assert (await row(database, job_id, 1)).status == "failed"


@pytest.mark.parametrize("before", ["failed", "in_doubt"])
async def test_a_row_that_a_person_tries_again_is_not_behind_the_ledger(
    database: Database, told: Told, before: str
) -> None:
    """A command with an older attempt than the ledger's is dropped, and would be for as long as it is made."""
    job_id = await started(database, **fresh("tried-again"))
    await record(database, failed(job_id, 1) if before == "failed" else in_doubt(job_id, 1))
    await told.tell(failed(job_id, 1, 2), failed(job_id, 1, 4))
    await told.acknowledge()
    await told.replay()
    if before == "in_doubt":
        finding = Finding(tracking_number=None, by="ann", reason="")
        await database.write(steps.resolve, job_id, 1, finding, LATER)
    resumed = await database.write(steps.resume, job_id, "ann", LATER, ISSUE)
    assert resumed.ship is not None
    assert (resumed.ship.attempt, resumed.ship.recover) == (4, True)


async def test_a_sale_that_was_acknowledged_before_an_earlier_entry_is_recorded_as_well(
    database: Database, told: Told
) -> None:
    slow, quick = await started(database, **fresh("slow")), await started(database, **fresh("quick"))
    await told.tell(shipped(slow, 1), shipped(quick, 1))
    await told.acknowledge(all_but=told.mark + 1)
    assert await told.replay() == told.mark
    assert (await row(database, quick, 1)).status == "shipped"
    await _settle(told)


async def test_what_is_delivered_and_not_acknowledged_says_nothing_of_the_database(
    database: Database, told: Told
) -> None:
    """As after any kill of a coordinator: it comes again."""
    job_id = await started(database, **fresh("killed"))
    await told.tell(shipped(job_id, 1))
    await told.acknowledge(all_but=told.mark + 1)
    await told.replay()
    assert await told.looked_up_first(job_id) == {1: False, 2: False, 3: False}
    await _settle(told)


@pytest.mark.parametrize("content", [b"no entry", b'{"kind": "shipped", "version": 99}'], ids=["poison", "newer"])
@pytest.mark.parametrize("acknowledged", [True, False])
async def test_what_cannot_be_read_is_passed_over(
    database: Database, told: Told, content: bytes, acknowledged: bool
) -> None:
    """It is rejected, or left to an upgraded coordinator, when it is delivered; here it would keep all from work."""
    job_id = await started(database, **fresh("unreadable"))
    await told.js.publish(subjects.ledger(job_id, 9), content, stream=subjects.LEDGER)
    await told.tell(shipped(job_id, 1))
    await told.acknowledge(all_but=0 if acknowledged else told.mark + 1)
    await record(database, shipped(job_id, 1))
    await told.replay()
    assert not (await told.looked_up_first(job_id))[3]
    await _settle(told)


async def _settle(told: Told) -> None:
    """Take what comes again: the next test begins with everything acknowledged."""
    while (await told.js.consumer_info(subjects.LEDGER, topology.LEDGER_ENTRIES.durable)).num_ack_pending:
        try:
            for message in await told.deliveries.fetch(100, timeout=topology.ACK_WAIT):
                await message.ack_sync(timeout=10)
        except nats.errors.TimeoutError:
            continue
