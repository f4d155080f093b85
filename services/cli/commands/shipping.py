"""`tally preview` and `tally ship`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.text import Text

from services.cli.commands.errors_out import list_errors
from services.cli.files.preview import write_preview
from services.cli.finding import client_of
from services.cli.following import OnChange, await_write_back, first_unwritten, follow, has_stopped, take_in
from services.cli.outcomes import ASKED_AGAIN, ExitCode, exit_code_of_job, print_error, print_json
from services.cli.preview_progress import shown_preview
from services.cli.progress import shown_progress
from services.cli.rendering.conclusion import Conclusion
from services.cli.rendering.inspection import inspection
from services.cli.rendering.preview import SHOWN_ROWS, job_preview, source_preview
from services.cli.rendering.refusals import Refusals
from services.cli.rendering.repeats import Repeats
from services.cli.rendering.wording import money, plural
from services.cli.requests import Wish, to_request
from services.cli.session import current_session, note_started
from services.cli.terminal import Answer, ask, ask_or_switch, is_interactive, output, person
from shared.client import TallyClient
from shared.clock import utc_now
from shared.contracts.documents import JobDocument, PreviewDocument, RowDocument
from shared.contracts.states import JobMode, JobStatus, RowStatus
from shared.errors import TallyError
from shared.shipping import Money

# Of so many skipped rows it is told whose shipments they are.
_COMPARED = 1000


@dataclass(frozen=True)
class Manner:
    """How a command behaves towards whoever typed it."""

    data: Path | None = None
    as_json: bool = False
    yes: bool = False
    detach: bool = False


@dataclass(frozen=True)
class View:
    """What of a preview is shown: the first rows or every one, what is told of each under it, and all in a file.

    `errors_out` is a file for the rows that cannot ship.
    """

    every_row: bool = False
    expand: bool = False
    out: Path | None = None
    errors_out: Path | None = None


FIRST_ROWS = View()


def preview(wish: Wish, manner: Manner, view: View) -> int:
    """Show what shipping a source would cost; nothing is kept but the file that is asked for."""
    request = to_request(wish, Path.cwd(), utc_now())

    async def ask_house() -> PreviewDocument:
        async with client_of(manner.data) as client:
            if view.errors_out is not None:
                await list_errors(client, request, view.errors_out, quiet=manner.as_json)
            with shown_preview(output(), quiet=manner.as_json) as bar:
                every_row = view.every_row or view.out is not None
                return await client.preview(request, SHOWN_ROWS, every_row=every_row, on_progress=bar.heard)

    document = asyncio.run(ask_house())
    shown = None if view.every_row else SHOWN_ROWS
    if view.out is not None:
        write_preview(document, view.out)
    if manner.as_json:
        print_json(document.model_copy(update={"rows": document.rows[:shown]}).model_dump(mode="json"))
        return ExitCode.DONE
    output().print(source_preview(document, shown=shown, expand=view.expand))
    if view.out is not None:
        output().print(Text(f"{plural(len(document.rows), 'row')} written to {view.out}."), soft_wrap=True)
    return ExitCode.DONE


def inspect(wish: Wish, manner: Manner, errors_out: Path | None = None) -> int:
    """Show what a source is, and what would become of its orders; nothing is kept but the file that is asked for."""
    request = to_request(wish, Path.cwd(), utc_now())

    async def ask_house() -> None:
        async with client_of(manner.data) as client:
            if errors_out is None:
                document = await client.inspect(request)
            else:
                document = await list_errors(client, request, errors_out, quiet=manner.as_json)
        if manner.as_json:
            print_json(document.model_dump(mode="json"))
        else:
            output().print(inspection(document))

    asyncio.run(ask_house())
    return ExitCode.DONE


def ship(wish: Wish, manner: Manner, view: View) -> int:
    """Submit a batch, show its preview, ask, and follow it to its end.

    The question stands between two runs of the event loop: a loop that waits for a key answers no Ctrl-C.
    """
    request = to_request(wish, Path.cwd(), utc_now())

    async def submitted(client: TallyClient, on_change: OnChange) -> JobDocument:
        if view.errors_out is not None:
            await list_errors(client, request, view.errors_out, quiet=manner.as_json)
        return await take_in(client, request, on_change)

    return preview_and_ship(asyncio.run(read_in(submitted, manner, view)), manner)


@dataclass(frozen=True)
class Preview:
    """A job that was taken in, with its rows that are shown, and why others are skipped."""

    job: JobDocument
    rows: tuple[RowDocument, ...]
    repeats: Repeats
    refusals: Refusals
    view: View


async def read_in(
    made: Callable[[TallyClient, OnChange], Awaitable[JobDocument]], manner: Manner, view: View = FIRST_ROWS
) -> Preview:
    """Have a job made, which `made` returns once its rows are priced; with what there is to show of it.

    Raises what the house rejected the request with.
    """
    async with client_of(manner.data) as client:
        with shown_preview(output(), quiet=manner.as_json) as bar:
            job = await made(client, bar.changed)
        if job.status is JobStatus.FAILED or manner.as_json:
            return Preview(job, (), Repeats.of_job(job, ()), Refusals(), view)
        if view.every_row:
            rows = [row async for row in client.rows(job.job_id)]
        else:
            rows = await _first(client.rows(job.job_id, page=SHOWN_ROWS), SHOWN_ROWS)
        skipped = client.rows(job.job_id, status=RowStatus.SKIPPED, page=_COMPARED)
        compared = await _first(skipped, _COMPARED) if job.rows.skipped else []
        return Preview(job, tuple(rows), Repeats.of_job(job, compared), Refusals.of_job(job, compared), view)


def preview_and_ship(taken_in: Preview, manner: Manner) -> int:
    """Show a job's preview, ask, and follow the job to its end; where the preview is out of date, ask once more."""
    while True:
        try:
            return _preview_and_ship(taken_in, manner)
        except TallyError as error:
            if error.body.code not in ASKED_AGAIN or manner.as_json or not is_interactive():
                raise
            print_error(error.body)
        taken_in = asyncio.run(read_in(partial(_shown, taken_in.job.job_id), manner, taken_in.view))


