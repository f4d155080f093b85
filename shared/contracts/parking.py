"""What is said of a message that waits on the bus for a reader of its version."""

from __future__ import annotations

from shared.contracts.message import Message, Timestamp
from shared.errors import ErrorBody


class Parked(Message):
    """A message of a version that a process of `service` does not know, on `tally.parked.<stream>.<sequence>`.

    It stays where it is, at `sequence` of `stream`, and comes again; `deliveries` is how often it had been delivered
    when it was last parked, at `at`. What was told of one that has been read since expires.
    """

    stream: str
    sequence: int
    subject: str
    deliveries: int
    service: str
    host: str
    pid: int
    at: Timestamp
    error: ErrorBody
