"""`tally approve`, `reject`, `pause`, `cancel`, `resolve` and `resume`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from rich.text import Text

from services.cli.commands.bought import offer_void
from services.cli.commands.shipping import Manner, see_through
from services.cli.finding import client_of, resolve_job
from services.cli.following import can_resume
from services.cli.outcomes import ASKED_AGAIN, ExitCode, print_error, print_json
from services.cli.rendering.jobs import next_steps
from services.cli.rendering.wording import money, state
from services.cli.session import note_started
from services.cli.terminal import ask, command, is_interactive, output, person
from shared.client import TallyClient
from shared.contracts.documents import JobDocument, RowDocument
from shared.errors import TallyError


class Order(StrEnum):
    """What a person orders of a job; each is the control call's name."""

    APPROVE = "approve"
    REJECT = "reject"
    PAUSE = "pause"
    CANCEL = "cancel"


def control(order: Order, data: Path | None, job: str, *, as_json: bool) -> int:
    """Give an order and show what became of the job."""

    async def ordered() -> JobDocument:
        async with client_of(data) as client:
            found = await resolve_job(client, job)
            document = await _ordered(client, order, found)
        if as_json:
            print_json(document.model_dump(mode="json"))
            return document
        console = output()
        if order is Order.APPROVE and document.estimate is not None:
            console.print(f"Approved by {person() or 'you'} for about {money(document.estimate)}.", markup=False)
        console.print(Text.assemble(f"Job {document.job_id} is ", state(document.status), "."))
        if order is Order.APPROVE:
            console.print(next_steps((command("watch", document.job_id, data=data), "follow it")), soft_wrap=True)
        if order is Order.PAUSE:
            console.print(next_steps((command("resume", document.job_id, data=data), "let it go on")), soft_wrap=True)
        return document

    try:
        document = asyncio.run(ordered())
    except TallyError as error:
        if error.body.code not in ASKED_AGAIN or as_json or not is_interactive():
            raise
        print_error(error.body)
        if not ask("Approve it all the same?"):
            output().print("Nothing is shipped yet.")
            return ExitCode.PERSON_NEEDED
        return control(order, data, job, as_json=as_json)
    if order is Order.CANCEL and document.started_at is not None and not as_json:
        return offer_void(document, Manner(data))
    return ExitCode.DONE


async def _ordered(client: TallyClient, order: Order, job: JobDocument) -> JobDocument:
    match order:
        case Order.APPROVE:
            note_started(job.job_id)
            return await client.approve(job.job_id, person(), seen=job.estimate)
        case Order.REJECT:
            return await client.reject(job.job_id, person())
        case Order.PAUSE:
            return await client.pause(job.job_id, person())
        case Order.CANCEL:
            return await client.cancel(job.job_id, person())


@dataclass(frozen=True)
class Finding:
    """What a person found out about a row in doubt: its tracking number, or None where the carrier holds nothing."""

    job: str
    row: int
    number: str | None
    reason: str = ""


def resolve(finding: Finding, manner: Manner) -> int:
    """Record a finding; on a terminal a tracking number is asked about first.

    The question stands between two runs of the event loop: a loop that waits for a key answers no Ctrl-C.
    """
    if finding.number is not None and not manner.yes and not manner.as_json and is_interactive():
        row = asyncio.run(_row_of(finding, manner))
        if not ask(f"Record {finding.number} for row {row.row_number} ({row.recipient})?"):
            output().print("Nothing was recorded.")
            return ExitCode.FAILED
    asyncio.run(_record(finding, manner))
    return ExitCode.DONE


async def _row_of(finding: Finding, manner: Manner) -> RowDocument:
    async with client_of(manner.data) as client:
        found = await resolve_job(client, finding.job)
        return await client.row(found.job_id, finding.row)


async def _record(finding: Finding, manner: Manner) -> None:
    async with client_of(manner.data) as client:
        found = await resolve_job(client, finding.job)
        document = await client.resolve(found.job_id, finding.row, finding.number, person(), finding.reason)
        now = await client.show(found.job_id)
    if manner.as_json:
        print_json(document.model_dump(mode="json"))
        return
    console = output()
    console.print(Text.assemble(f"Row {finding.row} of job {now.job_id} is ", state(document.status), "."))
    if can_resume(now):
        step = command("resume", now.job_id, data=manner.data), "let the job go on"
        console.print(next_steps(step), soft_wrap=True)


def resume(job: str, manner: Manner) -> int:
    """Let a job go on and follow it."""

    async def resumed() -> int:
        async with client_of(manner.data) as client:
            found = await resolve_job(client, job)
        return await see_through(found.job_id, manner, resume=True)

    return asyncio.run(resumed())
