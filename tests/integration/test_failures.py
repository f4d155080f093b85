"""Fail fast, show why, take up again."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.house import House, running_house, tracking_numbers

HARD_ERROR = {"fault": "error", "status": 400, "code": "120207", "message": "The ship-to postal code is invalid."}


def recipient(path: Path, row: int) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))[row - 1]["name"]


def rename(path: Path, row: int, name: str) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    rows[row - 1]["name"] = name
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def test_the_first_failed_row_stops_the_job_and_resume_takes_up_at_it(house: House) -> None:
    path = house.orders("fails.csv", 10, seed=20)
    rename(path, 4, "Refused Recipient")
    with house.faults({"match": {"recipient": "Refused Recipient"}, **HARD_ERROR}):
        done = house.run("ship", str(path), "--yes")
        assert done.returncode == 1
        assert "E-3031" in done.stdout + done.stderr
        assert "The ship-to postal code is invalid" in done.stdout + done.stderr
        assert "tally resume" in done.stdout + done.stderr
    job = house.json("jobs")[0]
    assert (job["status"], job["cursor"], job["error"]["row"], job["error"]["code"]) == ("failed", 3, 4, "E-3031")
    assert [row["status"] for row in house.json("rows", job["job_id"])] == ["shipped"] * 3 + ["failed"] + [
        "pending"
    ] * 6
    assert house.sold(job["job_id"]).total() == 3
    resumed = house.run("resume", job["job_id"])
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert house.json("show", job["job_id"])["status"] == "completed"
    assert house.json("show", job["job_id"], "4")["attempt"] == 2
    assert set(house.sold(job["job_id"]).values()) == {1}
    assert all(tracking_numbers(path))


def test_a_lost_answer_is_looked_up_and_adopted(house: House) -> None:
    path = house.orders("lost.csv", 6, seed=21)
    rename(path, 3, "Lost Answer")
    with house.faults({"match": {"recipient": "Lost Answer", "times": 1}, "fault": "drop_after_commit"}):
        job_id = house.submit(path)
        assert house.finished(job_id)["status"] == "completed"
    row = house.json("show", job_id, "3")
    assert row["evidence"]
    assert row["cost"] is not None
    assert house.sold(job_id).total() == 6


def test_a_hung_answer_is_looked_up_and_adopted(house: House) -> None:
    path = house.orders("hung.csv", 3, seed=22)
    rename(path, 2, "Hung Answer")
    with house.faults({"match": {"recipient": "Hung Answer", "times": 1}, "fault": "hang_after_commit", "ms": 30000}):
        job_id = house.submit(path)
        assert house.finished(job_id)["status"] == "completed"
    assert house.sold(job_id).total() == 3


def test_an_empty_answer_that_created_nothing_is_proved_and_sent_again(house: House) -> None:
    path = house.orders("empty.csv", 3, seed=23)
    rename(path, 2, "Busy Carrier")
    fault = {"fault": "error", "status": 503, "code": "10004", "message": "Service unavailable"}
    with house.faults({"match": {"recipient": "Busy Carrier", "times": 1}, **fault}):
        job_id = house.submit(path)
        assert house.finished(job_id)["status"] == "completed"
    assert house.sold(job_id).total() == 3
    assert all("not found" in looked_up["answer"].lower() for looked_up in house.json("show", job_id, "2")["evidence"])
    assert house.json("show", job_id, "2")["evidence"]


def test_a_rate_limit_and_an_expired_token_are_waited_out(house: House) -> None:
    path = house.orders("limited.csv", 5, seed=24)
    with house.faults(
        {"match": {"nth": 2}, "fault": "rate_limit", "retry_after": 1}, {"match": {"nth": 4}, "fault": "expire_token"}
    ):
        job_id = house.submit(path)
        assert house.finished(job_id)["status"] == "completed"
    assert house.sold(job_id).total() == 5


def test_a_paused_job_goes_on_where_it_stopped(house: House) -> None:
    path = house.orders("paused.csv", 40, seed=25)
    with house.faults({"fault": "latency", "ms": 400}):
        job_id = house.submit(path)
        with house.watching(job_id) as watch:
            watch.until_row(3)
            assert house.run("pause", job_id).returncode == 0
            stopped = watch.until(lambda event: event["type"] == "paused")["job"]
        assert 3 <= stopped["cursor"] < 40
    assert house.run("resume", job_id).returncode == 0
    assert house.json("show", job_id)["status"] == "completed"
    assert set(house.sold(job_id).values()) == {1}


def test_a_cancelled_job_ships_nothing_more_and_keeps_what_it_bought(house: House) -> None:
    path = house.orders("cancelled.csv", 40, seed=26)
    with house.faults({"fault": "latency", "ms": 400}):
        job_id = house.submit(path)
        with house.watching(job_id) as watch:
            watch.until_row(3)
            assert house.run("cancel", job_id).returncode == 0
            watch.until(lambda event: event["type"] == "cancelled")
    job = house.json("show", job_id)
    assert job["status"] == "cancelled"
    assert 3 <= job["rows"]["shipped"] < 40


def looked_up(calls: dict[str, int]) -> int:
    return sum(count for path, count in calls.items() if "/labels/" in path)


def test_a_row_that_is_looked_up_when_its_job_is_cancelled_is_not_bought_any_more(house: House) -> None:
    path = house.orders("cancelled-in-doubt.csv", 3, seed=76)
    away = {"fault": "error", "status": 503, "code": "10004", "message": "Service unavailable"}
    with house.faults(
        {"match": {"nth": 2}, **away}, {"match": {"path": "/track"}, **away}, {"match": {"path": "/labels"}, **away}
    ):
        before = looked_up(house.calls())
        job_id = house.submit(path)
        house.eventually(house.calls, lambda calls: looked_up(calls) > before)
        assert house.run("cancel", job_id).returncode == 0
    row = house.eventually(lambda: house.json("show", job_id, "2"), lambda row: row["status"] != "in_flight")
    assert (row["status"], row["error"]["code"]) == ("failed", "E-3013")
    assert house.sold(job_id).total() == 1


def test_a_job_that_is_at_its_end_cannot_be_resumed(house: House) -> None:
    path = house.orders("done.csv", 2, seed=27)
    job_id = house.submit(path)
    house.finished(job_id)
    done = house.run("resume", job_id)
    assert done.returncode == 1
    assert "E-4005" in done.stderr


DOWN = {"fault": "error", "status": 503, "code": "10004", "message": "Service unavailable"}
LOST_BEFORE_COMMIT = DOWN


@pytest.fixture(scope="module")
def doubting_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house whose carrier promises nothing of its look-ups, so that a lost answer leaves a row in doubt."""
    with running_house(
        tmp_path_factory.mktemp("doubt"),
        TALLY_CARRIER__CONSISTENCY="none",
        TALLY_CARRIER__SETTLE_TIME="1",
        TALLY_LOOK_AGAIN_AFTER="4",
    ) as house:
        yield house


