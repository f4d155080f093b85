"""A coordinator that is killed at any statement of a sale or a void: the job and the order's row agree."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any

import pytest
from sqlalchemy import event, text

from services.coordinator.database import outcomes, voids
from services.coordinator.database.engine import Database
from services.coordinator.database.step import Step
from shared.contracts.voiding import VoidOutcome
from tests.integration.books_beside import Books
from tests.integration.forking import FORKS
from tests.integration.job_steps import ISSUE, NOW, record, shipped

NUMBER = "1Z0000000000000001"
PATIENCE = 60
BOTH = text(
    "SELECT rows.status, rows.write_back, orders.tracking_number"
    " FROM orders, rows WHERE orders.id = 1 AND rows.row_number = 1"
)
Command = Callable[[Database, str], Coroutine[Any, Any, Step]]


def sale(database: Database, job_id: str) -> Coroutine[Any, Any, Step]:
    return database.write(outcomes.record_outcome, shipped(job_id, 1), NOW, ISSUE)


def void(database: Database, job_id: str) -> Coroutine[Any, Any, Step]:
    outcome = VoidOutcome(job_id=job_id, row_number=1, shipment_id=NUMBER, status="voided", at=NOW)
    return database.write(voids.record_void, outcome, NOW)


def carry_out_and_die(url: str, command: Command, job_id: str, nth: int) -> None:
    """Be killed before the nth statement or commit of a command; at its end where there are fewer."""
    database = Database(url, {"shop": True})
    steps = count(1)

    def step(*_arguments: object) -> None:
        if next(steps) == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    async def carry_out() -> None:
        engine = database._writer or database._async.sync_engine
        event.listen(engine, "before_cursor_execute", step)
        event.listen(engine, "commit", step)
        await command(database, job_id)

    asyncio.run(carry_out())
    os._exit(0)


async def agreement(books: Books) -> tuple[object, ...]:
    """A row's state and write-back, its number in the table, and the number that is marked."""
    marked = next((mark[4] for mark in books.shop.marks_if_any()), None)
    return *await books.database.read(lambda connection: connection.execute(BOTH).one()), marked


@pytest.mark.parametrize(
    ("command", "before", "after"),
    [
        (sale, ("in_flight", "none", None, None), ("shipped", "written", NUMBER, NUMBER)),
        (void, ("voiding", "written", NUMBER, NUMBER), ("voided", "written", None, None)),
    ],
)
@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.long)])
async def test_a_row_and_its_order_agree_whenever_the_coordinator_is_killed(
    books: Books, command: Command, before: tuple[object, ...], after: tuple[object, ...], every: int
) -> None:
    books.shop.orders(2)
    job_id = await books.start()
    if command is void:
        await record(books.database, shipped(job_id, 1))
        await books.database.write(voids.order_voids, job_id, voids.VoidOrder((1,), "ann"), NOW)
    assert await agreement(books) == before
    for nth in count(1, every):
        child = FORKS.Process(target=carry_out_and_die, args=(books.url, command, job_id, nth))
        child.start()
        await asyncio.to_thread(child.join, PATIENCE)
        assert child.exitcode in {0, -signal.SIGKILL}
        if child.exitcode == 0:
            break
        assert await agreement(books) == before
    assert await agreement(books) == after
    assert nth > 10
