"""`tally jobs`, `show`, `rows` and `watch`."""

from __future__ import annotations

import asyncio
from pathlib import Path

from rich.text import Text

from services.cli.commands.interrupted import tell_and_ask
from services.cli.commands.shipping import Manner, see_through
from services.cli.finding import client_of, resolve_job
from services.cli.following import SILENCE, first_unwritten, patiently
from services.cli.outcomes import ExitCode, exit_code_of_job, print_json
from services.cli.rendering.interruption import Interruption, interruption_of
from services.cli.rendering.jobs import job_details, jobs_table
from services.cli.rendering.rows import failed_write_backs, row_details, rows_table
from services.cli.terminal import command, output
from shared.client import TallyClient
from shared.contracts.documents import JobDocument
from shared.contracts.events import JobEvent
from shared.contracts.states import JobStatus, RowStatus
from shared.watching import is_end_of, missed_end, says_end


def list_jobs(data: Path | None, status: JobStatus | None, limit: int, *, as_json: bool) -> int:
    """List the newest jobs."""

    async def listed() -> None:
        async with client_of(data) as client:
            jobs = await client.list_jobs(status=status, limit=limit)
        if as_json:
            print_json([job.model_dump(mode="json") for job in jobs])
        elif jobs:
            output().print(jobs_table(jobs))
        elif status is not None:
            output().print("No jobs in that state.")
        else:
            output().print(Text(f"No jobs yet. Ship a file with {command('ship', 'orders.csv', data=data)}"))

    asyncio.run(listed())
    return ExitCode.DONE


def show(data: Path | None, job: str, row: int | None, *, as_json: bool) -> int:
    """Show a job, or one of its rows."""

    async def shown() -> Interruption | None:
        async with client_of(data) as client:
            found = await resolve_job(client, job)
            document = found if row is None else await client.row(found.job_id, row)
            interrupted = isinstance(document, JobDocument) and document.status is JobStatus.INTERRUPTED
            interruption = await interruption_of(client, found) if interrupted and not as_json else None
            unwritten = [] if as_json or row is not None else await first_unwritten(client, found)
        if as_json:
            print_json(document.model_dump(mode="json"))
        elif isinstance(document, JobDocument):
            output().print(job_details(document))
            if unwritten:
                output().print(failed_write_backs(document, unwritten))
        else:
            output().print(row_details(document))
        return interruption

    if (interruption := asyncio.run(shown())) is not None:
        tell_and_ask(interruption, data)
    return ExitCode.DONE


def list_rows(data: Path | None, job: str, status: RowStatus | None, *, as_json: bool) -> int:
    """List a job's rows."""

    async def listed() -> None:
        async with client_of(data) as client:
            found = await resolve_job(client, job)
            rows = [row async for row in client.rows(found.job_id, status=status)]
        if as_json:
            print_json([row.model_dump(mode="json") for row in rows])
        elif rows:
            output().print(rows_table(rows, estimated=found.status is JobStatus.AWAITING_APPROVAL))
        else:
            output().print("No such rows.")

    asyncio.run(listed())
    return ExitCode.DONE


def watch(data: Path | None, job: str, *, as_json: bool) -> int:
    """Follow a job to its end: as JSON lines of its events from the first, or as a progress bar."""

    async def watched() -> int:
        async with client_of(data) as client:
            found = await resolve_job(client, job)
            if as_json:
                return exit_code_of_job(await print_events(client, found.job_id))
        return await see_through(found.job_id, Manner(data=data))

    return asyncio.run(watched())


async def print_events(client: TallyClient, job_id: str) -> JobDocument:
    """Print a job's events, a JSON line each, until one is its end and the house agrees.

    Events are news and may be lost; where they fall silent the house is asked, and an end that was missed is printed.
    """
    async with client.events(job_id) as events:
        while True:
            event = await events.next(SILENCE)
            if event is not None:
                _print_event(event)
                if not says_end(event):
                    continue
            job = await patiently(lambda: client.show(job_id))
            if is_end_of(event, job):
                if event is None:
                    _print_event(missed_end(job))
                return job


def _print_event(event: JobEvent) -> None:
    print(event.model_dump_json(), flush=True)  # noqa: T201 - a command line's output
