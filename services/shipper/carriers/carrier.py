"""What the shipper asks of a carrier, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal, Protocol

from services.shipper.carriers.places import Turn
from shared.clock import SteadyClock, steady_now
from shared.contracts.addresses import AddressFinding
from shared.errors import ErrorBody
from shared.shipping import Address, Money, ServiceLevel, Shipment

Consistency = Literal["immediate", "eventual", "none"]


@dataclass(frozen=True)
class Label:
    """One parcel's label as the carrier made it; `format` is its file extension in lower case."""

    tracking_number: str
    format: Literal["gif", "png", "zpl", "epl", "pdf"]
    image: bytes


@dataclass(frozen=True)
class Purchase:
    """A sold shipment; `labels` is empty where the answer had none (they are then fetched by Label Recovery).

    `destination` is the state and country it goes to, where a look-up tells. `invoice` is the commercial invoice as a
    PDF, of a shipment with customs; a carrier may give it with the sale only.
    """

    shipment_id: str
    tracking_numbers: tuple[str, ...]
    cost: Money | None
    labels: tuple[Label, ...] = ()
    destination: tuple[str, str] | None = None
    invoice: bytes | None = None


@dataclass(frozen=True)
class Finding:
    """What a look-up by reference found, and how the carrier put it, in words fit for a person.

    `purchases` holds live shipments only, never voided ones.
    """

    purchases: tuple[Purchase, ...]
    asked: str
    answer: str


@dataclass(frozen=True)
class DateWindow:
    """The pick-up dates a look-up covers, both included."""

    first: date
    last: date


@dataclass(frozen=True)
class Rate:
    """What a shipment would cost by a service, and when it would arrive if it left today, where the carrier tells.

    `days` are business days in transit. `negotiated` says that the price is by the account's own rates. `zone`
    is the carrier's rate zone, empty where it does not tell.
    """

    service: ServiceLevel
    cost: Money
    negotiated: bool = True
    days: int | None = None
    arrival: date | None = None
    zone: str = ""


class NothingCreatedError(Exception):
    """The carrier provably sold nothing; `stops_job` says that no other row would fare better."""

    def __init__(self, error: ErrorBody, *, stops_job: bool = False) -> None:
        super().__init__(str(error))
        self.error = error
        self.stops_job = stops_job


class UnknownOutcomeError(Exception):
    """The call may have sold a label: look it up by reference before anything else."""


class DeadlinePassedError(Exception):
    """The send deadline passed before the request's bytes went; nothing was sent."""


@dataclass(frozen=True)
class SendDeadline:
    """The last moment a claim allows its request to be sent; checked in the transport, just before the bytes go."""

    seconds: float
    started: float = field(default_factory=steady_now)
    clock: SteadyClock = steady_now

    @property
    def left(self) -> float:
        """The seconds until it passes, 0 once it has."""
        return max(self.seconds - (self.clock() - self.started), 0.0)

    def check(self) -> None:
        """Raise DeadlinePassedError once the deadline has passed (a frozen process notices on thawing)."""
        if self.clock() - self.started > self.seconds:
            raise DeadlinePassedError


class Carrier(Protocol):
    """A carrier account. Every method has time-outs and bounded retries of its own."""

    async def prepare(self) -> Turn:
        """Do what can wait or fail before a purchase: fetch the token, wait for a place. Raises NothingCreatedError."""

    async def buy(
        self, shipment: Shipment, reference: str, deadline: SendDeadline, turn: Turn | None = None
    ) -> Purchase:
        """Buy the shipment's labels under `reference`, in a turn, which is released, or after waiting for one.

        Retries only what provably created nothing. Raises NothingCreatedError, UnknownOutcomeError or
        DeadlinePassedError.
        """

    async def find(self, reference: str, window: DateWindow) -> Finding:
        """The live shipments bought under `reference`. Raises TallyError E-3006 where the carrier cannot say."""

    async def label(self, tracking_number: str) -> Label:
        """A label bought earlier. Raises TallyError E-3006."""

    async def void(self, shipment_id: str) -> None:
        """Give a whole shipment back; one that was given back before is no failure, so this may be repeated.

        Raises TallyError E-3020 (refused) or E-3006 (the carrier does not say), NothingCreatedError E-3004 or E-5003.
        """

    async def rate(self, shipment: Shipment) -> Rate:
        """What the shipment would cost by its service. Raises NothingCreatedError (refused) or TallyError E-3006."""

    async def shop(self, shipment: Shipment) -> tuple[Rate, ...]:
        """What the shipment would cost by each service that its lane has, whatever its own. Raises as `rate`."""

    async def check_address(self, address: Address) -> AddressFinding:
        """What the carrier's directory knows of an address; nothing of one in a country that it does not cover.

        Raises NothingCreatedError (the account may not) or TallyError E-3006.
        """

    async def close(self) -> None:
        """Close the connections."""
