"""The house's pure parts: back-off, environment, NATS configuration, record."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cli.house import nats_server
from services.cli.house.backoff import Backoff
from services.cli.house.environment import (
    UserSettings,
    bus_environment,
    house_environment,
    require_carrier,
    sandbox_environment,
)
from services.cli.house.record import (
    HouseRecord,
    ProcessRecord,
    ProcessState,
    read_record,
    record_path,
    write_record,
)
from shared.errors import TallyError
from shared.settings import SANDBOX_SHIP_FROM
from shared.shipping import Contact

NOTHING_SET = UserSettings(
    data_dir=Path(".tally"), nats_url=None, carrier_url=None, has_source_roots=False, has_ship_from=False
)


def environment_of(own: dict[str, str], user: UserSettings = NOTHING_SET, sandbox: bool = True) -> dict[str, str]:
    return house_environment(
        own,
        user,
        nats_url="nats://127.0.0.1:4222",
        sandbox_url="http://127.0.0.1:9000" if sandbox else None,
        data_dir=Path("/data"),
        working_dir=Path("/work"),
    )


def no_jitter(_: float, __: float) -> float:
    return 1.0


def test_delays_double_from_half_a_second_to_fifteen() -> None:
    backoff = Backoff(uniform=no_jitter)
    assert [backoff.after(0.1) for _ in range(7)] == [0.5, 1, 2, 4, 8, 15, 15]


def test_a_healthy_minute_forgets_earlier_deaths() -> None:
    backoff = Backoff(uniform=no_jitter)
    for _ in range(5):
        backoff.after(1)
    assert backoff.after(60) == 0.5
    assert backoff.after(1) == 1.0


@given(st.lists(st.floats(min_value=0, max_value=1000), max_size=50))
def test_every_delay_stays_within_its_bounds(lives: list[float]) -> None:
    backoff = Backoff()
    assert all(0.5 <= backoff.after(lived) <= 15.0 for lived in lives)


def test_the_sandbox_gets_an_account_short_times_and_a_ship_from() -> None:
    environment = environment_of({})
    assert environment["TALLY_CARRIER__URL"] == "http://127.0.0.1:9000"
    assert environment["TALLY_CARRIER__CONSISTENCY"] == "immediate"
    assert environment["TALLY_CARRIER__SEND_WITHIN"] == "3"
    assert len(environment["TALLY_CARRIER__ACCOUNT"]) == 6
    assert Contact.model_validate_json(environment["TALLY_SHIP_FROM"]) == SANDBOX_SHIP_FROM


def test_a_persons_own_environment_wins() -> None:
    environment = environment_of({"TALLY_CARRIER__CALL_TIMEOUT": "7", "TALLY_LOG_LEVEL": "debug"})
    assert environment["TALLY_CARRIER__CALL_TIMEOUT"] == "7"
    assert environment["TALLY_LOG_LEVEL"] == "debug"


def test_a_persons_own_source_roots_and_ship_from_stay() -> None:
    user = UserSettings(Path(".tally"), None, None, has_source_roots=True, has_ship_from=True)
    environment = environment_of({}, user)
    assert "TALLY_SOURCE_ROOTS" not in environment
    assert "TALLY_SHIP_FROM" not in environment


def test_relative_sources_are_of_the_working_directory_and_absolute_ones_anywhere() -> None:
    assert environment_of({})["TALLY_SOURCE_ROOTS"] == "/work:/"


def test_the_sandbox_is_never_swapped_for_the_real_carrier_nor_told_its_credentials() -> None:
    environment = environment_of(
        {
            "TALLY_CARRIER__URL": "https://carrier.example",
            "TALLY_CARRIER__CLIENT_SECRET": "real",
            "TALLY_CARRIER__CLIENT_SECRET_FILE": "/run/secrets/carrier",
        }
    )
    assert environment["TALLY_CARRIER__URL"] == "http://127.0.0.1:9000"
    assert "real" not in environment.values()
    assert "TALLY_CARRIER__CLIENT_SECRET_FILE" not in environment


def test_without_the_sandbox_the_carrier_is_as_set() -> None:
    environment = environment_of({"TALLY_CARRIER__URL": "https://carrier.example"}, sandbox=False)
    assert environment["TALLY_CARRIER__URL"] == "https://carrier.example"
    assert "TALLY_CARRIER__CONSISTENCY" not in environment


def test_a_house_without_a_carrier_is_refused() -> None:
    with pytest.raises(TallyError, match="E-5001"):
        require_carrier(NOTHING_SET, sandbox=False)
    require_carrier(NOTHING_SET, sandbox=True)


def test_the_sandbox_listens_on_the_port_it_is_given() -> None:
    assert sandbox_environment({}, 9000) == {"TALLY_HOST": "127.0.0.1", "TALLY_PORT": "9000"}


def test_the_bus_is_told_no_secret() -> None:
    assert bus_environment({"PATH": "/bin", "TALLY_CARRIER__CLIENT_SECRET": "real"}) == {"PATH": "/bin"}


@pytest.mark.parametrize(
    ("answer", "version"),
    [("nats-server: v2.15.1\n", (2, 15, 1)), ("nats-server: v2.9", (2, 9)), ("no version", ()), ("", ())],
)
def test_a_servers_version_is_read_from_its_answer(answer: str, version: tuple[int, ...]) -> None:
    assert nats_server.parse_version(answer) == version


@given(st.text())
def test_any_answer_of_a_server_can_be_read(answer: str) -> None:
    nats_server.parse_version(answer)


def test_every_acknowledged_message_is_on_disk() -> None:
    lines = nats_server.configuration(4222, Path('/data/a "b"')).splitlines()
    assert "  sync_interval: always" in lines
    assert 'listen: "127.0.0.1:4222"' in lines
    assert r'  store_dir: "/data/a \"b\"/nats"' in lines


def test_a_port_noted_before_is_kept_while_it_is_free() -> None:
    port = nats_server.choose_port(None)
    assert nats_server.choose_port(f"nats://127.0.0.1:{port}") == port


def test_a_port_in_use_is_replaced_by_a_free_one() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert nats_server.choose_port(f"nats://127.0.0.1:{port}") not in {port, 0}


def server_saying(folder: Path, version: str) -> Path:
    folder.mkdir()
    server = folder / "nats-server"
    server.write_text(f"#!/bin/sh\necho 'nats-server: v{version}'\n")
    server.chmod(server.stat().st_mode | stat.S_IXUSR)
    return server


def test_a_new_enough_server_on_the_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = server_saying(tmp_path / "bin", "2.12.0")
    monkeypatch.setenv("PATH", f"{server.parent}{os.pathsep}/usr/bin{os.pathsep}/bin")
    assert nats_server.find_server() == str(server)


def test_an_old_server_on_the_path_yields_to_the_installed_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = server_saying(tmp_path / "old", "2.9.10")
    installed = server_saying(tmp_path / "venv", "2.15.1")
    monkeypatch.setenv("PATH", f"{old.parent}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setattr("sys.executable", str(installed.parent / "python"))
    assert nats_server.find_server() == str(installed)


def test_no_server_at_all_is_said_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(TallyError, match="E-5006"):
        nats_server.find_server()


def test_a_record_reads_back_as_it_was_written(tmp_path: Path) -> None:
    record = HouseRecord(
        supervisor_pid=1,
        nats_url="nats://127.0.0.1:4222",
        carrier_url="http://127.0.0.1:9000",
        data_dir=str(tmp_path),
        services=(ProcessRecord(name="nats", pid=2, create_time=3.5, state=ProcessState.RUNNING),),
    )
    write_record(record)
    assert read_record(tmp_path) == record
    assert [path.name for path in tmp_path.iterdir()] == ["house.json"]


def test_a_record_that_cannot_be_read_names_nothing(tmp_path: Path) -> None:
    assert read_record(tmp_path) is None
    record_path(tmp_path).write_text("{")
    assert read_record(tmp_path) is None
