"""Rows as intake makes them, and as they are inserted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from services.coordinator.identity import reservation_key
from services.coordinator.intake.marks import NO_MARKS, Marks
from shared.contracts.commands import SourcePlace
from shared.contracts.documents import ShippedBefore
from shared.contracts.states import RowStatus
from shared.contracts.warning import RowWarning
from shared.errors import ErrorBody
from shared.shipping import Shipment


@dataclass(frozen=True)
class NewRow:
    """A row that passed validation: its place in the source and what it ships; `skipped` says why it will not.

    `shipped_before` says that its order is shipped already; `replaces` are the numbers in the source that a new one may
    take the place of. `others` are the further rows of the source that are the same order. By its `marks` later orders
    like it are recognised.
    """

    source_row: int
    row_key: str
    checksum: str
    fingerprint: str
    shipment: Shipment
    skipped: ErrorBody | None = None
    shipped_before: ShippedBefore | None = None
    replaces: tuple[str, ...] = ()
    others: tuple[SourcePlace, ...] = ()
    warnings: tuple[RowWarning, ...] = ()
    marks: Marks = NO_MARKS

    @property
    def recipient(self) -> str:
        """Whom it is for."""
        return self.shipment.recipient.name

    @property
    def destination(self) -> str:
        """Where it goes."""
        return destination(self.shipment)

    @property
    def service(self) -> str:
        """The service level it goes by."""
        return self.shipment.service.value


@dataclass(frozen=True)
class RefusedRow:
    """A row that cannot ship, for these `problems`, and is left out: its place in the source, and what is known of it.

    `order_number`, `recipient` and `destination` are blank where that is nothing.
    """

    source_row: int
    row_key: str
    checksum: str
    problems: tuple[ErrorBody, ...]
    order_number: str = ""
    recipient: str = ""
    destination: str = ""
    others: tuple[SourcePlace, ...] = ()

    @property
    def skipped(self) -> ErrorBody:
        """Why it is left out: its first problem, the others below it."""
        first, *others = self.problems
        return first.model_copy(update={"details": (*first.details, *others)})


def row_values(row: NewRow | RefusedRow, source_hash: str) -> dict[str, Any]:
    """What the job database holds of a row besides its place in its job; `source_hash` tells the source."""
    skipped = row.skipped
    common = {
        "source_row": row.source_row,
        "row_key": row.row_key,
        "checksum": row.checksum,
        "others": [place.model_dump() for place in row.others] or None,
        "recipient": row.recipient,
        "destination": row.destination,
        "status": (RowStatus.PENDING if skipped is None else RowStatus.SKIPPED).value,
        "error": None if skipped is None else skipped.model_dump(mode="json"),
    }
    return common | (_refused_values() if isinstance(row, RefusedRow) else _shipping_values(row, source_hash))


def _shipping_values(row: NewRow, source_hash: str) -> dict[str, Any]:
    return {
        "reservation_key": reservation_key(source_hash, row.row_key, row.fingerprint),
        "shipment": row.shipment.model_dump_json(exclude_defaults=True),
        "service": row.service,
        "shipped_before": None if row.shipped_before is None else row.shipped_before.model_dump(mode="json"),
        "replaces": list(row.replaces) or None,
        "warnings": [warning.model_dump(mode="json") for warning in row.warnings] or None,
        "order_mark": row.marks.order or None,
        "contents_mark": row.marks.contents or None,
    }


def _refused_values() -> dict[str, Any]:
    """Nothing can be bought by such a row: it has no shipment, and no reservation can be of it."""
    return {
        "reservation_key": "",
        "shipment": "{}",
        "service": "",
        "shipped_before": None,
        "replaces": None,
        "warnings": None,
        "order_mark": None,
        "contents_mark": None,
    }


def destination(shipment: Shipment) -> str:
    """Where a shipment goes, as a preview says it: city and state, and the country where it is not the US."""
    address = shipment.recipient.address
    parts = [address.city, address.state, address.country if address.country != "US" else ""]
    return ", ".join(part for part in parts if part)
