"""`tally report`: what a job cost, took and left open, in the terminal or in a file."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from services.cli.commands.shipping import Manner
from services.cli.files.tables import owners_file, write_table
from services.cli.finding import client_of, resolve_job
from services.cli.outcomes import ExitCode, print_json
from services.cli.rendering.jobs import source_label_of
from services.cli.rendering.wording import amount_in_words, duration, moment
from services.cli.reports.sections import flat, sections_of
from services.cli.reports.terminal import report_lines
from services.cli.terminal import output
from shared.contracts.report import ReportDocument

SUFFIXES = (".xlsx", ".csv", ".html")


def report(job: str, file: Path | None, manner: Manner) -> int:
    """Show a job's report, or write it to `file`, whose suffix says how. Raises E-5007."""
    found = asyncio.run(_fetch(job, manner))
    if file is not None:
        write_report(found, file)
    if manner.as_json:
        print_json(found.model_dump(mode="json"))
    elif file is not None:
        output().print(Text(f"Report of job {found.job.job_id} written to {file}."), soft_wrap=True)
    else:
        for line in report_lines(found):
            output().print(line)
    return ExitCode.DONE


async def _fetch(job: str, manner: Manner) -> ReportDocument:
    async with client_of(manner.data) as client:
        return await client.report((await resolve_job(client, job)).job_id)


def write_report(found: ReportDocument, path: Path) -> None:
    """Write a report to a file of its owner's, whole or not at all. Raises E-5007."""
    sections, facts = sections_of(found), _facts(found)
    match path.suffix.lower():
        case ".csv":
            headers, rows = flat(sections)
            write_table(path, headers, rows)
        case ".xlsx":
            from services.cli.reports.workbook import write_workbook

            with owners_file(path) as file:
                write_workbook(file, facts, sections)
        case _:
            from services.cli.reports.page import page

            with owners_file(path) as file:
                file.write(page(f"Report of job {found.job.job_id}", facts, sections).encode())


def _facts(found: ReportDocument) -> Sequence[tuple[str, str]]:
    """What stands above a file's sections."""
    job = found.job
    took = "" if job.started_at is None or job.ended_at is None else duration(job.ended_at - job.started_at)
    told = (
        ("Job", job.job_id),
        ("Name", job.name),
        ("Status", job.status.replace("_", " ")),
        ("Source", source_label_of(job)),
        ("Where", job.where or ""),
        ("Rows", f"{job.rows.total:,}"),
        ("Estimate", "" if job.estimate is None else amount_in_words(job.estimate)),
        ("Charge", amount_in_words(job.cost)),
        ("Started", "" if job.started_at is None else moment(job.started_at)),
        ("Ended", "" if job.ended_at is None else moment(job.ended_at)),
        ("Time", took),
        ("Error", "" if job.error is None else " ".join(str(job.error).split())),
    )
    return [(name, value) for name, value in told if value]
