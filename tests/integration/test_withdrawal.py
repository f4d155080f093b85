"""A row that is withdrawn or abandoned: the ledger says whether anybody can have called for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from services.coordinator.announcer import Announcer
from services.coordinator.database import queries, steps
from services.coordinator.database.commands import Issue
from services.coordinator.database.engine import Database
from services.coordinator.running.dispatch import Dispatcher
from services.coordinator.running.ends import JobsAtTheirEnd
from services.coordinator.running.progress import Progress
from services.coordinator.running.withdrawal import Withdrawal
from services.shipper.handlers import Handlers
from services.shipper.shipping import Shipping
from services.shipper.voiding import Voiding
from shared.bus import topology
from shared.bus.ledger import Entry, Ledger
from shared.bus.parking import Parking
from shared.bus.publishing import Publisher, WrongLastSequenceError, fresh_id
from shared.contracts import subjects
from shared.contracts.commands import ShipCommand, ShipCommandAbandoned
from shared.contracts.ledger import Claimed, Failed, InDoubt
from shared.contracts.states import JobStatus, RowStatus, WriteBackStatus
from shared.contracts.writeback import RowWritten, SourceWritten
from tests.integration.job_steps import ERROR, ISSUE, NOW, claimed, record, row, shipped, started

LIFETIME = timedelta(minutes=5)


@dataclass(frozen=True)
class Bus:
    """What a coordinator withdraws with."""

    client: Client
    publisher: Publisher
    ledger: Ledger
    progress: Progress
    withdrawal: Withdrawal


@pytest.fixture
async def bus(client: Client, database: Database) -> Bus:
    publisher = Publisher(client.jetstream())
    ledger = Ledger(client, publisher)
    await ledger.refresh()
    announcer = Announcer(publisher, database, lambda: NOW)
    dispatcher = Dispatcher(publisher)
    progress = Progress(database, dispatcher, announcer, ledger, lambda: NOW, LIFETIME, JobsAtTheirEnd())
    withdrawal = Withdrawal(database, dispatcher, progress, ledger, lambda: NOW)
    return Bus(client, publisher, ledger, progress, withdrawal)


async def in_flight(database: Database, bus: Bus, *, former_epoch: bool = False) -> ShipCommand:
    """The command of a job's first row, in flight under the ledger's epoch (or put there under a former one)."""
    now = Issue(bus.ledger.epoch, LIFETIME)
    issue = ISSUE if former_epoch else now
    job_id = await started(database, fresh_id(), issue=issue)
    step = await database.write(steps.reissue, job_id, 1, issue.epoch, NOW, now, recover=False)
    assert step.ship is not None
    assert step.ship.recover == former_epoch
    return step.ship


async def claim(bus: Bus, command: ShipCommand) -> int:
    row = claimed(command.job_id, command.row_number, command.attempt, command.epoch, reference=command.reference)
    return await bus.ledger.claim(row, 0)


def report(command: ShipCommand, attempt: int = 1) -> ShipCommandAbandoned:
    return ShipCommandAbandoned(job_id=command.job_id, row_number=1, attempt=attempt, deliveries=5)


async def last(bus: Bus, command: ShipCommand) -> Entry | None:
    found = await bus.ledger.last(command.job_id, 1)
    return None if found is None else found.entry


async def test_an_abandoned_row_that_nobody_claimed_has_failed(database: Database, bus: Bus) -> None:
    command = await in_flight(database, bus)
    await bus.withdrawal.abandon(report(command))
    entry = await last(bus, command)
    assert isinstance(entry, Failed)
    assert entry.error.code == "E-3012"


async def test_an_abandoned_row_that_somebody_claimed_is_in_doubt(database: Database, bus: Bus) -> None:
    command = await in_flight(database, bus)
    await claim(bus, command)
    await bus.withdrawal.abandon(report(command))
    entry = await last(bus, command)
    assert isinstance(entry, InDoubt)
    assert (entry.error.code, entry.reference) == ("E-3012", command.reference)


async def test_an_abandoned_row_whose_ledger_was_lost_is_in_doubt(database: Database, bus: Bus) -> None:
    command = await in_flight(database, bus, former_epoch=True)
    await bus.withdrawal.abandon(report(command))
    assert isinstance(await last(bus, command), InDoubt)


async def test_whoever_held_the_abandoned_claim_can_settle_nothing_but_a_sale(database: Database, bus: Bus) -> None:
    command = await in_flight(database, bus)
    sequence = await claim(bus, command)
    await bus.withdrawal.abandon(report(command))
    sale = shipped(command.job_id, 1).model_copy(update={"epoch": command.epoch, "claim_id": fresh_id()})
    assert not await bus.ledger.settle(sale, sequence)
    assert await bus.ledger.outcomes(command.job_id, 1) == [await last(bus, command), sale]


async def test_a_report_of_an_older_attempt_says_nothing_of_the_present_one(database: Database, bus: Bus) -> None:
    command = await in_flight(database, bus)
    await bus.withdrawal.abandon(report(command, attempt=2))
    assert await last(bus, command) is None


async def test_a_cancelled_row_that_nobody_claimed_is_withdrawn(database: Database, bus: Bus) -> None:
    command = await in_flight(database, bus)
    await database.write(steps.halt, command.job_id, JobStatus.CANCELLED, "ann", NOW)
    await bus.withdrawal.withdraw(command.job_id)
    entry = await last(bus, command)
    assert isinstance(entry, Failed)
    assert entry.error.code == "E-3013"


async def test_a_cancelled_row_that_may_have_been_called_for_is_left_to_its_look_up(
    database: Database, bus: Bus
) -> None:
    command = await in_flight(database, bus, former_epoch=True)
    await database.write(steps.halt, command.job_id, JobStatus.CANCELLED, "ann", NOW)
    await bus.withdrawal.withdraw(command.job_id)
    assert await last(bus, command) is None


async def test_a_claim_that_comes_in_between_is_weighed_again(database: Database, bus: Bus) -> None:
    command = await in_flight(database, bus)
    await claim(bus, command)
    stale = Failed(
        job_id=command.job_id,
        row_number=1,
        attempt=1,
        epoch=command.epoch,
        claim_id=fresh_id(),
        error=ERROR,
        failed_at=NOW,
    )
    assert not await bus.ledger.close(stale, None)
    with pytest.raises(WrongLastSequenceError):
        await claim(bus, command)


async def test_a_command_delivered_five_times_is_reported_instead_of_worked_on(database: Database, bus: Bus) -> None:
    command = await in_flight(database, bus)
    subject = subjects.ship_command(command.job_id)
    await bus.publisher.publish(subjects.COMMANDS, subject, command, message_id=fresh_id())
    js = bus.client.jetstream()
    reports = await js.pull_subscribe(
        subjects.abandoned(command.job_id), stream=subjects.OUTCOMES, durable=topology.ABANDONED_COMMANDS.durable
    )
    handlers = Handlers(Unreachable(), NoVoiding(), bus.publisher, Parking("shipper", bus.publisher))
    commands = await js.pull_subscribe(subject, stream=subjects.COMMANDS, durable=topology.SHIP_COMMANDS.durable)
    for _ in range(5):
        await (await delivery(commands, subject)).nak()
    await handlers.ship(await delivery(commands, subject))
    (told,) = await reports.fetch(1, timeout=10)
    assert ShipCommandAbandoned.model_validate_json(told.data) == report(command)
    await told.ack()


async def delivery(commands: JetStreamContext.PullSubscription, subject: str) -> Msg:
    """The next delivery of `subject`; what other tests left on the bus they share is taken out of the way."""
    while True:
        (message,) = await commands.fetch(1, timeout=10)
        if message.subject == subject:
            return message
        await message.ack()


class Unreachable(Shipping):
    """Shipping that must not be asked."""

    def __init__(self) -> None:
        """Take nothing: nothing is to be shipped."""

    async def ship(self, command: ShipCommand, *, first_delivery: bool) -> bool:
        raise AssertionError(f"row {command.row_number} was worked on, first delivery: {first_delivery}")


class NoVoiding(Voiding):
    """Voiding that must not be asked."""

    def __init__(self) -> None:
        """Take nothing: nothing is to be voided."""


async def test_a_withdrawal_that_lands_in_another_ledger_than_it_was_read_in_proves_nothing(
    database: Database, bus: Bus
) -> None:
    command = await in_flight(database, bus)
    await bus.withdrawal.withdraw(command.job_id)
    tombstone = await last(bus, command)
    assert isinstance(tombstone, Failed)
    lost = tombstone.model_copy(update={"epoch": "a ledger that was lost"})
    await bus.progress.record(lost)
    assert (await row(database, command.job_id, 1)).status is RowStatus.IN_FLIGHT
    await bus.progress.record(tombstone)
    assert (await row(database, command.job_id, 1)).status is RowStatus.FAILED


async def test_a_row_abandoned_with_a_claim_says_until_when_that_may_sell(database: Database, bus: Bus) -> None:
    command = await in_flight(database, bus)
    await claim(bus, command)
    await bus.withdrawal.abandon(report(command))
    entry = await last(bus, command)
    assert isinstance(entry, InDoubt)
    assert entry.last_possible_commit == NOW


async def test_a_flush_that_names_an_unknown_job_is_recorded_for_the_others(database: Database, bus: Bus) -> None:
    job_id = await started(database, fresh_id(), rows=1)
    await record(database, shipped(job_id, 1))
    (due,) = await database.read(queries.write_backs_due, NOW + LIFETIME, 10)
    unknown = RowWritten(job_id="nobody", row_number=1, row_version=1, status="written")
    known = RowWritten(job_id=job_id, row_number=1, row_version=due.row_version, status="written")
    await bus.progress.record_written(SourceWritten(source_hash="abc", rows=(unknown, known)))
    assert (await row(database, job_id, 1)).write_back.status is WriteBackStatus.WRITTEN


async def test_the_command_of_a_cancelled_row_that_somebody_claimed_is_taken_out(database: Database, bus: Bus) -> None:
    command = await in_flight(database, bus)
    await bus.publisher.publish(
        subjects.COMMANDS, subjects.ship_command(command.job_id), command, message_id=fresh_id()
    )
    await claim(bus, command)
    await database.write(steps.halt, command.job_id, JobStatus.CANCELLED, "ann", NOW)
    await bus.withdrawal.withdraw(command.job_id)
    assert await bus.publisher.last(subjects.COMMANDS, subjects.ship_command(command.job_id)) is None
    assert isinstance(await last(bus, command), Claimed)


async def test_a_cancelled_row_is_ordered_again_to_be_looked_up_and_not_to_be_bought(
    database: Database, bus: Bus
) -> None:
    command = await in_flight(database, bus)
    await database.write(steps.halt, command.job_id, JobStatus.CANCELLED, "ann", NOW)
    now = Issue(bus.ledger.epoch, LIFETIME)
    step = await database.write(steps.reissue, command.job_id, 1, command.epoch, NOW, now, recover=True)
    assert step.ship is not None
    assert (command.buy, step.ship.buy, step.ship.recover) == (True, False, True)
