"""The house: its services on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.cli.options import Data, Json
from services.cli.outcomes import run

PANEL = "House"
commands = typer.Typer()


@commands.command(rich_help_panel=PANEL)
def up(
    data: Data = None,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Buy from the sandbox carrier: no real labels.")] = False,
    as_json: Json = False,
) -> None:
    """Run every service on this machine, until Ctrl-C."""
    from services.cli.commands import house

    run(lambda: house.up(data, sandbox=sandbox, as_json=as_json), as_json=as_json)


@commands.command(rich_help_panel=PANEL)
def status(data: Data = None, as_json: Json = False) -> None:
    """Show which services run, and the addresses of bus and carrier."""
    from services.cli.commands import house

    run(lambda: house.status(data, as_json=as_json), as_json=as_json)


@commands.command(rich_help_panel=PANEL)
def doctor(data: Data = None, as_json: Json = False) -> None:
    """Check bus, services, carrier and jobs from outside, and say what to do."""
    from services.cli.commands import doctoring

    run(lambda: doctoring.doctor(data, as_json=as_json), as_json=as_json)


@commands.command(rich_help_panel=PANEL)
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
