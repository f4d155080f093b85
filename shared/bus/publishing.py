"""The one way to publish: to a named stream, with a message id, until the server confirms it."""

from __future__ import annotations

import itertools
import math
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import stamina
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import PubAck
from nats.js.errors import APIError, NotFoundError

from shared.contracts.message import Message
from shared.errors import PUBLISH_FAILED, TallyError
from shared.telemetry import tracing

PUBLISH_TIMEOUT = 5.0
RETRY_FOR = 30.0
_WRONG_LAST_SEQUENCE = (10071, 10164)
_SUBJECT_OCCUPIED = 10077


_PROCESS = uuid.uuid4().hex
_COUNTER = itertools.count()


def fresh_id() -> str:
    """An id that no other message has: this process's own, and a number."""
    return f"{_PROCESS}-{next(_COUNTER)}"


def _unheard(_stream: str) -> None:
    """Tell nobody."""


class WrongLastSequenceError(Exception):
    """The subject's last sequence was not the expected one: somebody else wrote first."""


class SubjectOccupiedError(Exception):
    """The subject's one slot is taken by a message that is not yet acknowledged."""


@dataclass(frozen=True)
class Stored:
    """A message as a stream holds it."""

    sequence: int
    data: bytes


class Publisher:
    """Publishes messages, and reads back what a subject holds.

    `failures` counts the publishes that took more tries; `retried` hears of each, by its stream.
    """

    def __init__(self, js: JetStreamContext, *, retried: Callable[[str], None] = _unheard) -> None:
        self._js = js
        self._retried = retried
        self.failures = 0

    async def publish(
        self,
        stream: str,
        subject: str,
        message: Message,
        *,
        message_id: str,
        expected_last: int | None = None,
        retry_for: float = RETRY_FOR,
    ) -> PubAck:
        """Publish until confirmed, for at most `retry_for` seconds, each try with the same id.

        `expected_last` makes it a compare-and-set on the subject's last sequence (0: none yet). Raises
        WrongLastSequenceError, SubjectOccupiedError, or TallyError E-4013 where no confirmation came in time.
        """
        headers = {"Nats-Msg-Id": message_id}
        if expected_last is not None:
            headers["Nats-Expected-Last-Subject-Sequence"] = str(expected_last)
        body = message.encode()
        with tracing.sending(subject, message, message_id):
            headers |= tracing.headers() or {}
            try:
                return await self._once(stream, subject, body, headers)
            except (NatsError, APIError, TimeoutError):
                self.failures += 1
                self._retried(stream)
                return await self._again(stream, subject, body, headers, retry_for)

    async def last(self, stream: str, subject: str, *, retry_for: float = RETRY_FOR) -> Stored | None:
        """The last message of `subject`, or None; retried like a publish. Raises TallyError E-4013."""
        timeout = None if math.isinf(retry_for) else retry_for
        try:
            async for attempt in stamina.retry_context(
                on=(NatsError, APIError, TimeoutError), attempts=None, timeout=timeout, wait_max=2.0
            ):
                with attempt:
                    try:
                        found = await self._js.get_last_msg(stream, subject)
                    except NotFoundError as error:
                        if error.err_code == _NO_MESSAGE:
                            return None
                        raise
                    return Stored(sequence=found.seq or 0, data=found.data or b"")
        except (NatsError, APIError, TimeoutError) as error:
            raise TallyError(PUBLISH_FAILED, subject=subject, reason=repr(error)) from error
        raise AssertionError("unreachable")

    async def delete(self, stream: str, sequence: int) -> None:
        """Take one message out of a stream; nothing happens where it is gone already."""
        try:
            await self._js.delete_msg(stream, sequence)
        except APIError as error:
            if error.err_code not in _MESSAGE_GONE:
                raise

    async def purge(self, stream: str, subject: str) -> None:
        """Take all messages of `subject` out of a stream; retried like a publish. Raises TallyError E-4013."""
        try:
            async for attempt in stamina.retry_context(
                on=(NatsError, APIError, TimeoutError), attempts=None, timeout=RETRY_FOR, wait_max=2.0
            ):
                with attempt:
                    await self._js.purge_stream(stream, subject=subject)
        except (NatsError, APIError, TimeoutError) as error:
            raise TallyError(PUBLISH_FAILED, subject=subject, reason=repr(error)) from error

    async def _once(self, stream: str, subject: str, body: bytes, headers: dict[str, str]) -> PubAck:
        try:
            return await self._js.publish(subject, body, timeout=PUBLISH_TIMEOUT, stream=stream, headers=dict(headers))
        except APIError as error:
            if error.err_code in _WRONG_LAST_SEQUENCE:
                raise WrongLastSequenceError(subject) from error
            if error.err_code == _SUBJECT_OCCUPIED:
                raise SubjectOccupiedError(subject) from error
            raise

    async def _again(self, stream: str, subject: str, body: bytes, headers: dict[str, str], retry_for: float) -> PubAck:
        timeout = None if math.isinf(retry_for) else retry_for
        try:
            async for attempt in stamina.retry_context(
                on=(NatsError, APIError, TimeoutError), attempts=None, timeout=timeout, wait_max=2.0
            ):
                with attempt:
                    return await self._once(stream, subject, body, headers)
        except (NatsError, APIError, TimeoutError) as error:
            raise TallyError(PUBLISH_FAILED, subject=subject, reason=repr(error)) from error
        raise AssertionError("unreachable")


_NO_MESSAGE = 10037
_MESSAGE_GONE = (10037, 10043, 10057)
