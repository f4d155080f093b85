"""Getting onto a bus that knows its users and speaks TLS: who is let in, and what those are told who are not."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nats
import psutil
import pytest
from nats.aio.msg import Msg
from pydantic import SecretStr

from services.cli.house.nats_server import choose_port, find_server
from shared.bus import topology
from shared.bus.connecting import BusAccess
from shared.bus.service import Service
from shared.client import TallyClient
from shared.contracts.requests import JobRequest
from shared.contracts.source import CsvSource
from shared.errors import TallyError
from shared.settings import ServiceSettings
from tests.integration.certificates import authority, certificate
from tests.integration.database_binaries import Certificate
from tests.integration.nats_servers import connected

PASSWORD = "zyx-the-password-zyx"
USERS = f'authorization {{ users: [{{user: "tally", password: "{PASSWORD}"}}] }}'
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class SecureBus:
    """A server that lets in one user by TLS, and what its authority certified."""

    port: int
    process: subprocess.Popen[bytes]
    authority: Path
    stranger: Path
    client: Certificate

    def access(self, *, host: str = "127.0.0.1", ca: Path | None = None, password: str = PASSWORD) -> BusAccess:
        url = f"nats://{host}:{self.port}"
        return BusAccess(url, "tally", SecretStr(password), ca or self.authority)


def tls_block(own: Certificate, more: str = "") -> str:
    return (
        f'tls {{ cert_file: "{own.chain}", key_file: "{own.key}", ca_file: "{own.authority}", '
        f"handshake_first: auto, {more} }}"
    )


@contextmanager
def server(folder: Path, *blocks: str, port: int | None = None) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """A server with these blocks in its configuration, once it listens."""
    port = port or choose_port(None)
    lines = (f'listen: "127.0.0.1:{port}"', f'jetstream {{ store_dir: "{folder / "store"}" }}', *blocks)
    (folder / "nats.conf").write_text("\n".join(lines))
    log = folder / "nats.log"
    with log.open("wb") as output:
        process = subprocess.Popen([find_server(), "-c", str(folder / "nats.conf")], stdout=output, stderr=output)
    try:
        while "Server is ready" not in log.read_text():
            assert process.poll() is None, log.read_text()
        yield port, process
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBus]:
    folder = tmp_path_factory.mktemp("bus")
    trusted, stranger = authority(folder, "trusted"), authority(folder, "stranger")
    own, client = certificate(folder, "server", "IP:127.0.0.1"), certificate(folder, "client", "DNS:client")
    with server(folder, USERS, tls_block(own)) as (port, process):
        yield SecureBus(port, process, trusted, stranger, client)


async def refusal(access: BusAccess) -> str:
    """What a client is told, which never has the password in it."""
    with pytest.raises(TallyError) as refused:
        async with await TallyClient.connect(access, 5):
            pass
    password = access.password.get_secret_value()
    assert not password or password not in str(refused.value)
    return str(refused.value)


async def test_a_connection_by_tls_ends_without_a_word(bus: SecureBus, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        async with await TallyClient.connect(bus.access(), 5):
            pass
    assert not caplog.records


async def test_a_user_with_the_password_is_let_in_by_tls(bus: SecureBus) -> None:
    async with await TallyClient.connect(bus.access(), 5) as client:
        assert await client.services(0.1) == ()


async def test_a_wrong_password_is_told_as_such(bus: SecureBus) -> None:
    told = await refusal(bus.access(password="not the password"))
    assert told.startswith("E-5008")
    assert "TALLY_NATS_PASSWORD" in told


async def test_credentials_in_the_url_are_not_shown(bus: SecureBus) -> None:
    access = BusAccess(f"nats://tally:p@ss,wrong@127.0.0.1:{bus.port}", tls_ca=bus.authority)
    told = await refusal(access)
    assert "ss" not in access.shown
    assert "wrong" not in told


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda bus: bus.access(ca=bus.stranger), "unable to get local issuer certificate"),
        (lambda bus: bus.access(host="localhost"), "Hostname mismatch"),
        (lambda bus: BusAccess(f"tls://127.0.0.1:{bus.port}"), "unable to get local issuer certificate"),
        (lambda bus: BusAccess(f"nats://127.0.0.1:{bus.port}"), "unable to get local issuer certificate"),
    ],
    ids=["another authority", "another host", "the system's authorities", "TLS that nobody asked for"],
)
async def test_a_server_that_is_not_to_be_trusted_is_told_as_such(
    bus: SecureBus, make: Callable[[SecureBus], BusAccess], reason: str
) -> None:
    told = await refusal(make(bus))
    assert told.startswith("E-5009")
    assert reason in told


async def test_a_certificate_that_expired_ends_the_connection(tmp_path: Path) -> None:
    trusted = authority(tmp_path, "trusted")
    with server(tmp_path, tls_block(certificate(tmp_path, "late", "IP:127.0.0.1", days=-1))) as (port, _):
        told = await refusal(BusAccess(f"nats://127.0.0.1:{port}", tls_ca=trusted))
    assert told.startswith("E-5009")
    assert "certificate has expired" in told


async def test_a_server_without_tls_gets_no_password_from_a_client_that_demands_it(tmp_path: Path) -> None:
    """Whoever stands between could else strip TLS off by saying that there is none."""
    trusted = authority(tmp_path, "trusted")
    with server(tmp_path, USERS, "trace: true", "debug: true") as (port, _):
        told = await refusal(BusAccess(f"nats://127.0.0.1:{port}", "tally", SecretStr(PASSWORD), trusted))
    assert told.startswith("E-5009")
    assert "CONNECT" not in (tmp_path / "nats.log").read_text()


async def test_a_server_that_wants_a_certificate_is_shown_one(tmp_path: Path) -> None:
    trusted = authority(tmp_path, "trusted")
    own, mine = certificate(tmp_path, "own", "IP:127.0.0.1"), certificate(tmp_path, "mine", "DNS:mine")
    with server(tmp_path, tls_block(own, "verify: true")) as (port, _):
        url = f"nats://127.0.0.1:{port}"
        told = await refusal(BusAccess(url, tls_ca=trusted))
        assert told.startswith("E-5009")
        assert "TALLY_NATS_TLS_CERT" in told
        async with await TallyClient.connect(BusAccess(url, "", SecretStr(""), trusted, mine.chain, mine.key), 5):
            pass


async def test_a_file_of_tls_that_cannot_be_used_is_named(bus: SecureBus, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    url = f"nats://127.0.0.1:{bus.port}"
    with pytest.raises(TallyError, match="E-5002: TALLY_NATS_TLS_CA: No such file"):
        BusAccess(url, tls_ca=tmp_path / "gone.pem").options()
    with pytest.raises(TallyError, match="E-5002: TALLY_NATS_TLS_CERT: not a usable PEM file"):
        BusAccess(url, tls_ca=bus.authority, tls_cert=empty).options()
    with pytest.raises(TallyError, match="E-5002: TALLY_NATS_TLS_CERT: it is missing"):
        BusAccess(url, tls_key=bus.client.key).options()


async def test_the_next_server_of_a_list_is_taken_where_the_first_is_down(bus: SecureBus) -> None:
    down = choose_port(None)
    url = f"nats://127.0.0.1:{down},nats://127.0.0.1:{bus.port}"
    async with await TallyClient.connect(BusAccess(url, "tally", SecretStr(PASSWORD), bus.authority), 5):
        pass


async def test_what_the_user_may_not_do_is_told_at_once_by_its_subject(tmp_path: Path) -> None:
    """However long an answer may take: the server says it beside the answer that never comes."""
    granted = 'permissions: { publish: { deny: ["tally.requests.>", "tally.api.pause"] } }'
    with server(tmp_path, USERS.replace(f'"{PASSWORD}"', f'"{PASSWORD}", {granted}')) as (port, _):
        access = BusAccess(f"nats://127.0.0.1:{port}", "tally", SecretStr(PASSWORD))
        request = JobRequest(request_id="r-1", source=CsvSource(path="orders.csv"), requested_by="x")
        async with asyncio.timeout(60), await TallyClient.connect(access, 600) as client:
            with pytest.raises(TallyError, match=r"E-5010: .* tally publish to tally\.requests\.submit"):
                await client.submit(request)
            with pytest.raises(TallyError, match=r"E-5010: .* tally publish to tally\.api\.pause"):
                await client.pause("j")


def environment(folder: Path, **settings: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("TALLY_")}
    return own | {"PYTHONPATH": str(ROOT), "HOME": str(folder), "TALLY_DATA_DIR": str(folder / "data"), **settings}


def started(folder: Path, service: str, **settings: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", f"services.{service}"],
        cwd=folder,
        env=environment(folder, **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def told_on_the_command_line(folder: Path, command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services.cli", command, "--json"],
        cwd=folder,
        env=environment(folder, **settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def streams(access: BusAccess) -> None:
    """Bring up the streams and consumers, which only a coordinator does."""
    connection = await nats.connect(**access.options())
    await topology.apply(connection.jetstream())
    await connection.close()


def until(process: subprocess.Popen[str], word: str) -> str:
    """What a process prints up to a line with `word`."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if word in line:
            return said
    raise AssertionError(said)


