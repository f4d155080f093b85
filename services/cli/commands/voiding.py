"""`tally void`: gives labels back to the carrier and takes their numbers out of the source."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from services.cli.commands.shipping import Manner
from services.cli.documents import VoidDocument
from services.cli.finding import client_of, resolve_job, rows_named
from services.cli.following import await_write_back, follow
from services.cli.outcomes import ExitCode, print_json
from services.cli.rendering.jobs import written_label_of
from services.cli.rendering.wording import money, plural
from services.cli.row_numbers import rows_in_words
from services.cli.terminal import ask, command, is_interactive, output, person
from shared.client import TallyClient
from shared.contracts.documents import JobDocument, RowDocument, SecondLabel
from shared.contracts.states import RowStatus, WriteBackStatus
from shared.errors import NOT_SECOND_LABEL, NOT_SHIPPED, TallyError
from shared.shipping import Money

VOID_WITHIN = 60.0
_VOIDABLE = frozenset({RowStatus.SHIPPED, RowStatus.VOIDING, RowStatus.VOIDED})


@dataclass(frozen=True)
class Choice:
    """Whose labels are to be voided: of the rows named, of every shipped row where none is, or one second label."""

    job: str
    rows: tuple[int, ...] = ()
    number: str | None = None


@dataclass(frozen=True)
class Chosen:
    """What a choice comes to: the job, its rows concerned, and what their labels cost."""

    job: JobDocument
    rows: tuple[RowDocument, ...]
    cost: Money | None

    @property
    def numbers(self) -> tuple[int, ...]:
        """The rows' numbers."""
        return tuple(row.row_number for row in self.rows)


def void(choice: Choice, manner: Manner) -> int:
    """Void labels, asked about first, and follow the voids to their end.

    The question stands between two runs of the event loop: a loop that waits for a key answers no Ctrl-C.
    """
    console = output()
    chosen = asyncio.run(_choose(choice, manner))
    if not chosen.rows:
        if manner.as_json:
            print_json(_document(chosen.job, ()))
        else:
            console.print(f"Nothing to void: no row of job {chosen.job.job_id} is shipped.")
        return ExitCode.DONE
    if not manner.yes:
        answer = ask(_question(choice, chosen)) if is_interactive() and not manner.as_json else None
        if not answer:
            if manner.as_json:
                print_json(_document(chosen.job, chosen.rows))
            else:
                hint = (
                    "" if is_interactive() else f" {_question(choice, chosen)} Add --yes to void without being asked."
                )
                console.print(Text(f"Nothing was voided.{hint}"), soft_wrap=True)
            return ExitCode.FAILED if answer is False else ExitCode.PERSON_NEEDED
    return asyncio.run(_void(choice, chosen, manner))


async def void_rows(
    client: TallyClient, job_id: str, row_numbers: Sequence[int], number: str | None = None
) -> tuple[JobDocument, tuple[RowDocument, ...]]:
    """Void rows' labels, or a second label, and wait for the end: of the voids VOID_WITHIN seconds, then of clearing.

    Returns the job and the rows as they are then.
    """
    await client.void(job_id, row_numbers, tracking_number=number, by=person())
    deadline = time.monotonic() + VOID_WITHIN
    job = await follow(client, job_id, lambda now: now.rows.voiding == 0 or time.monotonic() > deadline)
    job = await await_write_back(client, job)
    return job, await rows_named(client, job_id, row_numbers)


async def _choose(choice: Choice, manner: Manner) -> Chosen:
    async with client_of(manner.data) as client:
        job = await resolve_job(client, choice.job)
        if not choice.rows:
            rows = tuple([row async for row in client.rows(job.job_id, status=RowStatus.SHIPPED)])
        else:
            rows = await rows_named(client, job.job_id, choice.rows)
    if choice.number is not None:
        label = _second_label(rows[0], choice.number, job.job_id)
        return Chosen(job, rows, label.cost)
    for row in rows:
        if row.status not in _VOIDABLE:
            raise TallyError(
                NOT_SHIPPED, row=row.row_number, job_id=job.job_id, row_number=row.row_number, status=row.status
            )
    costs = [row.cost for row in rows if row.cost is not None]
    return Chosen(job, rows, Money.total(costs) if costs else None)


def _second_label(row: RowDocument, number: str, job_id: str) -> SecondLabel:
    for label in row.second_labels:
        if number in label.tracking_numbers:
            return label
    raise TallyError(
        NOT_SECOND_LABEL, row=row.row_number, tracking_number=number, job_id=job_id, row_number=row.row_number
    )


def _question(choice: Choice, chosen: Chosen) -> str:
    cost = "" if chosen.cost is None else f" ({money(chosen.cost)})"
    if choice.number is not None:
        return f"Void second label {choice.number} of row {chosen.rows[0].row_number}{cost}?"
    what = f"Void {plural(len(chosen.rows), 'label')} of job {chosen.job.job_id}{cost}?"
    return f"{rows_in_words(chosen.numbers)}. {what}"


async def _void(choice: Choice, chosen: Chosen, manner: Manner) -> int:
    async with client_of(manner.data) as client:
        job, rows = await void_rows(client, chosen.job.job_id, chosen.numbers, choice.number)
    if manner.as_json:
        print_json(_document(job, rows))
    else:
        _tell(choice, job, rows, manner)
    return ExitCode.DONE if all(_is_voided(choice, row) for row in rows) else ExitCode.FAILED


def _document(job: JobDocument, rows: Sequence[RowDocument]) -> dict[str, object]:
    return VoidDocument(job=job, rows=tuple(rows)).model_dump(mode="json")


def _status(choice: Choice, row: RowDocument) -> RowStatus:
    if choice.number is None:
        return row.status
    return next((label.status for label in row.second_labels if choice.number in label.tracking_numbers), row.status)


def _is_voided(choice: Choice, row: RowDocument) -> bool:
    return _status(choice, row) is RowStatus.VOIDED


def _tell(choice: Choice, job: JobDocument, rows: Sequence[RowDocument], manner: Manner) -> None:
    console = output()
    voided = [row for row in rows if _is_voided(choice, row)]
    under_way = [row.row_number for row in rows if _status(choice, row) is RowStatus.VOIDING]
    if voided:
        cleared = sum(row.write_back.status is WriteBackStatus.WRITTEN for row in voided)
        numbers = (
            "" if choice.number is not None else f"; {plural(cleared, 'number')} cleared from {written_label_of(job)}"
        )
        console.print(Text(f"Voided {plural(len(voided), 'label')} of job {job.job_id}{numbers}."), soft_wrap=True)
    for row in rows:
        for error in (row.error, row.write_back.error):
            if error is not None:
                console.print(Text(f"Row {row.row_number}: {error}", style="red"), soft_wrap=True)
    if under_way:
        listed = command("rows", job.job_id, "--status", "voiding", data=manner.data)
        told = f"{rows_in_words(under_way)}: not voided yet; it goes on by itself. See {listed}"
        console.print(Text(told), soft_wrap=True)
