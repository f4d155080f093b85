"""The bus's sharp parts, against a real server."""

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from shared.bus import topology
from shared.bus.heartbeat import heartbeat
from shared.bus.ledger import Ledger, LedgerRolledBackError
from shared.bus.parking import Parking
from shared.bus.publishing import Publisher, SubjectOccupiedError, WrongLastSequenceError, fresh_id
from shared.bus.pulling import Pull
from shared.contracts import subjects
from shared.contracts.ledger import Claimed, Failed, KnownLedger, Shipped
from shared.contracts.requests import JobRequest
from shared.contracts.source import CsvSource
from shared.errors import ErrorBody, TallyError
from tests.integration.job_steps import claimed

NOW = datetime(2026, 11, 21, tzinfo=UTC)
MESSAGE = JobRequest(request_id="r", source=CsvSource(path="orders.csv"))


@pytest.fixture
def js(client: Client) -> JetStreamContext:
    return client.jetstream()


@pytest.fixture
def publisher(js: JetStreamContext) -> Publisher:
    return Publisher(js)


@pytest.fixture
def ledger(client: Client, publisher: Publisher) -> Ledger:
    return Ledger(client, publisher)


@pytest.fixture
def job() -> str:
    return uuid.uuid4().hex


def claim(job: str, claim_id: str | None = None) -> Claimed:
    return claimed(job, 1, epoch="e", claim_id=claim_id)


def sale(claimed: Claimed) -> Shipped:
    return Shipped(
        job_id=claimed.job_id,
        row_number=1,
        attempt=1,
        epoch="e",
        claim_id=claimed.claim_id,
        shipment_id="1Z",
        tracking_numbers=("1Z",),
        cost=None,
        label_key=None,
        shipped_at=NOW,
    )


def failure(claimed: Claimed) -> Failed:
    error = ErrorBody(code="E-3001", message="refused")
    return Failed(
        job_id=claimed.job_id,
        row_number=1,
        attempt=1,
        epoch="e",
        claim_id=claimed.claim_id,
        error=error,
        failed_at=NOW,
    )


async def test_applying_the_topology_again_changes_nothing(js: JetStreamContext) -> None:
    before = await js.stream_info(subjects.LEDGER)
    await topology.apply(js)
    assert (await js.stream_info(subjects.LEDGER)).created == before.created
    assert not await topology.is_missing(js, topology.CONSUMERS)


async def test_a_stream_made_anew_counts_beyond_the_one_that_was_lost(
    js: JetStreamContext, publisher: Publisher
) -> None:
    subject = subjects.event("lost", "progress")
    before = await publisher.publish(subjects.EVENTS, subject, MESSAGE, message_id=fresh_id())
    await js.delete_stream(subjects.EVENTS)
    await topology.apply(js)
    after = await publisher.publish(subjects.EVENTS, subject, MESSAGE, message_id=fresh_id())
    assert after.seq > before.seq


async def test_a_jobs_second_command_is_refused_until_the_first_is_acknowledged(
    js: JetStreamContext, publisher: Publisher, job: str
) -> None:
    subject = subjects.ship_command(job)
    first = await publisher.publish(subjects.COMMANDS, subject, MESSAGE, message_id=fresh_id())
    with pytest.raises(SubjectOccupiedError):
        await publisher.publish(subjects.COMMANDS, subject, MESSAGE, message_id=fresh_id())
    other = subjects.ship_command(uuid.uuid4().hex)
    await publisher.publish(subjects.COMMANDS, other, MESSAGE, message_id=fresh_id())
    await publisher.delete(subjects.COMMANDS, first.seq)
    await publisher.publish(subjects.COMMANDS, subject, MESSAGE, message_id=fresh_id())
    await js.purge_stream(subjects.COMMANDS)


async def test_deleting_a_message_that_is_gone_is_no_error(publisher: Publisher) -> None:
    await publisher.delete(subjects.COMMANDS, 999_999_999)


async def test_a_subject_that_was_never_used_holds_nothing(publisher: Publisher, job: str) -> None:
    assert await publisher.last(subjects.LEDGER, subjects.ledger(job, 1)) is None


async def test_of_two_claims_on_a_row_one_wins(ledger: Ledger, job: str) -> None:
    claims = [claim(job), claim(job)]
    won = await asyncio.gather(*(ledger.claim(one, 0) for one in claims), return_exceptions=True)
    assert sorted(type(result).__name__ for result in won) == ["WrongLastSequenceError", "int"]
    last = await ledger.last(job, 1)
    assert last is not None
    assert last.entry == claims[0 if isinstance(won[0], int) else 1]


