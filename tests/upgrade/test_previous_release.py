"""The previous release's services beside this one's, on one bus, and a rolling upgrade from it while a job runs.

`TALLY_PREVIOUS_RELEASE` names another tag or commit to be taken for the previous release.
"""

import os
from collections.abc import Iterator

import pytest

from shared.contracts.states import InterruptPolicy
from tests.crash.checker import Expected, check
from tests.crash.shapes import ROLES, Shape
from tests.upgrade.releases import MixedRig, Release, checked_out, previous_release

pytestmark = [pytest.mark.timeout(300), pytest.mark.long]

SEVERAL = Shape(coordinators=2, shippers=2, writebacks=2)


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    """The previous release."""
    commit = os.environ.get("TALLY_PREVIOUS_RELEASE") or previous_release()
    if commit is None:
        pytest.skip("there are fewer than two release tags (v*)")
    with checked_out(commit, tmp_path_factory.mktemp("previous") / "release") as release:
        yield release


@pytest.mark.parametrize("role", ROLES)
async def test_one_service_of_the_previous_release_works_with_the_others_of_this_one(
    previous: Release, role: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    await _ships_with(tmp_path_factory, {f"{role}-0": previous}, seed=ROLES.index(role) + 1)


@pytest.mark.parametrize("role", ROLES)
async def test_one_service_of_this_release_works_with_the_others_of_the_previous_one(
    previous: Release, role: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    others = {f"{other}-0": previous for other in ROLES if other != role}
    await _ships_with(tmp_path_factory, others, seed=ROLES.index(role) + 4)


@pytest.mark.parametrize("first", ROLES)
async def test_a_house_of_the_previous_release_is_upgraded_process_by_process_while_a_job_runs(
    previous: Release, first: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    names = [f"{role}-{index}" for index in range(2) for role in (first, *(one for one in ROLES if one != first))]
    rig = MixedRig(tmp_path_factory.mktemp("rolling"), SEVERAL, releases=dict.fromkeys(names, previous))
    async with rig:
        await rig.set_faults({"match": {"path": "/ship"}, "fault": "latency", "ms": 100})
        batch = await rig.submit(60, seed=ROLES.index(first) + 7, on_interrupt=InterruptPolicy.RESUME)
        job_id = await rig.job_of(batch)
        for name in names:
            await rig.upgrade(name)
        assert await rig.until_settled(job_id) == "completed"
        await rig.until_quiet()
        verdict = check(await rig.books(batch), Expected())
        assert verdict.holds, verdict


async def _ships_with(folders: pytest.TempPathFactory, releases: dict[str, Release], *, seed: int) -> None:
    async with MixedRig(folders.mktemp("mixed"), Shape(), releases=releases) as rig:
        batch = await rig.submit(10, seed=seed)
        assert await rig.until_settled(await rig.job_of(batch)) == "completed"
        await rig.until_quiet()
        verdict = check(await rig.books(batch), Expected())
        assert verdict.holds, verdict
