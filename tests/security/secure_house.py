"""A house as a company runs it: each process by itself and on the bus as a user of its own, secrets in files.

What it is given to ship, and every secret, is unmistakable, so that it can be looked for in whatever was printed.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import nats
from nats.aio.client import Client
from pydantic import SecretStr

from services.cli.house.nats_server import choose_port, find_server
from shared.bus.connecting import BusAccess
from shared.bus.permissions import USERS, password_variable
from tests.integration.house import PATIENCE, House

ROOT = Path(__file__).parents[2]
USERS_FILE = ROOT / "deploy" / "nats" / "users.conf"

PERSON = {
    "name": "Zebulon Quixworth",
    "company": "Leakwell Gadgetry",
    "address_1": "77 Plantedstreet",
    "address_2": "Suite Hideaway",
    "phone": "2065558675",
    "email": "zq@planted-mail.example",
}
PERSONAL = ("Zebulon", "Quixworth", "Leakwell", "Plantedstreet", "Hideaway", "5558675", "planted-mail")
SECRETS = {
    "TALLY_CARRIER__CLIENT_SECRET": "planted-carrier-secret",
    "TALLY_CONNECTIONS__SHOP": "postgresql://shop:planted-database-password@127.0.0.1:1/shop",
    "TALLY_CONSOLE__TOKEN": "planted-console-token-0123456789abcdef",
}
BUS_SECRET = "planted-bus-password"
SECRET_WORDS = ("planted-carrier-secret", "planted-database-password", "planted-console-token", BUS_SECRET)


class Collector:
    """Takes the spans that processes export by OTLP; their texts stand in them as they are."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        taken = self.taken

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                zipped = self.headers.get("Content-Encoding") == "gzip"
                taken.append(gzip.decompress(body) if zipped else body)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Take no more."""
        self._server.shutdown()
        self._server.server_close()


@dataclass
class SecureHouse:
    """The running processes; `house` drives it as the user of the command line."""

    folder: Path
    house: House
    port: int
    carrier_url: str
    environment: dict[str, str]
    collector: Collector
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    http: dict[str, int] = field(default_factory=dict)

    def log(self, name: str) -> Path:
        """Where a process's output goes."""
        return self.folder / "logs" / f"{name}.log"

    def start(self, name: str, **settings: str) -> None:
        """Start a service as its user on the bus, and wait until it says that it runs."""
        before = self.log(name).read_text().count(READY) if self.log(name).exists() else 0
        self.http[name] = choose_port(None)
        own = as_user(name, self.folder, self.environment) | settings | {"TALLY_HTTP__PORT": str(self.http[name])}
        with self.log(name).open("ab") as log:
            command = (sys.executable, "-P", "-m", f"services.{name}")
            self.processes[name] = subprocess.Popen(command, cwd=self.folder, env=own, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE
        while (text := self.log(name).read_text()).count(READY) <= before:
            assert self.processes[name].poll() is None, text
            assert time.monotonic() < deadline, text

    def stop(self) -> None:
        """End everything, the bus last."""
        for process in reversed(self.processes.values()):
            process.terminate()
            process.wait(60)

    def restart(self, name: str) -> None:
        """End a service, as its supervisor does, and start it."""
        self.processes[name].terminate()
        self.processes[name].wait(60)
        self.start(name)

    def access(self, user: str) -> BusAccess:
        """How a user gets onto the bus."""
        return BusAccess(f"nats://127.0.0.1:{self.port}", user, SecretStr(password(user)))

    async def connect(self, user: str) -> Client:
        """A connection as a user; what the server does not permit is kept in its log."""
        return await nats.connect(**self.access(user).options(), error_cb=_kept_in_the_log)

    def pages(self) -> dict[str, str]:
        """What each service answers by HTTP."""
        paths = [(name, port, path) for name, port in self.http.items() for path in ("livez", "readyz", "metrics")]
        return {f"{name}/{path}": httpx.get(f"http://127.0.0.1:{port}/{path}").text for name, port, path in paths}

    def violations(self) -> list[str]:
        """What the server did not permit, so far."""
        return [line for line in self.log("nats").read_text().splitlines() if "Violation" in line]

    def carrier(self, method: str, path: str, body: Any = None) -> None:
        """Call one of the sandbox's own endpoints."""
        httpx.request(method, f"{self.carrier_url}/_sandbox/{path}", json=body, timeout=10).raise_for_status()

    def sold(self) -> list[dict[str, Any]]:
        """Every shipment the carrier ever sold."""
        shipments: list[dict[str, Any]] = httpx.get(f"{self.carrier_url}/_sandbox/shipments", timeout=10).json()
        return shipments

    @contextmanager
    def faults(self, *faults: Mapping[str, Any]) -> Iterator[None]:
        """Have the carrier misbehave within the block."""
        self.carrier("PUT", "faults", list(faults))
        try:
            yield
        finally:
            self.carrier("DELETE", "faults")


READY = '"event": "running"'


async def _kept_in_the_log(_: Exception) -> None:
    """The server logs what it refuses; the tests read it there."""


def password(user: str) -> str:
    return f"{BUS_SECRET}-{user}"


def as_user(name: str, folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that is the bus's user of that name."""
    secret = folder / "secrets" / f"bus-{name}"
    secret.write_text(password(name))
    secret.chmod(0o600)
    return {**environment, "TALLY_NATS_USER": name, "TALLY_NATS_PASSWORD_FILE": str(secret)}


def write_planted(path: Path, count: int, **changes: str) -> Path:
    """A file of orders that are all to the planted person."""
    usual = {"city": "Seattle", "state": "WA", "zip": "98107", "country": "US", "weight": "2", "service": "Ground"}
    row = {"order_number": "", **PERSON, **usual, **changes}
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, row)
        writer.writeheader()
        for number in range(1, count + 1):
            writer.writerow(row | {"order_number": f"{path.stem}-{number}"})
    return path


@contextmanager
def secure_house(folder: Path) -> Iterator[SecureHouse]:
    """A house whose bus knows its users: sandbox, coordinator, shipper, writeback; debug logs."""
    for name in ("logs", "secrets", "orders", "data"):
        (folder / name).mkdir()
    own = {name: value for name, value in os.environ.items() if not name.startswith("TALLY_")}
    collector = Collector()
    port, carrier_port = choose_port(None), choose_port(None)
    carrier_url = f"http://127.0.0.1:{carrier_port}"
    environment = own | {
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "NO_COLOR": "1",
        "TALLY_NATS_URL": f"nats://127.0.0.1:{port}",
        "TALLY_DATA_DIR": str(folder / "data"),
        "TALLY_SOURCE_ROOTS": str(folder / "orders"),
        "TALLY_LOG_LEVEL": "debug",
        "TALLY_OTLP_ENDPOINT": collector.url,
        "TALLY_CARRIER__URL": carrier_url,
        "TALLY_CARRIER__CLIENT_ID": "tally",
        "TALLY_CARRIER__ACCOUNT": "TALLY1",
        "TALLY_CARRIER__CONSISTENCY": "none",
        "TALLY_CARRIER__SETTLE_TIME": "1",
        "TALLY_CARRIER__SEND_WITHIN": "3",
        "TALLY_CARRIER__CALL_TIMEOUT": "5",
        "TALLY_CARRIER__COMMIT_MARGIN": "1",
        "TALLY_SHIP_FROM": json.dumps(WAREHOUSE),
    }
    for name, value in SECRETS.items():
        secret = folder / "secrets" / name
        secret.write_text(value)
        secret.chmod(0o600)
        environment[f"{name}_FILE"] = str(secret)
    client = as_user("cli", folder, environment)
    driven = House(folder / "orders", folder / "data", client)
    house = SecureHouse(folder, driven, port, carrier_url, environment, collector)
    try:
        _start_bus(house, own)
        with house.log("sandbox").open("wb") as log:
            settings = {"TALLY_PORT": str(carrier_port), "TALLY_CLIENT_ID": "tally"}
            settings["TALLY_CLIENT_SECRET_FILE"] = environment["TALLY_CARRIER__CLIENT_SECRET_FILE"]
            command = (sys.executable, "-P", "-m", "services.sandbox")
            house.processes["sandbox"] = subprocess.Popen(
                command, cwd=folder, env=environment | settings, stdout=log, stderr=log
            )
        for name in ("coordinator", "shipper", "writeback"):
            house.start(name)
        yield house
    finally:
        house.stop()
        collector.close()


def _start_bus(house: SecureHouse, own: dict[str, str]) -> None:
    config = house.folder / "nats.conf"
    (house.folder / "users.conf").write_bytes(USERS_FILE.read_bytes())
    store = house.folder / "nats"
    config.write_text(f'listen: "127.0.0.1:{house.port}"\njetstream {{ store_dir: "{store}" }}\ninclude users.conf\n')
    passwords = {password_variable(user): password(user) for user in USERS}
    with house.log("nats").open("wb") as log:
        command = (find_server(), "-c", str(config))
        house.processes["nats"] = subprocess.Popen(command, env=own | passwords, stdout=log, stderr=log)
    while "Server is ready" not in (text := house.log("nats").read_text()):
        assert house.processes["nats"].poll() is None, text


WAREHOUSE = {
    "name": "Warehouse",
    "phone": "5125550100",
    "address": {"lines": ["100 Congress Ave"], "city": "Austin", "state": "TX", "postal_code": "78701"},
}
