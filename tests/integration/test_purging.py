"""A purge over a real bus: labels, ledger and events go; what is cut short is finished by asking again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from services.coordinator.announcer import Announcer
from services.coordinator.database import queries
from services.coordinator.database.engine import Database
from services.coordinator.records.purging import Purging
from services.coordinator.running.dispatch import Dispatcher
from services.coordinator.running.ends import JobsAtTheirEnd
from services.coordinator.running.progress import Progress
from services.shipper.carriers.carrier import Label
from services.shipper.label_keeping import LabelKeeping
from services.shipper.labels import LabelStore
from shared.bus.ledger import Ledger
from shared.bus.publishing import Publisher, fresh_id
from shared.contracts import subjects
from shared.contracts.purging import PlanPurge, PurgeJob, RewriteDatabase
from shared.errors import TallyError
from tests.contract.messages import MESSAGES
from tests.integration.job_steps import NOW, checked, failed, record, shipped, started, written

LATER = NOW + timedelta(days=100)


def later() -> datetime:
    return LATER


@dataclass(frozen=True)
class House:
    """A coordinator's part that purges, and a shipper's that keeps labels."""

    js: JetStreamContext
    publisher: Publisher
    store: LabelStore
    labels: Path
    purging: Purging


@pytest.fixture
async def house(client: Client, database: Database, tmp_path: Path) -> House:
    publisher = Publisher(client.jetstream())
    ledger = Ledger(client, publisher)
    await ledger.refresh()
    announcer, dispatcher = Announcer(publisher, database, later), Dispatcher(publisher)
    progress = Progress(database, dispatcher, announcer, ledger, later, timedelta(minutes=5), JobsAtTheirEnd())
    store = LabelStore(f"file://{tmp_path / 'labels'}")
    keeping = LabelKeeping(store)

    async def drop(message: Msg) -> None:
        await message.respond(await keeping.drop(message.data))

    await client.subscribe(subjects.LABELS_DROP, cb=drop)
    purging = Purging(client, publisher, database, progress, ledger, later)
    return House(client.jetstream(), publisher, store, tmp_path / "labels", purging)


async def over(database: Database, house: House) -> str:
    """A job that ended long ago, with a label, a ledger entry and an event."""
    job_id = await started(database, fresh_id(), 1, fingerprint=fresh_id())
    sold = shipped(job_id, 1, number=f"1Z{job_id.upper()}")
    await record(database, sold)
    await written(database, job_id, 1)
    await checked(database, job_id)
    await house.store.put(job_id, 1, Label(sold.tracking_numbers[0], "gif", b"GIF89a"))
    for stream, subject in (
        (subjects.LEDGER, subjects.ledger(job_id, 1)),
        (subjects.EVENTS, f"tally.events.{job_id}.x"),
    ):
        await house.publisher.publish(stream, subject, sold, message_id=fresh_id())
    return job_id


async def on_the_bus(house: House, job_id: str) -> list[str]:
    found = []
    for stream, subject in (
        (subjects.LEDGER, subjects.ledger_of(job_id)),
        (subjects.EVENTS, subjects.events_of(job_id)),
    ):
        found += list((await house.js.stream_info(stream, subjects_filter=subject)).state.subjects or {})
    return found


def order(job_id: str) -> PurgeJob:
    return PurgeJob(job_id=job_id, before=LATER, by="ann")


async def test_everything_of_a_purged_job_goes_and_nothing_of_another(database: Database, house: House) -> None:
    job_id, other = await over(database, house), await over(database, house)
    plan = await house.purging.plan(PlanPurge(older_than=3600))
    assert {job.job_id for job in plan.jobs} == {job_id, other}
    purged = await house.purging.purge(order(job_id))
    assert (purged.rows, purged.labels) == (1, 1)
    assert await on_the_bus(house, job_id) == []
    assert not (house.labels / job_id).exists()
    assert len(await on_the_bus(house, other)) == 2
    assert (house.labels / other).exists()
    assert (await house.purging.purge(order(job_id))).rows == 0
    # A server keeps its files itself.
    assert (await house.purging.rewrite(RewriteDatabase())).rewritten == (database.kind == "sqlite")
    assert [job.job_id for job in (await house.purging.plan(PlanPurge(older_than=3600))).jobs] == [other]


async def test_a_purge_whose_labels_could_not_be_deleted_is_finished_by_asking_again(
    database: Database, house: House
) -> None:
    job_id = await over(database, house)
    folder = house.labels / job_id
    held = folder / "held"
    held.mkdir()
    with pytest.raises(TallyError, match="E-4042"):
        await house.purging.purge(order(job_id))
    assert (await database.read(queries.show_job, job_id)).purged_at == LATER
    assert not (await database.read(queries.show_row, job_id, 1)).purged
    (job,) = (await house.purging.plan(PlanPurge(older_than=1e9))).jobs
    assert (job.job_id, job.begun) == (job_id, True)
    held.rmdir()
    await house.purging.purge(order(job_id))
    assert (await database.read(queries.show_row, job_id, 1)).purged
    assert not folder.exists()


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> LabelStore:
    return LabelStore(f"file://{tmp_path}" if request.param == "file" else "memory:///")


async def test_labels_are_dropped_some_at_a_time(store: LabelStore) -> None:
    for number in range(1, 502):
        await store.put("job", number, Label(f"1Z{number}", "gif", b"GIF89a"))
    await store.put("job-2", 1, Label("1Z", "gif", b"GIF89a"))
    assert await store.drop("job") == (500, True)
    assert await store.drop("job") == (1, False)
    assert await store.drop("job") == (0, False)
    assert await store.drop("job-2") == (1, False)


async def test_a_job_is_kept_while_a_ship_command_of_it_may_be_delivered_again(
    database: Database, house: House
) -> None:
    job_id = await over(database, house)
    command = MESSAGES["ship-command"]
    await house.publisher.publish(subjects.COMMANDS, subjects.ship_command(job_id), command, message_id=fresh_id())
    with pytest.raises(TallyError, match="E-4041"):
        await house.purging.purge(order(job_id))
    assert len(await on_the_bus(house, job_id)) == 2
    assert (await database.read(queries.show_job, job_id)).purged_at is None
    await house.js.purge_stream(subjects.COMMANDS, subject=subjects.ship_command(job_id))
    assert (await house.purging.purge(order(job_id))).rows == 1


async def test_a_sale_that_is_in_the_ledger_only_is_recorded_before_that_goes(database: Database, house: House) -> None:
    job_id = await started(database, fresh_id(), 1, fingerprint=fresh_id())
    await record(database, failed(job_id, 1))
    sold = shipped(job_id, 1, number=f"1Z{job_id.upper()}")
    await house.publisher.publish(
        subjects.LEDGER, subjects.late_ledger(job_id, 1), sold, message_id=fresh_id(), expected_last=0
    )
    with pytest.raises(TallyError, match=r"E-4041.*written back"):
        await house.purging.purge(order(job_id))
    row = await database.read(queries.show_row, job_id, 1)
    assert (row.status, row.tracking_numbers) == ("shipped", sold.tracking_numbers)
