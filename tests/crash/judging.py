"""What the tests ask of a case: that every promise was kept."""

from __future__ import annotations

from shared.failpoints import FailPoint
from tests.crash.cases import Case, Fault, Result, Story
from tests.crash.rig import Rig
from tests.crash.trial import run


async def kept(rig: Rig, case: Case, seed: int) -> Result:
    """The result of a case in which every promise was kept."""
    result = await run(rig, case, seed)
    assert result.holds, result
    return result


async def killed_at(rig: Rig, point: FailPoint, *, nth: int = 2, story: Story = Story.PLAIN, seed: int) -> Result:
    """The same for a kill of the only process of its service."""
    case = Case(Fault.KILL, point.partition(".")[0], several=False, point=point, nth=nth, story=story)
    return await kept(rig, case, seed)


async def frozen_at(rig: Rig, point: FailPoint, *, story: Story = Story.PLAIN, seed: int) -> Result:
    """The same for one of several that is frozen while another takes over, then thawed."""
    return await kept(rig, Case(Fault.FREEZE, point.partition(".")[0], several=True, point=point, story=story), seed)
