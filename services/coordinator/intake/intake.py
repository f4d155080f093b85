"""Takes a request's orders in: read, mapped, validated and snapshotted before any money moves (DESIGN P4)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from services.coordinator.intake.batch import Batch, IntakeSettings
from services.coordinator.intake.history import History
from services.coordinator.intake.orders import OrderReader
from services.coordinator.mapping.filters import service_level
from services.coordinator.mapping.mapping import Mapping
from services.coordinator.mapping.problems import FieldValueError, quoted
from services.coordinator.mapping.profiles import choose_mapping
from services.coordinator.mapping.service_choice import ServiceChoice, service_choice
from shared.contracts.requests import JobRequest
from shared.contracts.source import Source
from shared.errors import NO_SHIP_FROM, REQUEST_MALFORMED, ErrorBody, TallyError
from shared.shipping import ServiceLevel
from shared.sources import Snapshot, as_read, check_writable, open_source, resolve_source

# Told a source that is resolved and about to be read.
WhenFound = Callable[[Source], Awaitable[None]]


class Intake:
    """Opens requests' sources."""

    def __init__(self, settings: IntakeSettings, history: History) -> None:
        self._settings = settings
        self._history = history

    @asynccontextmanager
    async def open(
        self, request: JobRequest, *, to_ship: bool = True, found: WhenFound | None = None
    ) -> AsyncIterator[Batch]:
        """The request's batch, its source open. Raises TallyError E-1xxx, E-2xxx or E-5004.

        With `to_ship` a source that cannot be written back to is refused: before anything is bought, not after.
        `found` is told the resolved source before it is read.
        """
        async with self.read(request, to_ship=to_ship, found=found) as (source, snapshot):
            mapping = await self.mapping(request, snapshot)
            mapping.check(snapshot.columns)
            yield await self.batch(request, source, snapshot, mapping)

    @asynccontextmanager
    async def read(
        self, request: JobRequest, *, to_ship: bool, found: WhenFound | None = None
    ) -> AsyncIterator[tuple[Source, Snapshot]]:
        """The request's source as it is read, and what is in it; `found` as above. Raises E-1xxx."""
        roots, connections = self._settings.source_roots, self._settings.connections
        source = await asyncio.to_thread(resolve_source, request.source, roots, connections)
        if to_ship:
            await asyncio.to_thread(check_writable, source, connections)
        if found is not None:
            await found(source)
        snapshot = await asyncio.to_thread(open_source, source, roots, connections)
        try:
            yield as_read(source, snapshot), snapshot
        finally:
            await asyncio.to_thread(snapshot.close)

    async def not_writable(self, source: Source) -> ErrorBody | None:
        """Why a source would be refused since it cannot be written back to; None where it can."""
        try:
            await asyncio.to_thread(check_writable, source, self._settings.connections)
        except TallyError as error:
            return error.body
        return None

    async def mapping(self, request: JobRequest, snapshot: Snapshot) -> Mapping:
        """The mapping that a request names, or that its source's columns ask for. Raises E-2001, E-2002 or E-1006."""
        return await asyncio.to_thread(choose_mapping, request.mapping, snapshot.columns, self._settings.source_roots)

    async def batch(self, request: JobRequest, source: Source, snapshot: Snapshot, mapping: Mapping) -> Batch:
        """A source's orders by a mapping that fits it. Raises E-2020 or E-5004."""
        _check_included(request.include, mapping)
        settings, history = self._settings, self._history
        if settings.senders.account is None and not settings.senders.warehouses:
            raise TallyError(NO_SHIP_FROM)
        service = _service(request.service)
        reader = OrderReader(mapping, settings.senders, service, settings.defaults)
        ancestors = await history.ancestors(request.restart_of)
        sold = {} if request.restart_of is None else await history.numbers_sold(request.restart_of)
        return Batch(source, reader, snapshot, request, settings, history, ancestors, sold)


def _check_included(included: Sequence[str], mapping: Mapping) -> None:
    known = list(dict.fromkeys(rule.reason for rule in mapping.leave_out))
    for reason in included:
        if reason not in known:
            left_out = ", ".join(known) if known else "nothing"
            raise TallyError(
                REQUEST_MALFORMED, reason=f"include {reason}: mapping {mapping.name} leaves out {left_out}"
            )


def choice_of(request: JobRequest) -> ServiceChoice | None:
    """How the carrier's prices choose the rows' services, where the request has them do so. Raises E-2020."""
    service = _service(request.service)
    return service if isinstance(service, ServiceChoice) else None


def _service(text: str | None) -> ServiceLevel | ServiceChoice | None:
    """What a request's `service` says. Raises E-2020."""
    if text is None:
        return None
    try:
        return service_choice(text) or service_level(text)
    except FieldValueError as error:
        raise TallyError(REQUEST_MALFORMED, reason=f"service {quoted(error.value)}: {error.reason}") from error
