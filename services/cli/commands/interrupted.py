"""Offers what to do with interrupted jobs, before the command that a person typed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from services.cli.commands.control import Order, control, resume
from services.cli.commands.restarting import Wanted, restart
from services.cli.commands.shipping import Manner
from services.cli.finding import find_house
from services.cli.outcomes import print_error
from services.cli.rendering.interruption import Interruption, interruptions
from services.cli.rendering.jobs import next_steps
from services.cli.session import current_session
from services.cli.terminal import choose, is_interactive, output
from shared.client import TallyClient
from shared.errors import TallyError

_MOST = 5
_AT_MOST_SECONDS = 2.0
_ANSWERS = {"r": "resume", "s": "restart", "c": "cancel"}
_QUESTION = "Resume (r), restart (s) or cancel (c) it? Enter decides later:"


def offer(data: Path | None, named: str | None) -> None:
    """Tell of the interrupted jobs but the one `named`; on a terminal, ask what to do with each and do it.

    A house that cannot be asked is passed over: the command that follows says what is wrong with it.
    """
    try:
        found = asyncio.run(_interrupted(data, named))
    except TallyError:
        return
    session = current_session()
    for interruption in found:
        if session is not None and interruption.job.job_id in session.told:
            continue
        if session is not None:
            session.told.add(interruption.job.job_id)
        if is_interactive():
            tell_and_ask(interruption, data)
        else:
            print(interruption.told(data), file=sys.stderr)  # noqa: T201 - a command line's output


def tell_and_ask(interruption: Interruption, data: Path | None) -> None:
    """Tell of an interrupted job; on a terminal, ask what to do with it and do it, else say what can be typed."""
    console = output()
    for line in interruption.lines():
        console.print(line, markup=False, soft_wrap=True)
    if is_interactive():
        _ask(interruption, data)
    else:
        console.print(next_steps(*interruption.steps(data)), soft_wrap=True)


async def _interrupted(data: Path | None, named: str | None) -> list[Interruption]:
    house = find_house(data)
    async with await TallyClient.connect(house.bus, min(house.timeout, _AT_MOST_SECONDS)) as client:
        found = await interruptions(client, _MOST)
        if named == "last" and found:
            newest = await client.list_jobs(limit=1)
            named = newest[0].job_id
    return [one for one in found if named is None or not one.job.job_id.startswith(named)]


def _ask(interruption: Interruption, data: Path | None) -> None:
    job_id = interruption.job.job_id
    # The job goes on by itself: what the person typed comes next.
    manner = Manner(data, detach=True)
    try:
        match choose(_QUESTION, _ANSWERS):
            case "resume":
                resume(job_id, manner)
            case "restart":
                restart(Wanted(job_id), manner)
            case "cancel":
                control(Order.CANCEL, data, job_id, as_json=False)
            case _:
                output().print(next_steps(*interruption.steps(data)), soft_wrap=True)
    except TallyError as error:
        print_error(error.body)