async def test_a_claim_whose_confirmation_was_lost_is_still_ours(ledger: Ledger, job: str) -> None:
    mine = claim(job)
    sequence = await ledger.claim(mine, 0)
    assert await ledger.claim(mine, 0) == sequence


async def test_an_outcome_follows_its_claim(ledger: Ledger, job: str) -> None:
    mine = claim(job)
    assert await ledger.settle(sale(mine), await ledger.claim(mine, 0))
    last = await ledger.last(job, 1)
    assert last is not None
    assert last.entry.kind == "shipped"


async def test_a_sale_whose_claim_was_taken_over_goes_to_the_late_ledger(
    ledger: Ledger, publisher: Publisher, job: str
) -> None:
    mine, theirs = claim(job), claim(job)
    sequence = await ledger.claim(mine, 0)
    await ledger.claim(theirs, sequence)
    assert not await ledger.settle(sale(mine), sequence)
    late = await publisher.last(subjects.LEDGER, subjects.late_ledger(job, 1))
    assert late is not None
    assert mine.claim_id.encode() in late.data
    last = await ledger.last(job, 1)
    assert last is not None
    assert last.entry == theirs


async def test_a_failure_whose_claim_was_taken_over_counts_for_nothing(
    ledger: Ledger, publisher: Publisher, job: str
) -> None:
    mine = claim(job)
    sequence = await ledger.claim(mine, 0)
    await ledger.claim(claim(job), sequence)
    assert not await ledger.settle(failure(mine), sequence)
    assert await publisher.last(subjects.LEDGER, subjects.late_ledger(job, 1)) is None


async def test_a_row_that_nobody_claimed_can_be_closed_and_then_not_be_claimed(ledger: Ledger, job: str) -> None:
    assert await ledger.close(failure(claim(job)), None)
    with pytest.raises(WrongLastSequenceError):
        await ledger.claim(claim(job), 0)


async def test_a_row_that_was_claimed_meanwhile_cannot_be_closed(ledger: Ledger, job: str) -> None:
    mine = claim(job)
    await ledger.claim(mine, 0)
    assert not await ledger.close(failure(mine), None)


async def test_a_takeover_names_the_claim_it_replaces(ledger: Ledger, job: str) -> None:
    first = await ledger.claim(claim(job), 0)
    second = await ledger.claim(claim(job), first)
    with pytest.raises(WrongLastSequenceError):
        await ledger.claim(claim(job), first)
    assert second > first


@dataclass
class Taker:
    """A pull on a stream of its own, and what it was handed."""

    js: JetStreamContext
    pull: Pull
    subject: str
    stream: str
    seen: asyncio.Queue[Msg] = field(default_factory=asyncio.Queue)


@pytest.fixture
async def taker(client: Client, js: JetStreamContext) -> AsyncIterator[Taker]:
    """Messages of a fresh work queue, handed over two at a time and left to the test to acknowledge."""
    name = f"T{uuid.uuid4().hex[:8]}"
    await js.add_stream(name=name, subjects=[f"{name}.*"], retention="workqueue")
    consumer = topology.Consumer("taker", name, f"{name}.*")
    await js.add_consumer(name, consumer.config())
    queue: asyncio.Queue[Msg] = asyncio.Queue()

    async def handle(message: Msg) -> None:
        await queue.put(message)

    pull = Pull(client, consumer, handle, Parking("test", Publisher(js)), concurrency=2)
    running = asyncio.create_task(pull.run())
    yield Taker(js, pull, f"{name}.x", name, queue)
    running.cancel()
    await asyncio.wait([running])
    await js.delete_stream(name)


async def test_messages_are_handed_over_as_they_come_and_each_once(taker: Taker) -> None:
    for number in range(50):
        await taker.js.publish(taker.subject, str(number).encode())
    got = []
    async with asyncio.timeout(10):
        for _ in range(50):
            message = await taker.seen.get()
            got.append(int(message.data))
            await message.ack()
    assert got == list(range(50))


async def test_what_is_not_acknowledged_comes_again(taker: Taker) -> None:
    await taker.js.publish(taker.subject, b"again")
    async with asyncio.timeout(topology.ACK_WAIT + 5):
        first = await taker.seen.get()
        second = await taker.seen.get()
    assert (first.metadata.num_delivered, second.metadata.num_delivered) == (1, 2)
    await second.ack()


