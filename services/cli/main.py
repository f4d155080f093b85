"""`tally`, the ops command line: its panels of commands, and nothing heavy until one is chosen."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.help import Commands
from services.cli.panels import after, assistance, house, jobs, records, shipping
from shared.process import keep_files_to_oneself
from shared.version import VERSION

app = typer.Typer(
    name="tally",
    help="Ship a batch of orders without ever buying a label twice or losing one.",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tally {VERSION}")
        raise typer.Exit


@app.callback()
def tally(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_tell_version, help="Show the version and exit."),
    ] = False,
) -> None:
    """Hold the options of `tally` itself."""


# Each panel's commands, in the order in which `tally --help` lists them.
for panel in (house, shipping, jobs, after, records, assistance):
    app.add_typer(panel.commands)


def main() -> None:
    """The console script."""
    keep_files_to_oneself()
    app(prog_name="tally")
