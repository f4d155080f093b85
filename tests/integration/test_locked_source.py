"""Shipping never waits for write-back: while the file is locked every row ships, and its numbers come afterwards."""

from __future__ import annotations

from services.writeback.targets.lock import SourceLocks
from tests.integration.house import House, tracking_numbers
from tests.integration.test_workbooks import sold


def test_rows_ship_while_the_file_is_locked_and_get_their_numbers_when_it_is_free(house: House) -> None:
    path = house.orders("locked.csv", 5, seed=80)
    before = path.read_bytes()
    with SourceLocks(house.data_dir / "locks").hold_file(path):
        job = house.submit(path)
        shown = house.eventually(lambda: house.json("show", job), lambda shown: shown["rows"]["shipped"] == 5)
        assert (shown["status"], shown["write_back"]["due"]) == ("running", 5)
        assert path.read_bytes() == before
    assert house.finished(job)["status"] == "completed"
    assert tracking_numbers(path) == sold(house, job)
