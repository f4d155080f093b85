"""Two jobs over one file, two writebacks of which one is killed in the middle: no update is lost, none is torn."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.bus import topology
from shared.bus.publishing import Publisher, fresh_id
from shared.contracts import subjects
from shared.contracts.commands import WritebackCommand, WrittenValues
from shared.contracts.source import CsvSource, ExcelSource, source_hash
from shared.contracts.writeback import SourceWritten
from shared.sources import open_source
from tests.integration.job_steps import NOW
from tests.integration.nats_servers import nats_server
from tests.integration.test_workbooks import workbook

ROWS = 40
PATIENCE = 90.0
CONSUMER = topology.WRITEBACK_COMMANDS
Source = CsvSource | ExcelSource


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """A connection to a bus of its own: who takes a command from it is told here."""
    with nats_server(tmp_path) as url:
        connection = await nats.connect(url)
        await topology.apply(connection.jetstream())
        yield connection
        await connection.close()


@pytest.fixture(params=["csv", "xlsx"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    folder = tmp_path / "orders"
    folder.mkdir()
    if request.param == "xlsx":
        book = openpyxl_orders(folder / "orders.xlsx")
        return ExcelSource(path=str(book), sheet="Orders")
    path = folder / "orders.csv"
    path.write_text("name,zip\n" + "".join(f"Name {row},{row:05}\n" for row in range(1, ROWS + 1)))
    return CsvSource(path=str(path))


def openpyxl_orders(path: Path) -> Path:
    """A workbook of ROWS orders."""
    import openpyxl

    book = openpyxl.load_workbook(workbook(path))
    for row in range(4, ROWS + 1):
        book["Orders"].append([str(row), f"Name {row}", "1 Main St", "Austin", "TX", 78701, 1, "Ground"])
    book.save(path)
    return path


@contextmanager
def writeback(client: Client, data: Path, root: Path, failpoints: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """A writeback as its image runs it; it takes a few rows at a time, without a rest."""
    assert client.connected_url is not None
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TALLY_")}
    environment |= {
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "TALLY_NATS_URL": client.connected_url.geturl(),
        "TALLY_DATA_DIR": str(data),
        "TALLY_SOURCE_ROOTS": str(root),
        "TALLY_MAX_BATCH": "5",
        "TALLY_MIN_WAIT": "0",
        "TALLY_PACE": "0",
        "TALLY_EXCEL_PACE": "0",
        "TALLY_FAILPOINTS": failpoints,
    }
    with subprocess.Popen([sys.executable, "-m", "services.writeback"], env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def commands(source: Source, root: Path) -> list[WritebackCommand]:
    """The write-backs of two jobs, one of the odd rows, the other of the even ones."""
    with open_source(source, [root]) as snapshot:
        rows = list(snapshot.rows())
    return [
        WritebackCommand(
            job_id="odd" if row.number % 2 else "even",
            row_number=row.number,
            source=source,
            source_row=row.number,
            row_key=row.key,
            checksum=row.checksum,
            row_version=1,
            values=WrittenValues(tracking_number=f"1Z{row.number}", shipped_at=NOW),
        )
        for row in rows
    ]


async def asking(client: Client, count: int) -> None:
    """Wait until so many writebacks ask for commands; each is given some of what comes then."""
    js = client.jetstream()
    async with asyncio.timeout(PATIENCE):
        # The server tells nobody of it.
        while ((await js.consumer_info(CONSUMER.stream, CONSUMER.durable)).num_waiting or 0) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_two_jobs_and_two_writebacks_on_one_file_lose_no_update(
    client: Client, source: Source, tmp_path: Path
) -> None:
    root, data, publisher = tmp_path / "orders", tmp_path / "data", Publisher(client.jetstream())
    written: set[tuple[str, int]] = set()
    everything = asyncio.Event()
    orders = commands(source, root)

    async def note(message: Msg) -> None:
        report = SourceWritten.model_validate_json(message.data)
        assert all(row.error is None for row in report.rows), report
        written.update((row.job_id, row.row_number) for row in report.rows)
        if len(written) == len(orders):
            everything.set()

    await client.subscribe(subjects.ALL_WRITEBACK_OUTCOMES, cb=note)
    with (
        writeback(client, data, root, failpoints="writeback.before_replace=kill@2") as doomed,
        writeback(client, data, root) as survivor,
    ):
        await asking(client, 2)
        hashed = source_hash(source)
        async with asyncio.TaskGroup() as group:
            for order in orders:
                subject = subjects.writeback_command(hashed, order.job_id, order.row_number)
                group.create_task(publisher.publish(subjects.COMMANDS, subject, order, message_id=fresh_id()))
        async with asyncio.timeout(PATIENCE):
            await everything.wait()
        assert await asyncio.to_thread(doomed.wait, 10) == -signal.SIGKILL
        assert survivor.poll() is None
    with open_source(source, [root]) as snapshot:
        assert [row.values["tracking_number"] for row in snapshot.rows()] == [f"1Z{row}" for row in range(1, ROWS + 1)]
    copies = [each for each in (root / ".tally-backups").iterdir() if each.suffix != ".json"]
    assert len(copies) in {1, 2}  # one for each job, or one for both where they began at once
