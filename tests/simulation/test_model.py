"""The protocol as a model: the product's pure decisions among processes that crash, freeze and overtake one another."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.coordinator.running import guards
from services.coordinator.running.guards import Ending
from services.shipper import decisions, reconciliation
from services.shipper.carriers.carrier import Consistency
from services.shipper.decisions import Decision
from services.shipper.reconciliation import Verdict
from tests.simulation.model.policy import Policy
from tests.simulation.model.walk import walk
from tests.simulation.model.world import World

CONSISTENCIES = ("immediate", "eventual")
WALKS = 1200
FOUND_WITHIN = 1500
TROUBLE = (World.store_is_lost, World.person_cancels, World.crash)
choices = st.integers(0, 1 << 20)


@pytest.mark.parametrize("consistency", CONSISTENCIES)
def test_no_interleaving_sells_twice_loses_a_label_skips_a_row_or_ships_after_a_failure(
    consistency: Consistency,
) -> None:
    for seed in range(WALKS):
        walk(seed, consistency, often=TROUBLE if seed % 4 == 0 else ())


class House(RuleBasedStateMachine):
    """The same world under Hypothesis, which shrinks what it finds to the few steps that matter."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World("immediate")

    @initialize(consistency=st.sampled_from(CONSISTENCIES))
    def begin(self, consistency: Consistency) -> None:
        self.world = World(consistency)

    @rule(choice=choices)
    def process_goes_on(self, choice: int) -> None:
        self.world.step(choice)

    @rule(choice=choices)
    def several_steps(self, choice: int) -> None:
        for number in range(8):
            self.world.step(choice >> number)
            self.world.check()

    @rule()
    def command_is_delivered(self) -> None:
        self.world.deliver_command()

    @rule(choice=choices)
    def entry_is_delivered(self, choice: int) -> None:
        self.world.deliver_entry(choice)

    @rule(choice=choices)
    def report_is_delivered(self, choice: int) -> None:
        self.world.deliver_report(choice)

    @rule(choice=choices)
    def process_crashes(self, choice: int) -> None:
        self.world.crash(choice)

    @rule(choice=choices, lag=st.integers(0, 4), answered=st.booleans())
    def carrier_sells(self, choice: int, lag: int, answered: bool) -> None:
        self.world.carrier_sells(choice, lag, answered=answered)

    @rule(choice=choices)
    def carrier_refuses(self, choice: int) -> None:
        self.world.carrier_refuses(choice)

    @rule(choice=choices)
    def call_is_lost(self, choice: int) -> None:
        self.world.call_is_lost(choice)

    @rule(seconds=st.integers(1, 8))
    def time_passes(self, seconds: int) -> None:
        self.world.time_passes(seconds)

    @rule()
    def store_is_lost(self) -> None:
        self.world.store_is_lost()

    @rule(choice=choices)
    def watchdog_looks(self, choice: int) -> None:
        self.world.watchdog(choice)

    @rule()
    def person_pauses(self) -> None:
        self.world.person_pauses()

    @rule(choice=choices)
    def person_resumes(self, choice: int) -> None:
        self.world.person_resumes(choice)

    @rule(choice=choices)
    def person_cancels(self, choice: int) -> None:
        self.world.person_cancels(choice)

    @rule(rightly=st.booleans())
    def person_resolves(self, rightly: bool) -> None:
        self.world.person_resolves(rightly=rightly)

    @invariant()
    def everything_holds(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        self.world.heal(Random(0))


TestHouse = House.TestCase
TestHouse.settings = settings(max_examples=60, stateful_step_count=60, deadline=None, derandomize=True)


def calls_without_a_look_up(*args: Any, **kwargs: Any) -> Decision:
    decision = decisions.decide(*args, **kwargs)
    return Decision.SHIP if decision is Decision.RECONCILE else decision


def calls_again_for_a_shipped_row(last: Any, *args: Any, **kwargs: Any) -> Decision:
    return decisions.decide("none" if last == "shipped" else last, *args, **kwargs)


def believes_the_first_look_up(count: int, *args: Any) -> Verdict:
    return Verdict.NOT_SOLD if count == 0 else reconciliation.judge_finding(count, *args)


def advances_at_every_delivery(*args: Any, **kwargs: Any) -> guards.Verdict:
    verdict = guards.judge(*args, **kwargs)
    return guards.Verdict.RECORD if verdict is guards.Verdict.REPUBLISH else verdict


def counts_a_failure_of_any_attempt(
    kind: Any, _attempt: int, numbers: Any, status: Any, attempt: int, *args: Any, **kwargs: Any
) -> Any:
    return guards.judge(kind, attempt, numbers, status, attempt, *args, **kwargs)


def withdraws_what_may_have_been_sold(*args: Any, **_kwargs: Any) -> Ending:
    return guards.judge_unfinished(*args, recover=False)


BROKEN = {
    "the ledger does not compare before it sets": Policy(compare_and_set=False),
    "the send deadline is not kept": Policy(keep_deadline=False),
    "a lost ledger goes unnoticed": Policy(check_epoch=False, fresh_sequences=False),
    "nobody looks up before a second call": Policy(decide=calls_without_a_look_up),
    "a shipped row may be called for again": Policy(decide=calls_again_for_a_shipped_row),
    "nothing found counts at once": Policy(judge_finding=believes_the_first_look_up),
    "a late coordinator advances": Policy(judge=advances_at_every_delivery),
    "a failure of any attempt counts": Policy(judge=counts_a_failure_of_any_attempt),
    "a row is withdrawn that a lost ledger may have sold": Policy(judge_unfinished=withdraws_what_may_have_been_sold),
}
# What shows a fault sooner, where it takes a rare order of things.
SHOWN_BY = {
    "a failure of any attempt counts": (World.person_resumes, World.carrier_refuses, World.deliver_entry),
    "a row is withdrawn that a lost ledger may have sold": (World.store_is_lost, World.person_cancels),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_protocol_is_found_out(broken: str) -> None:
    for seed in range(FOUND_WITHIN):
        try:
            walk(seed, "immediate", BROKEN[broken], often=SHOWN_BY.get(broken, ()))
        except AssertionError:
            return
    pytest.fail(f"{FOUND_WITHIN} interleavings did not find that {broken}")
