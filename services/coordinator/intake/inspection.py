"""Looks at a source as intake would, and tells everything about it instead of taking it in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from nats.aio.client import Client

from services.coordinator.database.new_rows import RefusedRow
from services.coordinator.intake.batch import Batch
from services.coordinator.intake.intake import Intake
from services.coordinator.mapping.mapping import Mapping
from services.coordinator.mapping.profiles import AUTO
from shared.contracts.api import InspectSource
from shared.contracts.documents import InspectionDocument
from shared.contracts.refusals import RefusedOrder, RefusedOrders
from shared.contracts.requests import JobRequest
from shared.contracts.source import Source
from shared.errors import ALL_SETTLED, MAPPING_MISSING_COLUMN, NO_ROWS, ROWS_INVALID, TallyError
from shared.sources import Snapshot

# An order may have dozens of problems, and a message must stay below the bus's limit.
_ORDERS_A_MESSAGE = 20


class Inspections:
    """Makes inspections."""

    def __init__(self, intake: Intake, client: Client) -> None:
        self._intake = intake
        self._client = client

    async def inspect(self, call: InspectSource) -> InspectionDocument:
        """What a request's source is, and what would become of its orders. Raises E-1xxx, E-2001, E-2002 or E-5004."""
        request = call.request
        async with self._intake.read(request, to_ship=False) as (source, snapshot):
            mapping = await self._intake.mapping(request, snapshot)
            found = await asyncio.to_thread(_found, request, source, snapshot, mapping)
            found = found.model_copy(update={"not_writable": await self._intake.not_writable(source)})
            try:
                mapping.check(snapshot.columns)
            except TallyError as error:
                if error.kind is not MAPPING_MISSING_COLUMN:
                    raise
                return found.model_copy(update={"error": error.body})
            batch = await self._intake.batch(request, source, snapshot, mapping)
            skipped = await self._read(call, batch)
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

    async def _read(self, call: InspectSource, batch: Batch) -> int:
        """Read every row and tell those that cannot ship; how many are shipped already."""
        skipped = 0
        try:
            async for rows in batch.rows(every_row=True):
                refused = [row for row in rows if isinstance(row, RefusedRow)]
                skipped += sum(row.skipped is not None for row in rows) - len(refused)
                await self._tell(call, refused)
        except TallyError as error:
            if error.kind not in {ROWS_INVALID, NO_ROWS, ALL_SETTLED}:
                raise
        return skipped

    async def _tell(self, call: InspectSource, refused: Sequence[RefusedRow]) -> None:
        if call.refused is not None:
            for start in range(0, len(refused), _ORDERS_A_MESSAGE):
                orders = tuple(map(_refused_order, refused[start : start + _ORDERS_A_MESSAGE]))
                await self._client.publish(call.refused, RefusedOrders(orders=orders).encode())


def _refused_order(row: RefusedRow) -> RefusedOrder:
    return RefusedOrder(
        source_row=row.source_row, order_number=row.order_number, recipient=row.recipient, problems=row.problems
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