def test_a_row_in_doubt_waits_for_a_person_who_says_that_it_was_not_shipped(doubting_house: House) -> None:
    house = doubting_house
    path = house.orders("doubt-1.csv", 4, seed=70)
    with house.faults({"match": {"nth": 2}, **LOST_BEFORE_COMMIT}):
        done = house.run("ship", str(path), "--yes")
    assert done.returncode == 4
    assert "E-3010" in done.stdout + done.stderr
    job = house.json("show", "last")
    assert (job["status"], job["rows"]["in_doubt"], job["error"]["row"]) == ("failed", 1, 2)
    assert house.run("resume", job["job_id"]).returncode == 4
    assert house.run("resolve", job["job_id"], "2", "--not-shipped", "--why", "called them").returncode == 0
    assert house.run("resume", job["job_id"]).returncode == 0
    assert set(house.sold(job["job_id"]).values()) == {1}
    assert all(tracking_numbers(path))


def test_a_row_in_doubt_takes_the_number_that_a_person_found(doubting_house: House) -> None:
    house = doubting_house
    path = house.orders("doubt-2.csv", 3, seed=71)
    with house.faults({"match": {"nth": 3}, **LOST_BEFORE_COMMIT}):
        assert house.run("ship", str(path), "--yes").returncode == 4
    job_id = house.json("show", "last")["job_id"]
    assert house.run("resolve", job_id, "3", "--shipped", "1ZFOUND").returncode == 0
    assert house.run("resume", job_id).returncode == 0
    assert tracking_numbers(path)[2] == "1ZFOUND"
    assert house.json("show", job_id)["status"] == "completed"


