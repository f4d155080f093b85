"""Many orders are judged in processes of their own, and come out as they would without."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from services.coordinator.database.engine import Database
from services.coordinator.database.migration import prepare
from services.coordinator.database.new_rows import STORED, StoredRow
from services.coordinator.intake import judges as judges_module
from services.coordinator.intake import judging_process
from services.coordinator.intake.batch import Batch, IntakeSettings
from services.coordinator.intake.history import History
from services.coordinator.intake.intake import Intake
from services.coordinator.intake.judges import Judges
from services.coordinator.mapping.shipment import Defaults, Senders
from shared.contracts.requests import JobRequest
from shared.contracts.source import CsvSource
from shared.errors import TallyError
from shared.sources.database_connection import Connections
from tests.contract.messages import SHIPMENT
from tests.integration.job_steps import NOW

ROWS = 6000
FEW = 500
HEADER = "order_number,name,address_1,city,state,zip,weight,tracking_number\n"


def order(number: int) -> str:
    """Most are valid; some lack their ZIP code, repeat the order before them, or have a number already."""
    zip_code = "" if number % 97 == 0 else "02110"
    named = number - 1 if number % 101 == 0 else number
    tracked = f"1Z{number}" if number % 103 == 0 else ""
    return f"A-{named},Zoë {number},{number} Main St,Boston,MA,{zip_code},2,{tracked}\n"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'jobs.db'}")
    await prepare(opened)
    yield opened
    await opened.close()


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text(HEADER + "".join(map(order, range(1, ROWS + 1))), encoding="utf-8")
    return path


@asynccontextmanager
async def opened(database: Database, path: Path, *, max_rows: int = 100_000) -> AsyncIterator[Batch]:
    settings = IntakeSettings((path.parent,), Connections({}), Senders(SHIPMENT.ship_from), Defaults(), max_rows)
    request = JobRequest(request_id="read", source=CsvSource(path=str(path)), skip_invalid=True)
    async with Intake(settings, History(database, lambda: NOW)).open(request) as batch:
        yield batch


async def taken(database: Database, path: Path, judges: Judges) -> list[StoredRow]:
    async with opened(database, path) as batch, judges.judging() as judging:
        return [row async for page in batch.to_store(judging) for row in page.rows]


def pids(judges: Judges) -> list[int]:
    return [] if judges.at_work is None else [process.pid for process in judges.at_work.processes]


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def all_at_work(judges: Judges) -> None:
    assert judges.at_work is not None
    async with asyncio.timeout(120):
        await judges.at_work.started.wait()
    assert len(pids(judges)) == judges.most


async def test_many_orders_are_judged_by_processes_as_they_are_without(database: Database, orders: Path) -> None:
    without, judges = Judges(0), Judges(2, few=FEW)
    expected = await taken(database, orders, without)
    seen: set[int] = set()
    found = []
    async with opened(database, orders) as batch, judges.judging() as judging:
        async for page in batch.to_store(judging):
            found += page.rows
            if judges.at_work is not None and len(seen) < judges.most:
                await all_at_work(judges)
                seen |= set(pids(judges))
        assert (batch.total, batch.invalid) == (ROWS, ROWS // 97)
    assert len(seen) == judges.most
    assert found == expected
    assert [row[STORED.index("source_row")] for row in found] == list(range(1, ROWS + 1))
    assert sum(row[STORED.index("reservation_key")] == "" for row in found) == ROWS // 97
    assert all(is_gone(pid) for pid in seen)


async def test_what_a_killed_process_had_to_do_is_done_without_it(database: Database, orders: Path) -> None:
    expected = await taken(database, orders, Judges(0))
    judges = Judges(2, few=FEW)
    found, killed = [], False
    async with opened(database, orders) as batch, judges.judging() as judging:
        async for page in batch.to_store(judging):
            found += page.rows
            if judges.at_work is not None and not killed:
                await all_at_work(judges)
                os.kill(pids(judges)[0], signal.SIGKILL)
                killed = True
    assert killed
    assert found == expected


async def test_a_process_that_answers_too_late_is_not_asked_again(
    database: Database, orders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = await taken(database, orders, Judges(0))
    monkeypatch.setattr(judges_module, "_LARGE_BLOCK", FEW)
    judges = Judges(1, few=FEW)
    found, frozen = [], 0
    async with opened(database, orders) as batch, judges.judging() as judging:
        async for page in batch.to_store(judging):
            found += page.rows
            if frozen:
                with suppress(ProcessLookupError):
                    os.kill(frozen, signal.SIGCONT)
            elif judges.at_work is not None:
                await all_at_work(judges)
                monkeypatch.setattr(judges_module, "_PATIENCE", 0.3)
                [frozen] = pids(judges)
                os.kill(frozen, signal.SIGSTOP)
    assert frozen
    assert found == expected


async def test_a_process_of_another_release_is_done_without(
    database: Database, orders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = await taken(database, orders, Judges(0))
    monkeypatch.setattr(judging_process, "READY", ("ready", "0.0.1", STORED))
    judges, at_work = Judges(1, few=FEW), None
    found = []
    async with opened(database, orders) as batch, judges.judging() as judging:
        async for page in batch.to_store(judging):
            found += page.rows
            if at_work is None and judges.at_work is not None:
                at_work = judges.at_work
                await at_work.started.wait()
    assert at_work is not None
    assert at_work.processes == []
    assert found == expected


async def test_few_orders_start_no_process(database: Database, orders: Path) -> None:
    judges = Judges(2, few=ROWS)
    async with opened(database, orders) as batch, judges.judging() as judging:
        async for _ in batch.to_store(judging):
            assert judges.at_work is None


async def test_the_processes_of_a_large_file_start_while_it_is_read(database: Database, orders: Path) -> None:
    expected = await taken(database, orders, Judges(0))
    judges = Judges(2, few=FEW)
    async with judges.judging() as judging:
        await judging.expect(CsvSource(path=str(orders)))
        assert judges.at_work is judging
        async with opened(database, orders) as batch:
            found = [row async for page in batch.to_store(judging) for row in page.rows]
        await all_at_work(judges)
    assert found == expected
    assert judges.at_work is None


async def test_no_process_starts_for_a_small_file_or_one_that_is_gone(orders: Path) -> None:
    judges = Judges(2, few=ROWS)
    async with judges.judging() as judging:
        await judging.expect(CsvSource(path=str(orders)))
        await judging.expect(CsvSource(path=str(orders.with_name("gone.csv"))))
        assert judges.at_work is None


async def test_a_batch_does_without_while_another_one_has_them(database: Database, orders: Path) -> None:
    expected = await taken(database, orders, Judges(0))
    judges = Judges(1, few=FEW)
    async with opened(database, orders) as batch, judges.judging() as judging:
        pages = batch.to_store(judging)
        while judges.at_work is None:
            await anext(pages)
        first = judges.at_work
        assert await taken(database, orders, judges) == expected
        assert judges.at_work is first


async def test_no_process_outlives_an_intake_that_fails(database: Database, orders: Path) -> None:
    judges = Judges(2, few=FEW)
    left: list[int] = []

    async def take_too_many() -> None:
        async with opened(database, orders, max_rows=ROWS - 1) as batch, judges.judging() as judging:
            async for _ in batch.to_store(judging):
                if judges.at_work is not None and not left:
                    await all_at_work(judges)
                    left.extend(pids(judges))

    with pytest.raises(TallyError) as caught:
        await take_too_many()
    assert caught.value.body.code == "E-1013"
    assert left
    assert all(is_gone(pid) for pid in left)
    assert judges.at_work is None


def test_a_process_ends_with_its_coordinator_which_closes_its_input() -> None:
    command = [sys.executable, "-m", judging_process.__name__]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
    assert (ended.returncode, ended.stdout) == (0, b"")
