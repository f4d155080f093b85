"""How far the ledger has come, kept on a shipper's disk: what a shipper makes of it when it starts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from structlog.testing import capture_logs

from services.coordinator.database.engine import Database
from services.coordinator.handlers import Handlers
from services.coordinator.running.presence import Heartbeat
from services.shipper.ledger_mark import LedgerMark
from shared.bus.ledger import Ledger
from shared.bus.publishing import Publisher, fresh_id
from shared.clock import utc_now
from shared.contracts import subjects
from shared.contracts.ledger import KnownLedger
from tests.integration.test_spool import claim_of


def ledger_of(client: Client) -> Ledger:
    """The ledger, as a process that starts sees it."""
    return Ledger(client, Publisher(client.jetstream()))


async def begun(client: Client, folder: Path) -> LedgerMark:
    """The mark of a shipper that starts."""
    mark = LedgerMark(client, ledger_of(client), folder)
    await mark.recall()
    return mark


def kept(folder: Path) -> KnownLedger:
    """What is on the disk."""
    return KnownLedger.model_validate_json((folder / "ledger-mark.json").read_bytes())


def files(folder: Path) -> list[str]:
    """The names of what is in the folder."""
    return [path.name for path in folder.iterdir()]


def keep(folder: Path, epoch: str, sequence: int) -> None:
    """Have it on the disk."""
    known = KnownLedger(epoch=epoch, sequence=sequence)
    (folder / "ledger-mark.json").write_text(known.model_dump_json(), encoding="utf-8")


def later(epoch: str, seconds: float) -> str:
    """The epoch of a ledger that was made so much later."""
    return (datetime.fromisoformat(epoch) + timedelta(seconds=seconds)).isoformat()


@asynccontextmanager
async def coordinator(client: Client, ledger: Ledger) -> AsyncIterator[None]:
    """Who answers for the ledger, as a coordinator does."""

    handlers = Handlers(None, None, None, ledger)  # type: ignore[arg-type]

    async def reply(message: Msg) -> None:
        await message.respond(await handlers.known_ledger(message.data))

    subscription = await client.subscribe(subjects.LEDGER_KNOWN, cb=reply)
    yield
    await subscription.unsubscribe()


async def test_the_mark_is_kept_and_recalled(client: Client, tmp_path: Path) -> None:
    ledger = ledger_of(client)
    epoch = await ledger.refresh()
    _, sequence = await claim_of(ledger, fresh_id())
    mark = await begun(client, tmp_path)
    assert not mark.is_behind
    assert (kept(tmp_path).epoch, kept(tmp_path).sequence) == (epoch, sequence)


@pytest.mark.parametrize("content", [b"", b"\x00" * 50, b"{}", b'{"version": 99}', b'{"epoch": "e", "sequence": 10}'])
async def test_a_mark_that_says_nothing_keeps_no_shipper_from_its_work(
    client: Client, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "ledger-mark.json").write_bytes(content)
    mark = await begun(client, tmp_path)
    assert not mark.is_behind
    assert kept(tmp_path).epoch == await ledger_of(client).refresh()


@pytest.mark.parametrize("spoilt", ["the file is a folder", "the folder is a file"])
async def test_a_disk_that_gives_and_takes_nothing_keeps_no_shipper_from_its_work(
    client: Client, tmp_path: Path, spoilt: str
) -> None:
    folder = tmp_path / "data"
    if spoilt == "the file is a folder":
        (folder / "ledger-mark.json").mkdir(parents=True)
    else:
        folder.write_text("")
    assert not (await begun(client, folder)).is_behind


async def test_a_ledger_that_is_shorter_than_its_mark_is_replaced_by_a_coordinator(
    client: Client, tmp_path: Path
) -> None:
    epoch = await ledger_of(client).refresh()
    keep(tmp_path, epoch, 10**15)
    mark = await begun(client, tmp_path)
    assert mark.is_behind
    await mark.keep()
    assert kept(tmp_path) == KnownLedger(epoch=epoch, sequence=10**15)
    async with coordinator(client, ledger_of(client)):
        await mark.round()
        await mark.round()
    assert kept(tmp_path).epoch != epoch
    assert not mark.is_behind


async def test_a_ledger_that_another_one_came_after_is_waited_with_until_a_coordinator_answers_for_it(
    client: Client, tmp_path: Path
) -> None:
    epoch = await ledger_of(client).refresh()
    keep(tmp_path, later(epoch, 60), 7)
    mark = await begun(client, tmp_path)
    assert mark.is_behind
    await mark.round()  # nobody answers
    await mark.keep()
    assert mark.is_behind
    assert kept(tmp_path) == KnownLedger(epoch=later(epoch, 60), sequence=7)
    async with coordinator(client, ledger_of(client)):
        await mark.round()
        await mark.round()
    assert kept(tmp_path).epoch == epoch
    assert not mark.is_behind


async def test_a_coordinator_that_knows_of_a_later_ledger_replaces_the_present_one_once(client: Client) -> None:
    ledger = ledger_of(client)
    epoch = await ledger.refresh()
    known = KnownLedger(epoch=later(epoch, 86400), sequence=7)
    ledger.recall(known)  # as a server's clock that was a day ahead would have had it
    assert ledger.known == known
    await ledger.keep_up()
    replaced = ledger.epoch
    assert datetime.fromisoformat(replaced) > datetime.fromisoformat(epoch)
    await ledger.keep_up()
    assert ledger.known == KnownLedger(epoch=replaced, sequence=0)


async def test_shippers_that_share_a_folder_do_not_get_in_each_others_way(client: Client, tmp_path: Path) -> None:
    """In containers all have the same process id."""
    ledgers = [ledger_of(client) for _ in range(8)]
    marks = [LedgerMark(client, ledger, tmp_path) for ledger in ledgers]
    for mark in marks:
        await mark.recall()
    with capture_logs() as told:
        for _ in range(50):
            for ledger in ledgers:
                ledger.note(ledger.epoch, ledger.mark + 1)
            await asyncio.gather(*(mark.keep() for mark in marks))
    assert told == []
    assert kept(tmp_path).sequence == ledgers[0].mark
    assert files(tmp_path) == ["ledger-mark.json"]


async def test_a_coordinator_ends_though_its_job_database_is_away(client: Client) -> None:
    ledger, database = ledger_of(client), Database("postgresql://127.0.0.1:1/away")
    await ledger.refresh()
    heartbeat = Heartbeat(database, None, ledger, utc_now, house_run="", counts_for=1.0, replay=None)  # type: ignore[arg-type]
    with capture_logs() as told:
        await heartbeat.leave()
    assert told[-1]["event"] == "how far the ledger has come cannot be noted"
    await database.close()
