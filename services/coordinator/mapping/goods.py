"""What customs is told of an order that goes abroad: its goods line by line, and why and on what terms they go."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from services.coordinator.mapping.amounts import amount, hs_code, reason_for_export, terms, whole_number
from services.coordinator.mapping.fields import CUSTOMS_LINE, MOST_NUMBERED, Fields, numbered
from services.coordinator.mapping.filters import country_code
from services.coordinator.mapping.reading import RowReader
from shared.shipping import Customs, CustomsLine
from shared.shipping.customs import MOST_LINES

_DESCRIPTION, _HS_CODE, _ORIGIN, _QUANTITY, _VALUE, _SKU = CUSTOMS_LINE


def read_customs(
    row: RowReader, fields: Fields, currency: str, default_origin: str, destination: str
) -> Customs | None:
    """What customs of `destination` (a country) is told; None where something is wrong, which `row` is then told.

    `default_origin` is the country of goods that have none.
    """
    readers = [row.part(number, part) for number, part in fields.lines] or [row]
    lines = [line for reader in readers for line in _lines(reader, currency, default_origin)]
    on_terms = row.parsed("terms", terms, blank=None)
    reason = row.parsed("reason_for_export", reason_for_export, blank="SALE")
    if not lines and not any(reader.problems for reader in readers):
        row.miss(
            _DESCRIPTION,
            f"goods to {destination} need a line for customs each",
            "Give description, quantity, value and country of origin, or say documents_only.",
        )
    if len(lines) > MOST_LINES:
        row.refuse(_DESCRIPTION, f"{len(lines)} lines", f"an invoice has room for {MOST_LINES}")
    if row.has_problems:
        return None
    return Customs(lines=tuple(lines), currency=currency, reason=reason, terms=on_terms)


def has_lines(row: RowReader, fields: Fields) -> bool:
    """Whether an order names any goods for customs."""
    return bool(fields.lines) or any(_is_given(row, number) for number in range(1, MOST_NUMBERED + 1))


def _lines(row: RowReader, currency: str, default_origin: str) -> Iterator[CustomsLine]:
    for number in range(1, MOST_NUMBERED + 1):
        if _is_given(row, number) and (line := _line(row, number, currency, default_origin)):
            yield line


def _is_given(row: RowReader, number: int) -> bool:
    """Whether a line is there; a country of origin alone is none, for it may be the same in every row."""
    return row.says(*(numbered(field, number) for field in CUSTOMS_LINE if field != _ORIGIN))


def _line(row: RowReader, number: int, currency: str, default_origin: str) -> CustomsLine | None:
    names = tuple(numbered(field, number) for field in CUSTOMS_LINE)
    description, code, origin, quantity, value, sku = names
    told = row.text(description, needed=True)
    made_in = row.parsed(origin, country_code, blank="", default=default_origin, needed=True)
    pieces = row.parsed(quantity, whole_number, blank=0, needed=True)
    worth = row.parsed(value, _unit_value, currency, blank=Decimal(0), needed=True)
    classified = row.parsed(code, hs_code, blank="")
    stock_number = row.text(sku)
    if not row.problems.keys().isdisjoint(names):
        return None
    return CustomsLine(
        description=told, origin=made_in, quantity=pieces, unit_value=worth, hs_code=classified, sku=stock_number
    )


def _unit_value(text: str, currency: str) -> Decimal:
    return amount(text, currency).amount
