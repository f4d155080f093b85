"""The audit trail and the purge in a whole house.

Who did what when is told, with nothing personal in it; tampering is found; a purge leaves nothing of a recipient.
"""

from __future__ import annotations

import csv
import getpass
import hashlib
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import nats
import pytest

from shared.client import TallyClient
from shared.contracts.documents import JobDocument
from shared.contracts.requests import JobRequest
from shared.contracts.source import CsvSource
from shared.contracts.states import JobMode, JobStatus
from shared.errors import TallyError
from tests.integration.house import House, running_house

NAME, STREET, EMAIL, PHONE = "Zebedee Plantagenet", "77 Unfindable Alley", "zebedee@plantagenet.example", "5125550187"
PLANTED = (NAME, STREET, EMAIL, PHONE)
ORDERS = f"""order_id,recipient,address1,city,state,zip,phone,email,weight
7001,{NAME},{STREET},Austin,TX,78701,{PHONE},{EMAIL},2.5
7002,Ann Other,1 Main St,Austin,TX,78701,5125550101,ann@other.example,1.5
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house of these tests' own: its job database is tampered with, and purged."""
    with running_house(tmp_path_factory.mktemp("audited")) as house:
        yield house


@pytest.fixture
async def client(shop: House) -> AsyncIterator[TallyClient]:
    record = json.loads((shop.data_dir / "house.json").read_text())
    async with await TallyClient.connect(record["nats_url"], 30) as client:
        yield client


async def ship(shop: House, client: TallyClient, name: str, request_id: str | None = None) -> JobDocument:
    """A job that ships the orders from a file of that name, at its end."""
    path = shop.folder / name
    path.write_text(ORDERS)
    source = CsvSource(path=str(path))
    event = await client.submit(
        JobRequest(request_id=request_id or name, source=source, mode=JobMode.AUTO, requested_by="ada")
    )
    assert event.job_id is not None
    return await ended(client, event.job_id)


async def ended(client: TallyClient, job_id: str) -> JobDocument:
    async for event in client.watch(job_id):
        job = await client.show(job_id)
        if event.type.value == job.status.value and job.ended_at is not None:
            return job
    raise AssertionError("unreachable")


def change(shop: House, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(shop.data_dir / "jobs.db", timeout=30)) as connection, connection:
        assert connection.execute(statement, values).rowcount > 0


async def faults(client: TallyClient, job_id: str | None = None) -> list[tuple[str | None, int, str]]:
    found = await client.verify_audit(job_id)
    assert found.intact == (not found.faults)
    return [(fault.job_id, fault.seq, fault.fault) for fault in found.faults]


def places_of(words: tuple[str, ...], folder: Path) -> set[str]:
    """The files below a folder that have one of the words in their bytes."""
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and any(word.encode() in path.read_bytes() for word in words)
    }


async def test_the_trail_says_who_did_what_when_and_nothing_of_the_recipient(shop: House, client: TallyClient) -> None:
    echo = {"fault": "error", "status": 400, "code": "120202", "message": f"{STREET} of {NAME} <{EMAIL}> {PHONE}"}
    shop.carrier("PUT", "faults", json=[{"match": {"recipient": NAME}, **echo}]).raise_for_status()
    job = await ship(shop, client, "told.csv")
    assert job.status is JobStatus.FAILED
    shop.carrier("DELETE", "faults")
    await client.resume(job.job_id, by="bob")
    await ended(client, job.job_id)
    assert shop.run("void", job.job_id, "2", "--yes").returncode == 0
    file = shop.folder / "trail.jsonl"
    assert shop.run("audit", job.job_id, "-o", str(file)).returncode == 0
    exported = file.read_text()
    assert [word for word in PLANTED if word in exported] == []
    entries = [json.loads(line) for line in exported.splitlines()]
    told = [(entry["actor"], entry["action"], entry["row_number"]) for entry in entries]
    for expected in (
        ("ada", "job.accepted", None),
        ("shipper", "carrier.ship", 1),
        ("shipper", "row.failed", 1),
        ("coordinator", "job.failed", None),
        ("bob", "job.running", None),
        ("shipper", "row.shipped", 1),
        ("writeback", "write_back.written", 1),
        ("coordinator", "job.completed", None),
        (getpass.getuser(), "row.voiding", 2),
        ("shipper", "carrier.void", 2),
        ("shipper", "row.voided", 2),
        ("writeback", "write_back.cleared", 2),
    ):
        assert expected in told
    calls = [entry["detail"] for entry in entries if entry["action"] == "carrier.ship" and entry["row_number"] == 1]
    assert [call["status"] for call in calls] == [400, 200]
    assert all(call["request_id"] and call["carrier_id"] and call["ms"] >= 0 for call in calls)
    assert {entry["detail"]["target"] for entry in entries if entry["actor"] == "writeback"} == {"told.csv"}
    hashed = ("job_id", "seq", "at", "actor", "action", "row_number", "detail", "previous_hash")
    for entry in entries:
        body = json.dumps([entry[name] for name in hashed], sort_keys=True, separators=(",", ":"))
        assert hashlib.sha256(body.encode()).hexdigest() == entry["hash"]
    assert all(after["previous_hash"] == before["hash"] for before, after in pairwise(entries))
    as_csv = shop.run("audit", job.job_id, "--format", "csv").stdout
    assert [row["hash"] for row in csv.DictReader(as_csv.splitlines())] == [entry["hash"] for entry in entries]
    table = shop.run("audit", job.job_id, "--row", "2").stdout
    assert "row voided" in table
    assert "row failed" not in table


