"""Runs that are no single case: random kills, a cluster that loses its leaders, full disks, an outcome kept on disk."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from shared.contracts import subjects
from tests.crash import healing
from tests.crash.cases import Result
from tests.crash.checker import Expected, Verdict, check
from tests.crash.cluster import CLUSTER_SHAPE, ClusterRig
from tests.crash.full_disk import SmallDisk
from tests.crash.person import Person
from tests.crash.random_kills import RandomKills
from tests.crash.rig import Batch, Rig, running_rig
from tests.crash.schedule import Say
from tests.crash.shapes import NATS, ONE, Shape

_RIGS_OF_KILLS = 2
_SLOW = {"match": {"path": "/ship"}, "fault": "latency", "ms": 60}
_ROWS = 20
# Less than writeback's own tries take.
_FULL_FOR = 4.0
_DEADLY_DELIVERIES = 5


class SpecialRuns:
    """All of them, one after the other; the random kills on rigs of their own besides."""

    def __init__(self, folder: Path, say: Say, *, seed: int, kills: int) -> None:
        self._folder = folder
        self._say = say
        self._seed = seed
        self._kills = kills
        self.results: list[Result] = []

    async def run(self, only: str = "") -> None:
        """Run those with `only` in their names."""
        each = self._kills // _RIGS_OF_KILLS
        runs: dict[str, Callable[[], Awaitable[list[Result]]]] = {
            "cluster": self._cluster_loses_leaders,
            "full job database": self._full_job_database,
            "full source": self._full_source,
            "kept outcome": self._kept_outcome,
            "poison": self._poison,
        }
        kills = {
            f"random kills {seed}": RandomKills(self._folder / f"kills-{seed}", seed, each, self._say).run
            for seed in range(self._seed, self._seed + _RIGS_OF_KILLS)
        }
        async with asyncio.TaskGroup() as group:
            for name, kill in kills.items():
                if only in name:
                    group.create_task(self._note(name, kill))
            for name, run in runs.items():
                if only in name:
                    await self._note(name, run)

    async def _note(self, name: str, run: Callable[[], Awaitable[list[Result]]]) -> None:
        try:
            results = await run()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other runs are to run
            results = [Result(name, "any", "", Verdict((), (), ()), stuck=repr(error))]
        self.results.extend(results)
        for result in results:
            how = ", ".join(result.healed_by) if result.holds else f"WRONG {result.verdict} {result.stuck}"
            self._say(f"{result.fault}: {result.target}, {result.place}: {how}")

    async def _cluster_loses_leaders(self) -> list[Result]:
        results = []
        rig = ClusterRig(self._folder / "cluster", CLUSTER_SHAPE)
        try:
            await rig.open()
            for seed, stream in enumerate((subjects.LEDGER, subjects.COMMANDS, subjects.OUTCOMES), 1):
                await rig.set_faults(_SLOW)
                batch = await rig.submit(_ROWS, seed=seed)
                await rig.until_row(await rig.job_of(batch), 5)
                leader = await rig.leader_of(stream)
                leader.kill()
                await leader.death()
                since = datetime.now(UTC)
                results.append(await _result(rig, batch, "kill -9", "leader of 3 nats", f"of {stream}", since))
                await leader.start()
        finally:
            await rig.close()
        return results

    async def _full_job_database(self) -> list[Result]:
        with SmallDisk(self._folder / "full-database" / "disk") as disk:
            url = f"sqlite:///{disk.folder / 'jobs.db'}"
            shape = Shape(extra=(("TALLY_DATABASE_URL", url),))
            async with running_rig(self._folder / "full-database", shape) as rig:
                return [await self._while_full(rig, disk, "coordinator", seed=1)]

    async def _full_source(self) -> list[Result]:
        folder = self._folder / "full-source"
        with SmallDisk(folder / "orders") as disk:
            async with running_rig(folder, ONE) as rig:
                return [await self._while_full(rig, disk, "writeback", seed=2)]

    async def _while_full(self, rig: Rig, disk: SmallDisk, role: str, *, seed: int) -> Result:
        await rig.set_faults(_SLOW)
        batch = await rig.submit(_ROWS, seed=seed)
        await rig.until_row(await rig.job_of(batch), 5)
        since = datetime.now(UTC)
        with disk.full_for(rig.processes[f"{role}-0"]):
            await asyncio.sleep(_FULL_FOR)
        return await _result(rig, batch, "disk full", role, disk.how, since, role=role)

    async def _kept_outcome(self) -> list[Result]:
        """The bus goes away after the call, the shipper dies with its outcome on disk, and the store is lost."""
        async with running_rig(self._folder / "kept-outcome", ONE) as rig:
            shipper = await rig.rearm("shipper-0", "shipper.before_outcome=stop@3")
            batch = await rig.submit(6, seed=3)
            await rig.bell.until(lambda: shipper.life.stopped, "the shipper to have an outcome")
            bus = rig.processes[NATS]
            bus.kill()
            await bus.death()
            shipper.thaw()
            kept = rig.data_dir / "spool"
            await rig.bell.until(lambda: next(kept.glob("*.json"), None), "an outcome on disk", look_every=0.1)
            shipper.kill()
            await shipper.death()
            since = datetime.now(UTC)
            shutil.rmtree(rig.store)
            await bus.start()
            await shipper.start()
            return [await _result(rig, batch, "kill -9, store deleted", "nats and shipper", "outcome on disk", since)]

    async def _poison(self) -> list[Result]:
        """A row whose command ends its shipper at every delivery is given up; a person finds out and goes on."""
        results = []
        async with running_rig(self._folder / "poison", ONE) as rig:
            for seed, point in enumerate(("shipper.before_claim", "shipper.after_claim", "shipper.after_call"), 4):
                shipper = await rig.rearm("shipper-0", f"{point}=kill@3")
                batch = await rig.submit(6, seed=seed)
                await shipper.death()
                for _ in range(_DEADLY_DELIVERIES - 1):
                    # A redelivery finds the claim of the one before: it dies before or after its own claim, or look-up.
                    again = "shipper.before_look_up" if point == "shipper.after_call" else point
                    await shipper.start(TALLY_FAILPOINTS=f"{again}=kill")
                    await shipper.death()
                since = datetime.now(UTC)
                await shipper.start()
                result = await _result(rig, batch, "kill -9, five times", "shipper", point, since, role="shipper")
                results.append(result)
        return results


async def _result(
    rig: Rig, batch: Batch, fault: str, target: str, place: str, since: datetime, *, role: str = "nats"
) -> Result:
    """What came of a fault that is over since `since`."""
    job_id = await rig.job_of(batch)
    person = Person(rig)
    try:
        await person.see_through(job_id)
        await rig.until_quiet()
    except TimeoutError as error:
        return Result(fault, target, place, Verdict((), (), ()), stuck=f"{job_id}: {error or 'it did not settle'}")
    books = await rig.books(batch)
    healed = (*healing.healed_by(rig, books, since), *([healing.PERSON] * bool(person.helped[job_id])))
    moved = healing.recovered_in(books, role, since)
    expected = Expected(store_lost="store" in fault)
    return Result(
        fault,
        target,
        place,
        check(books, expected),
        healed_by=healed or (healing.OTHERS,),
        recovered_in=() if moved is None else (moved,),
    )
