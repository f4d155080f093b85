"""The real services over a model bus in virtual time: a seed is one life of a house, with deaths, freezes, losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from services.coordinator.database import outcomes
from services.coordinator.database.starting import start_next
from services.coordinator.database.step import Step, close
from services.shipper.reconciliation import Conclusion, Proof, Reconciliation
from tests.simulation.house.simulation import simulate

SEEDS = 160
GROUP = 40
FOUND_WITHIN = 100


@pytest.mark.parametrize("first", range(0, SEEDS, GROUP))
def test_every_order_is_bought_once_and_written_back_whatever_dies_freezes_or_is_lost(first: int) -> None:
    for seed in range(first, first + GROUP):
        try:
            simulate(seed)
        except Exception as error:  # noqa: BLE001 - whatever it is, the seed has to be told
            pytest.fail(f"seed {seed}: {error!r}")


def test_a_seed_is_the_same_life_again() -> None:
    assert [lived(seed) for seed in range(3)] == [lived(seed) for seed in range(3)]


def test_a_ledger_that_does_not_compare_before_it_sets_is_found_out() -> None:
    assert is_found_out(lambda seed: simulate(seed, compare_and_set=False))


def test_a_shipper_that_does_not_look_up_before_a_second_call_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async def believe(*_: Any, **__: Any) -> Conclusion:
        return Conclusion(Proof.NOT_SOLD, ())

    monkeypatch.setattr(Reconciliation, "conclude", believe)
    assert is_found_out(simulate)


def test_a_coordinator_that_advances_late_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def advance(job: Any, _row: Any, issue: Any) -> Step:
        return close(job, ship=start_next(job, issue))

    monkeypatch.setattr(outcomes, "_published_before", advance)
    assert is_found_out(simulate)


def lived(seed: int) -> str:
    """What a life came to: its end, and how long it took."""
    lives: list[str] = []
    simulate(seed, tell=lives.append)
    return lives[0]


def is_found_out(run: Callable[[int], None]) -> bool:
    for seed in range(FOUND_WITHIN):
        try:
            run(seed)
        except AssertionError:
            return True
        except ValueError:
            continue  # a transition that the table of states forbids was tried, and came to nothing
    return False
