"""Notes the exchanges with a carrier that are made for one message, so that what comes of it can tell them.

The note belongs to the task that works on the message and to those it starts: a call that is several layers down, of
whatever carrier, needs no path for it through all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

from shared.contracts.calls import CarrierCall

_noted: ContextVar[list[CarrierCall] | None] = ContextVar("carrier_calls", default=None)


@contextmanager
def noting_calls() -> Iterator[None]:
    """Note the calls made within the block, from none."""
    token = _noted.set([])
    try:
        yield
    finally:
        # A task that is closed when its process ends is closed from another context, where nothing was noted.
        with suppress(ValueError):
            _noted.reset(token)


def note_call(call: CarrierCall) -> None:
    """Note a call, where anybody wants to know."""
    calls = _noted.get()
    if calls is not None:
        calls.append(call)


def calls_noted() -> tuple[CarrierCall, ...]:
    """The calls noted so far, oldest first."""
    return tuple(_noted.get() or ())