def test_resolve_wants_one_finding(doubting_house: House) -> None:
    assert doubting_house.run("resolve", "last", "1").returncode == 2
    assert doubting_house.run("resolve", "last", "1", "--shipped", "1Z", "--not-shipped").returncode == 2


def test_a_row_in_doubt_that_the_carrier_shows_later_is_adopted_by_its_last_look_up(doubting_house: House) -> None:
    house = doubting_house
    path = house.orders("doubt-3.csv", 3, seed=72)
    rename(path, 2, "Slow Carrier")
    hidden = {"match": {"recipient": "Slow Carrier"}, "fault": "delay_visibility", "ms": 3000}
    with house.faults(hidden, {"match": {"recipient": "Slow Carrier"}, "fault": "drop_after_commit"}):
        assert house.run("ship", str(path), "--yes").returncode == 4
    job_id = house.json("show", "last")["job_id"]
    row = house.eventually(lambda: house.json("show", job_id, "2"), lambda row: row["status"] == "shipped")
    assert row["tracking_numbers"][0] in row["evidence"][-1]["answer"]
    assert len(row["evidence"]) == 2
    assert house.run("resume", job_id).returncode == 0
    assert set(house.sold(job_id).values()) == {1}
    assert tracking_numbers(path) == [row["tracking_numbers"][0] for row in house.json("rows", job_id)]


def test_a_row_that_a_person_wrongly_said_was_not_shipped_is_found_by_the_next_attempt(doubting_house: House) -> None:
    house = doubting_house
    path = house.orders("doubt-5.csv", 3, seed=75)
    with house.faults(
        {"match": {"nth": 2}, "fault": "drop_after_commit"},
        {"match": {"path": "/track"}, **DOWN},
        {"match": {"path": "/labels"}, **DOWN},
    ):
        assert house.run("ship", str(path), "--yes").returncode == 4
        job_id = house.json("show", "last")["job_id"]
        assert house.run("resolve", job_id, "2", "--not-shipped").returncode == 0
    assert house.run("resume", job_id).returncode == 0
    assert house.sold(job_id).total() == 3
    row = house.json("show", job_id, "2")
    assert (row["attempt"], row["status"]) == (2, "shipped")
    assert row["tracking_numbers"][0] in row["evidence"][-1]["answer"]


def test_the_label_of_a_number_that_a_person_found_is_fetched(doubting_house: House) -> None:
    house = doubting_house
    path = house.orders("doubt-4.csv", 2, seed=73)
    with house.faults(
        {"match": {"nth": 2}, "fault": "drop_after_commit"},
        {"match": {"path": "/track"}, **DOWN},
        {"match": {"path": "/labels"}, **DOWN},
    ):
        assert house.run("ship", str(path), "--yes").returncode == 4
        job_id = house.json("show", "last")["job_id"]
        reference = house.json("show", job_id, "2")["reference"]
        (number,) = next(sold["tracking_numbers"] for sold in house.shipments() if sold["reference"] == reference)
        assert house.run("resolve", job_id, "2", "--shipped", number).returncode == 0
    row = house.eventually(lambda: house.json("show", job_id, "2"), lambda row: not row["label"]["due"])
    assert (house.data_dir / "labels" / row["label"]["key"]).exists()
    assert row["cost"] is not None


def test_labels_that_could_not_be_stored_are_fetched_later(house: House) -> None:
    path = house.orders("labels-due.csv", 3, seed=74)
    house.run("ship", str(path), "--request-id", "labels-due")
    job_id = house.json("show", "last")["job_id"]
    in_the_way = house.data_dir / "labels" / job_id
    in_the_way.write_text("not a folder")
    assert house.run("approve", job_id).returncode == 0
    assert house.finished(job_id)["status"] == "completed"
    assert all(row["label"]["due"] for row in house.json("rows", job_id))
    in_the_way.unlink()
    rows = house.eventually(
        lambda: house.json("rows", job_id), lambda rows: not any(row["label"]["due"] for row in rows)
    )
    assert all((house.data_dir / "labels" / row["label"]["key"]).exists() for row in rows)
    assert house.sold(job_id).total() == 3
