"""JetStream's streams in the small: one message per subject, compare-and-set, de-duplication, acknowledgement."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from nats.js.api import RetentionPolicy, StreamConfig
from nats.js.errors import APIError, BadRequestError, NotFoundError

_DUPLICATE_WINDOW = timedelta(minutes=2)


def refusal(kind: type[APIError], err_code: int, description: str) -> APIError:
    """What the server answers where it will not."""
    return kind(code=404 if kind is NotFoundError else 400, err_code=err_code, description=description)


@dataclass
class StoredMessage:
    """A message and what its consumer knows of it: deliveries so far, until when the last one counts."""

    sequence: int
    subject: str
    data: bytes
    deliveries: int = 0
    acknowledged: bool = False
    held_until: datetime | None = None


@dataclass
class Stream:
    """One stream of one epoch, with at most one consumer for each message."""

    config: StreamConfig
    created: datetime
    last_sequence: int
    messages: dict[int, StoredMessage] = field(default_factory=dict)
    _last_of: dict[str, int] = field(default_factory=dict)
    _ids: dict[str, tuple[datetime, StoredMessage]] = field(default_factory=dict)

    def publish(
        self, subject: str, data: bytes, message_id: str, expected_last: int | None, now: datetime
    ) -> tuple[StoredMessage, bool]:
        """The message, and whether it was there already. Raises APIError."""
        seen = self._ids.get(message_id)
        if seen is not None and now - seen[0] < _DUPLICATE_WINDOW:
            return seen[1], True
        last = self.last(subject)
        if expected_last is not None and expected_last != (0 if last is None else last.sequence):
            raise refusal(BadRequestError, 10071, "wrong last sequence")
        if self.config.discard_new_per_subject and last is not None:
            raise refusal(BadRequestError, 10077, "maximum messages per subject exceeded")
        self.last_sequence += 1
        message = StoredMessage(self.last_sequence, subject, data)
        self.messages[self.last_sequence] = message
        self._last_of[subject] = self.last_sequence
        self._ids[message_id] = now, message
        return message, False

    def last(self, subject: str) -> StoredMessage | None:
        """The last message of a subject."""
        return self.messages.get(self._last_of.get(subject, 0))

    def delete(self, sequence: int) -> None:
        """Take a message out. Raises NotFoundError where there is none."""
        message = self.messages.pop(sequence, None)
        if message is None:
            raise refusal(NotFoundError, 10043, "no message found")
        message.acknowledged = True

    def acknowledge(self, sequence: int) -> None:
        """A delivery of the message was done with; a work queue forgets it."""
        message = self.messages.get(sequence)
        if message is None:
            return
        message.acknowledged = True
        if self.config.retention is RetentionPolicy.WORK_QUEUE:
            del self.messages[sequence]