async def test_a_heartbeat_keeps_a_message_from_coming_again_and_ends_with_its_block(taker: Taker) -> None:
    await taker.js.publish(taker.subject, b"long work")
    message = await asyncio.wait_for(taker.seen.get(), 10)
    with pytest.raises(TimeoutError):
        async with heartbeat(message):
            await asyncio.wait_for(taker.seen.get(), topology.ACK_WAIT + 2)
    again = await asyncio.wait_for(taker.seen.get(), topology.ACK_WAIT + 5)
    assert again.metadata.num_delivered == 2
    await again.ack()


async def test_a_consumer_that_was_deleted_and_made_again_is_taken_up(taker: Taker) -> None:
    await taker.js.delete_consumer(taker.stream, "taker")
    await taker.js.add_consumer(taker.stream, topology.Consumer("taker", taker.stream, f"{taker.stream}.*").config())
    await taker.js.publish(taker.subject, b"after")
    message = await asyncio.wait_for(taker.seen.get(), 15)
    assert message.data == b"after"
    await message.ack()


async def test_a_slow_process_takes_no_message_that_another_could_handle(client: Client, js: JetStreamContext) -> None:
    name = f"T{uuid.uuid4().hex[:8]}"
    await js.add_stream(name=name, subjects=[f"{name}.*"], retention="workqueue")
    consumer = topology.Consumer("taker", name, f"{name}.*")
    await js.add_consumer(name, consumer.config())
    slow_ones: list[Msg] = []
    others: asyncio.Queue[Msg] = asyncio.Queue()
    busy, release = asyncio.Event(), asyncio.Event()

    async def handle_slowly(message: Msg) -> None:
        async with heartbeat(message):
            slow_ones.append(message)
            if len(slow_ones) == 2:
                busy.set()
            await release.wait()
        await message.ack()

    async def handle(message: Msg) -> None:
        await message.ack()
        await others.put(message)

    for number in range(30):
        await js.publish(f"{name}.x", str(number).encode())
    slow = asyncio.create_task(
        Pull(client, consumer, handle_slowly, Parking("test", Publisher(js)), concurrency=2).run()
    )
    async with asyncio.timeout(10):
        await busy.wait()
    quick = asyncio.create_task(Pull(client, consumer, handle, Parking("test", Publisher(js)), concurrency=2).run())
    async with asyncio.timeout(10):
        handled = [await others.get() for _ in range(28)]
    assert len(slow_ones) == 2
    assert {message.metadata.num_delivered for message in (*slow_ones, *handled)} == {1}
    release.set()
    for task in (slow, quick):
        task.cancel()
    await asyncio.wait([slow, quick])
    await js.delete_stream(name)


async def test_a_process_that_says_what_room_it_has_is_given_no_more(client: Client, js: JetStreamContext) -> None:
    name = f"T{uuid.uuid4().hex[:8]}"
    await js.add_stream(name=name, subjects=[f"{name}.*"], retention="workqueue")
    consumer = topology.Consumer("taker", name, f"{name}.*")
    await js.add_consumer(name, consumer.config())
    in_hand: set[int] = set()
    most: list[int] = []
    done: asyncio.Queue[int] = asyncio.Queue()

    async def handle(message: Msg) -> None:
        number = int(message.data)
        in_hand.add(number)
        most.append(len(in_hand))
        # As long as it takes to hear from the server.
        await client.flush()
        await message.ack()
        in_hand.remove(number)
        await done.put(number)

    for number in range(40):
        await js.publish(f"{name}.x", str(number).encode())
    pull = Pull(client, consumer, handle, Parking("test", Publisher(js)), concurrency=32, room=lambda: 3 - len(in_hand))
    running = asyncio.create_task(pull.run())
    async with asyncio.timeout(20):
        assert sorted([await done.get() for _ in range(40)]) == list(range(40))
    assert max(most) <= 3
    running.cancel()
    await asyncio.wait([running])
    await js.delete_stream(name)


async def test_a_claim_in_a_ledger_that_is_shorter_than_it_was_counts_for_nothing(ledger: Ledger, job: str) -> None:
    epoch = await ledger.refresh()
    mine = claim(job).model_copy(update={"epoch": epoch})
    with pytest.raises(LedgerRolledBackError):
        await ledger.claim(mine, 0, above=10**15)


async def test_a_ledger_that_was_rolled_back_is_replaced_by_one_of_another_epoch(ledger: Ledger, job: str) -> None:
    epoch = await ledger.refresh()
    sequence = await ledger.claim(claim(job).model_copy(update={"epoch": epoch}), 0)
    ledger.note(epoch, sequence + 1)
    with pytest.raises(LedgerRolledBackError):
        await ledger.refresh()
    await ledger.keep_up()
    assert ledger.epoch != epoch
    assert ledger.mark == 0
    assert await ledger.last(job, 1) is None


