"""Where a house's console listens, and what it is told."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from pathlib import Path

import pytest

from services.cli.house.console import furnish_console
from shared.errors import TallyError


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("TALLY_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_its_port_is_the_former_one_while_that_is_free(tmp_path: Path) -> None:
    first = furnish_console(tmp_path, None)
    with closing(first.listener):
        former = first.url
    again = furnish_console(tmp_path, former)
    with closing(again.listener):
        assert again.url == former
        other = furnish_console(tmp_path, former)
        with closing(other.listener):
            assert other.url != former


def test_a_port_that_a_person_set_is_that_one_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("TALLY_CONSOLE__PORT", str(taken.getsockname()[1]))
        with pytest.raises(TallyError) as caught:
            furnish_console(tmp_path, None)
    assert caught.value.body.code == "E-5002"
    assert "TALLY_CONSOLE__PORT" in caught.value.body.message


def test_its_token_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    for _ in range(2):
        furnish_console(tmp_path, None).listener.close()
    tokens = {(tmp_path / "console.token").read_text()}
    furnish_console(tmp_path, None).listener.close()
    assert tokens == {(tmp_path / "console.token").read_text()}
    assert len(tokens.pop().strip()) >= 40
    assert (tmp_path / "console.token").stat().st_mode & 0o777 == 0o600


def test_a_persons_own_token_is_kept_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLY_CONSOLE__TOKEN", "a token of their own")
    console = furnish_console(tmp_path, None)
    console.listener.close()
    assert console.token_file is None
    assert list(tmp_path.iterdir()) == []


def test_it_is_told_no_secret_of_the_carrier_nor_of_a_database(tmp_path: Path) -> None:
    own = {
        "TALLY_CARRIER__CLIENT_SECRET": "s",
        "TALLY_CONNECTIONS__SHOP": "postgresql://u:s@h/d",
        "TALLY_DATABASE_URL": "postgresql://u:s@h/d",
        "TALLY_DATABASE_PASSWORD": "s",
        "TALLY_NATS_URL": "nats://127.0.0.1:1",
    }
    console = furnish_console(tmp_path, None)
    with closing(console.listener):
        spec = console.spec(own)
    assert set(spec.environment) == {"TALLY_NATS_URL", "TALLY_CONSOLE__FD", "TALLY_CONSOLE__TOKEN_FILE"}
    assert spec.inherits == (int(spec.environment["TALLY_CONSOLE__FD"]),)
