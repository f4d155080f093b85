"""The decisions under test; a test of the tests replaces one by a broken one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.coordinator.running import guards
from services.shipper import decisions, reconciliation


@dataclass(frozen=True)
class Policy:
    """The product's pure decisions, and whether the ledger compares before it sets."""

    decide: Callable[..., decisions.Decision] = decisions.decide
    judge_finding: Callable[..., reconciliation.Verdict] = reconciliation.judge_finding
    judge: Callable[..., guards.Verdict] = guards.judge
    compare_and_set: bool = True
    fresh_sequences: bool = True
    keep_deadline: bool = True
    check_epoch: bool = True
    judge_unfinished: Callable[..., guards.Ending] = guards.judge_unfinished


SOUND = Policy()
