"""The condition of `--where`: one SQL expression over a source's columns, checked before anything runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import TokenType
from sqlglot import expressions as exp
from sqlglot.errors import ParseError, TokenError

from shared.errors import WHERE_NOT_EXPRESSION, TallyError
from shared.sources.condition_sql import ConditionRefusedError, ConditionWriter

MAX_LENGTH = 4000  # characters

_SHOWN = 200
_STATEMENTS = frozenset(
    {"ALTER", "ATTACH", "CALL", "COPY", "CREATE", "DELETE", "DETACH", "DROP", "EXPORT", "IMPORT", "INSERT", "INSTALL"}
    | {"LOAD", "PRAGMA", "RESET", "SELECT", "SET", "UPDATE", "USE", "VACUUM", "WITH"}
)


@dataclass(frozen=True)
class Condition:
    """A checked condition; `sql` is the DuckDB expression, all its identifiers quoted."""

    sql: str


def parse_condition(where: str, columns: Sequence[str], *, label: str = "the source") -> Condition:
    """The condition `where` over `columns`, of which each has a name of its own, whatever its case.

    Raises E-1010 where it is anything but one condition of the language that condition_sql.py writes, E-1011 for a
    column that the source, called `label`, does not have.
    """
    try:
        return Condition(ConditionWriter(columns, label).condition(_parse(where)))
    except ConditionRefusedError as error:
        reason = str(error)
    except RecursionError:
        reason = "it is nested too deeply"
    shown = " ".join(where.split())
    raise TallyError(WHERE_NOT_EXPRESSION, where=f"{shown[:_SHOWN]}…" if shown[_SHOWN:] else shown, reason=reason)


def _parse(where: str) -> exp.Expr:
    if len(where) > MAX_LENGTH:
        raise ConditionRefusedError(f"it has more than {MAX_LENGTH} characters")
    try:
        tokens = sqlglot.tokenize(where, dialect="duckdb")
    except TokenError as error:
        raise ConditionRefusedError("a quote or comment in it is not closed") from error
    if not tokens:
        raise ConditionRefusedError("it is empty")
    if any(token.token_type == TokenType.SEMICOLON for token in tokens):
        raise ConditionRefusedError("it holds a semicolon")
    if any(token.comments for token in tokens):
        raise ConditionRefusedError("it holds a comment")
    if any(token.text.startswith("~") and token.token_type != TokenType.STRING for token in tokens):
        raise ConditionRefusedError("~ is not allowed; use regexp_matches")
    try:
        return sqlglot.parse_one(where, dialect="duckdb", into=exp.Condition)
    except ParseError as error:
        first = tokens[0].text.upper()
        if first in _STATEMENTS:
            raise ConditionRefusedError(f"{first} is a statement") from error
        near = error.errors[0].get("highlight") if error.errors else None
        raise ConditionRefusedError(f"it makes no sense near {near}" if near else "it is no expression") from error
