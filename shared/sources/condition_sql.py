"""The language of conditions, and how one is written for DuckDB.

What sqlglot understood is written anew, node by node; whatever has no rule here is refused. So nothing reaches the
database that this module did not write: no statement, no subquery, no function but those listed.

The columns of a file are text. So one that is compared or computed with a number, a date or a truth value is cast to
its type, and a text that does not convert counts as NULL; an empty field counts as NULL in IS NULL and COALESCE.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlglot import ErrorLevel
from sqlglot import expressions as exp

from shared.errors import WHERE_UNKNOWN_COLUMN, TallyError

Kind = Literal["text", "number", "boolean", "date", "timestamp"]

_TYPES: dict[Kind, str] = {
    "text": "VARCHAR",
    "number": "DECIMAL(38, 9)",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}
_CASTS: dict[str, tuple[str, Kind]] = {
    "VARCHAR": ("VARCHAR", "text"),
    "TEXT": ("VARCHAR", "text"),
    "SMALLINT": ("SMALLINT", "number"),
    "INT": ("INTEGER", "number"),
    "BIGINT": ("BIGINT", "number"),
    "FLOAT": ("DOUBLE", "number"),
    "DOUBLE": ("DOUBLE", "number"),
    "DECIMAL": ("DECIMAL", "number"),
    "BOOLEAN": ("BOOLEAN", "boolean"),
    "DATE": ("DATE", "date"),
    "TIMESTAMP": ("TIMESTAMP", "timestamp"),
    "TIMESTAMPNTZ": ("TIMESTAMP", "timestamp"),
}
_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM",
    exp.NullSafeNEQ: "IS DISTINCT FROM",
}
_ARITHMETIC: dict[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
_FUNCTIONS: dict[type[exp.Expr], tuple[str, dict[str, Kind], Kind]] = {
    # sqlglot's node: DuckDB's name, the arguments in order by sqlglot's name, what it gives
    exp.Lower: ("lower", {"this": "text"}, "text"),
    exp.Upper: ("upper", {"this": "text"}, "text"),
    exp.Length: ("length", {"this": "text"}, "number"),
    exp.Abs: ("abs", {"this": "number"}, "number"),
    exp.Round: ("round", {"this": "number", "decimals": "number"}, "number"),
    exp.Substring: ("substring", {"this": "text", "start": "number", "length": "number"}, "text"),
    exp.Left: ("left", {"this": "text", "expression": "number"}, "text"),
    exp.Right: ("right", {"this": "text", "expression": "number"}, "text"),
    exp.Replace: ("replace", {"this": "text", "expression": "text", "replacement": "text"}, "text"),
    exp.StartsWith: ("starts_with", {"this": "text", "expression": "text"}, "boolean"),
    exp.EndsWith: ("ends_with", {"this": "text", "expression": "text"}, "boolean"),
    exp.Contains: ("contains", {"this": "text", "expression": "text"}, "boolean"),
    exp.RegexpLike: ("regexp_matches", {"this": "text", "expression": "text", "flag": "text"}, "boolean"),
}
_TRIMS = {None: "trim", "BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}
_SHOWN = 60
_NUMBER = re.compile(r"\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?")


class ConditionRefusedError(Exception):
    """Why a condition is refused, in words that follow the condition."""


@dataclass(frozen=True)
class _Term:
    sql: str
    kind: Kind
    is_literal: bool = False

    def cast(self, kind: Kind, sql_type: str | None = None) -> str:
        """Its SQL as `kind`: what a person wrote must convert, what a file holds need not."""
        if self.kind == kind or self.kind != "text":
            return self.sql
        return f"{'CAST' if self.is_literal else 'TRY_CAST'}({self.sql} AS {sql_type or _TYPES[kind]})"


def quote_identifier(name: str) -> str:
    """`name` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """`text` as a SQL string."""
    return "'" + text.replace("'", "''") + "'"