async def _shown(job_id: str, client: TallyClient, _: OnChange) -> JobDocument:
    return await client.show(job_id)


def _preview_and_ship(taken_in: Preview, manner: Manner) -> int:
    job = taken_in.job
    console = output()
    conclusion = Conclusion(console, manner.data)
    is_left = job.rows.skipped < job.rows.total
    if taken_in.rows and not manner.as_json:
        expand = taken_in.view.expand
        console.print(job_preview(job, taken_in.rows, taken_in.repeats, taken_in.refusals, expand=expand))
    if job.status is not JobStatus.AWAITING_APPROVAL:
        note_started(job.job_id)
        return asyncio.run(see_through(job.job_id, manner))
    # Where no row is left to ship there is nothing to ask: approval only ends the job.
    if is_left and not manner.yes:
        answer = _answer(job, conclusion) if is_interactive() and not manner.as_json else None
        if answer is None:
            if manner.as_json:
                print_json(job.model_dump(mode="json"))
            else:
                conclusion.awaiting(job.job_id)
            return ExitCode.PERSON_NEEDED
        if not answer:
            asyncio.run(_reject(job.job_id, manner))
            console.print("Nothing was shipped.")
            return ExitCode.FAILED
    # Who was not asked is held to no total.
    approval = Approval(None if manner.yes or not is_left else job.estimate)
    return asyncio.run(see_through(job.job_id, manner, approval))


@dataclass(frozen=True)
class Approval:
    """A person's yes to a preview; `seen` is the total that it is good for, None where it is for any."""

    seen: Money | None


async def see_through(job_id: str, manner: Manner, approval: Approval | None = None, *, resume: bool = False) -> int:
    """Follow a job until it stops, approved or resumed first where asked; returns its exit code."""
    console = output()
    conclusion = Conclusion(console, manner.data)
    async with client_of(manner.data) as client:
        if approval is not None or resume:
            note_started(job_id)
        if approval is not None:
            await client.approve(job_id, person(), seen=approval.seen)
        if resume:
            await client.resume(job_id, person())
        try:
            job = await _stop_of(client, job_id, manner)
            unwritten = [] if manner.as_json else await first_unwritten(client, job)
        except asyncio.CancelledError:
            if not manner.as_json:
                conclusion.detached(job_id)
            raise
    if manner.as_json:
        print_json(job.model_dump(mode="json"))
        return exit_code_of_job(job)
    if manner.detach and not has_stopped(job):
        conclusion.detached(job_id)
        return ExitCode.DONE
    return conclusion.conclude(job, unwritten)


async def _stop_of(client: TallyClient, job_id: str, manner: Manner) -> JobDocument:
    if manner.detach:
        return await client.show(job_id)
    if manner.as_json:
        job = await follow(client, job_id, has_stopped)
    else:
        with shown_progress(output()) as on_change:
            job = await follow(client, job_id, has_stopped, on_change)
    return await await_write_back(client, job)


async def _first(rows: AsyncGenerator[RowDocument], count: int) -> list[RowDocument]:
    first: list[RowDocument] = []
    async with aclosing(rows):
        async for row in rows:
            first.append(row)
            if len(first) == count:
                break
    return first


async def _reject(job_id: str, manner: Manner) -> None:
    async with client_of(manner.data) as client:
        await client.reject(job_id, person())


def _answer(job: JobDocument, conclusion: Conclusion) -> bool | None:
    """The person's answer to the preview; None where there was none."""
    to_ship = job.rows.total - job.rows.skipped
    cost = "" if job.estimate is None else f" for about {money(job.estimate)}"
    question = f"Ship {plural(to_ship, 'row')}{cost}?"
    try:
        session = current_session()
        if session is None or session.mode is JobMode.AUTO:
            return ask(question)
        answer = ask_or_switch(question)
        if answer is Answer.SWITCH:
            session.mode = JobMode.AUTO
            output().print("Batches of this session ship at once from here on.")
        return None if answer is None else answer is not Answer.NO
    except KeyboardInterrupt:
        print()  # noqa: T201 - the line that the answer would have ended
        conclusion.awaiting(job.job_id)
        raise
