"""Whatever happens to the containers half-way, each row of a job is sold once and its number is in the file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from tests.containers import fault_table
from tests.containers.faults import FAULTS, Fault
from tests.containers.jobs import ship
from tests.containers.stack import Stack

ROWS = 200

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def told(stack: Stack) -> Iterator[list[fault_table.Line]]:
    """What the tests tell; a run of all of them may go into the page. The stack is then as it was before."""
    lines: list[fault_table.Line] = []
    yield lines
    stack.scale({})
    if len(lines) == len(FAULTS):
        fault_table.write(lines)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_a_published_request_ships_every_row_once(
    stack: Stack, fault: Fault, told: list[fault_table.Line]
) -> None:
    stack.scale(fault.replicas)
    before = {service: stack.lives(service) for service in fault.struck}
    books = await ship(stack, f"fault-{FAULTS.index(fault)}.csv", ROWS, partial(Fault.strike, fault))
    told.append((fault.name, ROWS, books))
    assert books.balance, books
    assert [service for service, lives in before.items() if stack.lives(service) == lives] == []
