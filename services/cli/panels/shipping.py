"""Shipping: from a source to an approved job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.cli.options import (
    AllRows,
    Data,
    Delimiter,
    Detach,
    Encoding,
    ErrorsOut,
    Expand,
    Include,
    Job,
    Json,
    Key,
    Map,
    Quote,
    Reship,
    Service,
    Sheet,
    Sidecar,
    SkipInvalid,
    SourceText,
    Where,
    Yes,
)
from services.cli.panels.running import order, run_with_offer
from shared.contracts.states import JobMode

PANEL = "Shipping"
commands = typer.Typer()


@commands.command(rich_help_panel=PANEL)
def inspect(
    source: SourceText,
    sheet: Sheet = None,
    key: Key = None,
    where: Where = None,
    mapping: Map = "auto",
    service: Service = None,
    include: Include = None,
    delimiter: Delimiter = None,
    quote: Quote = None,
    encoding: Encoding = None,
    errors_out: ErrorsOut = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show how a source is read and mapped, and every row that would be refused."""
    from services.cli.commands import shipping
    from services.cli.requests import Wish

    _check_output(errors_out, source, "--errors-out")
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
        include=tuple(include or ()),
    )
    run_with_offer(lambda: shipping.inspect(wish, shipping.Manner(data, as_json), errors_out), data, as_json=as_json)


@commands.command(rich_help_panel=PANEL)
def preview(
    source: SourceText,
    sheet: Sheet = None,
    key: Key = None,
    where: Where = None,
    mapping: Map = "auto",
    service: Service = None,
    reship: Reship = False,
    include: Include = None,
    skip_invalid: SkipInvalid = False,
    delimiter: Delimiter = None,
    quote: Quote = None,
    encoding: Encoding = None,
    expand: Expand = False,
    every_row: AllRows = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write every row to FILE, a .csv or .xlsx.")
    ] = None,
    errors_out: ErrorsOut = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Show what the rows would cost by each service instead.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show what shipping a source would cost; nothing is bought or kept."""
    from services.cli.commands import comparing, shipping
    from services.cli.requests import Wish

    _check_output(out, source, "--out")
    _check_output(errors_out, source, "--errors-out")
    if compare and (expand or every_row or out is not None or errors_out is not None):
        raise typer.BadParameter(
            "--compare lists services, not rows: leave out --expand, --all, --out and --errors-out"
        )

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
        include=tuple(include or ()),
        skip_invalid=skip_invalid,
    )
    if compare:
        run_with_offer(lambda: comparing.compare(wish, shipping.Manner(data, as_json)), data, as_json=as_json)
    view = shipping.View(every_row, expand, out, errors_out)
    run_with_offer(
        lambda: shipping.preview(wish, shipping.Manner(data, as_json), view),
        data,
        as_json=as_json,
    )


@commands.command(rich_help_panel=PANEL)
def ship(
    source: SourceText,
    sheet: Sheet = None,
    key: Key = None,
    where: Where = None,
    mapping: Map = "auto",
    service: Service = None,
    mode: Annotated[
        JobMode | None,
        typer.Option(help="Ask before shipping, or ship at once (default: confirm, or the session's mode)."),
    ] = None,
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
    include: Include = None,
    skip_invalid: SkipInvalid = False,
    delimiter: Delimiter = None,
    quote: Quote = None,
    encoding: Encoding = None,
    expand: Expand = False,
    every_row: AllRows = False,
    errors_out: ErrorsOut = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Preview a source, ask, and ship it, a row at a time.

    Ctrl-C stops following; the job goes on.
    """
    from services.cli.commands import shipping
    from services.cli.requests import Wish
    from services.cli.session import session_mode

    _check_output(errors_out, source, "--errors-out")
    wish = Wish(
        source,
        where=where,
        mapping=mapping,
        service=service,
        mode=mode or session_mode(),
        request_id=request_id,
        name=name,
        reship=reship,
        sheet=sheet,
        sidecar=sidecar,
        delimiter=delimiter,
        quote=quote,
        encoding=encoding,
        key=key,
        include=tuple(include or ()),
        skip_invalid=skip_invalid,
    )
    view = shipping.View(every_row, expand, errors_out=errors_out)
    run_with_offer(
        lambda: shipping.ship(wish, shipping.Manner(data, as_json, yes, detach), view),
        data,
        as_json=as_json,
    )


@commands.command(rich_help_panel=PANEL)
def approve(job: Job, data: Data = None, as_json: Json = False) -> None:
    """Approve a job's preview: it starts to ship."""
    order("approve", job, data, as_json=as_json)


@commands.command(rich_help_panel=PANEL)
def reject(job: Job, data: Data = None, as_json: Json = False) -> None:
    """Refuse a job's preview: nothing is shipped."""
    order("reject", job, data, as_json=as_json)


def _check_output(out: Path | None, source: str, option: str) -> None:
    """Refuse what the file of an option cannot be: neither kind of table, or the source itself."""
    from services.cli.files.tables import SUFFIXES

    if out is None:
        return
    if out.suffix.lower() not in SUFFIXES:
        raise typer.BadParameter(f"{option} writes a {' or '.join(SUFFIXES)} file")
    if out.exists() and Path(source).exists() and out.samefile(source):
        raise typer.BadParameter(f"{option} would overwrite the source")
