"""Runs the cases on several rigs side by side: most of a case's time is waiting."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from tests.crash.cases import Case, Result
from tests.crash.checker import Verdict, all_sold_once
from tests.crash.house_settings import EVENTUAL
from tests.crash.rig import Rig, running_rig
from tests.crash.shapes import ONE, SEVERAL, Shape
from tests.crash.trial import NotHitError, run

Say = Callable[[str], None]

EVENTUAL_ONE = replace(ONE, extra=EVENTUAL)


def shape_of(case: Case) -> Shape:
    """The rig that a case needs."""
    if case.eventual:
        return EVENTUAL_ONE
    return SEVERAL if case.several else ONE


class Schedule:
    """Cases by the rig they need; `work` takes them until none is left."""

    def __init__(self, cases: Iterable[Case], folder: Path, say: Say) -> None:
        self._waiting: dict[Shape, deque[tuple[int, Case]]] = {}
        self._total = 0
        for seed, case in enumerate(cases, 1):
            self._waiting.setdefault(shape_of(case), deque()).append((seed, case))
            self._total = seed
        self._folder = folder
        self._say = say
        self._rigs = 0
        self.results: list[Result] = []

    async def work(self, *shapes: Shape) -> None:
        """Run all cases of each of `shapes` in turn; a rig that a case left in disorder is replaced."""
        for shape in shapes:
            while self._waiting.get(shape):
                self._rigs += 1
                async with running_rig(self._folder / f"rig-{self._rigs}", shape) as rig:
                    await self._use(rig)
                    await self._judge_whole_rig(rig)

    async def _use(self, rig: Rig) -> None:
        waiting = self._waiting[rig.shape]
        while waiting:
            seed, case = waiting.popleft()
            started = time.monotonic()
            try:
                result = await run(rig, case, seed)
            except NotHitError:
                result = _broken(case, "the fault never happened")
            except Exception as error:  # noqa: BLE001 - whatever it is, the other cases are to run
                result = _broken(case, repr(error))
            self.results.append(result)
            self._say(self._line(case, result, time.monotonic() - started))
            if not result.holds:
                return

    async def _judge_whole_rig(self, rig: Rig) -> None:
        """What a thawed process bought after its case was checked shows here."""
        await rig.heal()
        twice = all_sold_once(await rig.sold())
        if twice:
            self.results.append(
                Result("any", "the whole rig", rig.folder.name, Verdict((), (), (f"sold twice: {twice}",)))
            )

    def _line(self, case: Case, result: Result, seconds: float) -> str:
        how = ", ".join(result.healed_by) if result.holds else f"WRONG {result.verdict} {result.stuck}"
        return f"[{len(self.results):3}/{self._total}] {seconds:5.1f} s  {case}: {how}"


def _broken(case: Case, what: str) -> Result:
    return Result(case.what, case.target, str(case.point or case.story), Verdict((), (), ()), stuck=f"{case}: {what}")
