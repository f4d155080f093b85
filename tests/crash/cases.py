"""What a case of the matrix is: which fault hits which process at which step of which job."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.failpoints import FailPoint
from tests.crash.checker import Expected, Verdict
from tests.crash.shapes import ROLES


class Fault(StrEnum):
    """What happens to a process."""

    KILL = "kill -9"
    KILL_ALL = "kill -9 of all at once"
    LOSE_STORE = "kill -9, store deleted"
    ROLL_BACK = "kill -9, store rolled back"
    FREEZE = "freeze past the takeover, thaw"
    FREEZE_LONG = "freeze past the last possible commit, thaw"
    CUT = "cut from the bus"
    CUT_CARRIER = "cut from the carrier"


class Story(StrEnum):
    """What else befalls the job."""

    PLAIN = "a plain job"
    REFUSED = "the carrier refuses a row"
    LOST_ANSWERS = "every answer of the carrier is lost"
    LOST_COMMANDS = "commands vanish from the bus"
    APPROVED = "a job that is approved"


@dataclass(frozen=True)
class Case:
    """A fault: `target` (a role, nats or sandbox) is hit at the `nth` passing of `point`, or with the job at `row`.

    `rows` are the job's; with Story.REFUSED the carrier refuses the last but one.
    """

    fault: Fault
    target: str
    several: bool
    point: FailPoint | None = None
    nth: int = 1
    row: int = 0
    story: Story = Story.PLAIN
    rows: int = 6
    eventual: bool = False

    @property
    def what(self) -> str:
        """What happens, in words."""
        if self.fault is Fault.CUT and self.target not in ROLES:
            return "all connections cut"
        return self.fault

    @property
    def refused(self) -> int | None:
        """The row that the carrier refuses."""
        return self.rows - 1 if self.story is Story.REFUSED else None

    @property
    def expected(self) -> Expected:
        """How its job is to end."""
        return Expected(
            refused=self.refused, may_park=self.eventual, store_lost=self.fault in {Fault.LOSE_STORE, Fault.ROLL_BACK}
        )

    def __str__(self) -> str:
        place = f"at {self.point}@{self.nth}" if self.point else f"in row {self.row}"
        parts = [f"{self.what} of {self.target} {place}", "several" if self.several else "one"]
        if self.story is not Story.PLAIN:
            parts.append(self.story)
        if self.eventual:
            parts.append("eventual carrier")
        return ", ".join(parts)


@dataclass(frozen=True)
class Result:
    """What came of a fault, or of a run of several.

    `runs` are the faults it stands for, `recovered_in` the seconds from each until the job moved again, `healed_by`
    what was seen to mend it; `stuck` says what was waited for in vain.
    """

    fault: str
    target: str
    place: str
    verdict: Verdict
    runs: int = 1
    healed_by: tuple[str, ...] = ()
    recovered_in: tuple[float, ...] = ()
    stuck: str = ""

    @property
    def holds(self) -> bool:
        """Whether every promise was kept."""
        return self.verdict.holds and not self.stuck
