"""`tally approve`, `reject`, `pause`, `cancel`, `resolve` and `resume`."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path

from rich.text import Text

from services.cli.commands.shipping import Manner, see_through
from services.cli.finding import client_of, resolve_job
from services.cli.outcomes import ExitCode, print_json
from services.cli.rendering import next_steps
from services.cli.terminal import command, output, person
from services.cli.wording import state


class Order(StrEnum):
    """What a person orders of a job; each is the control call's name."""

    APPROVE = "approve"
    REJECT = "reject"
    PAUSE = "pause"
    CANCEL = "cancel"


def control(order: Order, data: Path | None, job: str, *, as_json: bool) -> int:
    """Give an order and show what became of the job."""

    async def ordered() -> None:
        async with client_of(data) as client:
            found = await resolve_job(client, job)
            call = {
                Order.APPROVE: client.approve,
                Order.REJECT: client.reject,
                Order.PAUSE: client.pause,
                Order.CANCEL: client.cancel,
            }[order]
            document = await call(found.job_id, person())
        if as_json:
            print_json(document.model_dump(mode="json"))
            return
        console = output()
        console.print(Text.assemble(f"Job {document.job_id} is ", state(document.status), "."))
        if order is Order.APPROVE:
            console.print(next_steps((command("watch", document.job_id, data=data), "follow it")), soft_wrap=True)
        if order is Order.PAUSE:
            console.print(next_steps((command("resume", document.job_id, data=data), "let it go on")), soft_wrap=True)

    asyncio.run(ordered())
    return ExitCode.DONE


def resolve(data: Path | None, job: str, row: int, number: str | None, reason: str, *, as_json: bool) -> int:
    """Record what a person found out about a row in doubt."""

    async def resolved() -> None:
        async with client_of(data) as client:
            found = await resolve_job(client, job)
            document = await client.resolve(found.job_id, row, number, person(), reason)
        if as_json:
            print_json(document.model_dump(mode="json"))
            return
        console = output()
        console.print(Text.assemble(f"Row {row} of job {found.job_id} is ", state(document.status), "."))
        console.print(next_steps((command("resume", found.job_id, data=data), "let the job go on")), soft_wrap=True)

    asyncio.run(resolved())
    return ExitCode.DONE


def resume(job: str, manner: Manner) -> int:
    """Let a job go on and follow it."""

    async def resumed() -> int:
        async with client_of(manner.data) as client:
            found = await resolve_job(client, job)
        return await see_through(found.job_id, manner, resume=True)

    return asyncio.run(resumed())
