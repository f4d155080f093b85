"""Runs one case on a rig: arms the victim, ships a job, lets the fault happen, waits for the end, checks the books."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from nats.js.errors import APIError

from shared.bus.topology import ACK_WAIT
from shared.contracts import subjects
from shared.contracts.states import JobMode
from shared.errors import REGISTRY
from tests.crash import healing
from tests.crash.cases import Case, Fault, Result, Story
from tests.crash.checker import Verdict, check
from tests.crash.house_settings import LONGEST_COMMIT
from tests.crash.person import Person
from tests.crash.process import Process
from tests.crash.rig import Batch, Rig
from tests.crash.shapes import NATS, ROLES, SANDBOX
from tests.samples import orders

# A fault may hit a replica that this job passes by; then another job is shipped.
_JOBS_A_CASE = 40
PAST_THE_TAKEOVER = ACK_WAIT + 4
# Within what a call may take to commit, and beyond: then the carrier sells what nobody waits for any more.
_CARRIER_FROZEN, _CARRIER_FROZEN_LONG = LONGEST_COMMIT - 2, LONGEST_COMMIT + 3
_CUT = 0.5
_PURGE_EVERY = 0.3
_ROWS_FORGOTTEN = 2
_SLOW = {"match": {"path": "/ship"}, "fault": "latency", "ms": 60}


class NotHitError(Exception):
    """The fault never happened: the case is wrong."""


async def run(rig: Rig, case: Case, seed: int) -> Result:
    """The result of a case; raises NotHitError where its fail point was never passed."""
    place = str(case.point or case.story)
    try:
        await rig.heal(but=_victim(rig, case).name)
        verdict, healed, moved = await _Trial(rig, case, seed).run()
    except TimeoutError as error:
        return Result(case.what, case.target, place, Verdict((), (), ()), stuck=f"{case}: {error}")
    return Result(
        case.what,
        case.target,
        place,
        verdict,
        healed_by=healed,
        recovered_in=() if moved is None else (moved,),
    )


class _Trial:
    def __init__(self, rig: Rig, case: Case, seed: int) -> None:
        self.rig = rig
        self.case = case
        self.seed = seed
        self.person = Person(rig)

    async def run(self) -> tuple[Verdict, tuple[str, ...], float | None]:
        victim = await self._armed()
        for number in range(_JOBS_A_CASE):
            await self._tell_the_story(number)
            batch = await self._submit(number)
            if await self._fault_happens(victim, batch):
                break
        else:
            raise NotHitError(str(self.case))
        hit_at = _when_hit(victim)
        restarted = await self._suffer(victim, batch)
        job_id = await self._until_settled(batch)
        await self._let_the_victim_finish(victim)
        await self.rig.until_quiet()
        await self.rig.until_settled(job_id)
        books = await self.rig.books(batch)
        seen = healing.healed_by(self.rig, books, hit_at)
        extra = [healing.RESTART] * restarted + [healing.PERSON] * bool(self.person.helped)
        healed = (*seen, *extra) or (healing.OTHERS if self.case.several else healing.NOTHING,)
        return check(books, self.case.expected), healed, healing.recovered_in(books, self.case.target, hit_at)

    async def _armed(self) -> Process:
        case, victim = self.case, _victim(self.rig, self.case)
        if case.point is not None:
            action = "kill" if case.fault is Fault.KILL else "stop"
            await self.rig.rearm(victim.name, f"{case.point}={action}@{case.nth}")
        elif not victim.alive:
            await victim.start()
        return victim

    async def _tell_the_story(self, number: int) -> None:
        faults: list[dict[str, Any]] = []
        if self.case.point is None:
            faults.append(_SLOW)
        if self.case.story is Story.LOST_ANSWERS:
            faults.append({"match": {"path": "/ship"}, "fault": "drop_after_commit"})
        if self.case.refused is not None:
            hard = {"fault": "error", "status": 400, "code": "120207", "message": "The state is not valid"}
            faults.append({"match": {"path": "/ship", "recipient": self._refused_name(number)}, **hard})
        await self.rig.set_faults(*faults)
        if self.case.story is Story.LOST_COMMANDS and number == 0:
            for shipper in self.rig.of_role("shipper"):
                shipper.freeze()

    async def _submit(self, number: int) -> Batch:
        mode = JobMode.CONFIRM if self.case.story is Story.APPROVED else JobMode.AUTO
        return await self.rig.submit(self.case.rows, seed=self._seed(number), mode=mode)

    def _seed(self, number: int) -> int:
        return self.seed * 10 + number

    def _refused_name(self, number: int) -> str:
        names = [order["name"] for order in orders(self.case.rows, seed=self._seed(number))]
        refused = names[(self.case.refused or 0) - 1]
        assert names.count(refused) == 1, "the seed gives two rows the same name"
        return refused

    async def _fault_happens(self, victim: Process, batch: Batch) -> bool:
        """Wait until the victim passes its point, or the job is at its row; False where the job ends before."""
        case, rig = self.case, self.rig
        if case.point is None:
            await rig.until_row(await rig.job_of(batch), case.row)
            return True
        if case.story is Story.LOST_COMMANDS:
            await self._lose_commands(victim, batch)
            return True
        if case.story is Story.APPROVED:
            await self._approve(victim, batch)
        await rig.until(lambda: _is_hit(victim) or self._is_over(batch), f"{case.point} or the job's end")
        return _is_hit(victim)

    def _is_over(self, batch: Batch) -> bool:
        job_id = self.rig.database.job_of(batch.request_id)
        if job_id is None:
            return False
        status, _, _ = self.rig.database.progress(job_id)
        return status in {"completed", "failed"} and self.rig.database.under_way(job_id) == 0

    async def _approve(self, victim: Process, batch: Batch) -> None:
        job_id = await self.rig.job_of(batch)
        progress = self.rig.database.progress
        await self.rig.until(lambda: _is_hit(victim) or progress(job_id)[0] == "awaiting_approval", "a preview")
        if not _is_hit(victim):
            await self.rig.call("approve", job_id=job_id, by="a person")

    async def _lose_commands(self, victim: Process, batch: Batch) -> None:
        """Take the ship command out of the bus, again and again, until the victim is about to publish it anew."""
        job_id = await self.rig.job_of(batch)
        js = self.rig.client.jetstream(timeout=5)
        progress = self.rig.database.progress
        await self.rig.until(lambda: progress(job_id)[0] == "running" or _is_hit(victim), f"{job_id} to run")
        others = [one for one in self.rig.of_role("coordinator") if one is not victim]
        for coordinator in others:
            coordinator.freeze()
        while True:
            with suppress(APIError):
                await js.purge_stream(subjects.COMMANDS, subject=subjects.ship_command(job_id))
            with suppress(TimeoutError):
                await self.rig.until(lambda: _is_hit(victim), "a reissue", within=_PURGE_EVERY)
                break
        for process in (*self.rig.of_role("shipper"), *others):
            process.thaw()

    async def _suffer(self, victim: Process, batch: Batch) -> bool:
        """The fault itself, up to where the victim may go on; whether it was started anew before the job's end."""
        match self.case.fault:
            case Fault.LOSE_STORE:
                await self._end([victim])
                shutil.rmtree(self.rig.store)
                await victim.start()
                return True
            case Fault.ROLL_BACK:
                await self._roll_back(victim, batch)
                return True
            case Fault.KILL_ALL:
                return await self._restart(self.rig.of_role(self.case.target))
            case Fault.KILL if self.case.point is None or not self.case.several:
                return await self._restart([victim])
            case Fault.FREEZE | Fault.FREEZE_LONG:
                await self._freeze(victim, batch)
            case Fault.CUT | Fault.CUT_CARRIER:
                await self._cut(victim)
        return False

    async def _roll_back(self, bus: Process, batch: Batch) -> None:
        """Have the bus forget the last rows: its store is as it was when the fault came."""
        job_id = await self.rig.job_of(batch)
        former = self.rig.folder / "former-store"
        await self._end([bus])
        shutil.rmtree(former, ignore_errors=True)
        shutil.copytree(self.rig.store, former)
        await bus.start()
        await self.rig.until_row(job_id, self.case.row + _ROWS_FORGOTTEN)
        await self._end([bus])
        shutil.rmtree(self.rig.store)
        former.rename(self.rig.store)
        await bus.start()

    async def _restart(self, processes: list[Process]) -> bool:
        await self._end(processes)
        await asyncio.gather(*(process.start() for process in processes))
        return True

    async def _end(self, processes: list[Process]) -> None:
        for process in processes:
            process.kill()
        for process in processes:
            await process.death()

    async def _freeze(self, victim: Process, batch: Batch) -> None:
        """Let the others take over, as far as they can without what the victim holds; then thaw it."""
        if self.case.point is None:
            victim.freeze()
        past = PAST_THE_TAKEOVER
        if self.case.target == SANDBOX:
            past = _CARRIER_FROZEN if self.case.fault is Fault.FREEZE else _CARRIER_FROZEN_LONG
        with suppress(TimeoutError):
            await self.rig.until_settled(await self.rig.job_of(batch), within=past)
        victim.thaw()

    async def _cut(self, victim: Process) -> None:
        server = SANDBOX if self.case.fault is Fault.CUT_CARRIER else NATS
        if victim.name in {NATS, SANDBOX}:
            server = victim.name
        names = [name for name, its in self.rig.proxies if its == server and victim.name in {name, server}]
        async with asyncio.TaskGroup() as cuts:
            for name in names:
                cuts.create_task(self.rig.cut(name, server, _CUT))
            await asyncio.sleep(0)  # the connections are cut before the victim takes its next step
            if victim.life.stopped:
                victim.thaw()

    async def _until_settled(self, batch: Batch) -> str:
        """Wait for the job's end; where it asks for a person, be that person."""
        job_id = await self.rig.job_of(batch)
        while True:
            status = await self.rig.until_settled(job_id)
            if not self._wants_a_person(job_id, status):
                return job_id
            await self.person.help(job_id)

    def _wants_a_person(self, job_id: str, status: str) -> bool:
        if status == "interrupted":
            return True
        if status != "failed":
            return False
        error = self.rig.database.job(job_id).error or {}
        return REGISTRY[error["code"]].retryable

    async def _let_the_victim_finish(self, victim: Process) -> None:
        """Have one that was frozen or cut off finish what it may still have in hand, so that the books show it."""
        if self.case.fault is not Fault.KILL and self.case.several and self.case.target in ROLES and victim.alive:
            await victim.stop()


def _victim(rig: Rig, case: Case) -> Process:
    """The last of its role, or the server."""
    return rig.of_role(case.target)[-1]


def _is_hit(victim: Process) -> bool:
    return victim.life.over or victim.life.stopped


def _when_hit(victim: Process) -> datetime:
    """When it died or stood still at its fail point; of one that is yet to be hit, the present."""
    life = victim.life
    moment = life.ended_at if life.over else life.stopped_at if life.stopped else None
    return moment or datetime.now(UTC)
