"""Which connections to orders lead to the job database: those that do for sure."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.settings import ConnectionSettings
from shared.sources.database_address import connections_into

JOBS = "postgresql://tally:a@db.example.com/jobs"


def is_into(url: str, connection: str) -> bool:
    return connections_into(url, {"shop": ConnectionSettings(url=SecretStr(connection))}) == {"shop": True}


def test_a_file_is_one_file_by_whatever_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "jobs.db").touch()
    (tmp_path / "link.db").symlink_to(tmp_path / "jobs.db")
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path}/jobs.db"
    for connection in (url, "sqlite:///jobs.db", f"sqlite:///{tmp_path}/data/../jobs.db", "sqlite:///link.db"):
        assert is_into(url, connection)
    for connection in ("sqlite:///other.db", "sqlite:///data/jobs.db", "mysql://u@h/jobs.db"):
        assert not is_into(url, connection)


@pytest.mark.parametrize(
    ("connection", "leads"),
    [
        ("postgresql://tally:b@DB.example.com:5432/jobs?sslmode=require", True),
        ("postgres://tally@db.example.com/jobs", True),
        ("postgresql://clerk:a@db.example.com/jobs", False),
        ("postgresql://tally:a@db.example.com:5433/jobs", False),
        ("postgresql://tally:a@db.example.com/shop", False),
        ("postgresql://tally:a@10.0.0.1/jobs", False),
        ("postgresql://tally:a@db.example.com/jobs?unix_sock=/run/x", False),
        ("mysql://tally:a@db.example.com:5432/jobs", False),
        ("sqlite:////srv/jobs", False),
    ],
)
def test_a_database_is_one_by_server_name_and_user(connection: str, leads: bool) -> None:
    assert is_into(JOBS, connection) is leads
    assert is_into(JOBS.replace("postgresql", "postgresql+asyncpg"), connection) is leads


def test_a_job_database_whose_server_is_not_named_is_led_to_by_none() -> None:
    assert not is_into("postgresql:///jobs", "postgresql:///jobs")


def test_each_comes_with_whether_it_is_marked() -> None:
    settings = {
        "shop": ConnectionSettings(url=SecretStr(JOBS), mark_table=False),
        "other": ConnectionSettings(url=SecretStr("sqlite:///other.db")),
    }
    assert connections_into(JOBS, settings) == {"shop": False}
