"""The client of a house: what the command line, the console and assistants' tools speak.

Jobs are submitted as durable messages, controlled by request and reply, and watched by their events; nothing here needs
more than the bus (DESIGN §3, §6).
"""

from __future__ import annotations

from shared.client.records import Records
from shared.client.requests import Requests
from shared.client.watching import CHECKS_TAKE, Watching

__all__ = ["CHECKS_TAKE", "TallyClient"]


class TallyClient(Requests, Records, Watching):
    """A connection to a house's bus; use it as an async context manager.

    Every method raises TallyError: the error that the house answered, E-4001 while the bus is away, E-4002 where nobody
    answers in time.
    """