async def test_a_service_and_the_command_line_get_in_with_secrets_from_files(bus: SecureBus, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")
    secret.chmod(0o644)
    settings = {
        "TALLY_NATS_URL": f"nats://127.0.0.1:{bus.port}",
        "TALLY_NATS_USER": "tally",
        "TALLY_NATS_PASSWORD_FILE": str(secret),
        "TALLY_NATS_TLS_CA": str(bus.authority),
        "TALLY_NATS_TLS_CERT": str(bus.client.chain),
        "TALLY_NATS_TLS_KEY": str(bus.client.key),
    }
    await streams(bus.access())
    process = started(tmp_path, "writeback", **settings)
    try:
        said = until(process, '"running"')
        assert "can be read by every user" in said
        assert PASSWORD not in said
        told = told_on_the_command_line(tmp_path, "status", **settings)
        assert told.returncode == 0, told.stderr
        assert "eof_received" not in told.stderr
        assert [service["name"] for service in json.loads(told.stdout)["services"]] == ["writeback"]
    finally:
        process.terminate()
        said, _ = process.communicate(timeout=30)
    assert "eof_received" not in said


@pytest.mark.parametrize(
    ("settings", "code"),
    [({"TALLY_NATS_PASSWORD": "wrong-xyz"}, "E-5008"), ({"TALLY_NATS_TLS_CA": ""}, "E-5009")],
    ids=["a wrong password", "an authority that is unknown"],
)
def test_who_is_not_let_in_is_told_at_once_and_leaves(
    bus: SecureBus, tmp_path: Path, settings: dict[str, str], code: str
) -> None:
    set_ = {
        "TALLY_NATS_URL": f"tls://127.0.0.1:{bus.port}",
        "TALLY_NATS_USER": "tally",
        "TALLY_NATS_PASSWORD": PASSWORD,
        "TALLY_NATS_TLS_CA": str(bus.authority),
    } | settings
    if not set_["TALLY_NATS_TLS_CA"]:
        del set_["TALLY_NATS_TLS_CA"]
    process = started(tmp_path, "writeback", **set_)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"{code}: " in said, said
    assert "Traceback" not in said
    told = told_on_the_command_line(tmp_path, "jobs", **set_)
    assert told.returncode == 3
    assert json.loads(told.stdout)["error"]["code"] == code
    printed = said + told.stdout + told.stderr
    assert PASSWORD not in printed
    assert "wrong-xyz" not in printed


async def test_a_service_whose_password_was_changed_leaves_and_the_next_one_gets_in(tmp_path: Path) -> None:
    """How a password is rotated: the server's, then the file; whoever is refused ends, and is started anew."""
    secret = tmp_path / "password"
    secret.write_text("the former one")
    secret.chmod(0o400)
    config = tmp_path / "nats.conf"
    with server(tmp_path, USERS.replace(PASSWORD, "the former one")) as (port, bus):
        settings = {
            "TALLY_NATS_URL": f"nats://127.0.0.1:{port}",
            "TALLY_NATS_USER": "tally",
            "TALLY_NATS_PASSWORD_FILE": str(secret),
        }
        await streams(BusAccess(settings["TALLY_NATS_URL"], "tally", SecretStr("the former one")))
        process = started(tmp_path, "writeback", **settings)
        try:
            assert "can be read" not in until(process, '"running"')
            config.write_text(config.read_text().replace("the former one", PASSWORD))
            bus.send_signal(signal.SIGHUP)
            process.wait(60)
        finally:
            if process.poll() is None:
                psutil.Process(process.pid).kill()
        said = process.communicate()[0]
        assert "E-5008" in said
        assert "Traceback" not in said
        assert process.returncode == 1
        secret.chmod(0o600)
        secret.write_text(PASSWORD)
        process = started(tmp_path, "writeback", **settings)
        try:
            until(process, '"running"')
        finally:
            process.terminate()
            process.communicate(timeout=30)


def test_a_service_that_is_told_to_stop_while_the_bus_is_away_stops_in_order(tmp_path: Path) -> None:
    with server(tmp_path) as (port, bus):
        process = started(tmp_path, "coordinator", TALLY_NATS_URL=f"nats://127.0.0.1:{port}")
        try:
            until(process, '"running"')
            bus.terminate()
            until(process, "disconnected from the bus")
            process.terminate()
            said, _ = process.communicate(timeout=60)
        finally:
            if process.poll() is None:
                process.kill()
        assert '"stopped"' in said
        assert "Traceback" not in said
        assert process.returncode == 0


async def echo(message: Msg) -> None:
    await message.respond(message.reply.encode())


async def test_a_service_reads_the_answers_to_it_below_an_inbox_of_its_own(nats_url: str) -> None:
    service = Service("somebody", ServiceSettings(nats_url=nats_url, nats_user="somebody"))
    await service.broker.connect()
    try:
        assert service.client.new_inbox().startswith("_INBOX.somebody.")
        connection = await connected(nats_url)
        await connection.subscribe("tally.test.echo", cb=echo)
        # nats-py may send a flush's ping ahead of the subscription that was made just before it.
        await connection.flush()
        await connection.flush()
        answer = await service.client.request("tally.test.echo", b"", timeout=5)
        assert answer.data.startswith(b"_INBOX.somebody.")
        await connection.close()
    finally:
        await service.broker.stop()


def test_a_service_waits_for_a_coordinator_to_bring_the_streams_up(tmp_path: Path) -> None:
    with server(tmp_path) as (port, _):
        process = started(tmp_path, "writeback", TALLY_NATS_URL=f"nats://127.0.0.1:{port}")
        try:
            assert '"running"' not in until(process, "waiting for the streams")
            asyncio.run(streams(BusAccess(f"nats://127.0.0.1:{port}")))
            until(process, '"running"')
        finally:
            process.terminate()
            process.communicate(timeout=30)


def test_a_service_that_waits_for_the_streams_can_be_told_to_stop(tmp_path: Path) -> None:
    with server(tmp_path) as (port, _):
        process = started(tmp_path, "writeback", TALLY_NATS_URL=f"nats://127.0.0.1:{port}")
        until(process, "waiting for the streams")
        process.terminate()
        process.communicate(timeout=30)
        assert process.returncode == 0
