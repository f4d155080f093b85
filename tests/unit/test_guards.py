"""The outcome guards, over their whole domain."""

from itertools import product

import pytest

from services.coordinator.running.guards import Ending, Verdict, judge, judge_unfinished, judge_void
from shared.contracts.states import RowStatus

MINE, OTHER = ("1ZA",), ("1ZB",)
SOLD = {RowStatus.SHIPPED, RowStatus.VOIDING, RowStatus.VOIDED}


def numbers_of(status: RowStatus) -> tuple[str, ...]:
    return MINE if status in SOLD else ()


@pytest.mark.parametrize(("status", "attempt", "current"), [*product(RowStatus, (1, 2, 3), (1, 2, 3))])
def test_a_sold_label_is_never_ignored_unless_it_is_known(status: RowStatus, attempt: int, current: int) -> None:
    verdict = judge("shipped", attempt, MINE, status, current, numbers_of(status))
    if status is RowStatus.IN_FLIGHT:
        assert verdict is Verdict.RECORD
    elif status is RowStatus.SHIPPED:
        assert verdict is Verdict.REPUBLISH
    elif status in SOLD:
        assert verdict is Verdict.IGNORE
    else:
        assert verdict is Verdict.ADOPT


@pytest.mark.parametrize(("status", "attempt"), [*product(sorted(SOLD), (1, 2))])
def test_a_second_label_for_a_row_raises_the_alarm(status: RowStatus, attempt: int) -> None:
    assert judge("shipped", attempt, OTHER, status, 1, MINE) is Verdict.ALARM


@pytest.mark.parametrize(
    ("kind", "status", "attempt", "current"), [*product(("failed", "in_doubt"), RowStatus, (1, 2), (1, 2))]
)
def test_a_failure_counts_only_for_the_attempt_in_flight(kind, status: RowStatus, attempt: int, current: int) -> None:
    verdict = judge(kind, attempt, (), status, current, numbers_of(status))
    if attempt == current and status is RowStatus.IN_FLIGHT:
        assert verdict is Verdict.RECORD
    elif attempt == current and status.value == kind:
        assert verdict is Verdict.REPUBLISH
    else:
        assert verdict is Verdict.IGNORE


@pytest.mark.parametrize(("kind", "status"), [*product(("failed", "in_doubt"), RowStatus)])
def test_a_failure_of_a_lost_ledger_counts_for_nothing(kind, status: RowStatus) -> None:
    verdict = judge(kind, 1, (), status, 1, numbers_of(status), same_epoch=False)
    assert verdict is Verdict.IGNORE


def test_a_sale_of_a_lost_ledger_counts() -> None:
    assert judge("shipped", 1, MINE, RowStatus.IN_FLIGHT, 1, (), same_epoch=False) is Verdict.RECORD


UNFINISHED = [
    (kind, last, attempt, recover)
    for kind, last, attempt, recover in product(
        ("none", "claimed", "shipped", "failed", "in_doubt"), (0, 1, 2, 3), (1, 2, 3), (False, True)
    )
    if (kind == "none") == (last == 0) and last <= attempt
]


@pytest.mark.parametrize(("kind", "last", "attempt", "recover"), UNFINISHED)
def test_an_unfinished_row_has_failed_only_where_nobody_can_have_called(kind, last, attempt, recover) -> None:
    ending = judge_unfinished(kind, last, attempt, recover=recover)
    has_outcome = kind == "shipped" or (kind in {"failed", "in_doubt"} and last == attempt)
    uncalled = not recover and kind in {"none", "failed"}
    expected = Ending.RECORD if has_outcome else Ending.FAIL if uncalled else Ending.PARK
    assert ending is expected


@pytest.mark.parametrize(("status", "attempt"), [*product(sorted(SOLD), (1, 2))])
def test_a_shipment_told_with_more_of_its_parcels_is_no_second_label(status: RowStatus, attempt: int) -> None:
    assert judge("shipped", attempt, (*MINE, *OTHER), status, 1, MINE) is not Verdict.ALARM


@pytest.mark.parametrize("status", RowStatus)
def test_a_void_counts_wherever_there_is_a_label_and_a_refusal_only_where_it_is_waited_for(status: RowStatus) -> None:
    has_label = status in {RowStatus.SHIPPED, RowStatus.VOIDING}
    assert (judge_void("voided", status) is Verdict.RECORD) == has_label
    assert (judge_void("refused", status) is Verdict.RECORD) == (status is RowStatus.VOIDING)
