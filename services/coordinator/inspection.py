"""Looks at a source as intake would, and tells everything about it instead of taking it in."""

from __future__ import annotations

import asyncio

from services.coordinator.intake import Intake
from services.coordinator.mapping.mapping import Mapping
from services.coordinator.mapping.profiles import AUTO
from shared.contracts.documents import InspectionDocument
from shared.contracts.requests import JobRequest
from shared.contracts.source import Source
from shared.errors import ALL_SETTLED, MAPPING_MISSING_COLUMN, NO_ROWS, ROWS_INVALID, TallyError
from shared.sources import Snapshot


async def inspect(intake: Intake, request: JobRequest) -> InspectionDocument:
    """What `request`'s source is, and what would become of its orders. Raises E-1xxx, E-2001, E-2002 or E-5004."""
    async with intake.read(request, to_ship=False) as (source, snapshot):
        mapping = await intake.mapping(request, snapshot)
        found = await asyncio.to_thread(_found, request, source, snapshot, mapping)
        found = found.model_copy(update={"not_writable": await intake.not_writable(source)})
        try:
            mapping.check(snapshot.columns)
        except TallyError as error:
            if error.kind is not MAPPING_MISSING_COLUMN:
                raise
            return found.model_copy(update={"error": error.body})
        batch = await intake.batch(request, source, snapshot, mapping)
        skipped = 0
        try:
            async for rows in batch.rows(all_valid=True):
                skipped += sum(row.skipped is not None for row in rows)
        except TallyError as error:
            if error.kind not in {ROWS_INVALID, NO_ROWS, ALL_SETTLED}:
                raise
        return found.model_copy(
            update={
                "total": batch.total,
                "skipped": skipped,
                "left_out": batch.left_out,
                "settled": batch.settled.orders,
                "refused": batch.invalid,
                "problems": tuple(batch.problems),
                "first": batch.first.shipment if batch.first else None,
                "first_row": batch.first.source_row if batch.first else None,
            }
        )


def _found(request: JobRequest, source: Source, snapshot: Snapshot, mapping: Mapping) -> InspectionDocument:
    return InspectionDocument(
        source=source,
        facts=dict(snapshot.facts),
        notes=snapshot.notes,
        columns=snapshot.columns,
        rows=snapshot.count(),
        where=request.where,
        mapping=mapping.name,
        picked="name" if request.mapping != AUTO else "headers" if mapping.match else "generic",
        fields=mapping.placed(snapshot.columns),
        order_column=mapping.order_column(snapshot.columns),
        leaves_out_by=mapping.leaves_out_by(snapshot.columns),
    )
