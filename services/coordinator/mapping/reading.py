"""Reads one row's fields, one by one, and collects what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from services.coordinator.mapping.fields import FIELDS, TEXT_LIMITS, Fields
from services.coordinator.mapping.problems import FieldValueError, RowInvalidError, invalid, missing
from services.coordinator.mapping.text import clean
from shared.errors import ErrorBody

ValueT = TypeVar("ValueT")
BlankT = TypeVar("BlankT")


class RowReader:
    """One row's fields; `problems` holds the first problem of each."""

    def __init__(self, fields: Fields) -> None:
        self.problems: dict[str, ErrorBody] = dict(fields.problems)
        self._texts = fields.texts

    def text(self, field: str, *, needed: bool = False) -> str:
        """The field on one clean line and within its limit; blank where it is not, or has a problem."""
        text = self._texts.get(field, "")
        if text:
            try:
                text = _within_limit(clean(text), TEXT_LIMITS.get(field))
            except FieldValueError as error:
                self.problems[field] = invalid(field, error)
                return ""
        if needed and not text:
            self.problems.setdefault(field, missing(field))
        return text

    def parsed(
        self, field: str, parse: Callable[[str], ValueT], *, blank: BlankT, default: str = "", needed: bool = False
    ) -> ValueT | BlankT:
        """The field, or `default` where it is blank, parsed by one of the filters; `blank` without either."""
        text = self.text(field, needed=needed and not default) or default
        if not text or field in self.problems:
            return blank
        try:
            return parse(text)
        except FieldValueError as error:
            self.problems[field] = invalid(field, error)
            return blank

    def raise_problems(self) -> None:
        """Raise RowInvalidError if there are any."""
        if self.problems:
            raise RowInvalidError(tuple(self.problems[field] for field in FIELDS if field in self.problems))


def _within_limit(text: str, limit: int | None) -> str:
    if limit is not None and len(text) > limit:
        raise FieldValueError(text, f"{len(text)} characters; at most {limit}")
    return text
