"""After shipping: labels printed and given back, what a job cost, sources compared and put back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.cli.files.label_choice import Output, Paper
from services.cli.options import Data, Job, Json, Yes
from services.cli.panels.running import run_with_offer

PANEL = "After shipping"
commands = typer.Typer()


@commands.command(rich_help_panel=PANEL)
def labels(
    job: Job,
    path: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE|DIR", help="Write a .pdf, .zpl or .epl file, or files into DIR."),
    ],
    row: Annotated[
        list[str] | None,
        typer.Option("--row", metavar="ROW", help="Only this row, or rows such as 20-25; may be given again."),
    ] = None,
    paper: Annotated[
        Paper | None, typer.Option("--format", help="A PDF's paper: a label on each page (default), or two.")
    ] = None,
    no_invoices: Annotated[bool, typer.Option("--no-invoices", help="Leave commercial invoices out.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Write a job's labels to print them, in the source's order; printing again buys nothing."""
    from services.cli.commands import labelling
    from services.cli.commands.shipping import Manner
    from services.cli.row_numbers import parse_row_numbers

    try:
        numbers = parse_row_numbers(part for text in row or () for part in text.split(","))
        output = Output.of(path)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if paper is not None and output is not Output.PDF:
        raise typer.BadParameter("--format goes with a .pdf file")
    order = labelling.LabelOrder(job, path, output, numbers, paper or Paper.LABEL, not no_invoices)
    run_with_offer(lambda: labelling.labels(order, Manner(data, as_json)), data, as_json=as_json)


@commands.command(rich_help_panel=PANEL)
def report(
    job: Job,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write it to FILE, a .xlsx, .csv or .html.")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show what a job cost by service and zone, how that compares with its estimate, and what was slow or failed."""
    from services.cli.commands import reporting
    from services.cli.commands.shipping import Manner

    if out is not None and out.suffix.lower() not in reporting.SUFFIXES:
        raise typer.BadParameter(
            f"--out writes a {', '.join(reporting.SUFFIXES[:-1])} or {reporting.SUFFIXES[-1]} file"
        )
    run_with_offer(lambda: reporting.report(job, out, Manner(data, as_json)), data, as_json=as_json)


@commands.command(rich_help_panel=PANEL)
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
    run_with_offer(
        lambda: voiding.void(voiding.Choice(job, numbers, number), Manner(data, as_json, yes)), data, as_json=as_json
    )


@commands.command(rich_help_panel=PANEL)
def verify(job: Job, data: Data = None, as_json: Json = False) -> None:
    """Compare a job's tracking numbers with its source, and write again what is missing there."""
    from services.cli.commands import verifying
    from services.cli.commands.shipping import Manner

    run_with_offer(lambda: verifying.verify(job, Manner(data, as_json)), data, as_json=as_json)


@commands.command(rich_help_panel=PANEL)
def restore(
    job: Job,
    force: Annotated[
        bool,
        typer.Option("--force", help="Even if more is lost than the job's tracking numbers."),
    ] = False,
    yes: Yes = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Put a job's file back as it was before the job wrote to it."""
    from services.cli.commands import restoring
    from services.cli.commands.shipping import Manner

    run_with_offer(lambda: restoring.restore(job, Manner(data, as_json, yes), force=force), data, as_json=as_json)
