"""What the shell completes besides commands, options and states: the jobs of the house."""

from __future__ import annotations

from pathlib import Path

import typer

_MOST = 30
_WITHIN = 1.0


def jobs(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The ids of the newest jobs that begin with `incomplete`, each with its name and state; none without a house."""
    import asyncio

    from shared.errors import TallyError

    data: Path | None = ctx.params.get("data")
    try:
        found = asyncio.run(_newest(data))
    except (TallyError, TimeoutError):
        return []
    return [(job_id, told) for job_id, told in found if job_id.startswith(incomplete)]


async def _newest(data: Path | None) -> list[tuple[str, str]]:
    import asyncio

    from services.cli.finding import find_house
    from shared.client import TallyClient

    house = find_house(data)
    async with asyncio.timeout(_WITHIN), await TallyClient.connect(house.bus, _WITHIN) as client:
        found = await client.list_jobs(limit=_MOST)
    newest = [("last", "the newest job")] if found else []
    return newest + [(job.job_id, f"{job.name}, {job.status}") for job in found]
