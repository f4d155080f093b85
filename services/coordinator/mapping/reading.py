"""Reads one row's fields, one by one, and collects what is wrong with them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from services.coordinator.mapping.fields import LIMITS, PLACES, Fields
from services.coordinator.mapping.problems import FieldValueError, RowInvalidError, invalid, missing, quoted
from services.coordinator.mapping.text import are_clean, clean
from shared.contracts.warning import RowWarning, WarningCode
from shared.errors import ErrorBody

ValueT = TypeVar("ValueT")
BlankT = TypeVar("BlankT")

# What texts were parsed to, by field, text, default, filter and its arguments: most fields say the same in many rows.
_PARSED: dict[tuple[object, ...], Any] = {}
_MOST_REMEMBERED, _LONGEST_REMEMBERED = 16_384, 40  # of them, and characters of a text
_NO_LIMIT = sys.maxsize
_SELDOM_ALIKE = frozenset({"email"})


class RowReader:
    """One row's fields; `problems` holds the first problem of each, `warnings` what a person may want to know."""

    def __init__(self, fields: Fields) -> None:
        self.problems: dict[str, ErrorBody] = dict(fields.problems)
        self.warnings: list[RowWarning] = []
        self._texts = fields.texts
        self._parts: list[tuple[int, RowReader]] = []
        self._is_clean = are_clean(fields.texts.values())

    def part(self, row: int, fields: Fields) -> RowReader:
        """A reader of the fields that one of an order's rows, at `row` in the source, says for itself."""
        reader = RowReader(fields)
        self._parts.append((row, reader))
        return reader

    def says(self, *fields: str) -> bool:
        """Whether any of these fields holds anything."""
        texts = self._texts
        for field in fields:  # noqa: SIM110 - asked for every row several times, and a generator costs twice as much
            if texts.get(field, "").strip():
                return True
        return False

    def said(self, fields: Sequence[str]) -> tuple[str, ...]:
        """What these fields hold, as it is."""
        texts = self._texts
        return tuple([texts.get(field, "") for field in fields])

    def text(self, field: str, *, needed: bool = False) -> str:
        """The field on one clean line and within its limit; blank where it is not, or has a problem."""
        text = self._texts.get(field, "")
        if text:
            try:
                text = text if self._is_clean else clean(text)
            except FieldValueError as error:
                self.problems[field] = invalid(field, error)
                return ""
            if len(text) > LIMITS.get(field, _NO_LIMIT):
                reason = f"{len(text)} characters; at most {LIMITS[field]}"
                self.problems[field] = invalid(field, FieldValueError(text, reason))
                return ""
        if needed and not text:
            self.problems.setdefault(field, missing(field))
        return text

    def cut(self, field: str, room: int | None = None) -> str:
        """The field on one clean line, cut to `room` characters or its limit where it is longer, with a warning."""
        text = self._texts.get(field, "")
        limit = LIMITS[field] if room is None else room
        if text:
            try:
                text = text if self._is_clean else clean(text)
            except FieldValueError as error:
                self.problems[field] = invalid(field, error)
                return ""
        if len(text) <= limit:
            return text
        kept = text[:limit].rstrip()
        left = f"cut to {quoted(kept)}" if kept else "left out"
        message = f"{field} has {len(text)} characters; the label has room for {limit}, so it is {left}."
        self.warnings.append(RowWarning(code=WarningCode.TEXT_CUT, field=field, message=message))
        return kept

    def parsed(
        self,
        field: str,
        parse: Callable[..., ValueT],
        *arguments: str,
        blank: BlankT,
        default: str = "",
        needed: bool = False,
    ) -> ValueT | BlankT:
        """The field, or `default` where it is blank, parsed by one of the filters; `blank` without either.

        The filter is given `arguments` besides the text.
        """
        # Most fields of most rows are blank.
        given = self._texts.get(field, "")
        if not (default or needed or given):
            return blank
        said = (field, given, default, parse, *arguments)
        # Another thread may forget them all at any time.
        known: ValueT | None = _PARSED.get(said)
        if known is not None and field not in self.problems:
            return known
        text = self.text(field, needed=needed and not default) or default
        if not text or field in self.problems:
            return blank
        try:
            value = parse(text, *arguments)
        except FieldValueError as error:
            self.problems[field] = invalid(field, error)
            return blank
        if len(given) <= _LONGEST_REMEMBERED and field not in _SELDOM_ALIKE:
            if len(_PARSED) >= _MOST_REMEMBERED:
                _PARSED.clear()
            _PARSED[said] = value
        return value

    def refuse(self, field: str, value: str, reason: str, *, action: str | None = None) -> None:
        """Say that `field`, or what comes of it, is `value` and why that will not do, where it has no problem yet.

        `action` is what to do about it, where that is not to correct the row.
        """
        body = invalid(field, FieldValueError(value, reason))
        self.problems.setdefault(field, body if action is None else body.model_copy(update={"action": action}))

    def miss(self, field: str, why: str, action: str) -> None:
        """Say that `field` is missing, why it is needed and what to do, where it has no problem yet."""
        body = missing(field)
        told = {"message": f"{body.message.rstrip('.')}: {why}.", "action": action}
        self.problems.setdefault(field, body.model_copy(update=told))

    @property
    def has_problems(self) -> bool:
        """Whether it or one of its parts has any."""
        return bool(self.problems) or any(reader.has_problems for _, reader in self._parts)

    def raise_problems(self) -> None:
        """Raise RowInvalidError if there are any: the row's own in the order of the fields, then its parts'."""
        if (self.problems or self._parts) and self.has_problems:
            of_parts = (
                problem.model_copy(update={"row": row})
                for row, part in self._parts
                for problem in _listed(part.problems)
            )
            raise RowInvalidError((*_listed(self.problems), *of_parts))


def _listed(problems: Mapping[str, ErrorBody]) -> list[ErrorBody]:
    return [problems[field] for field in sorted(PLACES.keys() & problems.keys(), key=PLACES.__getitem__)]
