"""`tally purge`: personal data, labels and ledger entries of jobs long over go, once a person agreed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import timedelta

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from services.cli.commands.shipping import Manner
from services.cli.documents import PurgeDocument
from services.cli.finding import client_of
from services.cli.outcomes import ExitCode, print_json
from services.cli.rendering.wording import moment, plural, state
from services.cli.terminal import ask, is_interactive, output, person
from shared.client import TallyClient
from shared.contracts.purging import PurgedJob, PurgePlan
from shared.errors import NOT_PURGEABLE, TallyError

_AGE = re.compile(r"(\d{1,5})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_SHOWN = 20
_DATE = len("2026-11-21")


def parse_age(text: str) -> timedelta:
    """`90d`, `12w` or `36h` as a span of time. Raises ValueError."""
    found = _AGE.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError(f"{text} is no span of time; write one such as 90d, 12w or 36h")
    return int(found[1]) * _UNITS[found[2]]


def purge(age: timedelta, manner: Manner, *, dry_run: bool) -> int:
    """Purge the jobs that have been over for longer than `age`, asked about first.

    The question stands between two runs of the event loop: a loop that waits for a key answers no Ctrl-C.
    """
    plan = asyncio.run(_plan(age, manner))
    if not manner.as_json:
        output().print(_told(plan))
    if dry_run or not plan.jobs:
        # What an earlier purge left in the file goes with the next one that is asked for.
        if not dry_run:
            asyncio.run(_rewrite(manner))
        return _report(plan, (), manner)
    if not manner.yes:
        answer = ask(_question(plan)) if is_interactive() and not manner.as_json else None
        if not answer:
            if manner.as_json:
                return _report(plan, (), manner, ExitCode.PERSON_NEEDED)
            hint = "" if is_interactive() else " Add --yes to purge without being asked."
            output().print(f"Nothing was purged.{hint}", soft_wrap=True)
            return ExitCode.FAILED if answer is False else ExitCode.PERSON_NEEDED
    return _report(plan, asyncio.run(_purge(age, plan, manner)), manner)


async def _plan(age: timedelta, manner: Manner) -> PurgePlan:
    async with client_of(manner.data) as client:
        return await client.plan_purge(age)


async def _rewrite(manner: Manner) -> None:
    async with client_of(manner.data) as client:
        await client.rewrite_database()


async def _purge(age: timedelta, plan: PurgePlan, manner: Manner) -> list[PurgedJob]:
    """Purge the jobs of the plan, and of those that follow; then leave nothing deleted in the database's file."""
    done: list[PurgedJob] = []
    async with client_of(manner.data) as client:
        while purged := await _purge_all(client, plan, manner):
            done += purged
            if not plan.more:
                break
            plan = await client.plan_purge(age)
        await client.rewrite_database()
    return done


async def _purge_all(client: TallyClient, plan: PurgePlan, manner: Manner) -> list[PurgedJob]:
    purged: list[PurgedJob] = []
    for job in plan.jobs:
        try:
            purged.append(await client.purge(job.job_id, plan.before, by=person()))
        except TallyError as error:
            # Somebody took the job up again since the plan was made, or a shipper still has a row of it.
            if error.kind is not NOT_PURGEABLE:
                raise
            if not manner.as_json:
                output().print(Text(error.body.message, style="yellow"), soft_wrap=True)
    return purged


def _question(plan: PurgePlan) -> str:
    rows = sum(job.rows for job in plan.jobs)
    more = " and those that follow" if plan.more else ""
    return f"Remove the personal data of {plural(len(plan.jobs), 'job')} ({plural(rows, 'row')}){more} for good?"


def _told(plan: PurgePlan) -> RenderableType:
    """The jobs that go and those that stay, oldest first."""
    parts: list[RenderableType] = []
    if plan.jobs:
        parts.append(Text(f"Over before {moment(plan.before)}:", style="bold"))
        table = Table(box=None, padding=(0, 2, 0, 0))
        for name in ("Job", "Name", "Status", "Ended"):
            table.add_column(name, no_wrap=name != "Name")
        table.add_column("Rows", justify="right", no_wrap=True)
        for job in plan.jobs[:_SHOWN]:
            table.add_row(job.job_id, Text(job.name), state(job.status), moment(job.ended_at)[:_DATE], f"{job.rows:,}")
        parts.append(table)
        if len(plan.jobs) > _SHOWN or plan.more:
            parts.append(
                Text(f"… and {len(plan.jobs) - _SHOWN:,} more{', and others' if plan.more else ''}", style="dim")
            )
    else:
        parts.append(Text(f"No job to purge: none was over before {moment(plan.before)}, or it is purged."))
    parts += [Text(f"Job {job.job_id} ({job.name}) stays: {job.reason}.", style="yellow") for job in plan.kept[:_SHOWN]]
    return Group(*parts)


def _report(plan: PurgePlan, purged: Sequence[PurgedJob], manner: Manner, code: ExitCode = ExitCode.DONE) -> int:
    if manner.as_json:
        print_json(PurgeDocument(plan=plan, purged=tuple(purged)).model_dump(mode="json"))
    elif purged:
        rows, labels = sum(job.rows for job in purged), sum(job.labels for job in purged)
        told = f"Purged {plural(len(purged), 'job')}: {plural(rows, 'row')}, {plural(labels, 'label')}."
        output().print(told, soft_wrap=True)
    return code
