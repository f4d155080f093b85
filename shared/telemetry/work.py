"""The message in hand: what a log line and a span are about.

It is noted where messages come in, by its subject and body as they are; what they say is read only where somebody asks.
"""

from __future__ import annotations

import json
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

_FIELDS = {"job_id": "job", "row_number": "row", "attempt": "attempt"}
_LONGEST = 64
# How many parts of a subject name no job and no row.
_LENGTH = 3
_LENGTHS = {"ledger": 2, "ledger-late": 2, "events": 2}


@dataclass(frozen=True)
class Work:
    """A message in hand."""

    subject: str
    body: bytes
    trace_id: str | None = None

    @property
    def named(self) -> dict[str, str | int]:
        """Job, row and attempt, as far as the message names them; nothing else of it."""
        try:
            said = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return names_of(said) if isinstance(said, dict) else {}


_in_hand: ContextVar[Work | None] = ContextVar("work", default=None)


def take(subject: str, body: bytes, trace_id: str | None = None) -> None:
    """Note the message that the present task works on, and its trace; the note ends with the task."""
    _in_hand.set(Work(subject, body, trace_id))


def in_hand() -> Work | None:
    """The message that the present task, or the one it was started by, works on."""
    return _in_hand.get()


def names_of(said: dict[str, Any]) -> dict[str, str | int]:
    """Job, row and attempt of a message's fields, where they are short texts or numbers."""
    found = {name: said.get(key) for key, name in _FIELDS.items()}
    return {
        name: value
        for name, value in found.items()
        if isinstance(value, int) or (isinstance(value, str) and len(value) <= _LONGEST)
    }


def destination(subject: str) -> str:
    """A subject without what it names: `tally.commands.ship` of `tally.commands.ship.<job>`."""
    parts = subject.split(".")
    if parts[0] != "tally":
        return parts[0]
    return ".".join(parts[: _LENGTHS.get(parts[1], _LENGTH)])
