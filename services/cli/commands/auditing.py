"""`tally audit`: a job's trail, shown or exported, and whether the trails are as they were written."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.text import Text

from services.cli.audit_rendering import audit_table, verification_lines
from services.cli.finding import client_of, resolve_job
from services.cli.outcomes import ExitCode, print_json
from services.cli.terminal import output
from services.cli.wording import plural
from shared.client import TallyClient
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
        """The format; where none is named that of the file's name, JSON lines for any other."""
        if self.format is not None or self.file is None:
            return self.format or "table"
        return "csv" if self.file.suffix.lower() == ".csv" else "jsonl"


def show(excerpt: Excerpt, data: Path | None, *, as_json: bool) -> int:
    """Show a job's trail as a table, or write it as JSON lines or CSV; with `as_json` as one document."""
    asyncio.run(_show(excerpt, data, as_json=as_json))
    return ExitCode.DONE


def verify(job: str | None, data: Path | None, *, as_json: bool) -> int:
    """Check the trail of a job, or of all; whether it is as it was written."""

    async def verified() -> int:
        async with client_of(data) as client:
            job_id = None if job is None else (await resolve_job(client, job)).job_id
            found = await client.verify_audit(job_id)
        if as_json:
            print_json(found.model_dump(mode="json"))
        else:
            for line in verification_lines(found, job_id):
                output().print(line, soft_wrap=True)
        return ExitCode.DONE if found.intact else ExitCode.FAILED

    return asyncio.run(verified())


async def _show(excerpt: Excerpt, data: Path | None, *, as_json: bool) -> None:
    async with client_of(data) as client:
        job = await resolve_job(client, excerpt.job)
        entries = client.audit(job.job_id, excerpt.row)
        if as_json:
            print_json([entry.model_dump(mode="json") async for entry in entries])
        elif excerpt.file is not None:
            count = await _write_file(excerpt, entries)
            output().print(Text(f"{plural(count, 'audit entry')} in {excerpt.file}"), soft_wrap=True)
        elif excerpt.form == "table":
            await _print_table(client, [entry async for entry in entries])
        else:
            await _write(sys.stdout, excerpt.form, entries)


async def _print_table(_client: TallyClient, entries: Sequence[AuditRecord]) -> None:
    output().print(audit_table(entries) if entries else "No such entries.")
