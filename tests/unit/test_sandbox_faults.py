from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.sandbox.faults import FAULTS, Armed, DelayVisibility, DropAfterCommit, Error, Facts, Plan, decide

SHIP = Facts("/api/shipments/v2409/ship", ships=True, references=frozenset({"R1", "O1"}), recipients=frozenset({"Ann"}))
RATE = Facts("/api/rating/v2409/Rate", recipients=frozenset({"Ann"}))
RECOVERY = Facts("/api/labels/v1/recovery", references=frozenset({"R1"}))
TOKEN = Facts("/security/v1/oauth/token", business=False)


def arm(*faults: Mapping[str, object]) -> tuple[Armed, ...]:
    return tuple(Armed(fault) for fault in FAULTS.validate_python(list(faults)))


def plans(armed: tuple[Armed, ...], *requests: Facts) -> list[Plan]:
    made = []
    for request in requests:
        armed, plan = decide(armed, request)
        made.append(plan)
    return made


def hits(fault: Mapping[str, object], *requests: Facts) -> list[bool]:
    return [plan != Plan() for plan in plans(arm(fault), *requests)]


def test_a_fault_without_conditions_hits_every_business_call_but_not_the_token() -> None:
    assert hits({"fault": "latency", "ms": 5}, SHIP, RATE, RECOVERY, TOKEN) == [True, True, True, False]


def test_a_fault_that_names_a_row_hits_ship_requests_unless_a_path_says_otherwise() -> None:
    for condition in ({"recipient": "Ann"}, {"reference": "R1"}):
        assert hits({"match": condition, "fault": "error"}, SHIP, RATE, RECOVERY) == [True, False, False]
    with_path = {"match": {"recipient": "Ann", "path": "/api/rating"}, "fault": "error"}
    assert hits(with_path, SHIP, RATE) == [False, True]
    assert hits({"match": {"reference": "R1", "path": "/recovery"}, "fault": "error"}, SHIP, RECOVERY) == [False, True]


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "drop_after_commit"},
        {"fault": "hang_after_commit"},
        {"fault": "delay_visibility"},
        {"fault": "empty_200"},
        {"fault": "error", "committed": True},
    ],
)
def test_a_fault_that_concerns_a_commit_hits_ship_requests(fault: dict[str, object]) -> None:
    assert hits(fault, RATE, SHIP, RECOVERY) == [False, True, False]


def test_path_matches_any_part_of_the_path_the_token_included() -> None:
    assert hits({"match": {"path": "oauth"}, "fault": "rate_limit"}, TOKEN, SHIP) == [True, False]
    assert hits({"match": {"path": "/api/shipments"}, "fault": "rate_limit"}, TOKEN, SHIP) == [False, True]


def test_any_reference_of_the_request_matches_and_nothing_else_does() -> None:
    assert hits({"match": {"reference": "O1"}, "fault": "error"}, SHIP) == [True]
    assert hits({"match": {"reference": "O"}, "fault": "error"}, SHIP) == [False]


@given(st.integers(1, 12), st.lists(st.sampled_from([SHIP, RATE, RECOVERY]), max_size=30))
def test_nth_hits_only_the_nth_request_that_meets_the_other_conditions(nth: int, requests: list[Facts]) -> None:
    flags = hits({"match": {"nth": nth}, "fault": "drop_after_commit"}, *requests)
    ships = [flag for flag, request in zip(flags, requests, strict=True) if request is SHIP]
    assert ships == [place == nth for place in range(1, len(ships) + 1)]
    assert sum(flags) == sum(ships)


def test_times_bounds_the_hits() -> None:
    assert hits({"match": {"times": 2}, "fault": "rate_limit"}, SHIP, RATE, SHIP, RATE) == [True, True, False, False]


def test_of_two_outcomes_the_first_wins_and_the_second_keeps_its_turn() -> None:
    armed = arm({"match": {"times": 1}, "fault": "error", "code": "1"}, {"match": {"times": 1}, "fault": "rate_limit"})
    outcomes = [plan.outcome for plan in plans(armed, SHIP, SHIP, SHIP)]
    assert [outcome and outcome.fault for outcome in outcomes] == ["error", "rate_limit", None]


def test_latency_delay_and_shape_go_with_any_outcome() -> None:
    armed = arm(
        {"fault": "latency", "ms": 10},
        {"fault": "latency", "ms": 5},
        {"fault": "delay_visibility", "ms": 7},
        {"fault": "object_for_array"},
        {"fault": "drop_after_commit"},
    )
    delay, outcome = DelayVisibility(fault="delay_visibility", ms=7), DropAfterCommit(fault="drop_after_commit")
    assert plans(armed, SHIP) == [Plan(latency_ms=15, delay=delay, object_for_array=True, outcome=outcome)]


def test_surcharges_add_up_and_fall_on_sales_only() -> None:
    armed = arm({"fault": "surcharge", "amount": "12.00"}, {"fault": "surcharge", "amount": "0.50"})
    assert plans(armed, RATE, SHIP) == [Plan(), Plan(surcharge=Decimal("12.50"))]


def test_published_rates_hold_for_every_price() -> None:
    assert plans(arm({"fault": "published_rates"}), RATE, SHIP) == [Plan(published_rates=True)] * 2


def test_requests_seen_and_hit_are_counted() -> None:
    armed = arm({"match": {"nth": 2}, "fault": "error"})
    for request in (SHIP, RATE, SHIP, SHIP):
        armed, _ = decide(armed, request)
    assert (armed[0].seen, armed[0].hits) == (3, 1)


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "explode"},
        {"fault": "error", "status": 200},
        {"fault": "latency", "seconds": 1},
        {"match": {"nth": 0}, "fault": "error"},
        {"match": {"recipients": "Ann"}, "fault": "error"},
    ],
)
def test_a_fault_that_is_none_is_refused(fault: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FAULTS.validate_python([fault])


def test_a_numeric_code_is_taken_as_text() -> None:
    (fault,) = FAULTS.validate_python([{"fault": "error", "code": 120207}])
    assert isinstance(fault, Error)
    assert fault.code == "120207"
