"""`tally restart`: does a job over as a new one, after a warning of what that buys twice."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass

from rich.text import Text

from services.cli.commands.shipping import Manner, preview_and_ship, read_in
from services.cli.commands.voiding import void_rows
from services.cli.finding import client_of, resolve_job
from services.cli.following import OnChange, follow, is_taken_in
from services.cli.outcomes import ExitCode, print_json
from services.cli.rendering.wording import money, plural
from services.cli.row_numbers import rows_in_words
from services.cli.terminal import ask, is_interactive, output, person
from shared.client import TallyClient
from shared.contracts.documents import JobDocument, RowDocument
from shared.contracts.states import JobMode, RowStatus
from shared.errors import RESTART_UNSETTLED, TallyError
from shared.shipping import Money

_UNSETTLED = (RowStatus.IN_FLIGHT, RowStatus.IN_DOUBT, RowStatus.VOIDING)


@dataclass(frozen=True)
class Wanted:
    """A job to be done over, in `mode` or else its own; with `void` its labels are given back first."""

    job: str
    mode: JobMode | None = None
    void: bool = False


@dataclass(frozen=True)
class Old:
    """The job that is to be done over, and its shipped rows."""

    job: JobDocument
    shipped: tuple[RowDocument, ...]


def restart(wanted: Wanted, manner: Manner) -> int:
    """Do a job over: warn, void where asked to, then show the new job's preview and ship it as `tally ship` does.

    The questions stand between runs of the event loop: a loop that waits for a key answers no Ctrl-C.
    """
    old = asyncio.run(_old(wanted, manner))
    void = wanted.void
    if old.shipped and old.job.restarted_as is None:
        if not manner.yes:
            answer = _answer(old, manner, void=void)
            if answer is None:
                return ExitCode.PERSON_NEEDED
            if not answer:
                output().print("Nothing was restarted.")
                return ExitCode.FAILED
            void = void or ask(_void_question(old)) is True
        if void and not asyncio.run(_voided(old, manner)):
            return ExitCode.FAILED

    async def restarted(client: TallyClient, on_change: OnChange) -> JobDocument:
        new = await client.restart(old.job.job_id, wanted.mode, person())
        return await follow(client, new.job_id, is_taken_in, on_change)

    taken_in = asyncio.run(read_in(restarted, manner))
    if not manner.as_json:
        output().print(Text(f"Job {old.job.job_id} is restarted as job {taken_in.job.job_id}."))
    return preview_and_ship(taken_in, manner)


def warning(rows: tuple[RowDocument, ...]) -> str:
    """`Rows 1–47 already have tracking numbers; restarting creates duplicates.`"""
    named = rows_in_words(row.row_number for row in rows)
    if len(rows) == 1:
        return f"{named} already has a tracking number; restarting creates a duplicate."
    return f"{named} already have tracking numbers; restarting creates duplicates."


async def _old(wanted: Wanted, manner: Manner) -> Old:
    """The job and its shipped rows. Raises E-4022 while one of its rows is not settled."""
    async with client_of(manner.data) as client:
        job = await resolve_job(client, wanted.job)
        if job.restarted_as is None:
            for status in _UNSETTLED:
                async for row in client.rows(job.job_id, status=status, page=1):
                    raise TallyError(
                        RESTART_UNSETTLED,
                        row=row.row_number,
                        job_id=job.job_id,
                        row_number=row.row_number,
                        status=row.status,
                    )
        return Old(job, tuple([row async for row in client.rows(job.job_id, status=RowStatus.SHIPPED)]))


def _answer(old: Old, manner: Manner, *, void: bool) -> bool | None:
    """The person's answer to the warning; None where nobody can be asked, or nobody answered."""
    if is_interactive() and not manner.as_json:
        if void:
            return ask(f"{_numbered(old)} {_void_question(old)}")
        return ask(f"{warning(old.shipped)} Continue?")
    told = _numbered(old) if void else warning(old.shipped)
    print(f"{told} Add --yes to restart without being asked.", file=sys.stderr)  # noqa: T201 - a command line's output
    if manner.as_json:
        print_json(old.job.model_dump(mode="json"))
    return None


def _numbered(old: Old) -> str:
    named = rows_in_words(row.row_number for row in old.shipped)
    return f"{named} already {'has a tracking number' if len(old.shipped) == 1 else 'have tracking numbers'}."


def _void_question(old: Old) -> str:
    costs = [row.cost for row in old.shipped if row.cost is not None]
    cost = f" ({money(Money.total(costs))})" if costs else ""
    return f"Void the {plural(len(old.shipped), 'old label')}{cost} first?"


async def _voided(old: Old, manner: Manner) -> bool:
    """Void the old labels; False, and why, where one of them stays."""
    async with client_of(manner.data) as client:
        _, rows = await void_rows(client, old.job.job_id, [row.row_number for row in old.shipped])
    left = [row for row in rows if row.status is not RowStatus.VOIDED]
    if not manner.as_json:
        output().print(Text(f"Voided {plural(len(rows) - len(left), 'label')} of job {old.job.job_id}."))
    for row in left:
        why = row.error or f"it is {row.status}"
        print(f"Row {row.row_number} is not voided: {why}", file=sys.stderr)  # noqa: T201 - a command line's output
    if left:
        print("Nothing was restarted.", file=sys.stderr)  # noqa: T201 - a command line's output
        if manner.as_json:
            print_json(old.job.model_dump(mode="json"))
    return not left
