"""A writer that is killed at any statement: a row and its mark agree, and the next writer finishes."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from itertools import count

import pytest
from pydantic import SecretStr
from sqlalchemy import event

from services.writeback.targets.database import DatabaseTarget
from shared.contracts.source import DatabaseSource
from shared.settings import ConnectionSettings
from shared.sources.changes import RowChange
from shared.sources.database_connection import Connections
from tests.integration.forking import FORKS
from tests.integration.shops import NOW, Shop, changes, codes, write

BATCH = 3
PATIENCE = 60


def write_and_die(url: str, source: DatabaseSource, wanted: Sequence[RowChange], nth: int) -> None:
    """Apply changes, and be killed before the nth statement or commit; killed at the end where there are fewer."""
    connections = Connections({"shop": ConnectionSettings(url=SecretStr(url))})
    steps = count(1)

    def step(*_arguments: object) -> None:
        if next(steps) == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    engine = connections.find("shop")._engine
    event.listen(engine, "before_cursor_execute", step)
    event.listen(engine, "commit", step)
    DatabaseTarget(connections, lambda: NOW).apply(source, wanted)
    os._exit(0)


@pytest.mark.parametrize("kills", [30, pytest.param(100, marks=pytest.mark.long)])
def test_a_row_and_its_mark_agree_whenever_the_writer_is_killed(shop: Shop, kills: int) -> None:
    orders = range(1, BATCH * kills + 1)
    shop.orders(len(orders))
    wanted = changes(shop.snapshot(), {number: f"1Z{number}" for number in orders})
    url = shop.url.render_as_string(hide_password=False)
    killed, nth, batch = 0, 0, 0
    while killed < kills:
        nth += 1
        some = wanted[batch * BATCH : batch * BATCH + BATCH]
        child = FORKS.Process(target=write_and_die, args=(url, shop.source(), some, nth))
        child.start()
        child.join(PATIENCE)
        assert child.exitcode in {0, -signal.SIGKILL}
        killed += child.exitcode != 0
        written = {key: number for key, number in shop.numbers().items() if number is not None}
        assert {int(key): number for _, _, key, _, number in shop.marks_if_any()} == written
        assert len(written) % BATCH == 0
        if child.exitcode == 0:  # every statement of this batch had its turn: on with the next one
            nth, batch = 0, batch + 1
    assert 1 <= batch < kills
    assert set(codes(write(shop, wanted))) == {None}
    assert shop.numbers() == {number: f"1Z{number}" for number in orders}
    assert len(shop.marks()) == len(orders)
