"""What Tab completes in a session: commands, their options and states, and the ids of jobs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from shared.contracts.states import JobMode

OWN = ("set", "help", "exit")


class SessionCompleter(Completer):
    """Completes the last word of a line."""

    def __init__(self) -> None:
        from services.cli.main import app

        self._commands: dict[str, Any] = getattr(typer.main.get_command(app), "commands", {})

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:  # noqa: ARG002 - as Completer has it
        """The words that the last one may become."""
        *before, word = document.text_before_cursor.split(" ")
        words = [given for given in before if given and given != "tally"]
        for choice, meaning in self._choices(words, word):
            if choice.startswith(word):
                yield Completion(choice, start_position=-len(word), display_meta=meaning)

    def _choices(self, words: list[str], word: str) -> Iterator[tuple[str, str]]:
        match words:
            case [] | ["help"]:
                yield from ((name, command.get_short_help_str()) for name, command in self._commands.items())
                yield from () if words else ((name, "") for name in OWN)
            case ["set"]:
                yield "mode", "how batches ship"
            case ["set", "mode"]:
                yield from ((mode.value, "") for mode in JobMode)
            case [name, *given] if name in self._commands:
                yield from _of_command(name, self._commands[name], given, word)


def _of_command(name: str, command: Any, given: list[str], word: str) -> Iterator[tuple[str, str]]:
    context = command.make_context(name, [], resilient_parsing=True)
    options = [parameter for parameter in command.params if parameter.opts[0].startswith("-")]
    asked_for = [option for option in options if given and given[-1] in option.opts and not option.is_flag]
    if word.startswith("-") and not asked_for:
        yield from ((max(option.opts, key=len), option.help or "") for option in options)
        return
    arguments = [parameter for parameter in command.params if parameter not in options]
    for parameter in asked_for or arguments[:1] * (not given):
        yield from ((item.value, item.help or "") for item in parameter.shell_complete(context, word))
