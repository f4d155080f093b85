"""What a look-up proves, and when."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from services.shipper.reconciliation import Verdict, judge_finding

COMMIT = datetime(2026, 1, 1, 12, tzinfo=UTC)
SETTLED = COMMIT + timedelta(seconds=60)
BEFORE, BETWEEN, AFTER = COMMIT - timedelta(seconds=1), COMMIT + timedelta(seconds=1), SETTLED
CONSISTENCIES = ("immediate", "eventual", "none")


@pytest.mark.parametrize(("consistency", "now"), [*product(CONSISTENCIES, (BEFORE, BETWEEN, AFTER))])
def test_one_shipment_found_is_adopted_at_any_time(consistency, now: datetime) -> None:
    assert judge_finding(1, consistency, now, COMMIT, SETTLED) is Verdict.SOLD


@pytest.mark.parametrize(("consistency", "now"), [*product(CONSISTENCIES, (BEFORE, BETWEEN, AFTER))])
def test_several_shipments_found_are_for_a_person(consistency, now: datetime) -> None:
    assert judge_finding(2, consistency, now, COMMIT, SETTLED) is Verdict.SEVERAL


def test_nothing_found_before_the_last_possible_commit_proves_nothing() -> None:
    assert judge_finding(0, "immediate", BEFORE, COMMIT, SETTLED) is Verdict.LOOK_AGAIN
    assert judge_finding(0, "immediate", COMMIT, COMMIT, SETTLED) is Verdict.LOOK_AGAIN


def test_nothing_found_after_it_proves_that_nothing_was_sold_where_look_ups_are_immediate() -> None:
    assert judge_finding(0, "immediate", BETWEEN, COMMIT, SETTLED) is Verdict.NOT_SOLD


def test_nothing_found_in_the_settle_time_of_an_eventual_carrier_is_asked_again_then_parked() -> None:
    assert judge_finding(0, "eventual", BETWEEN, COMMIT, SETTLED) is Verdict.LOOK_AGAIN
    assert judge_finding(0, "eventual", AFTER, COMMIT, SETTLED) is Verdict.PARK


def test_nothing_found_with_a_carrier_that_promises_nothing_is_parked_at_once() -> None:
    assert judge_finding(0, "none", BEFORE, COMMIT, SETTLED) is Verdict.PARK
