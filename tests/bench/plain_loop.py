"""The plain loop that overhead is compared with: the same bus, the same carrier call, none of the promises.

One process publishes a JetStream command for a row and commits each result to SQLite before the next command; another
takes the command, calls the carrier and publishes the result. No claim, no ledger, no look-up, no label store, no
write-back, no audit: what is left is what "one row after the other, durably, over this bus" costs in Python.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import nats
import uvloop
from nats.js.api import RetentionPolicy, StreamConfig

from services.shipper.carriers.carrier import SendDeadline
from services.shipper.carriers.ups import UpsCarrier
from shared.clock import utc_now
from shared.settings import CarrierSettings
from tests.contract.messages import SHIPMENT

_STREAM = "PLAIN"


async def work(nats_url: str, carrier_url: str, rows: int) -> None:
    """The worker: command in, carrier call, result out."""
    settings = CarrierSettings(url=carrier_url, client_id="plain", client_secret="plain", account="TALLY1")
    carrier = UpsCarrier(settings, utc_now)
    connection = await nats.connect(nats_url)
    js = connection.jetstream()
    commands = await js.subscribe("plain.command", stream=_STREAM, durable="worker", manual_ack=True)
    await connection.publish("plain-ready", b"")
    for _ in range(rows):
        command = await commands.next_msg(timeout=60)
        started = time.perf_counter()
        purchase = await carrier.buy(SHIPMENT, f"PLAIN{time.time_ns()}", SendDeadline(10))
        result = {"number": purchase.tracking_numbers[0], "ms": (time.perf_counter() - started) * 1000}
        await js.publish("plain.result", json.dumps(result).encode(), stream=_STREAM)
        await command.ack()
    await carrier.close()
    await connection.drain()


async def coordinate(nats_url: str, carrier_url: str, rows: int, folder: Path) -> float:
    """The loop; milliseconds of overhead per row beyond the carrier call."""
    database = sqlite3.connect(folder / "plain.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE rows (number INTEGER, tracking_number TEXT)")
    connection = await nats.connect(nats_url)
    js = connection.jetstream()
    await js.add_stream(StreamConfig(name=_STREAM, subjects=["plain.*"], retention=RetentionPolicy.WORK_QUEUE))
    ready = await connection.subscribe("plain-ready")
    results = await js.subscribe("plain.result", stream=_STREAM, durable="coordinator", manual_ack=True)
    worker = subprocess.Popen([sys.executable, "-m", "tests.bench.plain_loop", nats_url, carrier_url, str(rows)])
    await ready.next_msg(timeout=60)
    called = 0.0
    started = time.perf_counter()
    for number in range(rows):
        await js.publish("plain.command", str(number).encode(), stream=_STREAM)
        message = await results.next_msg(timeout=60)
        result = json.loads(message.data)
        database.execute("INSERT INTO rows VALUES (?, ?)", (number, result["number"]))
        await message.ack()
        called += result["ms"]
    wall = (time.perf_counter() - started) * 1000
    worker.wait(60)
    await js.delete_stream(_STREAM)
    await connection.close()
    database.close()
    return (wall - called) / rows


if __name__ == "__main__":
    uvloop.run(work(sys.argv[1], sys.argv[2], int(sys.argv[3])))
