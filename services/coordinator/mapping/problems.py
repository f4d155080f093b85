"""What can be wrong with a row: one field's value, or the row with every problem it has."""

from __future__ import annotations

from services.coordinator.mapping.fields import PERSONAL
from shared.errors import FIELD_INVALID, FIELD_MISSING, ErrorBody, TallyError

_SHOWN_LENGTH = 60
_DEFAULTS = {"weight": "TALLY_DEFAULT_WEIGHT, in pounds", "customs_origin": "TALLY_DEFAULT_ORIGIN, a country's code"}


class FieldValueError(ValueError):
    """A value that a field cannot take; `value` is as the source has it, `reason` a clause that says why not."""

    def __init__(self, value: str, reason: str) -> None:
        super().__init__(f"{quoted(value)}: {reason}")
        self.value = value
        self.reason = reason


class RowInvalidError(Exception):
    """A row that cannot become a shipment; `errors` lists every problem it has, in the order of the fields.

    The messages hold values of the row, though none of PERSONAL: they are for whom the job is, never for a log.
    """

    def __init__(self, errors: tuple[ErrorBody, ...]) -> None:
        super().__init__(f"{len(errors)} problems")
        self.errors = errors


def missing(field: str) -> ErrorBody:
    """The E-2011 error for `field`; what a setting may give in its stead is said."""
    body = TallyError(FIELD_MISSING, field=field).body.model_copy(update={"field": field})
    setting = _DEFAULTS.get(field)
    return body if setting is None else body.model_copy(update={"action": f"{body.action} Or set {setting}."})


def invalid(field: str, error: FieldValueError) -> ErrorBody:
    """The E-2012 error for `field`, with the reason and, unless it is about a person, its value."""
    return _invalid(field, "not usable" if field in PERSONAL else quoted(error.value), error.reason)


def not_rendered(field: str, reason: str) -> ErrorBody:
    """The E-2012 error for a field whose template failed on this row."""
    return _invalid(field, "not rendered", reason)


def _invalid(field: str, value: str, reason: str) -> ErrorBody:
    body = TallyError(FIELD_INVALID, field=field, value=value, reason=reason).body
    return body.model_copy(update={"field": field})


def quoted(text: str) -> str:
    """`text` in quotes for an error message: cut to sixty characters, what cannot be printed escaped."""
    shown = text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 1] + "…"
    return "'" + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in shown) + "'"
