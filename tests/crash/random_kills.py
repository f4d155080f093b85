"""Kill -9 of whatever process chance picks, again and again, while jobs of 200 rows run."""

from __future__ import annotations

import asyncio
import math
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from tests.crash import healing
from tests.crash.cases import Result
from tests.crash.checker import Expected, Verdict, check
from tests.crash.person import Person
from tests.crash.process import Process
from tests.crash.rig import Batch, Rig, running_rig
from tests.crash.schedule import Say
from tests.crash.shapes import SEVERAL

ROWS = 200
_JOBS_AT_ONCE = 2
_RESTART_AFTER = 0.3
# The processes that hold rows are hit more often than the servers, whose death stops everything for a while.
_WEIGHTS = {"coordinator": 3, "shipper": 3, "writeback": 2, "nats": 1, "sandbox": 1}
_PAUSE = (0.3, 3.5)
_SHIP_WITHIN, _SETTLE_WITHIN = 900.0, 240.0


@dataclass(frozen=True)
class Kill:
    """Whom it hit, and when."""

    target: str
    at: datetime


@dataclass
class RandomKills:
    """`count` kills on a rig of its own; the same seed picks the same victims after the same pauses."""

    folder: Path
    seed: int
    count: int
    say: Say
    kills: list[Kill] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)

    async def run(self) -> list[Result]:
        """The results: one for each kind of victim, and the verdict of each job."""
        async with running_rig(self.folder, SEVERAL) as rig:
            person = Person(rig)
            supervisor = asyncio.create_task(self._supervise(rig))
            lanes = [asyncio.create_task(self._keep_shipping(rig, person)) for _ in range(_JOBS_AT_ONCE)]
            try:
                await self._kill(rig)
            finally:
                for task in (supervisor, *lanes):
                    task.cancel()
                await asyncio.gather(supervisor, *lanes, return_exceptions=True)
            await rig.heal()
            return await self._judge(rig, person)

    async def _keep_shipping(self, rig: Rig, person: Person) -> None:
        """Ship one job after the other; be the person whom a failed one asks for."""
        while True:
            batch = await rig.submit(ROWS, seed=1000 * self.seed + len(self.batches))
            self.batches.append(batch)
            await person.see_through(await rig.job_of(batch), _SHIP_WITHIN)

    async def _kill(self, rig: Rig) -> None:
        chance = random.Random(self.seed)
        for number in range(1, self.count + 1):
            await asyncio.sleep(chance.uniform(*_PAUSE))
            names = list(rig.processes)
            (name,) = chance.choices(names, [_WEIGHTS[_role(one)] for one in names])
            victim = rig.processes[name]
            await rig.bell.until(partial(_lives, victim), f"{name} to be started again", look_every=0.1)
            victim.kill()
            self.kills.append(Kill(_role(name), datetime.now(UTC)))
            if number % 20 == 0:
                self.say(f"random kills, seed {self.seed}: {number} of {self.count}, {len(self.batches)} jobs")
            if number == self.count:
                await victim.death()

    async def _supervise(self, rig: Rig) -> None:
        """Start whatever ended: killed, or given up because the bus was away."""
        while True:
            dead = await rig.bell.until(lambda: _dead(rig), "a death", within=math.inf, look_every=1.0)
            await asyncio.sleep(_RESTART_AFTER)
            for process in dead:
                process.launch()

    async def _judge(self, rig: Rig, person: Person) -> list[Result]:
        """A result for each job, with the kills that hit while it ran."""
        results = []
        left = list(self.kills)
        for batch in self.batches:
            verdict, stuck, healed = await self._settled(rig, person, batch)
            job = rig.database.job(await rig.job_of(batch))
            is_last = batch is self.batches[-1]
            its_own = [kill for kill in left if is_last or kill.at <= job.trail[-1].at]
            left = [kill for kill in left if kill not in its_own]
            moved = (healing.next_move(job, kill.target, kill.at) for kill in its_own)
            results.append(
                Result(
                    "random kill -9",
                    "any process",
                    f"jobs of {ROWS} rows, seed {self.seed}",
                    verdict,
                    runs=len(its_own),
                    healed_by=healed,
                    recovered_in=tuple(seconds for seconds in moved if seconds is not None),
                    stuck=stuck,
                )
            )
        return results

    async def _settled(self, rig: Rig, person: Person, batch: Batch) -> tuple[Verdict, str, tuple[str, ...]]:
        try:
            job_id = await rig.job_of(batch)
            await person.see_through(job_id, _SETTLE_WITHIN)
            await rig.until_quiet()
        except TimeoutError as error:
            return Verdict((), (), ()), f"{batch.request_id}: {error or 'it did not settle'}", ()
        books = await rig.books(batch)
        healed = healing.healed_by(rig, books, self.kills[0].at)
        helped = [healing.PERSON] * bool(person.helped[job_id])
        return check(books, Expected(store_lost=False)), "", (*healed, *helped, healing.RESTART)


def _role(name: str) -> str:
    return name.partition("-")[0]


def _lives(process: Process) -> bool:
    return process.alive


def _dead(rig: Rig) -> list[Process]:
    return [process for process in rig.processes.values() if not process.alive]
