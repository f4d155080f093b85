"""`tally labels`: labels that were bought, written to print them; nothing is bought."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from rich.text import Text

from services.cli.commands.shipping import Manner
from services.cli.documents import LabelsDocument
from services.cli.files.label_choice import LabelChoice, Output, Paper, check_kinds, choose_labels, keys_of
from services.cli.files.tables import owners_file
from services.cli.finding import client_of, resolve_job, rows_named
from services.cli.outcomes import ExitCode, print_json
from services.cli.rendering.wording import plural
from services.cli.row_numbers import rows_in_words
from services.cli.terminal import output, person
from shared.client import TallyClient
from shared.contracts.documents import JobDocument, RowDocument
from shared.errors import LABEL_GONE, LABEL_UNREADABLE, NO_LABELS, OUTPUT_NOT_WRITTEN, PURGED, TallyError

_ROWS_AT_ONCE = 16


@dataclass(frozen=True)
class LabelOrder:
    """Which labels are wanted, of the rows named or of every shipped one, and onto what."""

    job: str
    path: Path
    output: Output
    rows: tuple[int, ...] = ()
    paper: Paper = Paper.LABEL
    invoices: bool = True

    @property
    def with_invoices(self) -> bool:
        """Whether invoices are written besides."""
        return self.invoices and self.output.holds_invoices


@dataclass(frozen=True)
class StoredFile:
    """A label or an invoice: its key in the label store, and its content."""

    key: str
    content: bytes


@dataclass(frozen=True)
class RowPrints:
    """What is to be printed for a row: a label for each parcel, and the invoice where one is wanted and there."""

    labels: tuple[StoredFile, ...]
    invoice: StoredFile | None


def labels(order: LabelOrder, manner: Manner) -> int:
    """Write the labels of a job's shipped rows and say which rows have none to write."""
    return asyncio.run(_labels(order, manner))


async def _labels(order: LabelOrder, manner: Manner) -> int:
    async with client_of(manner.data) as client:
        job = await resolve_job(client, order.job)
        if job.purged_at is not None:
            raise TallyError(PURGED, action="Writing labels", job_id=job.job_id)
        if order.rows:
            choice = choose_labels(await rows_named(client, job.job_id, order.rows))
        else:
            choice = choose_labels([row async for row in client.rows(job.job_id)])
        if not choice.rows:
            raise TallyError(NO_LABELS, job_id=job.job_id, why=_why_none(choice))
        check_kinds(choice.rows, order.output)
        pages = await write_labels(
            order, job.job_id, _prints(client, job.job_id, choice.rows, invoices=order.with_invoices)
        )
    document = _document(order, job, choice, pages)
    if manner.as_json:
        print_json(document.model_dump(mode="json"))
    else:
        for line in told_of(order, document):
            output().print(line, soft_wrap=True)
    lacking = choice.due or (order.rows and (choice.voided or choice.not_shipped))
    return ExitCode.FAILED if lacking else ExitCode.DONE


async def _prints(
    client: TallyClient, job_id: str, rows: tuple[RowDocument, ...], *, invoices: bool
) -> AsyncIterator[RowPrints]:
    """What is to be printed, in the rows' order; some rows are fetched at a time."""

    async def stored(key: str) -> StoredFile:
        return StoredFile(key, await client.label(key))

    async def labels_of(row: RowDocument) -> list[StoredFile]:
        return [await stored(key) for key in keys_of(row)]

    async def fetched(row: RowDocument) -> RowPrints:
        try:
            found = await labels_of(row)
        except TallyError as error:
            if error.kind is not LABEL_GONE:
                raise
            found = await labels_of(await _fetched_again(client, job_id, row, error))
        wanted = row.label.invoice if invoices and row.label is not None else None
        return RowPrints(tuple(found), None if wanted is None else await stored(wanted))

    left = iter(rows)
    while batch := list(islice(left, _ROWS_AT_ONCE)):
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(fetched(row)) for row in batch]
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors
        for task in tasks:
            yield task.result()


async def _fetched_again(client: TallyClient, job_id: str, row: RowDocument, gone: TallyError) -> RowDocument:
    """A row whose label the store has lost, with the carrier's; raises `gone` where that has none any more."""
    try:
        return await client.fetch_label(job_id, row.row_number, person())
    except TallyError as error:
        raise gone from error


