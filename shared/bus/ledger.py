"""The shipment ledger as a register: read a row's last entry, append by compare-and-set, know the epoch.

The epoch is the creation time of the ledger's stream: a store that was lost and made anew has another one, and then
the absence of a claim proves nothing (DESIGN §4).
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import random
from dataclasses import dataclass
from datetime import datetime

import stamina
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import APIError, NotFoundError

from shared.bus import topology
from shared.bus.publishing import RETRY_FOR, Publisher, WrongLastSequenceError
from shared.contracts import subjects
from shared.contracts.ledger import Claimed, Failed, InDoubt, KnownLedger, Outcome, Shipped, ledger_entry
from shared.telemetry import logger

log = logger("ledger")

_ASKED_AGAIN_AFTER = (0.5, 1.0)

Entry = Claimed | Shipped | Failed | InDoubt


@dataclass(frozen=True)
class Recorded:
    """A ledger entry and its sequence, the handle for the next compare-and-set."""

    sequence: int
    entry: Entry


class LedgerRolledBackError(Exception):
    """The ledger is behind what it is known to have had, or older than a known one: its store was put back."""


class Ledger:
    """The ledger stream.

    A bus whose store was put back lacks what others may know of. So, for `settles_for` seconds after the connection was
    lost, its epoch is not told to whoever is about to act on it: in that time, whoever knows better says so.
    """

    def __init__(self, client: Client, publisher: Publisher, *, settles_for: float = 0.0) -> None:
        self._client = client
        self._js = client.jetstream(timeout=5)
        self._publisher = publisher
        self._epoch = ""
        self._settles_for = settles_for
        self._settled_at = 0.0
        self._settling_since = client.stats["reconnects"]
        self._seen_at_reconnect = -1
        # The mark was found in the ledger since the connection was made.
        self._found_at_reconnect = -1
        self._mark, self._digest = 0, ""
        self._keeping_up = asyncio.Lock()
        # Epoch and mark of a ledger that came after the present one, which was put back in its place.
        self._successor: KnownLedger | None = None

    @property
    def epoch(self) -> str:
        """The epoch last seen; `refresh` brings it up to date."""
        return self._epoch

    @property
    def mark(self) -> int:
        """The greatest sequence known to have been in the ledger of this epoch."""
        return self._mark

    @property
    def known(self) -> KnownLedger:
        """What is to be remembered: the latest ledger that is known of, and its mark."""
        return self._successor or KnownLedger(epoch=self._epoch, sequence=self._mark, digest=self._digest)

    def recall(self, known: KnownLedger) -> None:
        """Note what an earlier life had as `known`: where that ledger came after the present one, this was put back."""
        if known.epoch == self._epoch and known.sequence > self._mark:
            self._mark, self._digest = known.sequence, known.digest
            self._found_at_reconnect = -1
        if _is_later(known.epoch, self._epoch):
            self._successor = known
            self._seen_at_reconnect = -1

    def accept(self) -> None:
        """Take the present ledger for the latest one, whatever is known of another."""
        self._successor = None

    def note(self, epoch: str, sequence: int, entry: bytes = b"") -> None:
        """Note that `entry`, of `epoch`, was in the ledger at `sequence`.

        Nothing is noted from when the connection was lost until the mark was found again: it would hide that it is not.
        """
        is_found = self._found_at_reconnect == self._client.stats["reconnects"]
        if epoch == self._epoch and sequence > self._mark and is_found:
            self._mark, self._digest = sequence, _digest(entry)

    async def refresh(self) -> str:
        """Ask the server for the epoch.

        Raises LedgerRolledBackError where the ledger is behind its mark, or older than one that is known of.
        """
        await self._ask()
        return self._epoch

    async def look(self) -> None:
        """As `refresh`, and note how far the ledger has come, whoever wrote to it."""
        last = await self._ask()
        if last > self._mark:
            self.note(self._epoch, last, await self._entry_at(last) or b"")

    async def _ask(self, said: KnownLedger | None = None) -> int:
        """Bring the epoch up to date; the sequence that the ledger is at. It has to have what is known and `said`."""
        self._still_settling()
        reconnects = self._client.stats["reconnects"]
        # What is noted while the answer is on its way may be younger than the answer.
        known, mark, digest = self._epoch, self._mark, self._digest
        info = await self._js.stream_info(subjects.LEDGER)
        if info.created is None:
            raise RuntimeError("the server does not say when the ledger was created")
        epoch = info.created.isoformat()
        if epoch != self._epoch:
            latest = self.known
            is_latest = epoch == latest.epoch
            self._successor = latest if not is_latest and _is_later(self._epoch, epoch) else None
            self._epoch = epoch
            self._mark, self._digest = (latest.sequence, latest.digest) if is_latest else (0, "")
            known, mark, digest = epoch, self._mark, self._digest
            self._found_at_reconnect = -1
        if self._successor is not None:
            raise LedgerRolledBackError(f"the ledger is of {epoch}, and one of {self._successor.epoch} came after it")
        last = info.state.last_seq
        if epoch == known:
            is_found = self._found_at_reconnect == reconnects
            await self._check_that_it_has(mark, "" if is_found else digest, last)
            self._found_at_reconnect = reconnects
        if said is not None and epoch == said.epoch:
            await self._check_that_it_has(said.sequence, said.digest, last)
        self._seen_at_reconnect = reconnects
        return last

    async def _check_that_it_has(self, mark: int, digest: str, last: int) -> None:
        """Raise LedgerRolledBackError where the ledger, which is at `last`, lacks an entry that it had.

        One that was put back, and has come further since, has another one in its place.
        """
        if last < mark:
            raise LedgerRolledBackError(f"the ledger is at {last}, and was at {mark}")
        entry = await self._entry_at(mark) if digest else None
        if entry is not None and _digest(entry) != digest:
            raise LedgerRolledBackError(f"the ledger is at {last}, and has another entry at {mark} than it had")

    async def _entry_at(self, sequence: int) -> bytes | None:
        """The body of an entry; None where it was purged with its job."""
        try:
            return (await self._js.get_msg(subjects.LEDGER, sequence)).data
        except NotFoundError:
            return None

    async def keep_up(self, said: KnownLedger | None = None) -> None:
        """Bring the epoch up to date; a ledger that was rolled back is replaced by an empty one.

        It has to have what is known here, and what another process `said`: that was told and acted upon. In an empty
        one, of another epoch, everything is looked up instead. It is asked again before: a leader that was just elected
        may still be applying what it has.
        """
        async with self._keeping_up:
            for pause in (*_ASKED_AGAIN_AFTER, None):
                try:
                    await self._ask(said)
                except LedgerRolledBackError as error:
                    if pause is None:
                        log.error("the ledger was rolled back; an empty one takes its place", reason=str(error))
                        await self._replace()
                    else:
                        await asyncio.sleep(pause * random.uniform(0.5, 1))  # nosec B311  # noqa: S311 - jitter is no secret
                else:
                    return

    async def _replace(self) -> None:
        info = await self._js.stream_info(subjects.LEDGER)
        if info.created is not None and info.created.isoformat() == self._epoch:
            await self._js.delete_stream(subjects.LEDGER)
            await topology.create(self._js, info.config)
        await self.refresh()

    async def current_epoch(self) -> str:
        """The epoch, asked anew where the connection was lost since: a store is lost only with its server."""
        has_waited = False
        while (pause := self._still_settling()) > 0:
            await asyncio.sleep(pause)
            has_waited = True
        if self._client.stats["reconnects"] == self._seen_at_reconnect and not has_waited:
            return self._epoch
        return await self.refresh()

    def _still_settling(self) -> float:
        """Seconds until those who know more than the ledger has will have said so; none or less once that is over."""
        now, reconnects = asyncio.get_running_loop().time(), self._client.stats["reconnects"]
        if reconnects != self._settling_since:
            self._settling_since, self._settled_at = reconnects, now + self._settles_for
        return self._settled_at - now

    async def is_current(self, epoch: str) -> bool:
        """Whether `epoch` is the ledger's; one that is not known is asked for, for a ledger may have been replaced."""
        return epoch == await self.current_epoch() or epoch == await self.refresh()

    async def last(self, job_id: str, row_number: int, *, retry_for: float = RETRY_FOR) -> Recorded | None:
        """A row's last entry."""
        stored = await self._publisher.last(subjects.LEDGER, subjects.ledger(job_id, row_number), retry_for=retry_for)
        return None if stored is None else Recorded(stored.sequence, ledger_entry.validate_json(stored.data))

    async def knows(self, job_id: str) -> bool:
        """Whether there is an entry of any row of a job."""
        return await self._publisher.last(subjects.LEDGER, subjects.ledger_of(job_id)) is not None

    async def outcomes(self, job_id: str, row_number: int) -> list[Outcome]:
        """What the ledger and the late ledger have as a row's outcome: its last one in each."""
        subjects_of_row = subjects.ledger(job_id, row_number), subjects.late_ledger(job_id, row_number)
        stored = [await self._publisher.last(subjects.LEDGER, subject) for subject in subjects_of_row]
        entries = [ledger_entry.validate_json(message.data) for message in stored if message is not None]
        return [entry for entry in entries if not isinstance(entry, Claimed)]

    async def claim(self, claim: Claimed, expected_last: int, *, above: int = 0) -> int:
        """Append a claim; its sequence.

        Raises WrongLastSequenceError where somebody else wrote first, LedgerRolledBackError where the ledger is not
        beyond `above`, a sequence that it is known to have had.
        """
        failures = self._publisher.failures
        sequence = await self._claimed(claim, expected_last)
        if self._publisher.failures != failures:
            # The stream may have gone meanwhile, and come anew.
            self._seen_at_reconnect = -1
        if sequence <= above and claim.epoch == await self.current_epoch():
            raise LedgerRolledBackError(f"the ledger is at {sequence}, and was at {above}")
        self.note(claim.epoch, sequence, claim.encode())
        return sequence

    async def _claimed(self, claim: Claimed, expected_last: int) -> int:
        try:
            return await self._append(claim, claim.claim_id, expected_last)
        except WrongLastSequenceError:
            # The first try may have landed although its confirmation was lost.
            last = await self.last(claim.job_id, claim.row_number)
            if last is not None and isinstance(last.entry, Claimed) and last.entry.claim_id == claim.claim_id:
                return last.sequence
            raise

    async def close(self, outcome: Outcome, behind: Recorded | None) -> bool:
        """Append an outcome for a row that nobody works on, behind what was read of it; False where somebody does.

        Whoever held a claim, or tries to take one, finds it lost.
        """
        try:
            await self._append(outcome, outcome.claim_id, 0 if behind is None else behind.sequence)
        except WrongLastSequenceError:
            return False
        return True

    async def settle(self, outcome: Outcome, claim_sequence: int) -> bool:
        """Append an outcome behind its claim, however long the bus is away; False where the claim was taken over.

        A sale that is refused goes to the late ledger: what the carrier sold is never left unsaid. Any other outcome
        of a claim that was taken over counts for nothing: whoever took over decides. Neither does one of another
        epoch, where its claim's sequence may be somebody else's.
        """
        if not isinstance(outcome, Shipped) and outcome.epoch != await self._epoch_at_last():
            return False
        try:
            await self._append(outcome, f"{outcome.claim_id}:{outcome.kind}", claim_sequence, retry_for=math.inf)
        except WrongLastSequenceError:
            last = await self.last(outcome.job_id, outcome.row_number, retry_for=math.inf)
            if last is not None and last.entry.claim_id == outcome.claim_id and last.entry.kind == outcome.kind:
                return True
            if isinstance(outcome, Shipped):
                await self._publisher.publish(
                    subjects.LEDGER,
                    subjects.late_ledger(outcome.job_id, outcome.row_number),
                    outcome,
                    message_id=f"{outcome.claim_id}:late",
                    retry_for=math.inf,
                )
            return False
        return True

    async def _append(self, entry: Entry, message_id: str, expected_last: int, *, retry_for: float = RETRY_FOR) -> int:
        """Append an entry to its row's register by compare-and-set; its sequence. Raises WrongLastSequenceError."""
        ack = await self._publisher.publish(
            subjects.LEDGER,
            subjects.ledger(entry.job_id, entry.row_number),
            entry,
            message_id=message_id,
            expected_last=expected_last,
            retry_for=retry_for,
        )
        return ack.seq

    async def _epoch_at_last(self) -> str:
        """The current epoch, however long the bus is away."""
        async for attempt in stamina.retry_context(on=(NatsError, APIError, TimeoutError), attempts=None, timeout=None):
            with attempt:
                return await self.current_epoch()
        raise AssertionError("unreachable")


def _is_later(epoch: str, other: str) -> bool:
    """Whether a ledger was made after another one; what is no moment was not."""
    try:
        return datetime.fromisoformat(epoch) > datetime.fromisoformat(other)
    except (TypeError, ValueError):
        return False


def _digest(entry: bytes) -> str:
    return hashlib.sha256(entry).hexdigest() if entry else ""
