"""What was found: good, worth a look, or a problem, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum

from shared.errors import ErrorBody


class State(StrEnum):
    """How a thing is."""

    OK = "ok"
    LOOK = "look"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """`check` names what was looked at, `what` says how it is, `do` what to do about it.

    `decide` is true where a person must decide before it can go on.
    """

    check: str
    state: State
    what: str
    do: str = ""
    decide: bool = False

    @property
    def document(self) -> dict[str, object]:
        """The finding as one of `tally doctor --json`."""
        return asdict(self)


def ok(check: str, what: str) -> Finding:
    """Nothing to do."""
    return Finding(check, State.OK, what)


def look(check: str, what: str, do: str) -> Finding:
    """Nothing is broken, and somebody had better know."""
    return Finding(check, State.LOOK, what, do)


def problem(check: str, what: str, do: str) -> Finding:
    """Something does not work."""
    return Finding(check, State.PROBLEM, what, do)


def of_error(check: str, error: ErrorBody) -> Finding:
    """A check that could not be made, or found an error with a code."""
    return problem(check, f"{error.code}: {error.message}", error.action)


def unless_worse(good: Finding, found: Iterable[Finding]) -> list[Finding]:
    """What was found wrong or, where nothing was, `good`."""
    return list(found) or [good]