async def write_labels(order: LabelOrder, job_id: str, prints: AsyncIterator[RowPrints]) -> int | None:
    """Write what is to be printed; how many pages, of a PDF. Raises E-4050, E-4051 or E-5007."""
    match order.output:
        case Output.PDF:
            return await _write_pdf(order, job_id, prints)
        case Output.FILES:
            await _write_folder(order.path, prints)
        case _:
            await _write_stream(order.path, prints)
    return None


async def _write_pdf(order: LabelOrder, job_id: str, prints: AsyncIterator[RowPrints]) -> int:
    from services.cli.files.label_pages import LabelPages

    pages = LabelPages(order.paper, f"Labels of job {job_id}")
    async for each in prints:
        for label in each.labels:
            with _naming(label.key):
                await asyncio.to_thread(pages.add_label, label.content)
        if each.invoice is not None:
            with _naming(each.invoice.key):
                await asyncio.to_thread(pages.add_invoice, each.invoice.content)
    with owners_file(order.path) as file:
        await asyncio.to_thread(pages.write, file)
    return pages.count


async def _write_stream(path: Path, prints: AsyncIterator[RowPrints]) -> None:
    """One label's commands behind the other's: printers take them as one job."""
    with owners_file(path) as file:
        async for each in prints:
            for label in each.labels:
                file.write(label.content if label.content.endswith(b"\n") else label.content + b"\n")


async def _write_folder(folder: Path, prints: AsyncIterator[RowPrints]) -> None:
    """A file each, by their names in the label store: the row's number first."""
    await asyncio.to_thread(_make_folder, folder)
    async for each in prints:
        for stored in (*each.labels, *((each.invoice,) if each.invoice else ())):
            with owners_file(folder / stored.key.rsplit("/", 1)[-1]) as file:
                file.write(stored.content)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise TallyError(OUTPUT_NOT_WRITTEN, path=folder, reason=error.strerror or error) from error


@contextmanager
def _naming(key: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise TallyError(LABEL_UNREADABLE, key=key, reason=error) from error


def _why_none(choice: LabelChoice) -> str:
    told = [
        f"{rows_in_words(numbers)} {'is' if len(numbers) == 1 else 'are'} {what}"
        for numbers, what in (
            (choice.due, "shipped, but the label is still to be fetched from the carrier"),
            (choice.voided, "voided"),
            *((rows, f"shipped by job {job_id}") for job_id, rows in choice.shipped_by.items()),
            (choice.never_shipped, "not shipped"),
        )
        if numbers
    ]
    return "; ".join(told) or "it has no rows"


def _document(order: LabelOrder, job: JobDocument, choice: LabelChoice, pages: int | None) -> LabelsDocument:
    return LabelsDocument(
        job_id=job.job_id,
        file=str(order.path),
        format=order.output.value,
        labels=sum(len(keys_of(row)) for row in choice.rows),
        invoices=choice.invoices if order.with_invoices else 0,
        pages=pages,
        rows=tuple(row.row_number for row in choice.rows),
        due=choice.due,
        voided=choice.voided,
        not_shipped=choice.not_shipped,
        shipped_by=dict(choice.shipped_by),
        invoices_left_out=0 if order.with_invoices else choice.invoices,
    )


def told_of(order: LabelOrder, document: LabelsDocument) -> Iterator[Text]:
    """What was written, and which of the rows asked for have nothing in it."""
    written = plural(document.labels, "label")
    if document.invoices:
        written += f" and {plural(document.invoices, 'invoice')}"
    pages = "" if document.pages is None else f" ({plural(document.pages, 'page')})"
    yield Text(f"{written} of job {document.job_id} written to {document.file}{pages}.")
    if document.due:
        told = "the label is still to be fetched from the carrier; the house does that by itself. Try again later."
        yield Text(f"{rows_in_words(document.due)}: {told}", style="red")
    if document.voided:
        yield Text(f"{rows_in_words(document.voided)}: voided, left out.", style="yellow")
    for job_id, rows in document.shipped_by.items():
        yield Text(f"{rows_in_words(rows)}: shipped by job {job_id}, which has the labels.", style="yellow")
    elsewhere = {row for rows in document.shipped_by.values() for row in rows}
    if not_shipped := [row for row in document.not_shipped if row not in elsewhere]:
        yield Text(f"{rows_in_words(not_shipped)}: not shipped.", style="yellow")
    if document.invoices_left_out and order.invoices:
        left_out = plural(document.invoices_left_out, "commercial invoice")
        verb = "is" if document.invoices_left_out == 1 else "are"
        yield Text(f"{left_out} {verb} not in it: write a folder to get them.", style="yellow")
