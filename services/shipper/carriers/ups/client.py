"""UPS as a Carrier."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from services.shipper.carriers.carrier import (
    DateWindow,
    Finding,
    Label,
    NothingCreatedError,
    Purchase,
    Rate,
    SendDeadline,
    UnknownOutcomeError,
)
from services.shipper.carriers.places import Turn
from services.shipper.carriers.ups import requests
from services.shipper.carriers.ups.answers import Refused, ShipAnswer, ship_answer
from services.shipper.carriers.ups.directory import CheckAnswer, Found, check_answer, check_call, is_covered
from services.shipper.carriers.ups.lookups import (
    Exists,
    NotFound,
    Recovered,
    RecoveryAnswer,
    TrackAnswer,
    Tracked,
    Voided,
    conclude,
    recovery_answer,
    track_answer,
)
from services.shipper.carriers.ups.rating import RateAnswer, Rated, rate_answer, rate_call, shop_call
from services.shipper.carriers.ups.refusals import rejected, telling_nothing_of, void_refused
from services.shipper.carriers.ups.requests import Call
from services.shipper.carriers.ups.retries import Backoff, Sleep
from services.shipper.carriers.ups.session import Session
from services.shipper.carriers.ups.transport import Reply
from services.shipper.carriers.ups.voids import GivenBack, VoidAnswer, void_answer
from shared.clock import Clock
from shared.contracts.addresses import AddressFinding
from shared.errors import CARRIER_BLOCKED, CARRIER_UNAVAILABLE, CREDENTIALS_REFUSED, NO_CARRIER, TallyError
from shared.settings import CarrierSettings
from shared.shipping import Address, Shipment

_ABOUT_THE_ACCOUNT = {CREDENTIALS_REFUSED.code, CARRIER_BLOCKED.code}


class UpsCarrier:
    """One UPS account.

    A purchase's every try is sent before its deadline and takes at most `settings.call_timeout`; a look-up asks up to
    two APIs, each for at most that long. Raises TallyError E-5001 where `settings` name no carrier.
    """

    def __init__(
        self, settings: CarrierSettings, clock: Clock, *, sleep: Sleep = asyncio.sleep, backoff: Backoff | None = None
    ) -> None:
        if not settings.url:
            raise TallyError(NO_CARRIER)
        self._account = settings.account
        self._image_format = settings.label_format
        self._clock = clock
        self._session = Session(settings, clock, sleep=sleep, backoff=backoff or Backoff())

    @property
    def limits(self) -> Session:
        """What keeps the account's limits."""
        return self._session

    async def prepare(self) -> Turn:
        """Fetch the token where there is none, wait for a place. Raises NothingCreatedError E-3002…E-3006, E-5003."""
        await self._session.tokens.get()
        return await self._session.turn()

    async def buy(
        self, shipment: Shipment, reference: str, deadline: SendDeadline, turn: Turn | None = None
    ) -> Purchase:
        """Buy the shipment's labels under `reference` (UPS Shipping v2409).

        Raises NothingCreatedError (E-3001 and E-3030 to E-3038 where refused; E-3002, E-3003, E-3004, E-3006 and E-5003
        stop the job), UnknownOutcomeError or DeadlinePassedError.
        """
        call = requests.ship_call(shipment, reference, self._account, self._image_format, self._today())
        with turn or Turn() as held, telling_nothing_of(shipment.recipient):
            answer = await self._session.ask(call, _read_ship_answer, deadline, held)
        if isinstance(answer, Refused):
            raise rejected(answer, shipment)
        return answer.purchase

    async def find(self, reference: str, window: DateWindow) -> Finding:
        """The live shipments bought under `reference`: Label Recovery's, else Track's. Raises TallyError E-3006.

        An adopted purchase has no cost: neither API tells it.
        """
        asked = f"Label Recovery: reference {reference} of shipper {self._account}"
        call = requests.recovery_by_reference_call(reference, self._account, self._image_format)
        recovery = await self._recover(call)
        if isinstance(recovery, Recovered):
            return Finding((recovery.purchase,), asked, _told_by_recovery(recovery))
        track = await self._track(reference, window)
        asked += f"; Track: the same, picked up from {window.first} to {window.last}"
        told = f"{_told_by_recovery(recovery)}; {_told_by_track(track)}"
        proven = conclude(recovery, track)
        if not isinstance(proven, tuple):
            raise _unavailable("the look-up by reference", f"{proven.reason} ({told})")
        return Finding(proven, asked, told)

    async def label(self, tracking_number: str) -> Label:
        """A parcel's label (UPS Label Recovery v1). Raises TallyError E-3006."""
        call = requests.recovery_call(tracking_number, self._image_format)
        answer = await self._recover(call)
        if not isinstance(answer, Recovered):
            raise _unavailable(call.operation, answer.words)
        for label in answer.purchase.labels:
            if label.tracking_number == tracking_number:
                return label
        raise _unavailable(call.operation, "the answer has no readable label")

    async def void(self, shipment_id: str) -> None:
        """Give a whole shipment back (UPS Void v2409); one that was given back before is no failure.

        Raises TallyError E-3020 (refused) or E-3006, NothingCreatedError E-3004 or E-5003.
        """
        call = requests.void_call(shipment_id)
        with _failing_as_unavailable(call.operation, but_raising=_ABOUT_THE_ACCOUNT):
            answer: GivenBack | Refused = await self._session.ask(call, _read_void_answer)
        if isinstance(answer, Refused):
            raise void_refused(answer, shipment_id)

    async def rate(self, shipment: Shipment) -> Rate:
        """What the shipment would cost by its service, by the account's own rates (UPS Rating v2409).

        Raises NothingCreatedError (E-3001, E-3030 to E-3038, E-3004, E-5003) or TallyError E-3006.
        """
        call = rate_call(shipment, self._account)
        for rate in await self._rates(call, shipment):
            if rate.service is shipment.service:
                return rate
        raise _unavailable(call.operation, f"the answer has no price for {shipment.service}")

    async def shop(self, shipment: Shipment) -> tuple[Rate, ...]:
        """What the shipment would cost by each service of its lane, picked up today (UPS Rating v2409).

        Raises as `rate`.
        """
        return await self._rates(shop_call(shipment, self._account, self._today()), shipment)

    async def check_address(self, address: Address) -> AddressFinding:
        """What UPS's directory of the US and Puerto Rico knows of an address (UPS Address Validation v2).

        Raises NothingCreatedError (E-3004, E-5003) or TallyError E-3006.
        """
        if not is_covered(address):
            return AddressFinding()
        call = check_call(address)
        with _failing_as_unavailable(call.operation, but_raising=_ABOUT_THE_ACCOUNT):
            answer: Found | Refused = await self._session.ask(call, _read_check_answer)
        if isinstance(answer, Refused):
            raise _unavailable(call.operation, f"{answer.code}: {answer.message}")
        return answer.finding

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    def _today(self) -> date:
        return self._clock().astimezone().date()

    async def _rates(self, call: Call, shipment: Shipment) -> tuple[Rate, ...]:
        with (
            telling_nothing_of(shipment.recipient),
            _failing_as_unavailable(call.operation, but_raising=_ABOUT_THE_ACCOUNT),
        ):
            answer: Rated | Refused = await self._session.ask(call, _read_rate_answer)
        if isinstance(answer, Refused):
            raise rejected(answer, shipment)
        return answer.rates

    async def _recover(self, call: Call) -> Recovered | NotFound | Voided | Exists:
        with _failing_as_unavailable(call.operation):
            answer: Recovered | NotFound | Voided | Exists | Refused = await self._session.ask(
                call, _read_recovery_answer
            )
        if isinstance(answer, Refused):
            raise _unavailable(call.operation, f"{answer.code}: {answer.message}")
        return answer

    async def _track(self, reference: str, window: DateWindow) -> Tracked | NotFound:
        call = requests.track_call(reference, window, self._account)

        def read(reply: Reply) -> TrackAnswer:
            return track_answer(reply.status, reply.headers, reply.body, reference)

        with _failing_as_unavailable(call.operation):
            answer: Tracked | NotFound | Refused = await self._session.ask(call, read)
        if isinstance(answer, Refused):
            raise _unavailable(call.operation, f"{answer.code}: {answer.message}")
        return answer


