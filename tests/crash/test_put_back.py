"""The bus's store is put back to an earlier state while nothing runs: whoever starts first buys nothing again."""

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.crash.checker import Expected, check
from tests.crash.process import Process
from tests.crash.rig import Batch, Rig
from tests.crash.shapes import NATS

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


async def with_an_unclaimed_command(rig: Rig, seed: int) -> tuple[Batch, Process]:
    """A job of six rows whose shipper stands still before its third claim; the batch and the shipper."""
    await rig.heal()
    shipper = await rig.rearm("shipper-0", "shipper.before_claim=stop@3")
    batch = await rig.submit(6, seed=seed)
    await rig.until(lambda: shipper.life.stopped, "a command that nobody claimed")
    return batch, shipper


async def put_back(rig: Rig, former: Path) -> None:
    """End coordinator and shipper, and have the bus start with its former store."""
    bus = rig.processes[NATS]
    await rig.processes["coordinator-0"].stop()
    await rig.processes["shipper-0"].stop()
    await end(bus)
    shutil.rmtree(rig.store)
    await asyncio.to_thread(former.rename, rig.store)
    await bus.start()


async def expect_each_sold_once(rig: Rig, batch: Batch) -> None:
    await rig.until_quiet()
    verdict = check(await rig.books(batch), Expected(store_lost=True))
    assert verdict.holds, verdict


async def end(process: Process) -> None:
    """Kill -9."""
    process.kill()
    await process.death()


async def test_a_shipper_that_starts_before_any_coordinator_buys_nothing_of_an_older_bus_again(one: Rig) -> None:
    batch, shipper = await with_an_unclaimed_command(one, seed=31)
    former = one.folder / "former-store"
    bus, coordinator = one.processes[NATS], one.processes["coordinator-0"]
    await end(bus)
    shutil.copytree(one.store, former)
    await bus.start()
    shipper.thaw()
    await one.until_settled(await one.job_of(batch))
    await put_back(one, former)
    await shipper.start(TALLY_FAILPOINTS="")
    await one.until(lambda: shipper.life.said("the ledger was put back"), "the shipper to notice")
    await coordinator.start()
    await expect_each_sold_once(one, batch)


async def test_a_bus_that_others_worked_on_an_empty_one_instead_of_buys_nothing_again_once_it_is_back(one: Rig) -> None:
    batch, shipper = await with_an_unclaimed_command(one, seed=32)
    former = one.folder / "former-store"
    bus, coordinator = one.processes[NATS], one.processes["coordinator-0"]
    await coordinator.stop()
    shipper.kill()
    await shipper.death()
    await end(bus)
    one.store.rename(former)
    await bus.start()
    await coordinator.start()
    await shipper.start(TALLY_FAILPOINTS="")
    await one.until_settled(await one.job_of(batch))
    await put_back(one, former)
    await shipper.start()
    await coordinator.start()
    await expect_each_sold_once(one, batch)
