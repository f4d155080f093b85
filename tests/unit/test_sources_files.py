"""Telling whether a file was written to while it was read."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from shared.errors import TallyError
from shared.sources import files
from shared.sources.files import settled_version, version_of


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text("order\n1\n")
    return path


def test_a_file_just_written_to_is_read_once_a_further_write_would_show(orders: Path) -> None:
    os.utime(orders)
    with orders.open("rb") as file:
        _, written = settled_version(file, "orders.csv")
        assert time.time_ns() - written >= files._TICK_NS


@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_a_file_of_another_hour_is_read_at_once(orders: Path, monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    written = time.time() + seconds
    os.utime(orders, (written, written))
    monkeypatch.setattr(time, "sleep", lambda _seconds: pytest.fail("it was waited for"))
    with orders.open("rb") as file:
        assert settled_version(file, "orders.csv") == version_of(file)


def test_a_file_that_is_written_to_all_the_time_is_refused(orders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.utime(orders)
    monkeypatch.setattr(time, "sleep", lambda _seconds: os.utime(orders))
    with orders.open("rb") as file, pytest.raises(TallyError, match="keeps changing"):
        settled_version(file, "orders.csv")
