"""What a look-up proves, and when."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import cast

import pytest

from services.shipper.carriers.carrier import Carrier, Consistency, DateWindow, Finding, Purchase
from services.shipper.reconciliation import (
    Conclusion,
    Proof,
    Reconciliation,
    Sought,
    Verdict,
    difference,
    judge_finding,
)
from shared.errors import CARRIER_UNAVAILABLE, TallyError
from tests.contract.messages import SHIPMENT

COMMIT = datetime(2026, 1, 1, 12, tzinfo=UTC)
SETTLED = COMMIT + timedelta(seconds=60)
BEFORE, BETWEEN, AFTER = COMMIT - timedelta(seconds=1), COMMIT + timedelta(seconds=1), SETTLED
CONSISTENCIES = ("immediate", "eventual", "none")


@pytest.mark.parametrize(("consistency", "now"), [*product(CONSISTENCIES, (BEFORE, BETWEEN, AFTER))])
def test_one_shipment_found_is_adopted_at_any_time(consistency: Consistency, now: datetime) -> None:
    assert judge_finding(1, consistency, now, COMMIT, SETTLED) is Verdict.SOLD


@pytest.mark.parametrize(("consistency", "now"), [*product(CONSISTENCIES, (BEFORE, BETWEEN, AFTER))])
def test_several_shipments_found_are_for_a_person(consistency: Consistency, now: datetime) -> None:
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


class Answers:
    """A carrier account that answers look-ups in turn with what it is given; the last answer stays."""

    def __init__(self, *answers: tuple[Purchase, ...] | TallyError) -> None:
        self.answers = list(answers)
        self.windows: list[DateWindow] = []

    async def find(self, reference: str, window: DateWindow) -> Finding:
        self.windows.append(window)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, TallyError):
            raise answer
        return Finding(answer, f"reference {reference}", f"{len(answer)} found")


SOLD = Purchase("1ZA", ("1ZA",), None)
DOWN = TallyError(CARRIER_UNAVAILABLE, operation="the look-up", reason="503")


async def conclude(
    *answers: tuple[Purchase, ...] | TallyError, vouched: bool = False, settle: float = 60
) -> tuple[Conclusion, Answers]:
    carrier = Answers(*answers)
    account = Reconciliation(cast("Carrier", carrier), "immediate", timedelta(seconds=settle), lambda: BETWEEN)
    sought = Sought("R", COMMIT - timedelta(days=30), SHIPMENT)
    return await account.conclude(sought, COMMIT, "an answer was lost", vouched=vouched), carrier


async def test_a_sale_that_a_carrier_works_off_after_its_first_answer_is_found() -> None:
    conclusion, _ = await conclude((), (SOLD,))
    assert (conclusion.proof, conclusion.purchase) == (Proof.SOLD, SOLD)


async def test_nothing_found_twice_in_a_row_is_a_proof_and_its_evidence_kept() -> None:
    conclusion, carrier = await conclude(())
    assert (conclusion.proof, len(conclusion.evidence), len(carrier.windows)) == (Proof.NOT_SOLD, 2, 2)


async def test_a_person_who_found_nothing_is_confirmed_by_one_look_up() -> None:
    conclusion, carrier = await conclude((), vouched=True)
    assert (conclusion.proof, len(carrier.windows)) == (Proof.NOT_SOLD, 1)


async def test_a_look_up_that_fails_is_evidence_and_made_again() -> None:
    conclusion, _ = await conclude(DOWN, (SOLD,))
    assert conclusion.proof is Proof.SOLD
    assert "503" in conclusion.evidence[0].answer


async def test_a_carrier_that_cannot_say_for_the_settle_time_leaves_the_row_in_doubt() -> None:
    conclusion, _ = await conclude(DOWN, settle=0)
    assert conclusion.proof is Proof.NOTHING
    assert conclusion.error is not None
    assert conclusion.error.code == "E-3010"


async def test_the_look_up_goes_back_to_when_the_row_was_first_sent() -> None:
    _, carrier = await conclude((SOLD,))
    assert carrier.windows[0].first < (COMMIT - timedelta(days=30)).date()


async def test_a_shipment_that_does_not_fit_the_row_is_for_a_person() -> None:
    elsewhere = Purchase("1ZA", ("1ZA",), None, destination=("HI", "US"))
    conclusion, _ = await conclude((elsewhere,))
    assert conclusion.proof is Proof.NOTHING
    assert conclusion.error is not None
    assert "HI, US" in conclusion.error.message


def test_a_found_shipment_is_compared_by_its_parcels_and_destination() -> None:
    there = SHIPMENT.recipient.address.state, SHIPMENT.recipient.address.country
    assert difference(SOLD, SHIPMENT) is None
    assert difference(Purchase("1ZA", ("1ZA",), None, destination=there), SHIPMENT) is None
    assert difference(Purchase("1ZA", ("1ZA", "1ZB"), None), SHIPMENT) is not None
