"""The shipper's composition root: the only place that wires it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from services.shipper.address_checks import AddressChecks
from services.shipper.carriers.ups import UpsCarrier
from services.shipper.handlers import Handlers
from services.shipper.label_keeping import LabelKeeping
from services.shipper.labels import LabelStore
from services.shipper.ledger_mark import EVERY, LedgerMark
from services.shipper.metrics import tell_places
from services.shipper.quotes import Quotes
from services.shipper.recording import Recorder
from services.shipper.recovery import Recovery
from services.shipper.sharing import Sharing
from services.shipper.shipping import Shipping
from services.shipper.spool import Spool
from services.shipper.voiding import Voiding
from shared.bus import topology
from shared.bus.ledger import Ledger
from shared.bus.service import Service
from shared.clock import utc_now
from shared.contracts import subjects
from shared.errors import NO_CARRIER, TallyError
from shared.repeating import repeat
from shared.settings import ShipperSettings, load
from shared.telemetry import logger

log = logger("ledger")

# Deliveries wait for a place with their heartbeat running, so this is far above what the carrier takes at once.
_ROWS_AT_ONCE = 512
# Voids are in no hurry and share the carrier's places with purchases.
_VOIDS_AT_ONCE = 2
# Seconds after the bus was away in which nothing is bought. A shipper or a coordinator that knows more than the ledger
# has then says so within about three: it looks every half second, and is asked again before the ledger is replaced.
_SETTLES_FOR = 5.0


def main() -> None:
    """Run a shipper until it is told to stop."""
    settings = load(ShipperSettings)
    if not settings.carrier.url:
        raise TallyError(NO_CARRIER)
    service = Service("shipper", settings, needs=(topology.SHIP_COMMANDS, topology.VOID_COMMANDS))
    labels = LabelStore(settings.label_store_url)
    service.require("label_store", labels.unwritable)
    carriers: list[UpsCarrier] = []
    marks: list[LedgerMark] = []

    async def start() -> None:
        carrier = UpsCarrier(settings.carrier, utc_now)
        carriers.append(carrier)
        ledger = Ledger(service.client, service.publisher, settles_for=_SETTLES_FOR)
        mark = LedgerMark(service.client, ledger, settings.data_dir)
        await mark.recall()
        marks.append(mark)
        service.require("ledger", mark.behind)
        spool = Spool(settings.data_dir / "spool")
        label_within = timedelta(seconds=settings.carrier.call_timeout)
        recorder = Recorder(carrier, labels, ledger, spool, utc_now, label_within=label_within)
        shipping = Shipping(carrier, settings.carrier, recorder, ledger, service.publisher, utc_now)
        voiding = Voiding(carrier, service.publisher, utc_now)
        handlers = Handlers(shipping, voiding, service.publisher, service.parking)

        async def deliver_spooled() -> None:
            await spool.deliver(ledger)

        sharing = Sharing(service.client, service.publisher, carrier.limits, settings.carrier, utc_now)
        carrier.limits.tell_of_rest = sharing.rests
        await sharing.join()
        tell_places(carrier.limits)
        service.background(sharing.run, to_the_end=True)
        service.background(deliver_spooled)
        service.background(partial(repeat, mark.round, every=EVERY, log=log))
        service.consume(
            topology.SHIP_COMMANDS,
            handlers.ship,
            concurrency=_ROWS_AT_ONCE,
            room=lambda: _ROWS_AT_ONCE if carrier.limits.is_open and not mark.is_behind else 0,
        )
        service.consume(topology.VOID_COMMANDS, handlers.void, concurrency=_VOIDS_AT_ONCE)
        service.answer(subjects.RATES_QUOTE, Quotes(carrier, own_rates=settings.carrier.negotiated_rates).answer)
        service.answer(subjects.ADDRESSES_CHECK, AddressChecks(carrier).answer)
        recovery = Recovery(carrier, recorder, ledger, utc_now)
        service.answer(subjects.LABELS_RECOVER, recovery.recover_label)
        keeping = LabelKeeping(labels)
        service.answer(subjects.LABELS_GET, keeping.get)
        service.answer(subjects.LABELS_DROP, keeping.drop)
        service.answer(subjects.SHIPMENTS_FIND, recovery.find_shipment)

    async def stop() -> None:
        for carrier in carriers:
            await carrier.close()
        for mark in marks:
            await mark.keep()

    service.run(start, stop)
