"""Orders that were shipped before: whether they ship again."""

from __future__ import annotations

import pytest

from services.coordinator.intake.repeats import replaceable, ships_again, skip_note
from shared.contracts.documents import ShippedBefore

BY_JOB = ShippedBefore(job_id="old", row_number=3, tracking_numbers=("1ZA", "1ZB"))
BY_SOURCE = ShippedBefore(job_id=None, tracking_numbers=("1ZC",))


@pytest.mark.parametrize(
    ("before", "reship", "ancestors", "ships"),
    [
        (BY_JOB, False, set(), False),
        (BY_JOB, True, set(), True),
        (BY_JOB, False, {"old"}, True),
        (BY_JOB, False, {"other"}, False),
        (BY_SOURCE, False, {"old"}, False),
        (BY_SOURCE, True, {"old"}, True),
    ],
)
def test_an_order_ships_again_only_on_request_or_in_its_own_jobs_restart(before, reship, ancestors, ships) -> None:
    assert ships_again(before, reship=reship, ancestors=ancestors) is ships


def test_a_skipped_row_names_the_earlier_job_and_its_numbers() -> None:
    assert skip_note(BY_JOB, 7).message == "Already shipped by job old, row 3: 1ZA, 1ZB."
    assert skip_note(BY_SOURCE, 7).message == "The source already has tracking number 1ZC for it."


def test_only_the_number_seen_and_the_earlier_ones_are_replaced() -> None:
    assert replaceable(BY_JOB, "1ZA") == ("1ZA", "1ZB")
    assert replaceable(BY_JOB, "1ZHAND") == ("1ZHAND", "1ZA", "1ZB")
    assert replaceable(BY_JOB, "") == ("1ZA", "1ZB")
