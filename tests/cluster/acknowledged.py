"""Rivals that claim rows on the ledger through different connections while its servers die; what was promised to them.

Each row is claimed by two at once, by compare-and-set, as shippers do it: the server may confirm one of them only, and
what it confirmed must be there afterwards.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import nats

from shared.bus.ledger import Ledger
from shared.bus.publishing import Publisher, WrongLastSequenceError
from shared.errors import TallyError
from tests.crash.books import read_ledger
from tests.crash.cluster import ClusterRig
from tests.integration.job_steps import claimed

_RIVALS = 2


@dataclass
class Promises:
    """What the servers confirmed: of each row who was told that the claim is theirs; `unsure` got no answer in time."""

    job_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    rows: int = 0
    won: dict[int, list[str]] = field(default_factory=dict)
    unsure: int = 0

    async def broken(self, rig: ClusterRig) -> list[str]:
        """Every promise that does not hold."""
        entries = await read_ledger(rig.client, f"tally.ledger.{self.job_id}.*")
        found = {row: [entry.claim_id for entry in entries.get(row, [])] for row in range(1, self.rows + 1)}
        twice = [f"row {row} was promised to {len(winners)}" for row, winners in self.won.items() if len(winners) > 1]
        lost = [
            f"row {row}: {winners} was promised, the ledger has {found[row]}"
            for row, winners in self.won.items()
            if found[row] != winners
        ]
        return twice + lost


async def claim_while(rig: ClusterRig, disturb: Callable[[], Awaitable[None]]) -> Promises:
    """Claim row after row until `disturb` is done."""
    promises = Promises()
    connections = [
        await nats.connect(
            [f"nats://127.0.0.1:{port}"], max_reconnect_attempts=-1, reconnect_time_wait=0.2, error_cb=_quiet
        )
        for port in rig.ports[:_RIVALS]
    ]
    ledgers = [Ledger(connection, Publisher(connection.jetstream(timeout=5))) for connection in connections]
    for ledger in ledgers:
        await ledger.refresh()
    disturbing = asyncio.ensure_future(disturb())
    try:
        while not disturbing.done():
            promises.rows += 1
            await asyncio.gather(*(_claim(promises, ledger, promises.rows) for ledger in ledgers))
        await disturbing
    finally:
        disturbing.cancel()
        for connection in connections:
            await connection.close()
    return promises


async def _claim(promises: Promises, ledger: Ledger, row: int) -> None:
    claim = claimed(promises.job_id, row, epoch=ledger.epoch)
    try:
        await ledger.claim(claim, 0)
    except WrongLastSequenceError:
        return
    except TallyError:
        promises.unsure += 1
        return
    promises.won.setdefault(row, []).append(claim.claim_id)


async def _quiet(_: Exception) -> None:
    """A server that is away is what the run is about."""
