"""`tally audit`: a job's trail, shown or exported, and whether the trails are as they were written."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

from rich.text import Text

from services.cli.documents import AuditFileDocument
from services.cli.files.tables import harmless, owners_file
from services.cli.finding import client_of, resolve_job
from services.cli.outcomes import ExitCode, print_json
from services.cli.rendering.audit import audit_table, told_of
from services.cli.terminal import output
from shared.contracts.audit import AuditRecord

Format = Literal["table", "jsonl", "csv"]

_COLUMNS = ("job_id", "seq", "at", "actor", "action", "row_number", "detail", "previous_hash", "hash")


@dataclass(frozen=True)
class Excerpt:
    """Which part of a job's trail is wanted, and how: of one row, in a format, into a file."""

    job: str
    row: int | None = None
    format: Format | None = None
    file: Path | None = None

    @property
    def form(self) -> Format:
        """The format; where none is named a table, in a file JSON lines, or CSV where its name says so."""
        if self.format is not None or self.file is None:
            return self.format or "table"
        return "csv" if self.file.suffix.lower() == ".csv" else "jsonl"


def show(excerpt: Excerpt, data: Path | None, *, as_json: bool) -> int:
    """Show a job's trail as a table, or write it as JSON lines or CSV; with `as_json` as one document."""

    async def shown() -> None:
        async with client_of(data) as client:
            job = await resolve_job(client, excerpt.job)
            entries = client.audit(job.job_id, excerpt.row)
            if excerpt.file is not None:
                await _write_file(excerpt.file, excerpt.form, entries, as_json=as_json)
            elif as_json:
                print_json([entry.model_dump(mode="json") async for entry in entries])
            elif excerpt.form == "table":
                output().print(audit_table([entry async for entry in entries]))
            else:
                await _write(sys.stdout, excerpt.form, entries)

    asyncio.run(shown())
    return ExitCode.DONE


def verify(job: str | None, head: str | None, data: Path | None, *, as_json: bool) -> int:
    """Check the trail of a job, or of all, against an earlier `head` of the register where one is given."""

    async def verified() -> int:
        async with client_of(data) as client:
            job_id = None if job is None else (await resolve_job(client, job)).job_id
            found = await client.verify_audit(job_id, head)
        if as_json:
            print_json(found.model_dump(mode="json"))
        else:
            output().print(told_of(found, job_id), soft_wrap=True)
        return ExitCode.DONE if found.intact else ExitCode.FAILED

    return asyncio.run(verified())


async def _write_file(path: Path, form: Format, entries: AsyncIterator[AuditRecord], *, as_json: bool) -> None:
    """Write the entries to a file of its owner's, whole or not at all. Raises E-5007."""
    with owners_file(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        count = await _write(text, form, entries)
        text.flush()
        text.detach()
    if as_json:
        print_json(AuditFileDocument(file=str(path), entries=count).model_dump(mode="json"))
    else:
        output().print(Text(f"{count:,} audit entries written to {path}."), soft_wrap=True)


async def _write(file: TextIO, form: Format, entries: AsyncIterator[AuditRecord]) -> int:
    """Write the entries as JSON lines or as CSV; how many."""
    count = 0
    writer = csv.writer(file, lineterminator="\r\n")
    if form == "csv":
        writer.writerow(_COLUMNS)
    async for entry in entries:
        count += 1
        if form == "csv":
            writer.writerow(_cells(entry))
        else:
            file.write(json.dumps(entry.model_dump(mode="json"), ensure_ascii=False) + "\n")
    return count


def _cells(entry: AuditRecord) -> list[str | int | None]:
    document = entry.model_dump(mode="json")
    document["detail"] = json.dumps(entry.detail, ensure_ascii=False, sort_keys=True)
    cells = (document[column] for column in _COLUMNS)
    return [harmless(cell) if isinstance(cell, str) else cell for cell in cells]
