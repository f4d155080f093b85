"""How a command ends: its exit code, and the one line that says what went wrong (DESIGN §7)."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import traceback
from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from shared.contracts.documents import JobDocument
    from shared.errors import ErrorBody

# The shell's own code for a program that Ctrl-C ended.
INTERRUPTED = 130
LISTED_DETAILS = 20


class ExitCode(IntEnum):
    """What a command's end means to a script."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    PERSON_NEEDED = 4


# An approval that is asked for again: the source changed since the preview, or the rates did.
ASKED_AGAIN = frozenset({"E-4030", "E-4031"})
_UNREACHABLE = frozenset({"E-4001", "E-4002", "E-4013", "E-5008", "E-5009"})
_PERSON_NEEDED = frozenset({"E-3010", "E-3011", *ASKED_AGAIN})
_USAGE = frozenset({"E-4007"})


def exit_code_of_error(error: ErrorBody) -> ExitCode:
    """The exit code of a command that ended with `error`."""
    if error.code in _UNREACHABLE:
        return ExitCode.UNREACHABLE
    if error.code in _PERSON_NEEDED:
        return ExitCode.PERSON_NEEDED
    return ExitCode.USAGE if error.code in _USAGE else ExitCode.FAILED


def exit_code_of_job(job: JobDocument) -> ExitCode:
    """The exit code of a command that saw a job through to `job`."""
    match job.status:
        case "completed" | "completed_with_warnings":
            return ExitCode.DONE
        case "failed" if job.rows.in_doubt:
            return ExitCode.PERSON_NEEDED
        case "failed" | "cancelled":
            return ExitCode.FAILED
        case "awaiting_approval" | "paused" | "interrupted":
            return ExitCode.PERSON_NEEDED
        case _:
            return ExitCode.DONE


def run(command: Callable[[], int], *, as_json: bool) -> NoReturn:
    """Run a command and leave with its exit code; whatever fails is said in one line, never as a traceback."""
    import stamina

    # A retry is the command line's own business; its log would land in the middle of what is printed.
    stamina.instrumentation.set_on_retry_hooks([])
    raise typer.Exit(guard(command, as_json=as_json))


def guard(command: Callable[[], int], *, as_json: bool) -> int:
    """The exit code of `command`, or of the failure that it ended with, which is printed."""
    try:
        code = command()
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has enough of it; without this, Python complains once more on leaving.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    except Exception as error:  # noqa: BLE001 - the last resort: a person gets a line, not a traceback
        return report(_body_of(_sole(error)), as_json=as_json)
    return code


def _sole(error: Exception) -> Exception:
    """The one failure in a group of one."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _body_of(error: Exception) -> ErrorBody:
    from shared.errors import UNEXPECTED, TallyError

    if isinstance(error, TallyError):
        return error.body
    if os.environ.get("TALLY_LOG_LEVEL") == "debug":
        traceback.print_exception(error)
    return TallyError(UNEXPECTED, what=" ".join(f"{type(error).__name__} {error}".split())).body


def report(error: ErrorBody, *, as_json: bool) -> ExitCode:
    """Print `error` and return its exit code."""
    if as_json:
        print_json({"error": error.model_dump(mode="json")})
    else:
        print_error(error)
    return exit_code_of_error(error)


def print_error(error: ErrorBody) -> None:
    """Print `error` in one line on stderr, and what it is made of below it.

    A terminal gets it wrapped by words, and no more than LISTED_DETAILS of its parts: the first line stays in sight.
    """
    lines = error_lines(error)
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns
        lines = [part for line in error_lines(error, most=LISTED_DETAILS) for part in _wrapped(line, width)]
    for line in lines:
        print(line, file=sys.stderr)  # noqa: T201 - a command line's output


def _wrapped(line: str, width: int) -> list[str]:
    """A line as a terminal of `width` columns shows it with no word broken in two."""
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def error_lines(error: ErrorBody, indent: str = "", most: int | None = None) -> list[str]:
    """`E-XXXX: what is wrong. what to do.`, then each of its details, or the first `most`, indented."""
    lines = [indent + " ".join(str(error).split())]
    for detail in error.details[:most]:
        lines += error_lines(detail, indent + "  ", most)
    if most is not None and len(error.details) > most:
        lines.append(f"{indent}  … and {len(error.details) - most:,} more")
    return lines


def print_json(document: object) -> None:
    """Print one JSON document, indented for a person who looks."""
    import json

    print(json.dumps(document, indent=2, ensure_ascii=False))  # noqa: T201 - a command line's output
