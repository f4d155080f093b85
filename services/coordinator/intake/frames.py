"""What a coordinator and its judging processes tell each other: pickled values, each behind its length in bytes."""

from __future__ import annotations

import pickle  # nosec B403 - see value_of
import struct
from typing import Any, BinaryIO

_LENGTH = struct.Struct(">Q")
LENGTH_SIZE = _LENGTH.size


def framed(value: Any) -> bytes:
    """A value as it is sent."""
    body = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(body)) + body


def length_of(head: bytes) -> int:
    """How many bytes follow a head of LENGTH_SIZE bytes."""
    return int(_LENGTH.unpack(head)[0])


def value_of(body: bytes) -> Any:
    """The value in a frame's body."""
    # Nobody but a coordinator and the processes that it started itself holds an end of these pipes.
    return pickle.loads(body)  # nosec B301  # noqa: S301


def receive(pipe: BinaryIO) -> Any:
    """The next value from a pipe; None at its end."""
    head = pipe.read(LENGTH_SIZE)
    return value_of(pipe.read(length_of(head))) if len(head) == LENGTH_SIZE else None


def send(pipe: BinaryIO, value: Any) -> None:
    """Send a value at once."""
    pipe.write(framed(value))
    pipe.flush()