def _read_ship_answer(reply: Reply) -> ShipAnswer:
    return ship_answer(reply.status, reply.headers, reply.body)


def _read_rate_answer(reply: Reply) -> RateAnswer:
    return rate_answer(reply.status, reply.headers, reply.body)


def _read_check_answer(reply: Reply) -> CheckAnswer:
    return check_answer(reply.status, reply.headers, reply.body)


def _read_recovery_answer(reply: Reply) -> RecoveryAnswer:
    return recovery_answer(reply.status, reply.headers, reply.body)


def _read_void_answer(reply: Reply) -> VoidAnswer:
    return void_answer(reply.status, reply.headers, reply.body)


@contextmanager
def _failing_as_unavailable(operation: str, but_raising: frozenset[str] | set[str] = frozenset()) -> Iterator[None]:
    """Turn the failures of a call that creates nothing into E-3006."""
    try:
        yield
    except NothingCreatedError as error:
        if error.error.code in but_raising:
            raise
        raise _unavailable(operation, f"{error.error.code}: {error.error.message}") from error
    except UnknownOutcomeError as error:
        raise _unavailable(operation, str(error).removeprefix(f"{operation}: ")) from error


def _unavailable(operation: str, reason: str) -> TallyError:
    return TallyError(CARRIER_UNAVAILABLE, operation=operation, reason=reason.rstrip("."))


def _told_by_recovery(answer: Recovered | NotFound | Voided | Exists) -> str:
    match answer:
        case Recovered(purchase):
            return f"Label Recovery: shipment {purchase.shipment_id}, {_listed((purchase,))}"
        case NotFound(words):
            return f"Label Recovery: not found ({words})"
        case Voided(words):
            return f"Label Recovery: voided ({words})"
        case Exists(words):
            return f"Label Recovery: exists without a label to hand ({words})"


def _told_by_track(answer: Tracked | NotFound) -> str:
    match answer:
        case Tracked(purchases, voided):
            return f"Track: {_listed(purchases) or 'none live'}, {voided} voided"
        case NotFound(words):
            return f"Track: not found ({words})"


def _listed(purchases: tuple[Purchase, ...]) -> str:
    return "; ".join(" ".join(purchase.tracking_numbers) for purchase in purchases)
