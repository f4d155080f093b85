"""Rows as intake makes them, and as they are inserted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic import BaseModel, TypeAdapter

from services.coordinator.identity import reservation_key
from services.coordinator.intake.marks import NO_MARKS, Marks
from shared.contracts.commands import SourcePlace
from shared.contracts.documents import ShippedBefore
from shared.contracts.states import RowStatus
from shared.contracts.warning import RowWarning
from shared.errors import ErrorBody
from shared.shipping import Shipment


@dataclass(frozen=True)
class Finding:
    """What comparing a row with earlier orders, and with those before it, found: the row's own fields, and `warnings`.

    Without `skipped` it ships, again where it is `shipped_before`.
    """

    shipped_before: ShippedBefore | None = None
    skipped: ErrorBody | None = None
    replaces: tuple[str, ...] = ()
    warnings: tuple[RowWarning, ...] = ()


class NewRow(NamedTuple):
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

    def key(self, source_hash: str) -> str:
        """Its reservation key; `source_hash` tells the source."""
        return reservation_key(source_hash, self.row_key, self.fingerprint)

    def with_finding(self, finding: Finding) -> NewRow:
        """The row with what comparing it with others found; one that does not ship has no warnings."""
        return self._replace(
            skipped=finding.skipped,
            shipped_before=finding.shipped_before,
            replaces=finding.replaces,
            warnings=(*self.warnings, *finding.warnings) if finding.skipped is None else (),
        )


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

    def key(self, _source_hash: str) -> str:
        """Its reservation key: it has none."""
        return ""


# What is inserted of a row, in the order of STORED. Plain, since a million of them go from one process to another, and
# a tuple with names takes microseconds more each.
StoredRow = tuple[Any, ...]

STORED = (
    "source_row",
    "row_key",
    "checksum",
    "others",
    "recipient",
    "destination",
    "reservation_key",
    "shipment",
    "service",
    "order_mark",
    "contents_mark",
    "warnings",
    "status",
    "error",
    "shipped_before",
    "replaces",
)
_WARNINGS = STORED.index("warnings")
# What Shipment.model_dump_json calls, at three quarters of the cost.
_SHIPMENTS = TypeAdapter(Shipment).serializer
_PENDING, _SKIPPED = RowStatus.PENDING.value, RowStatus.SKIPPED.value


@dataclass
class StoredRows:
    """Rows as they are stored; `skipped` says by place, from 0, why some do not ship, and what shipped them before."""

    rows: list[StoredRow]
    skipped: dict[int, tuple[ErrorBody, ShippedBefore | None]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)


def stored_rows(rows: Sequence[NewRow | RefusedRow], source_hash: str) -> StoredRows:
    """Rows as they are stored; `source_hash` tells the source."""
    taken = StoredRows([stored(row, row.key(source_hash)) for row in rows])
    for place, row in enumerate(rows):
        if row.skipped is not None:
            taken.skipped[place] = (row.skipped, row.shipped_before if isinstance(row, NewRow) else None)
    return taken


def stored(row: NewRow | RefusedRow, key: str) -> StoredRow:
    """A row as it is stored, its shipment and lists as JSON; `key` is its reservation key.

    Of an order that cannot ship the shipment is empty, and no reservation can be of it.
    """
    others = json.dumps(_documents(row.others)) if row.others else None
    place = (row.source_row, row.row_key, row.checksum, others, row.recipient, row.destination, key)
    if isinstance(row, RefusedRow):
        return (*place, "{}", "", None, None, None, _SKIPPED, _json(row.skipped), None, None)
    return (
        *place,
        _SHIPMENTS.to_json(row.shipment, exclude_defaults=True).decode(),
        row.service,
        row.marks.order or None,
        row.marks.contents or None,
        json.dumps(_documents(row.warnings)) if row.warnings else None,
        _PENDING if row.skipped is None else _SKIPPED,
        _json(row.skipped),
        _json(row.shipped_before),
        json.dumps(row.replaces) if row.replaces else None,
    )


def source_row_of(row: NewRow | RefusedRow | StoredRow) -> int:
    """The number of the row in its source."""
    return row.source_row if isinstance(row, (NewRow, RefusedRow)) else int(row[0])


def with_finding(row: StoredRow, finding: Finding) -> StoredRow:
    """A stored row with what comparing it with others found; the same as storing the row with the finding."""
    warnings = [*json.loads(row[_WARNINGS] or "[]"), *_documents(finding.warnings)]
    return (
        *row[:_WARNINGS],
        json.dumps(warnings) if warnings and finding.skipped is None else None,
        _PENDING if finding.skipped is None else _SKIPPED,
        _json(finding.skipped),
        _json(finding.shipped_before),
        json.dumps(finding.replaces) if finding.replaces else None,
    )


def _documents(models: Sequence[BaseModel]) -> list[Any]:
    return [model.model_dump(mode="json") for model in models]


def _json(model: BaseModel | None) -> str | None:
    return None if model is None else json.dumps(model.model_dump(mode="json"))


def destination(shipment: Shipment) -> str:
    """Where a shipment goes, as a preview says it: city and state, and the country where it is not the US."""
    address = shipment.recipient.address
    parts = [address.city, address.state, address.country if address.country != "US" else ""]
    return ", ".join([part for part in parts if part])
