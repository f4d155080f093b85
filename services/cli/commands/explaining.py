"""`tally explain`: an error's entry in the registry; it needs no house."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from services.cli.documents import ExplanationDocument
from services.cli.outcomes import ExitCode, print_json
from services.cli.terminal import output
from shared.errors import ErrorKind
from shared.errors.reference import find, near, section, with_values


def lookup(code: str) -> ErrorKind:
    """The entry of a code as it was typed. Raises ValueError, which names codes like it, where there is none."""
    kind = find(code)
    if kind is None:
        raise ValueError(_unknown(code))
    return kind


def explain(kind: ErrorKind, *, as_json: bool) -> int:
    """Print what an error means."""
    if as_json:
        print_json(_document(kind).model_dump(mode="json"))
    else:
        output().print(_told(kind))
    return ExitCode.DONE


def _document(kind: ErrorKind) -> ExplanationDocument:
    return ExplanationDocument(
        code=kind.code,
        title=kind.title,
        section=section(kind),
        cause=kind.cause,
        action=kind.action,
        retryable=kind.retryable,
    )


def _unknown(code: str) -> str:
    alike = near(code)
    return f"there is no error {code}" + (f"; near it are {', '.join(alike)}" if alike else "; docs/errors.md has them")


def _told(kind: ErrorKind) -> RenderableType:
    again = (
        "Trying again may succeed with nothing changed."
        if kind.retryable
        else "Trying again changes nothing by itself."
    )
    return Group(
        Text(f"{kind.code}  {kind.title}", style="bold"),
        Text(section(kind), style="dim"),
        Text(""),
        Text(with_values(kind.cause, "<{}>")),
        Text(""),
        Text("What to do", style="bold"),
        Padding(Text(with_values(kind.action, "<{}>")), (0, 0, 0, 2), expand=False),
        Padding(Text(again), (0, 0, 0, 2), expand=False),
    )
