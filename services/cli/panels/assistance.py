"""Help: a session of commands, and what an error means."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.options import Data, Json
from services.cli.outcomes import run

PANEL = "Help"
commands = typer.Typer()


def _codes(incomplete: str) -> list[tuple[str, str]]:
    from shared.errors import REGISTRY

    return [(code, kind.title) for code, kind in sorted(REGISTRY.items()) if code.startswith(incomplete.upper())]


@commands.command(rich_help_panel=PANEL)
def shell(data: Data = None, as_json: Json = False) -> None:
    """Type one command after the other, without the word tally, in a mode of your own."""
    from services.cli.shell import loop

    run(lambda: loop.shell(data, as_json=as_json), as_json=as_json)


@commands.command(rich_help_panel=PANEL)
def explain(
    code: Annotated[
        str, typer.Argument(metavar="CODE", help="An error's code, such as E-3012.", autocompletion=_codes)
    ],
    as_json: Json = False,
) -> None:
    """Say what an error's code means and what to do about it."""
    from services.cli.commands import explaining

    try:
        kind = explaining.lookup(code)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="CODE") from error
    run(lambda: explaining.explain(kind, as_json=as_json), as_json=as_json)
