"""Orders that cannot ship, as an inspection tells every one of them."""

from __future__ import annotations

from shared.contracts.documents import Document
from shared.contracts.message import Message, RowNumber
from shared.errors import ErrorBody


class RefusedOrder(Document):
    """An order that cannot ship, for these reasons; it begins at `source_row` of the source.

    `order_number` and `recipient` are what the mapping makes of it, blank where that is not known.
    """

    source_row: RowNumber
    order_number: str = ""
    recipient: str = ""
    problems: tuple[ErrorBody, ...]


class RefusedOrders(Message):
    """The next orders of an inspection that cannot ship, in the order of the source."""

    orders: tuple[RefusedOrder, ...]