async def test_an_entry_noted_while_the_ledger_is_asked_is_no_roll_back(ledger: Ledger, job: str) -> None:
    epoch = await ledger.refresh()
    sequence = await ledger.claim(claim(job).model_copy(update={"epoch": epoch}), 0)
    asking = asyncio.create_task(ledger.refresh())
    await asyncio.sleep(0)  # the question is on its way, the answer is not
    ledger.note(epoch, sequence + 1)
    assert await asking == epoch


async def test_a_ledger_that_was_replaced_meanwhile_is_known_by_its_new_epoch(
    ledger: Ledger, client: Client, publisher: Publisher
) -> None:
    other = Ledger(client, publisher)
    former = await other.refresh()
    ledger.note(await ledger.refresh(), 10**15)
    await ledger.keep_up()
    assert await other.is_current(ledger.epoch)
    assert not await other.is_current(former)


async def test_a_ledger_that_was_rolled_back_and_has_come_further_since_is_known_by_what_it_lacks(
    ledger: Ledger, client: Client, publisher: Publisher, job: str
) -> None:
    epoch = await ledger.refresh()
    entry = claim(job).model_copy(update={"epoch": epoch})
    sequence = await ledger.claim(entry, 0)
    other = Ledger(client, publisher)
    await other.refresh()
    lost = KnownLedger(epoch=epoch, sequence=sequence, digest=hashlib.sha256(b"what was there before").hexdigest())
    other.recall(lost)
    with pytest.raises(LedgerRolledBackError, match="another entry"):
        await other.refresh()
    await ledger.keep_up(ledger.known)
    assert ledger.epoch == epoch
    await ledger.keep_up(lost)
    assert ledger.epoch != epoch


async def test_an_entry_that_was_purged_with_its_job_is_no_roll_back(ledger: Ledger, js: JetStreamContext) -> None:
    epoch = await ledger.refresh()
    sequence = await ledger.claim(claim(fresh_id()).model_copy(update={"epoch": epoch}), 0)
    await ledger.claim(claim(fresh_id()).model_copy(update={"epoch": epoch}), 0)
    known = KnownLedger(epoch=epoch, sequence=sequence, digest=hashlib.sha256(b"anything").hexdigest())
    await js.delete_msg(subjects.LEDGER, sequence)
    await ledger.keep_up(known)
    assert ledger.epoch == epoch


async def test_nothing_is_noted_between_a_lost_connection_and_the_mark_being_found_again(
    ledger: Ledger, client: Client, job: str
) -> None:
    epoch = await ledger.refresh()
    sequence = await ledger.claim(claim(job).model_copy(update={"epoch": epoch}), 0)
    client.stats["reconnects"] += 1
    ledger.note(epoch, sequence + 1, b"an entry of whoever was faster")
    assert ledger.mark == sequence
    await ledger.refresh()
    ledger.note(epoch, sequence + 1, b"an entry")
    assert ledger.mark == sequence + 1


async def test_the_epoch_is_told_once_a_bus_that_was_away_has_settled(client: Client, publisher: Publisher) -> None:
    ledger = Ledger(client, publisher, settles_for=3.0)
    loop = asyncio.get_running_loop()
    epoch = await ledger.refresh()
    began = loop.time()
    assert await ledger.current_epoch() == epoch
    assert loop.time() - began < 3.0
    client.stats["reconnects"] += 1
    replaced = Ledger(client, publisher)
    replaced.note(await replaced.refresh(), 10**15)
    asked = asyncio.create_task(ledger.current_epoch())
    await replaced.keep_up()
    assert await asked == replaced.epoch != epoch
    assert loop.time() - began >= 3.0


async def test_a_process_of_an_older_release_takes_no_subject_and_no_copy_away(js: JetStreamContext) -> None:
    found = await js.stream_info(subjects.OUTCOMES)
    newer = [*(found.config.subjects or ()), "tally.outcomes-to-come.>"]
    await js.update_stream(found.config.evolve(subjects=newer))
    await topology.apply(js)
    after = await js.stream_info(subjects.OUTCOMES)
    assert set(after.config.subjects or ()) == set(newer)
    await js.update_stream(found.config)


async def test_one_server_that_is_to_keep_three_copies_says_so_at_once(js: JetStreamContext) -> None:
    with pytest.raises(TallyError, match="E-4061") as refused:
        await topology.apply_once_possible(js, 3, within=60)
    assert "3 copies" in refused.value.body.message
