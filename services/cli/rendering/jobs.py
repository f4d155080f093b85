"""Documents as a person reads them; pure: nothing here prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from services.cli.documents import StatusDocument
from services.cli.rendering.preview import estimate_in_words
from services.cli.rendering.settled import settled_lines
from services.cli.rendering.wording import duration, moment, money, plural, state
from shared.contracts.documents import JobDocument
from shared.contracts.source import source_label, written_label

_STEP_WIDTH = 75


def job_summary(job: JobDocument) -> RenderableType:
    """How a job ended: rows, cost, time and write-back."""
    grid = facts()
    grid.add_row("Job", Text.assemble(job.job_id, "  ", state(job.status)))
    grid.add_row("Rows", _row_counts(job))
    _add_warning(grid, job)
    grid.add_row("Cost", money(job.cost))
    if job.started_at is not None and job.ended_at is not None:
        grid.add_row("Time", _pace(job, job.ended_at - job.started_at))
    grid.add_row("Write-back", _write_back(job))
    return grid


def job_details(job: JobDocument) -> RenderableType:
    """Everything that is known of a job."""
    grid = facts()
    grid.add_row("Job", Text.assemble(job.job_id, "  ", state(job.status)))
    for label, value in (
        ("Name", job.name),
        ("Request", job.request_id),
        ("Source", source_label_of(job)),
        ("Where", job.where),
        ("Mapping", job.mapping),
        ("Mode", f"{job.mode} (after an interruption: {job.on_interrupt})"),
        ("Requested by", job.requested_by),
        ("Restart of", job.restart_of),
        ("Restarted as", job.restarted_as),
        ("Purged", job.purged_at and moment(job.purged_at)),
    ):
        if value:
            grid.add_row(label, Text(value))
    grid.add_row("Rows", _row_counts(job))
    _add_warning(grid, job)
    for line in settled_lines(job.settled):
        grid.add_row("Left out", Text(line))
    grid.add_row("Cursor", f"{job.cursor:,} of {job.rows.total:,} rows settled")
    grid.add_row("Cost", f"{money(job.cost)} (estimate {_estimate(job)})")
    grid.add_row("Write-back", _write_back(job))
    grid.add_row("Created", moment(job.created_at))
    if job.started_at is not None:
        grid.add_row("Started", moment(job.started_at))
    if job.ended_at is not None:
        grid.add_row("Ended", moment(job.ended_at))
    if job.error is not None:
        grid.add_row("Error", Text(str(job.error), style="red"))
    return grid


def jobs_table(jobs: Iterable[JobDocument]) -> RenderableType:
    """Jobs, a line each."""
    table = plain_table("Job", "Status", "Name", right=("Rows", "Cost"))
    table.columns[0].overflow = "fold"
    for job in jobs:
        table.add_row(
            job.job_id,
            state(job.status),
            Text(job.name or job.request_id),
            f"{job.rows.shipped:,}/{job.rows.total - job.rows.skipped:,}",
            money(job.cost),
        )
    return table


def written_label_of(job: JobDocument) -> str:
    """What a job's tracking numbers are written to, as a person calls it."""
    return written_label(job.source) if job.source is not None else "the source"


def source_label_of(job: JobDocument) -> str:
    """A job's source as a person calls it; empty where the request named none that could be read."""
    return source_label(job.source) if job.source is not None else ""


def next_steps(*steps: tuple[str, str]) -> Text:
    """What to type next: a command and its purpose a line, or a line each where they are long together.

    Print it with `soft_wrap`, so that a long command can still be copied.
    """
    longest = max((len(command) for command, _ in steps), default=0)
    aligned = all(longest + len(purpose) <= _STEP_WIDTH for _, purpose in steps)
    text = Text("Next:")
    for command, purpose in steps:
        gap = " " * (longest - len(command) + 3) if aligned else "\n      "
        text.append(f"\n  {command}", style="bold").append(f"{gap}{purpose}", style="dim")
    return text


def _estimate(job: JobDocument) -> str:
    if job.estimate is None:
        return money(None)
    return estimate_in_words(job.estimate, job.rows.rated, job.rows.estimated)


def _row_counts(job: JobDocument) -> str:
    counts = job.rows
    others = (
        (counts.failed, "failed"),
        (counts.in_doubt, "in doubt"),
        (counts.skipped - counts.refused, "skipped"),
        (counts.refused, "left out, as they cannot ship"),
        (counts.voiding, "being voided"),
        (counts.voided, "voided"),
    )
    parts = [f"{counts.shipped:,} of {counts.total - counts.skipped:,} shipped"]
    return ", ".join(parts + [f"{count:,} {name}" for count, name in others if count])


def _add_warning(grid: Table, job: JobDocument) -> None:
    count = job.rows.second_labels
    if count:
        was = "was" if count == 1 else "were"
        grid.add_row(
            "Warning", Text(f"{plural(count, 'second label')} {was} sold; see the rows' errors", style="yellow")
        )


def _pace(job: JobDocument, span: timedelta) -> str:
    seconds = span.total_seconds()
    rate = f" ({job.rows.shipped / seconds:.1f} rows/s)" if seconds > 0 and job.rows.shipped else ""
    return duration(span) + rate


def _write_back(job: JobDocument) -> str:
    counts = job.write_back
    parts = [f"{counts.written:,} written to {written_label_of(job)}"]
    parts += [
        f"{count:,} {name}"
        for count, name in (
            (counts.due, "due"),
            (counts.failed, "failed"),
            (counts.removed, "left out (a restore, or a later job's number)"),
        )
        if count
    ]
    return ", ".join(parts)


def facts() -> Table:
    """A grid of names and values, without a row yet."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    return grid


def plain_table(*left: str, right: Sequence[str] = ()) -> Table:
    """A table without lines, and without a row yet; the columns named in `right` are set to the right."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in left:
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for name in right:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def services_table(status: StatusDocument) -> RenderableType:
    """What `tally status --json` prints, for a person."""
    has_hosts = any(service.host for service in status.services)
    table = plain_table("Service", "State", *(["Host"] if has_hosts else []), right=("Pid",))
    for service in status.services:
        host = [service.host or "-"] if has_hosts else []
        table.add_row(service.name, state(service.state), *host, str(service.pid or "-"))
    grid = facts()
    for label, value in (
        ("Bus", status.nats_url),
        ("Carrier", status.carrier_url),
        ("Console", status.console_url),
        ("Data", status.data_dir),
    ):
        if value:
            grid.add_row(label, Text(value))
    return Group(table, Text(), grid)
