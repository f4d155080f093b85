"""Every secret may come from a file, and a file that everybody can read is found out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.errors import TallyError
from shared.settings import (
    CoordinatorSettings,
    SandboxSettings,
    ServiceSettings,
    ShipperSettings,
    WritebackSettings,
    exposed_secret_files,
    load,
)

SECRET = "planted-7f3a"


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("TALLY_")]:
        del os.environ[name]
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.parametrize(
    ("setting", "model", "read"),
    [
        ("NATS_PASSWORD", ServiceSettings, lambda settings: settings.nats_password.get_secret_value()),
        ("NATS_URL", ServiceSettings, lambda settings: settings.nats_url),
        ("CARRIER__CLIENT_SECRET", ShipperSettings, lambda settings: settings.carrier.client_secret.get_secret_value()),
        ("CLIENT_SECRET", SandboxSettings, lambda settings: settings.client_secret.get_secret_value()),
        ("DATABASE_URL", CoordinatorSettings, lambda settings: settings.job_database_url),
        (
            "CONNECTIONS__SHOP",
            CoordinatorSettings,
            lambda settings: settings.connections["shop"].url.get_secret_value(),
        ),
        ("CONNECTIONS__SHOP", WritebackSettings, lambda settings: settings.connections["shop"].url.get_secret_value()),
    ],
)
def test_a_secret_comes_from_a_file(tmp_path: Path, setting: str, model: type[ServiceSettings], read) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    os.environ[f"TALLY_{setting}_FILE"] = str(file)
    settings = load(model)
    assert read(settings) == SECRET
    assert SECRET not in str(os.environ)
    if "URL" not in setting:
        assert SECRET not in repr(settings)


def test_a_file_goes_before_the_environment_and_that_before_tally_toml(tmp_path: Path) -> None:
    (tmp_path / "tally.toml").write_text('[carrier]\nclient_secret = "told"\nclient_id = "told"\naccount = "told"\n')
    (tmp_path / "secret").write_text(SECRET)
    os.environ["TALLY_CARRIER__CLIENT_ID"] = os.environ["TALLY_CARRIER__CLIENT_SECRET"] = "set"
    os.environ["TALLY_CARRIER__CLIENT_SECRET_FILE"] = str(tmp_path / "secret")
    carrier = load(ShipperSettings).carrier
    found = (carrier.client_secret.get_secret_value(), carrier.client_id, carrier.account)
    assert found == (SECRET, "set", "told")


def test_a_file_that_cannot_be_read_is_named_without_its_content(tmp_path: Path) -> None:
    os.environ["TALLY_NATS_PASSWORD_FILE"] = str(tmp_path / "gone")
    with pytest.raises(TallyError, match="E-5002: TALLY_NATS_PASSWORD_FILE: No such file"):
        load(ServiceSettings)
    (tmp_path / "gone").write_bytes(b"\xff\xfe\x00secret")
    with pytest.raises(TallyError, match="E-5002: TALLY_NATS_PASSWORD_FILE: not text in UTF-8"):
        load(ServiceSettings)


def test_a_value_that_is_refused_is_not_shown() -> None:
    os.environ["TALLY_NATS_USER"] = f"me:{SECRET}"
    with pytest.raises(TallyError) as refused:
        load(ServiceSettings)
    assert "TALLY_NATS_USER" in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(("mode", "exposed"), [(0o400, False), (0o600, False), (0o440, False), (0o444, True)])
def test_a_file_that_every_user_can_read_is_found_out(tmp_path: Path, mode: int, exposed: bool) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    file.chmod(mode)
    os.environ["TALLY_NATS_PASSWORD_FILE"] = str(file)
    assert [found.setting for found in exposed_secret_files()] == (["TALLY_NATS_PASSWORD_FILE"] if exposed else [])