class ConditionWriter:
    """Writes a parsed condition anew, over the columns of the source called `label`."""

    def __init__(self, columns: Sequence[str], label: str) -> None:
        self._columns = {name.casefold(): name for name in columns}
        self._label = label

    def condition(self, node: exp.Expr) -> str:
        """The SQL of an expression that is true or false."""
        term = self._term(node)
        if term.kind != "boolean":
            raise ConditionRefusedError(f"{_shown(node)} is neither true nor false")
        return term.sql

    def _term(self, node: exp.Expr) -> _Term:  # noqa: C901, PLR0911, PLR0912 - one case per kind of node
        match node:
            case exp.Paren():
                _expect_only(node, "this")
                return self._term(node.this)
            case exp.Column():
                return self._column(node)
            case exp.Literal():
                return _literal(node)
            case exp.Boolean():
                return _Term("TRUE" if node.this else "FALSE", "boolean")
            case exp.And() | exp.Or():
                _expect_only(node, "this", "expression")
                word = " AND " if isinstance(node, exp.And) else " OR "
                parts = [self.condition(part) for part in node.flatten(unnest=False)]
                return _Term(f"({word.join(parts)})", "boolean")
            case exp.Not():
                _expect_only(node, "this")
                return _Term(f"(NOT {self.condition(node.this)})", "boolean")
            case exp.In():
                _expect_only(node, "this", "expressions")
                (value, *choices), _ = self._alike(node.this, *node.expressions)
                return _Term(f"({value} IN ({', '.join(choices)}))", "boolean")
            case exp.Between():
                _expect_only(node, "this", "low", "high")
                (value, low, high), _ = self._alike(node.this, node.args["low"], node.args["high"])
                return _Term(f"({value} BETWEEN {low} AND {high})", "boolean")
            case exp.Escape():
                _expect_only(node, "this", "expression")
                return self._like(node.this, escape=self._term(node.expression).sql)
            case exp.Like() | exp.ILike():
                return self._like(node)
            case exp.Is():
                return self._is(node)
            case exp.Neg():
                _expect_only(node, "this")
                return _Term(f"(-{self._number(node.this)})", "number")
            case exp.DPipe():
                _expect_only(node, "this", "expression", "safe")
                return _Term(f"({self._term(node.this).sql} || {self._term(node.expression).sql})", "text")
            case exp.Cast():
                return self._cast(node)
            case exp.Coalesce():
                return self._coalesce(node)
            case exp.Trim():
                return self._trim(node)
        if (operator := _COMPARISONS.get(type(node))) is not None:
            _expect_only(node, "this", "expression")
            (left, right), _ = self._alike(node.this, node.expression)
            return _Term(f"({left} {operator} {right})", "boolean")
        if (operator := _ARITHMETIC.get(type(node))) is not None:
            _expect_only(node, "this", "expression")
            return _Term(f"({self._number(node.this)} {operator} {self._number(node.expression)})", "number")
        return self._function(node)

    def _column(self, node: exp.Column) -> _Term:
        _expect_only(node, "this")
        if not isinstance(node.this, exp.Identifier):
            raise ConditionRefusedError(f"{_shown(node)} is not allowed")
        name = self._columns.get(node.name.casefold())
        if name is None:
            raise TallyError(
                WHERE_UNKNOWN_COLUMN, column=node.name, path=self._label, columns=", ".join(self._columns.values())
            )
        return _Term(quote_identifier(name), "text")

    def _number(self, node: exp.Expr) -> str:
        return self._term(node).cast("number", "DOUBLE")

    def _alike(self, *nodes: exp.Expr) -> tuple[list[str], Kind]:
        """The SQL of terms that are compared with one another, and the kind as which they are."""
        terms = [self._term(node) for node in nodes]
        kinds: set[Kind] = {term.kind for term in terms if term.kind != "text"}
        if kinds == {"date", "timestamp"}:
            kinds = {"timestamp"}
        if len(kinds) > 1:
            raise ConditionRefusedError(f"a {' and a '.join(sorted(kinds))} cannot be compared")
        kind: Kind = kinds.pop() if kinds else "text"
        return [term.cast(kind) for term in terms], kind

    def _like(self, node: exp.Expr, escape: str | None = None) -> _Term:
        if not isinstance(node, exp.Like | exp.ILike):
            raise ConditionRefusedError(f"{_shown(node)} is not allowed")
        _expect_only(node, "this", "expression", "negate")
        word = "LIKE" if isinstance(node, exp.Like) else "ILIKE"
        text, pattern = self._term(node.this).sql, self._term(node.expression).sql
        ending = f" ESCAPE {escape}" if escape else ""
        return _Term(f"({text} {'NOT ' if node.args.get('negate') else ''}{word} {pattern}{ending})", "boolean")

    def _is(self, node: exp.Is) -> _Term:
        _expect_only(node, "this", "expression")
        term = self._term(node.this)
        match node.expression:
            case exp.Null():
                return _Term(f"({_null_if_empty(term)} IS NULL)", "boolean")
            case exp.Boolean(this=truth):
                return _Term(f"({term.cast('boolean')} IS {'TRUE' if truth else 'FALSE'})", "boolean")
        raise ConditionRefusedError(f"{_shown(node)} is not allowed")

    def _cast(self, node: exp.Cast) -> _Term:
        _expect_only(node, "this", "to", "safe")
        target = node.to
        parameters = [parameter.name for parameter in target.expressions]
        known = _CASTS.get(target.this.name) if isinstance(target.this, exp.DataType.Type) else None
        if known is None or not all(parameter.isdecimal() for parameter in parameters):
            raise ConditionRefusedError(f"a cast to {_shown(target)} is not allowed")
        sql_type = known[0] + (f"({', '.join(parameters)})" if parameters and known[0] == "DECIMAL" else "")
        word = "TRY_CAST" if isinstance(node, exp.TryCast) else "CAST"
        return _Term(f"{word}({self._term(node.this).sql} AS {sql_type})", known[1])

    def _coalesce(self, node: exp.Coalesce) -> _Term:
        _expect_only(node, "this", "expressions")
        nodes = [node.this, *node.expressions]
        sqls, kind = self._alike(*nodes)
        if kind == "text":
            sqls = [_null_if_empty(self._term(part)) for part in nodes]
        return _Term(f"coalesce({', '.join(sqls)})", kind)

    def _trim(self, node: exp.Trim) -> _Term:
        _expect_only(node, "this", "expression", "position")
        name = _TRIMS[node.args.get("position") or None]
        arguments = [self._term(part).sql for part in (node.this, node.args.get("expression")) if part is not None]
        return _Term(f"{name}({', '.join(arguments)})", "text")

    def _function(self, node: exp.Expr) -> _Term:
        known = _FUNCTIONS.get(type(node))
        if known is None:
            raise ConditionRefusedError(_why_not(node))
        name, parameters, kind = known
        _expect_only(node, *parameters)
        arguments = [
            self._term(node.args[parameter]).cast(wanted)
            for parameter, wanted in parameters.items()
            if node.args.get(parameter) is not None
        ]
        return _Term(f"{name}({', '.join(arguments)})", kind)


