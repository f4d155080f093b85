"""Every command's help at 80 columns: it names what is typed, no types of values, and every line is whole."""

import pytest
import typer
from typer.core import TyperArgument, TyperGroup, TyperOption
from typer.testing import CliRunner

from services.cli.main import app

COMMANDS = sorted(
    command.name or getattr(command.callback, "__name__", "")
    for panel in app.registered_groups
    if panel.typer_instance is not None
    for command in panel.typer_instance.registered_commands
)


def help_of(*words: str) -> str:
    done = CliRunner(env={"COLUMNS": "80", "TERM": "xterm", "NO_COLOR": "1"}).invoke(app, [*words, "--help"])
    assert done.exit_code == 0
    return done.output


def test_help_names_every_command_with_what_it_does() -> None:
    text = help_of()
    assert all(f"│ {command} " in text for command in COMMANDS)
    assert all(len(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize("command", COMMANDS)
def test_a_commands_help_reads_well_at_80_columns(command: str) -> None:
    text = help_of(command)
    lines = text.splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert lines[1].startswith(f" Usage: tally {command} [OPTIONS]")
    assert not any(oddity in text for oddity in ("<bool>", "<str>", "<int", "{", "...", "None"))
    assert "--json" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_and_argument_says_what_it_is_for(command: str) -> None:
    program = typer.main.get_command(app)
    assert isinstance(program, TyperGroup)
    for parameter in program.commands[command].params:
        assert isinstance(parameter, TyperArgument | TyperOption)
        assert parameter.help, parameter.name
        assert parameter.help.rstrip("]").endswith((".", ".)")), parameter.help
