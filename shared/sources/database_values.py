"""What a database holds, as the texts that every other source has; and a key's text as the value it came from."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.types import Date, DateTime, Enum, String, TypeEngine

# As what a moment goes into a column.
MomentKind = Literal["text", "moment", "zoned moment", "date"]

_MOMENT_TEXT = 20  # characters of 2026-11-21T10:15:30Z
# Of the types a driver may give, those whose texts find the row again.
_KEY_TYPES: tuple[type, ...] = (bool, int, str, Decimal, UUID, date, datetime, bytes)


def text_of(value: Any) -> str:
    """A driver's value as text: '' for NULL, times as ISO in UTC, numbers without exponent, bytes in hex."""
    write = _TEXTS.get(type(value))
    return _plain(str(value)) if write is None else write(value)


def _plain(text: str) -> str:
    # The snapshot's own form keeps no NUL.
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _float_text(value: float) -> str:
    as_decimal = Decimal(repr(value))
    if not as_decimal.is_finite():
        return repr(value)
    return format(as_decimal, "f").removesuffix(".0")


def _json_text(value: Any) -> str:
    return _plain(json.dumps(value, ensure_ascii=False, sort_keys=True, default=text_of))


_TEXTS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "",
    str: _plain,
    bool: lambda value: "true" if value else "false",
    int: str,
    UUID: str,
    float: _float_text,
    Decimal: lambda value: format(value, "f"),
    datetime: lambda value: (value if value.tzinfo is None else value.astimezone(UTC)).isoformat(),
    date: date.isoformat,
    time: time.isoformat,
    bytes: bytes.hex,
    bytearray: bytearray.hex,
    memoryview: memoryview.hex,
    dict: _json_text,
    list: _json_text,
}


def decode_leniently(raw: bytes) -> str:
    """A text that SQLite holds, which need not be UTF-8."""
    return raw.decode(errors="replace")


def is_key_type(column: TypeEngine[Any], dialect: str) -> bool:
    """Whether a value of a column's type can be had again from its text."""
    kind = _python_type(column)
    # SQLite compares a text with whatever type its column is declared as; without one, the value's own type counts.
    return kind is not None and issubclass(kind, _KEY_TYPES) and not (dialect == "sqlite" and kind is bytes)


def key_value(text: str, column: TypeEngine[Any], dialect: str) -> Any:
    """The value of a key column whose text is `text`. Raises ValueError or ArithmeticError where it has none."""
    kind = _python_type(column)
    if dialect == "sqlite" or kind is None:
        return text
    if kind is bool:
        return text in {"true", "1"}
    if kind in {int, Decimal, UUID}:
        return kind(text)
    if kind in {date, datetime}:
        return kind.fromisoformat(text)
    return bytes.fromhex(text) if kind is bytes else text


def _python_type(column: TypeEngine[Any]) -> type[Any] | None:
    try:
        return column.python_type
    except NotImplementedError:
        return None


def holds_text(column: TypeEngine[Any], length: int) -> bool:
    """Whether a column of this type holds any text of so many characters."""
    return isinstance(column, String) and not isinstance(column, Enum) and (column.length or length) >= length


def moment_kind(column: TypeEngine[Any], dialect: str) -> MomentKind | None:
    """As what a moment goes into a column of this type; None where it cannot."""
    if dialect == "sqlite":
        return "text"
    if isinstance(column, DateTime):
        return "zoned moment" if column.timezone else "moment"
    if isinstance(column, Date):
        return "date"
    return "text" if holds_text(column, _MOMENT_TEXT) else None


def stored_moment(moment: datetime, kind: MomentKind) -> datetime | date | str:
    """An aware moment as it goes into a column: in UTC, to the second."""
    in_utc = moment.astimezone(UTC).replace(microsecond=0)
    match kind:
        case "text":
            return in_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
        case "zoned moment":
            return in_utc
        case "moment":
            return in_utc.replace(tzinfo=None)
        case "date":
            return in_utc.date()
