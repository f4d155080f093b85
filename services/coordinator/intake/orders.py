"""From an order's rows in a source to the row of a job: mapped, merged, validated, and what to warn of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from services.coordinator.database.new_rows import NewRow, RefusedRow
from services.coordinator.intake.address_rules import rule_warnings
from services.coordinator.intake.marks import marks_by
from services.coordinator.intake.phone_rules import phone_warnings
from services.coordinator.mapping.fields import SKIP
from services.coordinator.mapping.filters import yes_no
from services.coordinator.mapping.fingerprint import prints_of
from services.coordinator.mapping.mapping import Mapping
from services.coordinator.mapping.merging import merged
from services.coordinator.mapping.problems import FieldValueError, RowInvalidError, invalid
from services.coordinator.mapping.service_choice import ServiceChoice
from services.coordinator.mapping.shipment import Defaults, Senders, map_order
from shared.contracts.commands import SourcePlace
from shared.contracts.warning import RowWarning
from shared.errors import SURPLUS_FIELDS, ErrorBody, TallyError
from shared.shipping import ServiceLevel, Shipment
from shared.sources.rows import SourceRow, tracking_number

_SHOWN_LENGTH = 80


@dataclass(frozen=True)
class OrderReader:
    """How one source's orders become rows of a job; the defaults count where an order says nothing."""

    mapping: Mapping
    senders: Senders
    service: ServiceLevel | ServiceChoice | None
    defaults: Defaults

    def is_left_out(self, rows: Sequence[SourceRow]) -> bool:
        """Whether the mapping says that these rows are no order. Raises RowInvalidError where it cannot tell."""
        if SKIP not in self.mapping.templates:
            return False
        fields = self.mapping.render(rows[0].values)
        if SKIP in fields.problems:
            raise RowInvalidError((fields.problems[SKIP],))
        text = fields.texts.get(SKIP, "").strip()
        try:
            return bool(text) and yes_no(text)
        except FieldValueError as error:
            raise RowInvalidError((invalid(SKIP, error),)) from error

    def why_left_out(self, rows: Sequence[SourceRow], included: Collection[str]) -> str | None:
        """Why the mapping leaves an order out, such as `fulfilled`; None where it ships, or the reason is included."""
        return self.mapping.why_left_out([row.values for row in rows], included)

    def read(self, rows: Sequence[SourceRow]) -> NewRow:
        """The job's row for an order. Raises RowInvalidError with every problem, E-2011 to E-2014."""
        if slipped := [_slipped(row) for row in rows if row.surplus]:
            raise RowInvalidError(tuple(slipped))
        order = map_order(
            merged(
                [(row.number, self.mapping.render(row.values)) for row in rows],
                packages_by_row=self.mapping.packages_by_row,
                customs_by_row=self.mapping.customs_by_row,
            ),
            senders=self.senders,
            service=self.service,
            defaults=self.defaults,
        )
        first, *others = rows
        shipment = order.shipment
        prints = prints_of(shipment)
        return NewRow(
            source_row=first.number,
            row_key=first.key,
            checksum=first.checksum,
            fingerprint=prints.content,
            shipment=shipment,
            others=_places(others),
            warnings=(*order.warnings, *_warnings(shipment)),
            marks=marks_by(shipment.order_number, prints.address_and_contents),
        )

    def refused(self, rows: Sequence[SourceRow], problems: tuple[ErrorBody, ...]) -> RefusedRow:
        """The job's row for an order that cannot ship, with what can be told of it."""
        first, *others = rows
        texts = {field: _shown(text) for field, text in self.mapping.render(first.values).texts.items()}
        return RefusedRow(
            source_row=first.number,
            row_key=first.key,
            checksum=first.checksum,
            problems=tuple(problem.model_copy(update={"row": problem.row or first.number}) for problem in problems),
            order_number=texts.get("order_number", ""),
            recipient=texts.get("recipient_name", "") or texts.get("company", ""),
            destination=_shown(", ".join(filter(None, (texts.get("city"), texts.get("state"))))),
            others=_places(others),
        )


def number_in_source(rows: Sequence[SourceRow]) -> str:
    """The tracking number that an order has in its source; empty where none of its rows has one."""
    for row in rows:
        if number := tracking_number(row.values):
            return number
    return ""


def _warnings(shipment: Shipment) -> tuple[RowWarning, ...]:
    recipient = shipment.recipient
    address = recipient.address
    return (
        *rule_warnings(address.country, address.state, address.postal_code),
        *phone_warnings(recipient.phone, address.country),
    )


def _places(rows: Sequence[SourceRow]) -> tuple[SourcePlace, ...]:
    return tuple(SourcePlace(source_row=row.number, row_key=row.key, checksum=row.checksum) for row in rows)


def _shown(text: str) -> str:
    """What can be shown of a text that may hold anything."""
    return "".join(character for character in text if character.isprintable()).strip()[:_SHOWN_LENGTH]


def _slipped(row: SourceRow) -> ErrorBody:
    return TallyError(SURPLUS_FIELDS, row=row.number, count=row.surplus).body
