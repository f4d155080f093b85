"""Jobs: looked at, followed and steered."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.options import Data, Detach, Job, Json, Yes
from services.cli.panels.running import order, run_with_offer, values
from shared.contracts.states import JobMode, JobStatus, RowStatus

PANEL = "Jobs"
commands = typer.Typer()


@commands.command(rich_help_panel=PANEL)
def jobs(
    status: Annotated[
        JobStatus | None, typer.Option(metavar="STATE", help=f"Only jobs in this state: {values(JobStatus)}.")
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="How many.")] = 20,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List the jobs, newest first."""
    from services.cli.commands import jobs as noun

    run_with_offer(lambda: noun.list_jobs(data, status, limit, as_json=as_json), data, as_json=as_json)


@commands.command(rich_help_panel=PANEL)
def show(
    job: Job,
    row: Annotated[int | None, typer.Argument(metavar="[ROW]", min=1, help="One of its rows, by number.")] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show a job, or one of its rows with all evidence."""
    from services.cli.commands import jobs as noun

    # Of the job itself, its interruption is part of what is shown.
    named = job if row is None else None
    run_with_offer(lambda: noun.show(data, job, row, as_json=as_json), data, as_json=as_json, named=named)


@commands.command(rich_help_panel=PANEL)
def rows(
    job: Job,
    status: Annotated[
        RowStatus | None, typer.Option(metavar="STATE", help=f"Only rows in this state: {values(RowStatus)}.")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List a job's rows."""
    from services.cli.commands import jobs as noun

    run_with_offer(lambda: noun.list_rows(data, job, status, as_json=as_json), data, as_json=as_json)


@commands.command(rich_help_panel=PANEL)
def watch(job: Job, data: Data = None, as_json: Json = False) -> None:
    """Follow a job to its end."""
    from services.cli.commands import jobs as noun

    run_with_offer(lambda: noun.watch(data, job, as_json=as_json), data, as_json=as_json)


@commands.command(rich_help_panel=PANEL)
def pause(job: Job, data: Data = None, as_json: Json = False) -> None:
    """Stop a job after the row in hand."""
    order("pause", job, data, as_json=as_json)


@commands.command(rich_help_panel=PANEL)
def resume(job: Job, detach: Detach = False, data: Data = None, as_json: Json = False) -> None:
    """Let a failed, paused or interrupted job go on, and follow it."""
    from services.cli.commands import control
    from services.cli.commands.shipping import Manner

    run_with_offer(lambda: control.resume(job, Manner(data, as_json, detach=detach)), data, as_json=as_json, named=job)


@commands.command(rich_help_panel=PANEL)
def restart(
    job: Job,
    void: Annotated[bool, typer.Option("--void", help="Give the labels of its shipped rows back first.")] = False,
    mode: Annotated[
        JobMode | None, typer.Option(help="Ask before shipping, or ship at once (default: the job's mode).")
    ] = None,
    yes: Yes = False,
    detach: Detach = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Do a job over as a new one, its shipped rows too."""
    from services.cli.commands import restarting
    from services.cli.commands.shipping import Manner

    wanted = restarting.Wanted(job, mode, void)
    manner = Manner(data, as_json, yes, detach)
    run_with_offer(lambda: restarting.restart(wanted, manner), data, as_json=as_json, named=job)


@commands.command(rich_help_panel=PANEL)
def resolve(
    job: Job,
    row: Annotated[int, typer.Argument(metavar="ROW", min=1, help="The row's number in the job.")],
    shipped: Annotated[
        str | None, typer.Option("--shipped", metavar="TRACKING", help="The carrier holds this tracking number for it.")
    ] = None,
    not_shipped: Annotated[bool, typer.Option("--not-shipped", help="The carrier holds nothing for it.")] = False,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="How you found out; kept in the audit trail.")] = "",
    yes: Yes = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Say what became of a row in doubt, so that its job can be resumed."""
    from services.cli.commands import control
    from services.cli.commands.shipping import Manner

    if (shipped is None) != not_shipped:
        raise typer.BadParameter("give either --shipped TRACKING or --not-shipped")
    finding = control.Finding(job, row, shipped, why)
    run_with_offer(lambda: control.resolve(finding, Manner(data, as_json, yes)), data, as_json=as_json)


@commands.command(rich_help_panel=PANEL)
def cancel(job: Job, data: Data = None, as_json: Json = False) -> None:
    """End a job for good; what is shipped stays shipped."""
    order("cancel", job, data, as_json=as_json)
