"""The session itself: a line, what it asks for, the next one."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from services.cli.documents import ModeDocument
from services.cli.outcomes import ExitCode, guard, print_json
from services.cli.session import Session, entered
from services.cli.shell.mode import set_mode
from services.cli.shell.reading import ReadLine, line_reader
from services.cli.terminal import is_interactive, output
from shared.contracts.states import JobMode
from shared.settings import ClientSettings, load

_WELCOME = "Commands as you know them, without the word tally; set mode confirm|auto; help; exit."
_LEAVING = frozenset({"exit", "quit"})


def shell(data: Path | None, *, as_json: bool) -> int:
    """Obey one line after the other. On a terminal it ends well; with lines piped in, as the last command did."""
    if data is not None:
        os.environ["TALLY_DATA_DIR"] = str(data.expanduser().absolute())
    session = Session()
    read = line_reader(load(ClientSettings).data_dir.expanduser().absolute())
    if is_interactive():
        output().print(_WELCOME, style="dim", markup=False)
    with entered(session):
        code = _obey_all(session, read, as_json=as_json)
    return ExitCode.DONE if is_interactive() else code


def _obey_all(session: Session, read: ReadLine, *, as_json: bool) -> int:
    code: int = ExitCode.DONE
    while True:
        try:
            words = shlex.split(read(f"tally ({session.mode})> "))
        except EOFError:
            return code
        except KeyboardInterrupt:
            continue
        except ValueError as error:
            code = _usage(f"That line cannot be read: {error}.")
            continue
        if words[:1] == ["tally"]:
            words = words[1:]
        if words[:1] and words[0] in _LEAVING:
            return code
        if words:
            code = obey(session, words, as_json=as_json)


def obey(session: Session, words: list[str], *, as_json: bool) -> int:
    """Do what a line asks for; its exit code."""
    match words:
        case ["set", "mode", mode] if mode in set(JobMode):
            return guard(lambda: _set(session, JobMode(mode), as_json=as_json), as_json=as_json)
        case ["set", *_]:
            return _usage(f"Type set mode confirm or set mode auto; the mode is {session.mode}.")
        case ["shell", *_]:
            return _usage("This is a session already.")
        case ["help"]:
            return run_command(["--help"])
        case ["help", command]:
            return run_command([command, "--help"])
        case _:
            return run_command(words + (["--json"] if as_json and "--json" not in words else []))


def run_command(words: list[str]) -> int:
    """Run a command of `tally`; its exit code."""
    from services.cli.main import app

    try:
        app(words, prog_name="tally")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ExitCode.FAILED
    return ExitCode.DONE


def _set(session: Session, mode: JobMode, *, as_json: bool) -> int:
    set_mode(session, mode)
    if as_json:
        print_json(ModeDocument(mode=session.mode).model_dump(mode="json"))
    elif mode is JobMode.AUTO:
        output().print("Batches of this session ship at once, without asking.")
    else:
        output().print("Batches of this session ask before they ship.")
    return ExitCode.DONE


def _usage(told: str) -> ExitCode:
    print(told, file=sys.stderr)  # noqa: T201 - a command line's output
    return ExitCode.USAGE
