"""What an error is: an entry of the registry, the exception that carries it, its body on the bus."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict


class ErrorBody(BaseModel):
    """An error as it crosses the bus and as `--json` prints it.

    `row` is the data row's number, from 1; `field` is the field of a mapping that it is about, '' where it is of none.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    code: str
    message: str
    action: str = ""
    row: int | None = None
    details: tuple[ErrorBody, ...] = ()
    field: str = ""

    def __str__(self) -> str:
        place = f" (row {self.row})" if self.row is not None else ""
        todo = f" {self.action}" if self.action else ""
        return f"{self.code}{place}: {self.message}{todo}"


@dataclass(frozen=True)
class ErrorKind:
    """One entry of the registry; `cause` and `action` are format strings over the values at hand."""

    code: str
    title: str
    cause: str
    action: str
    retryable: bool = False


# What is told goes to terminals and logs, and repeats what was asked for: a control character there is an instruction.
_ONE_LINE = {code: " " if chr(code).isspace() else "?" for code in (*range(32), *range(127, 160))}


class TallyError(Exception):
    """The exception every part of the product raises for a person to read: one line, without control characters."""

    def __init__(
        self,
        kind: ErrorKind,
        /,
        *,
        row: int | None = None,
        details: tuple[ErrorBody, ...] = (),
        **values: object,
    ) -> None:
        self.kind = kind
        self.body = ErrorBody(
            code=kind.code,
            message=kind.cause.format_map(values).translate(_ONE_LINE),
            action=kind.action.format_map(values).translate(_ONE_LINE),
            row=row,
            details=details,
        )
        super().__init__(str(self.body))

    @classmethod
    def from_body(cls, body: ErrorBody) -> TallyError:
        """The error that another process reported; a code unknown here makes a kind of its own words."""
        error = cls.__new__(cls)
        Exception.__init__(error, str(body))
        error.kind = REGISTRY.get(body.code) or ErrorKind(body.code, body.code, body.message, body.action)
        error.body = body
        return error


REGISTRY: dict[str, ErrorKind] = {}


def registered(code: str, title: str, cause: str, action: str, *, retryable: bool = False) -> ErrorKind:
    """A new entry of the registry. Raises ValueError where its code is taken."""
    if code in REGISTRY:
        raise ValueError(f"{code} is taken")
    REGISTRY[code] = ErrorKind(code, title, cause, action, retryable)
    return REGISTRY[code]
