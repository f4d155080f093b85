"""The bus's store is put back to an earlier state while nothing runs: whoever starts first buys nothing again."""

import shutil

import pytest

from tests.crash.checker import Expected, check
from tests.crash.process import Process
from tests.crash.rig import Rig
from tests.crash.shapes import NATS

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


async def test_a_shipper_that_starts_before_any_coordinator_buys_nothing_of_an_older_bus_again(one: Rig) -> None:
    await one.heal()
    former = one.folder / "former-store"
    bus, coordinator = one.processes[NATS], one.processes["coordinator-0"]
    shipper = await one.rearm("shipper-0", "shipper.before_claim=stop@3")
    batch = await one.submit(6, seed=31)
    await one.until(lambda: shipper.life.stopped, "a command that nobody claimed")
    await end(bus)
    shutil.copytree(one.store, former)
    await bus.start()
    shipper.thaw()
    await one.until_settled(await one.job_of(batch))
    await coordinator.stop()
    await shipper.stop()
    await end(bus)
    shutil.rmtree(one.store)
    former.rename(one.store)
    await bus.start()
    await shipper.start(TALLY_FAILPOINTS="")
    await one.until(lambda: shipper.life.said("the ledger was put back"), "the shipper to notice")
    await coordinator.start()
    await one.until_quiet()
    verdict = check(await one.books(batch), Expected(store_lost=True))
    assert verdict.holds, verdict


async def end(process: Process) -> None:
    """Kill -9."""
    process.kill()
    await process.death()


async def test_a_bus_that_others_worked_on_an_empty_one_instead_of_buys_nothing_again_once_it_is_back(one: Rig) -> None:
    await one.heal()
    former = one.folder / "former-store"
    bus, coordinator = one.processes[NATS], one.processes["coordinator-0"]
    shipper = await one.rearm("shipper-0", "shipper.before_claim=stop@3")
    batch = await one.submit(6, seed=32)
    await one.until(lambda: shipper.life.stopped, "a command that nobody claimed")
    await coordinator.stop()
    shipper.kill()
    await shipper.death()
    await end(bus)
    one.store.rename(former)
    await bus.start()
    await coordinator.start()
    await shipper.start(TALLY_FAILPOINTS="")
    await one.until_settled(await one.job_of(batch))
    await coordinator.stop()
    await shipper.stop()
    await end(bus)
    shutil.rmtree(one.store)
    former.rename(one.store)
    await bus.start()
    await shipper.start()
    await coordinator.start()
    await one.until_quiet()
    verdict = check(await one.books(batch), Expected(store_lost=True))
    assert verdict.holds, verdict
