"""Rows as intake makes them, and as they are inserted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from pydantic import BaseModel

from services.coordinator.identity import reservation_key
from services.coordinator.intake.marks import NO_MARKS, Marks
from shared.contracts.commands import SourcePlace
from shared.contracts.documents import ShippedBefore
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

    def key(self, source_hash: str) -> str:
        """Its reservation key; `source_hash` tells the source."""
        return reservation_key(source_hash, self.row_key, self.fingerprint)

    def judged(
        self, before: ShippedBefore, *, skipped: ErrorBody | None = None, replaces: tuple[str, ...] = ()
    ) -> NewRow:
        """The row of an order that is shipped already."""
        return replace(self, shipped_before=before, skipped=skipped, replaces=replaces)

    def warned(self, added: Sequence[RowWarning]) -> NewRow:
        """The row with more warnings."""
        return replace(self, warnings=(*self.warnings, *added))

    def unwarned(self) -> NewRow:
        """The row without any."""
        return replace(self, warnings=())


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


class StoredRow(NamedTuple):
    """A row as it is stored, its shipment and lists as JSON: plain and quick to hand from one process to another.

    Of an order that cannot ship the shipment is empty, and no reservation can be of it.
    """

    source_row: int
    row_key: str
    checksum: str
    others: str | None
    recipient: str
    destination: str
    reservation_key: str = ""
    shipment: str = "{}"
    service: str = ""
    warnings: str | None = None
    order_mark: str | None = None
    contents_mark: str | None = None
    skipped: ErrorBody | None = None
    shipped_before: ShippedBefore | None = None
    replaces: tuple[str, ...] = ()

    @property
    def marks(self) -> Marks:
        """By what later orders like it are recognised."""
        return Marks(self.order_mark or "", self.contents_mark or "")

    def key(self, source_hash: str) -> str:  # noqa: ARG002 - the same for every kind of row
        """Its reservation key."""
        return self.reservation_key

    def judged(
        self, before: ShippedBefore, *, skipped: ErrorBody | None = None, replaces: tuple[str, ...] = ()
    ) -> StoredRow:
        """The row of an order that is shipped already."""
        return self._replace(shipped_before=before, skipped=skipped, replaces=replaces)

    def warned(self, added: Sequence[RowWarning]) -> StoredRow:
        """The row with more warnings."""
        return self._replace(warnings=_warnings([*json.loads(self.warnings or "[]"), *_documents(added)]))

    def unwarned(self) -> StoredRow:
        """The row without any."""
        return self._replace(warnings=None)


def stored(row: NewRow | RefusedRow | StoredRow, source_hash: str) -> StoredRow:
    """A row as it is stored; `source_hash` tells the source."""
    if isinstance(row, StoredRow):
        return row
    others = json.dumps(_documents(row.others)) if row.others else None
    place = (row.source_row, row.row_key, row.checksum, others, row.recipient, row.destination)
    if isinstance(row, RefusedRow):
        return StoredRow(*place, skipped=row.skipped)
    return StoredRow(
        *place,
        row.key(source_hash),
        row.shipment.model_dump_json(exclude_defaults=True),
        row.service,
        _warnings(_documents(row.warnings)),
        row.marks.order or None,
        row.marks.contents or None,
        row.skipped,
        row.shipped_before,
        row.replaces,
    )


def _documents(models: Sequence[BaseModel]) -> list[Any]:
    return [model.model_dump(mode="json") for model in models]


def _warnings(documents: list[Any]) -> str | None:
    return json.dumps(documents) if documents else None


def destination(shipment: Shipment) -> str:
    """Where a shipment goes, as a preview says it: city and state, and the country where it is not the US."""
    address = shipment.recipient.address
    parts = [address.city, address.state, address.country if address.country != "US" else ""]
    return ", ".join(part for part in parts if part)
