"""The whole house in the small, what may happen to it next, and what must hold whatever happens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from services.shipper.carriers.carrier import Consistency
from shared.contracts.states import JobStatus, RowStatus
from tests.simulation.model.bus import Bus, Entry
from tests.simulation.model.carrier import Call, Carrier
from tests.simulation.model.coordinator import Coordinator
from tests.simulation.model.job import Job
from tests.simulation.model.policy import SOUND, Policy
from tests.simulation.model.shipper import SETTLE_TIME, Delivery
from tests.simulation.model.tasks import Steps, Task

SECOND = timedelta(seconds=1)
_ENDED = {JobStatus.COMPLETED, JobStatus.CANCELLED}
_HEAL_WITHIN = 300
_STEPS_AT_MOST = 10_000


class World:
    """One job of a few rows, two coordinators, shippers as many as are delivered to, a carrier, a person."""

    def __init__(self, consistency: Consistency, policy: Policy = SOUND, rows: int = 3) -> None:
        self.policy = policy
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.bus = Bus(compare_and_set=policy.compare_and_set, fresh_sequences=policy.fresh_sequences)
        self.carrier = Carrier(consistency)
        self.job = Job(rows, policy)
        self.tasks: list[Task] = []
        self.coordinators = (Coordinator(self), Coordinator(self))
        self.halted = False
        self.abandoned: dict[int, int] = {}
        first = self.job.start(self.now, self.bus.epoch)
        assert first is not None
        self.bus.put(first)

    # What may happen.

    def deliver_command(self) -> None:
        """The command in the slot reaches a shipper, for the first time or again."""
        if self.bus.slot is None:
            return
        sequence, command = self.bus.slot
        self.bus.delivered += 1
        delivery = Delivery(self, command, sequence, self.bus.epoch, deliveries=self.bus.delivered)
        self._start("shipper", delivery.run(), delivery)

    def deliver_entry(self, choice: int) -> None:
        """An entry of the feed reaches a coordinator, in any order, for the first time or again."""
        if self.bus.feed:
            key = list(self.bus.feed)[choice % len(self.bus.feed)]
            self._start("record", self._coordinator(choice).record(key, self.bus.feed[key]))

    def deliver_report(self, choice: int) -> None:
        """A command that was given up reaches a coordinator, for the first time or again."""
        if self.bus.reports:
            self._start("abandon", self._coordinator(choice).abandon(self.bus.reports[choice % len(self.bus.reports)]))

    def step(self, choice: int) -> bool:
        """A process that can go on does so; False where none can."""
        ready = [task for task in self.tasks if task.ready]
        if ready:
            task = ready[choice % len(ready)]
            if not task.step():
                self.tasks.remove(task)
        return bool(ready)

    def crash(self, choice: int) -> None:
        """A process dies; what it sent is on its way."""
        if self.tasks:
            self.tasks.pop(choice % len(self.tasks)).steps.close()

    def carrier_sells(self, choice: int, lag: int, *, answered: bool) -> None:
        """A call on its way is committed."""
        call = self._travelling(choice)
        if call is not None:
            self.carrier.sell(call, self.now, min(lag * SECOND, SETTLE_TIME), answered=answered)

    def carrier_refuses(self, choice: int) -> None:
        """A call on its way is refused."""
        call = self._travelling(choice)
        if call is not None:
            self.carrier.refuse(call)

    def call_is_lost(self, choice: int) -> None:
        """A call never arrives."""
        call = self._travelling(choice)
        if call is not None:
            self.carrier.lose(call)

    def time_passes(self, seconds: int) -> None:
        """The clock goes on."""
        for _ in range(seconds):
            self.now += SECOND
            self.carrier.pass_time(self.now)

    def store_is_lost(self, _choice: int = 0) -> None:
        """The server's whole store is gone; it comes up empty."""
        self.bus.lose_the_store()
        # A failure that nobody had recorded is gone with it.
        self.halted = self.job.status is JobStatus.FAILED

    def watchdog(self, choice: int) -> None:
        """A watchdog begins its round."""
        self._start("watchdog", self._coordinator(choice).watch())

    def person_pauses(self) -> None:
        """A person pauses the job."""
        self.job.halt(JobStatus.PAUSED)

    def person_resumes(self, choice: int) -> None:
        """A person resumes the job."""
        self._start("resume", self._coordinator(choice).resume())

    def person_cancels(self, choice: int) -> None:
        """A person cancels the job."""
        self._start("cancel", self._coordinator(choice).cancel())

    def person_resolves(self, *, rightly: bool) -> None:
        """A person says of a row in doubt what was bought, or wrongly that nothing was."""
        for row in self.job.rows_in(RowStatus.IN_DOUBT):
            sold = [sale.number for sale in self.carrier.sales if sale.row == row.number]
            self.job.resolve(row.number, sold[0] if sold and rightly else None)

    # What the processes tell the world.

    def send(self, call: Call, delivery: Delivery) -> None:
        """A shipper's request goes out: only for the row that is in flight, never after a failure.

        Except under a claim that the row was abandoned with: its holder was thought dead, and the row is in doubt.
        """
        self.carrier.travelling.append(call)
        row = self.job.rows[call.row]
        if call.claim_id <= self.abandoned.get(call.row, 0):
            return
        assert not self.halted, f"row {call.row} was called for after the job's failure"
        assert row.status is RowStatus.IN_FLIGHT, f"row {call.row} was called for although it is {row.status}"
        assert row.attempt == delivery.command.attempt, f"row {call.row} was called for by an old attempt"

    def note_settled(self, outcome: Entry) -> None:
        """An outcome entered the ledger; after a failure nothing may be called for until a person resumes."""
        if outcome.kind != "shipped" and outcome.epoch == self.bus.epoch:
            self.halted = True

    def note_abandoned(self, row: int, last: Entry | None) -> None:
        """A row was parked while somebody may hold the last claim or an earlier one, and call until its deadline."""
        if last is not None:
            self.abandoned[row] = last.claim_id

    def note_resumed(self) -> None:
        """A person took the job up again."""
        self.halted = False

    # What must hold.

    def check(self) -> None:
        """What holds after every step."""
        job = self.job
        for row in job.rows.values():
            sold = [sale.number for sale in self.carrier.sales if sale.row == row.number]
            assert len(sold) <= 1, f"row {row.number} was sold {len(sold)} times"
            settled = row.status in {RowStatus.SHIPPED, RowStatus.SKIPPED}
            assert settled or row.number > job.cursor, f"the cursor passed row {row.number}, which is {row.status}"
            for number in sold:
                assert self._is_known(number, row.number), f"the label of row {row.number} is lost"
        assert not job.alarms

    def _is_known(self, number: int, row_number: int) -> bool:
        """Whether a sale is recorded, on its way to be, or will be looked up before anybody calls again."""
        row = self.job.rows[row_number]
        return (
            row.tracking == number
            or row.recover
            or row.status in {RowStatus.IN_FLIGHT, RowStatus.IN_DOUBT}
            or any(entry.number == number for entry in self.bus.feed.values())
            or any(isinstance(task.owner, Delivery) and task.owner.knows == number for task in self.tasks)
        )

    def heal(self, chance: Random) -> None:
        """No more faults: processes run, the person tells the truth and resumes, until the job is at its end."""
        for _ in range(_HEAL_WITHIN):
            self._run_until_idle(chance)
            if self._at_rest():
                break
            if self.job.status not in _ENDED | {JobStatus.RUNNING}:
                self.person_resolves(rightly=True)
                self.person_resumes(0)
            elif self.job.status is JobStatus.CANCELLED:
                self.person_resolves(rightly=True)
            self.watchdog(0)
            self.time_passes(1)
        assert self._at_rest(), f"stuck: {self.job.status} {self.job.rows}"
        self._check_books()

    def _run_until_idle(self, chance: Random) -> None:
        for _ in range(_STEPS_AT_MOST):
            working = self.step(chance.randrange(1 << 30))
            if not working and self.carrier.travelling:
                self.carrier_sells(0, chance.randrange(5), answered=True)
            elif not working and self.bus.feed:
                self.deliver_entry(chance.randrange(1 << 30))
            elif not working and self.bus.reports:
                self.deliver_report(0)
            elif not working and self.bus.slot is not None and not self._shipping():
                self.deliver_command()
            elif not working:
                return
            self.check()
        raise AssertionError(f"never idle: {[task.name for task in self.tasks]}")

    def _at_rest(self) -> bool:
        return self.job.status in _ENDED and not (
            self.job.rows_in(RowStatus.IN_FLIGHT) or self.job.rows_in(RowStatus.IN_DOUBT) or self.tasks or self.bus.feed
        )

    def _check_books(self) -> None:
        """At the end every sale is in its row, and every shipped row has its one sale.

        Except where a person said wrongly that nothing was bought and then cancelled the job: nobody looks again.
        """
        for row in self.job.rows.values():
            if row.status is RowStatus.FAILED and row.recover and self.job.status is JobStatus.CANCELLED:
                continue
            sold = [sale.number for sale in self.carrier.sales if sale.row == row.number]
            assert sold == ([] if row.tracking is None else [row.tracking]), f"row {row.number}: {sold}, {row}"
        if self.job.status is JobStatus.COMPLETED:
            assert all(row.status is RowStatus.SHIPPED for row in self.job.rows.values())

    def _shipping(self) -> bool:
        return any(task.name == "shipper" for task in self.tasks)

    def _coordinator(self, choice: int) -> Coordinator:
        return self.coordinators[choice % len(self.coordinators)]

    def _travelling(self, choice: int) -> Call | None:
        return self.carrier.travelling[choice % len(self.carrier.travelling)] if self.carrier.travelling else None

    def _start(self, name: str, steps: Steps[object], owner: object = None) -> None:
        self.tasks.append(Task(name, steps, owner))