def _literal(node: exp.Literal) -> _Term:
    if node.is_string:
        return _Term(quote_text(node.name), "text", is_literal=True)
    if not _NUMBER.fullmatch(node.name):
        raise ConditionRefusedError(f"{node.name} is no number")
    return _Term(node.name, "number", is_literal=True)


def _null_if_empty(term: _Term) -> str:
    return f"NULLIF({term.sql}, '')" if term.kind == "text" and not term.is_literal else term.sql


def _expect_only(node: exp.Expr, *known: str) -> None:
    """Refuse a node that says more than is written anew."""
    if any(value for name, value in node.args.items() if name not in known):
        raise ConditionRefusedError(f"{_shown(node)} is not allowed")


def _why_not(node: exp.Expr) -> str:
    match node:
        case exp.Query() | exp.Exists():
            return "a subquery is not allowed"
        case exp.Anonymous():
            return f"function {node.name} is not allowed"
        case exp.Func() if not isinstance(node, exp.Binary | exp.Case):
            return f"function {node.sql_name().lower()} is not allowed"
        case exp.Null():
            return "NULL can only follow IS"
    return f"{_shown(node)} is not allowed"


def _shown(node: exp.Expr) -> str:
    """A piece of the condition, for a person to find it."""
    text = node.sql(dialect="duckdb", comments=False, unsupported_level=ErrorLevel.IGNORE)
    return f"{text[:_SHOWN]}…" if text[_SHOWN:] else text
