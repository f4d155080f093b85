"""How help reads: what a person types is named, and no types of values."""

from __future__ import annotations

from functools import partial
from typing import Any

from typer.core import TyperArgument, TyperGroup


class Commands(TyperGroup):
    """The commands of `tally`.

    Typer names a flag's type, `<bool>`, and an argument's, `<str>`, as if they were to be typed, and puts an argument
    into braces.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        """The options of `tally` itself."""
        return _plain(super().get_params(ctx))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command by its name; None where there is none."""
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            _plain(command.get_params(ctx))
        return command


def _plain(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        is_argument = isinstance(parameter, TyperArgument)
        if is_argument and parameter.metavar is not None:
            parameter.display_type_rich = _nothing
            parameter.get_usage_pieces = partial(_named, parameter.metavar)
        elif not is_argument and parameter.is_flag and parameter.metavar is None:
            parameter.metavar = ""
    return parameters


def _named(metavar: str, *_: Any, **__: Any) -> list[str]:
    return [metavar]


def _nothing(*_: Any, **__: Any) -> None:
    return None
