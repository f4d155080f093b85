"""The ledger table, over its whole domain."""

from itertools import product

import pytest

from services.shipper.decisions import Decision, decide
from shared.contracts.ledger import LastKind

KINDS = ("none", "claimed", "shipped", "failed", "in_doubt")
DOMAIN = [
    (kind, last, attempt, recover, same_epoch)
    for kind, last, attempt, recover, same_epoch in product(
        KINDS, (0, 1, 2, 3), (1, 2, 3), (False, True), (False, True)
    )
    if (kind == "none") == (last == 0)
]


@pytest.mark.parametrize(("kind", "last", "attempt", "recover", "same_epoch"), DOMAIN)
def test_a_call_without_a_look_up_is_made_only_where_nobody_can_have_called(
    *, kind: LastKind, last: int, attempt: int, recover: bool, same_epoch: bool
) -> None:
    decision = decide(kind, last, attempt, recover=recover, same_epoch=same_epoch)
    provably_uncalled = same_epoch and not recover and (kind == "none" or (kind == "failed" and last < attempt))
    assert (decision is Decision.SHIP) == provably_uncalled


@pytest.mark.parametrize(("kind", "last", "attempt", "recover", "same_epoch"), DOMAIN)
def test_a_settled_or_foreign_command_calls_nothing(
    *, kind: LastKind, last: int, attempt: int, recover: bool, same_epoch: bool
) -> None:
    decision = decide(kind, last, attempt, recover=recover, same_epoch=same_epoch)
    settled = kind == "shipped" or last > attempt or (kind in {"failed", "in_doubt"} and last == attempt)
    assert (decision is Decision.DROP) == (settled or not same_epoch)


def test_a_redelivered_command_whose_claim_is_open_is_looked_up_first() -> None:
    assert decide("claimed", 1, 1, recover=False, same_epoch=True) is Decision.RECONCILE


def test_an_older_attempts_open_claim_is_looked_up_first() -> None:
    assert decide("claimed", 1, 2, recover=False, same_epoch=True) is Decision.RECONCILE


def test_the_attempt_after_a_row_was_resolved_as_not_shipped_looks_up_once_more() -> None:
    assert decide("in_doubt", 1, 2, recover=False, same_epoch=True) is Decision.RECONCILE


def test_a_lost_ledger_proves_nothing() -> None:
    assert decide("none", 0, 1, recover=True, same_epoch=True) is Decision.RECONCILE


@pytest.mark.parametrize("kind", ["claimed", "failed", "in_doubt"])
@pytest.mark.parametrize("last", [1, 2])
def test_an_entry_of_a_lost_ledger_proves_nothing(kind: LastKind, last: int) -> None:
    assert decide(kind, last, 2, recover=False, same_epoch=True, foreign=True) is Decision.RECONCILE


def test_a_sale_counts_whatever_ledger_it_is_of() -> None:
    assert decide("shipped", 1, 2, recover=False, same_epoch=True, foreign=True) is Decision.DROP
