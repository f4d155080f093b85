"""`tally`, the ops command line: every command's options, and nothing heavy until one is chosen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from services.cli.options import (
    FLAG,
    Data,
    Delimiter,
    Detach,
    Encoding,
    Job,
    Json,
    Key,
    Map,
    Quote,
    Reship,
    Service,
    Sheet,
    Sidecar,
    SourceText,
    Where,
    Yes,
)
from services.cli.outcomes import run
from services.cli.version import VERSION
from shared.contracts.states import JobMode, JobStatus, RowStatus

app = typer.Typer(
    name="tally",
    help="Ship a batch of orders without ever buying a label twice or losing one.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
HOUSE, SHIPPING, JOBS = "House", "Shipping", "Jobs"


def _values(states: type[JobStatus | RowStatus]) -> str:
    return ", ".join(states)


def _run(command: Callable[[], int], data: Path | None, *, as_json: bool, named: str | None = None) -> NoReturn:
    """Run a command; before it, a person is told of interrupted jobs, but for the one `named`."""

    def told() -> int:
        from services.cli.commands import interrupted

        if not as_json:
            interrupted.offer(data, named)
        return command()

    run(told, as_json=as_json)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tally {VERSION}")
        raise typer.Exit


@app.callback()
def tally(
    version: Annotated[
        bool,
        typer.Option(
            "--version", metavar=FLAG, is_eager=True, callback=_tell_version, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Hold the options of `tally` itself."""


