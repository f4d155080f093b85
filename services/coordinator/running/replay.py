"""Records what the ledger told before: a job database that was put back to an earlier state learns what happened since.

What a coordinator acknowledged is in the job database. The database notes with every heartbeat how far the ledger has
come; what was acknowledged behind that is a matter of seconds, unless the database is a restored one
(docs/guides/postgres.md). Recording it again does no harm, so it is done whenever a coordinator starts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from pydantic import ValidationError

from services.coordinator.database import interruption
from services.coordinator.database.engine import Database
from services.coordinator.running.progress import Progress
from shared.bus import topology
from shared.bus.ledger import Entry
from shared.contracts import subjects
from shared.contracts.ledger import Claimed, Shipped, ledger_entry
from shared.contracts.message import NewerVersionError
from shared.errors import JOB_NOT_FOUND, ROW_NOT_FOUND, TallyError
from shared.telemetry import logger

log = logger("replay")


@dataclass
class _Found:
    """What a replay came upon of what was acknowledged: entries, outcomes not recorded, sales of unknown jobs."""

    read: int = 0
    missing: int = 0
    unknown: int = 0


async def replay(js: JetStreamContext, database: Database, progress: Progress, mark: int) -> int:
    """Record the outcomes that coordinators got behind `mark`, the ledger sequence up to which nothing is missing.

    Returns the sequence up to which nothing is missing then.

    Where some were missing, or are in the ledger no more, the job database is behind what was done: every row that is
    still to ship is looked up with the carrier before it is bought.
    """
    try:
        consumer = await js.consumer_info(subjects.LEDGER, topology.LEDGER_ENTRIES.durable)
    except NotFoundError:
        return mark  # it is made anew, and delivers everything from the first
    acknowledged = 0 if consumer.ack_floor is None else consumer.ack_floor.stream_seq
    delivered = acknowledged if consumer.delivered is None else consumer.delivered.stream_seq
    if not mark:
        # Nothing is known of this ledger; what it had before its first entry is nobody's to miss.
        mark = (await js.stream_info(subjects.LEDGER)).state.first_seq - 1
    found, beyond = _Found(), _Found()
    # Behind one that is not acknowledged others may be, which do not come again. Which of them are, nobody tells: that
    # one is not recorded proves nothing.
    async for sequence, entry in _entries(js, mark + 1, delivered):
        came_upon = found if sequence <= acknowledged else beyond
        came_upon.read += 1
        if entry is None:
            log.warning("an entry of the ledger cannot be read", sequence=sequence)
        elif isinstance(entry, Shipped) or await _is_last(js, sequence, entry):
            await _record(database, progress, entry, came_upon)
    is_behind = found.missing > 0 or found.unknown > 0 or found.read < acknowledged - mark
    if is_behind:
        looked_up = await database.write(interruption.distrust)
        log.error(
            "the job database is behind the ledger: it was put back to an earlier state, or its last moments are gone",
            mark=mark,
            acknowledged=acknowledged,
            recorded=found.missing,
            of_unknown_jobs=found.unknown,
            to_be_looked_up=looked_up,
        )
    return max(mark, acknowledged)


async def _entries(js: JetStreamContext, first: int, last: int) -> AsyncIterator[tuple[int, Entry | None]]:
    """The ledger's entries from one sequence to another, each with its sequence; None for one that cannot be read.

    That one is rejected when it is delivered or, of a newer version, left to an upgraded coordinator.
    """
    sequence = first
    while sequence <= last:
        try:
            message = await js.get_msg(subjects.LEDGER, sequence, subject=subjects.EVERYTHING, next=True)
        except NotFoundError:
            return
        sequence = (message.seq or last) + 1
        if sequence <= last + 1:
            yield sequence - 1, _readable(message.data or b"")


def _readable(body: bytes) -> Entry | None:
    try:
        return ledger_entry.validate_json(body)
    except (ValidationError, NewerVersionError):
        return None


async def _is_last(js: JetStreamContext, sequence: int, entry: Entry) -> bool:
    """Whether nothing came for the row behind an entry."""
    message = await js.get_last_msg(subjects.LEDGER, subjects.ledger(entry.job_id, entry.row_number))
    return message.seq == sequence


async def _record(database: Database, progress: Progress, entry: Entry, found: _Found) -> None:
    place = (entry.job_id, entry.row_number)
    # Nearly all is known, and a look costs less than a transaction.
    if isinstance(entry, Shipped):
        if await database.read(interruption.knows_sale, *place, entry.tracking_numbers):
            return
    elif not await database.read(interruption.knows_attempt, *place, entry.attempt):
        found.missing += await database.write(interruption.catch_up_with_attempt, *place, entry.attempt)
    if isinstance(entry, Claimed):
        return
    try:
        found.missing += await progress.record_again(entry)
    except TallyError as error:
        if error.kind not in {JOB_NOT_FOUND, ROW_NOT_FOUND}:
            raise
        if isinstance(entry, Shipped):
            found.unknown += 1
            log.error(
                "a label of a job that the job database does not know",
                job=entry.job_id,
                row=entry.row_number,
                tracking_numbers=list(entry.tracking_numbers),
            )