async def test_a_trail_that_was_tampered_with_is_found_out(shop: House, client: TallyClient) -> None:
    changed, cut, gone = [(await ship(shop, client, f"{name}.csv")).job_id for name in ("changed", "cut", "gone")]
    intact = await client.verify_audit()
    assert intact.faults == ()
    assert (await client.verify_audit(cut, intact.head)).intact
    assert [fault.what for fault in (await client.verify_audit(cut, "f" * 64)).faults] == [
        f"no entry has the hash {'f' * 64}: the register was written anew, or cut"
    ]
    last = [entry.seq async for entry in client.audit(cut)][-1]
    change(shop, "UPDATE audit SET actor = 'nobody' WHERE job_id = ? AND seq = 3", changed)
    change(shop, "DELETE FROM audit WHERE job_id = ? AND seq = 5", changed)
    change(shop, "DELETE FROM audit WHERE job_id = ? AND seq = ?", cut, last)
    assert await faults(client, changed) == [(changed, 3, "changed"), (changed, 5, "missing")]
    assert await faults(client, cut) == [(cut, last, "missing")]
    assert await faults(client, gone) == []
    for table in ("audit", "attempts", "reservations", "rows", "jobs"):
        change(shop, f"DELETE FROM {table} WHERE job_id = ?", gone)
    told = shop.run("audit", "verify")
    assert told.returncode == 1
    assert f"Job {changed}, entry 3: entry 3 is not as it was written." in told.stdout
    assert f"job {gone} is gone with its whole trail" in told.stdout


async def test_a_purge_leaves_nothing_of_a_recipient_and_knows_the_orders(shop: House, client: TallyClient) -> None:
    job = await ship(shop, client, "purged.csv")
    numbers = [row.tracking_numbers async for row in client.rows(job.job_id)]
    labels = shop.data_dir / "labels" / job.job_id
    assert len(list(labels.iterdir())) == 2
    assert (await client.plan_purge(timedelta(hours=1))).jobs == ()
    assert job.job_id in shop.run("purge", "--older-than", "0d", "--dry-run").stdout
    assert shop.run("purge", "--older-than", "0d").returncode == 4
    assert (await client.show(job.job_id)).purged_at is None
    done = shop.run("purge", "--older-than", "0d", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not labels.exists()
    bus = await nats.connect(json.loads((shop.data_dir / "house.json").read_text())["nats_url"])
    for stream, subject in (("LEDGER", f"tally.ledger.{job.job_id}.*"), ("EVENTS", f"tally.events.{job.job_id}.*")):
        assert not (await bus.jetstream().stream_info(stream, subjects_filter=subject)).state.subjects
    await bus.close()
    # The sandbox's ledger is the carrier's; the bus frees what it deleted in its own time.
    left = places_of(PLANTED, shop.data_dir)
    assert {place for place in left if not place.startswith(("nats/", "sandbox"))} == set()
    now = await client.show(job.job_id)
    assert (now.rows, now.cost, now.status) == (job.rows, job.cost, job.status)
    assert [(row.tracking_numbers, row.purged) async for row in client.rows(job.job_id)] == [
        (found, True) for found in numbers
    ]
    assert await faults(client, job.job_id) == []
    with pytest.raises(TallyError, match="E-4040"):
        await client.void(job.job_id, [1])
    again = await ship(shop, client, "purged.csv", "purged-again")
    assert (again.status, again.rows.skipped, again.rows.shipped) == (JobStatus.COMPLETED, 2, 0)