@app.command(rich_help_panel=HOUSE)
def up(
    data: Data = None,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", metavar=FLAG, help="Buy from the sandbox carrier: no real labels.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run every service on this machine, until Ctrl-C."""
    from services.cli.commands import house

    run(lambda: house.up(data, sandbox=sandbox, as_json=as_json), as_json=as_json)


@app.command(rich_help_panel=HOUSE)
def status(data: Data = None, as_json: Json = False) -> None:
    """Show which services run, and the addresses of bus and carrier."""
    from services.cli.commands import house

    run(lambda: house.status(data, as_json=as_json), as_json=as_json)


@app.command(rich_help_panel=HOUSE)
def demo(
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DIR", help="Where to keep what it makes (default: a new temporary folder)."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Ship 30 sample orders through a house of its own, and kill a service half-way."""
    from services.cli import demo as demonstration

    run(lambda: demonstration.demo(data, as_json=as_json), as_json=as_json)


@app.command(rich_help_panel=SHIPPING)
def inspect(
    source: SourceText,
    sheet: Sheet = None,
    key: Key = None,
    where: Where = None,
    mapping: Map = "auto",
    service: Service = None,
    delimiter: Delimiter = None,
    quote: Quote = None,
    encoding: Encoding = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show how a source is read and mapped, and every row that would be refused."""
    from services.cli.commands import shipping
    from services.cli.requests import Wish

    wish = Wish(
        source,
        where=where,
        mapping=mapping,
        service=service,
        sheet=sheet,
        delimiter=delimiter,
        quote=quote,
        encoding=encoding,
        key=key,
    )
    _run(lambda: shipping.inspect(wish, shipping.Manner(data, as_json)), data, as_json=as_json)


@app.command(rich_help_panel=SHIPPING)
def preview(
    source: SourceText,
    sheet: Sheet = None,
    key: Key = None,
    where: Where = None,
    mapping: Map = "auto",
    service: Service = None,
    reship: Reship = False,
    delimiter: Delimiter = None,
    quote: Quote = None,
    encoding: Encoding = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show what shipping a source would cost; nothing is bought or kept."""
    from services.cli.commands import shipping
    from services.cli.requests import Wish

    wish = Wish(
        source,
        where=where,
        mapping=mapping,
        service=service,
        reship=reship,
        sheet=sheet,
        delimiter=delimiter,
        quote=quote,
        encoding=encoding,
        key=key,
    )
    _run(lambda: shipping.preview(wish, shipping.Manner(data, as_json)), data, as_json=as_json)


@app.command(rich_help_panel=SHIPPING)
def ship(
    source: SourceText,
    sheet: Sheet = None,
    key: Key = None,
    where: Where = None,
    mapping: Map = "auto",
    service: Service = None,
    mode: Annotated[JobMode, typer.Option(help="Ask before shipping, or ship at once.")] = JobMode.CONFIRM,
    yes: Yes = False,
    detach: Detach = False,
    request_id: Annotated[
        str | None, typer.Option(metavar="ID", help="The same id twice is the same job (default: a new one).")
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="What to call the job (default: the source).")
    ] = None,
    sidecar: Sidecar = False,
    reship: Reship = False,
    delimiter: Delimiter = None,
    quote: Quote = None,
    encoding: Encoding = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Preview a source, ask, and ship it, a row at a time.

    Ctrl-C stops following; the job goes on.
    """
    from services.cli.commands import shipping
    from services.cli.requests import Wish

    wish = Wish(
        source,
        where,
        mapping,
        service,
        mode,
        request_id,
        name,
        reship,
        sheet,
        sidecar,
        delimiter,
        quote,
        encoding,
        key,
    )
    _run(lambda: shipping.ship(wish, shipping.Manner(data, as_json, yes, detach)), data, as_json=as_json)


@app.command(rich_help_panel=SHIPPING)
def approve(job: Job, data: Data = None, as_json: Json = False) -> None:
    """Approve a job's preview: it starts to ship."""
    _order("approve", job, data, as_json=as_json)


@app.command(rich_help_panel=SHIPPING)
def reject(job: Job, data: Data = None, as_json: Json = False) -> None:
    """Refuse a job's preview: nothing is shipped."""
    _order("reject", job, data, as_json=as_json)


@app.command(rich_help_panel=JOBS)
def jobs(
    status: Annotated[
        JobStatus | None, typer.Option(metavar="STATE", help=f"Only jobs in this state: {_values(JobStatus)}.")
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="How many.")] = 20,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List the jobs, newest first."""
    from services.cli.commands import jobs as noun

    _run(lambda: noun.list_jobs(data, status, limit, as_json=as_json), data, as_json=as_json)


@app.command(rich_help_panel=JOBS)
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
    _run(lambda: noun.show(data, job, row, as_json=as_json), data, as_json=as_json, named=named)


@app.command(rich_help_panel=JOBS)
def rows(
    job: Job,
    status: Annotated[
        RowStatus | None, typer.Option(metavar="STATE", help=f"Only rows in this state: {_values(RowStatus)}.")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List a job's rows."""
    from services.cli.commands import jobs as noun

    _run(lambda: noun.list_rows(data, job, status, as_json=as_json), data, as_json=as_json)


@app.command(rich_help_panel=JOBS)
def watch(job: Job, data: Data = None, as_json: Json = False) -> None:
    """Follow a job to its end."""
    from services.cli.commands import jobs as noun

    _run(lambda: noun.watch(data, job, as_json=as_json), data, as_json=as_json)


@app.command(rich_help_panel=JOBS)
def pause(job: Job, data: Data = None, as_json: Json = False) -> None:
    """Stop a job after the row in hand."""
    _order("pause", job, data, as_json=as_json)


@app.command(rich_help_panel=JOBS)
def resume(job: Job, detach: Detach = False, data: Data = None, as_json: Json = False) -> None:
    """Let a failed, paused or interrupted job go on, and follow it."""
    from services.cli.commands import control
    from services.cli.commands.shipping import Manner

    _run(lambda: control.resume(job, Manner(data, as_json, detach=detach)), data, as_json=as_json, named=job)


@app.command(rich_help_panel=JOBS)
def restart(
    job: Job,
    void: Annotated[
        bool, typer.Option("--void", metavar=FLAG, help="Give the labels of its shipped rows back first.")
    ] = False,
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
    _run(lambda: restarting.restart(wanted, manner), data, as_json=as_json, named=job)


@app.command(rich_help_panel=JOBS)
def resolve(
    job: Job,
    row: Annotated[int, typer.Argument(metavar="ROW", min=1, help="The row's number in the job.")],
    shipped: Annotated[
        str | None, typer.Option("--shipped", metavar="TRACKING", help="The carrier holds this tracking number for it.")
    ] = None,
    not_shipped: Annotated[
        bool, typer.Option("--not-shipped", metavar=FLAG, help="The carrier holds nothing for it.")
    ] = False,
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
    _run(lambda: control.resolve(finding, Manner(data, as_json, yes)), data, as_json=as_json)


@app.command(rich_help_panel=JOBS)
def void(
    job: Job,
    rows: Annotated[
        list[str] | None, typer.Argument(metavar="[ROW…]", help="Rows, such as 17 or 20-25 (default: all shipped).")
    ] = None,
    number: Annotated[
        str | None,
        typer.Option("--number", metavar="TRACKING", help="The second label of this number that the row was sold."),
    ] = None,
    yes: Yes = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Give labels back to the carrier and clear their numbers in the source."""
    from services.cli.commands import voiding
    from services.cli.commands.shipping import Manner
    from services.cli.row_numbers import parse_row_numbers

    try:
        numbers = parse_row_numbers(rows or [])
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if number is not None and len(numbers) != 1:
        raise typer.BadParameter("--number goes with exactly one ROW")
    _run(lambda: voiding.void(voiding.Choice(job, numbers, number), Manner(data, as_json, yes)), data, as_json=as_json)


@app.command(rich_help_panel=JOBS)
def verify(job: Job, data: Data = None, as_json: Json = False) -> None:
    """Compare a job's tracking numbers with its source, and write again what is missing there."""
    from services.cli.commands import verifying
    from services.cli.commands.shipping import Manner

    _run(lambda: verifying.verify(job, Manner(data, as_json)), data, as_json=as_json)


@app.command(rich_help_panel=JOBS)
def restore(
    job: Job,
    force: Annotated[
        bool,
        typer.Option("--force", metavar=FLAG, help="Even if more is lost than the job's tracking numbers."),
    ] = False,
    yes: Yes = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Put a job's file back as it was before the job wrote to it."""
    from services.cli.commands import restoring
    from services.cli.commands.shipping import Manner

    _run(lambda: restoring.restore(job, Manner(data, as_json, yes), force=force), data, as_json=as_json)


@app.command(rich_help_panel=JOBS)
def cancel(job: Job, data: Data = None, as_json: Json = False) -> None:
    """End a job for good; what is shipped stays shipped."""
    _order("cancel", job, data, as_json=as_json)


def _order(order: str, job: str, data: Path | None, *, as_json: bool) -> None:
    from services.cli.commands import control

    named = job if order == control.Order.CANCEL else None
    _run(lambda: control.control(control.Order(order), data, job, as_json=as_json), data, as_json=as_json, named=named)


def main() -> None:
    """The console script."""
    app(prog_name="tally")
