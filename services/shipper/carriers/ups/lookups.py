"""What UPS knows of a reference: the answers of Label Recovery and Track, and what the two together prove."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus

from services.shipper.carriers.carrier import Label, Purchase
from services.shipper.carriers.ups.answers import Blocked, Failure, RateLimited, TokenRefused, Unclear, failure
from services.shipper.carriers.ups.bodies import Document, Headers, document, errors, label, many, one, succeeded, text

# Label Recovery's codes; UPS documents neither them nor their meaning.
NOT_FOUND_CODES = frozenset({"300007", "9801031"})
VOIDED_CODES = frozenset({"300033", "9801040"})
NO_LABEL_CODES = frozenset({"300002", "300006", "9801028", "9800020"})
NOT_PROCESSED_CODES = frozenset({"300034", "9801041", "9801042"})
SEVERAL_CODES = frozenset({"300001", "300035"})
TRANSIENT_CODES = frozenset({"300000", "9800000"})
# Track's warning on a 200 that found nothing.
NO_TRACKING_CODE = "TW0001"

_VOIDED_WORDS = re.compile(r"\bvoid(ed)?\b", re.IGNORECASE)
_VOIDED_TYPE = "MV"


@dataclass(frozen=True)
class Recovered:
    """One live shipment with its labels."""

    purchase: Purchase


@dataclass(frozen=True)
class NotFound:
    """The carrier knows of nothing; `words` are its own."""

    words: str


@dataclass(frozen=True)
class Voided:
    """The carrier knows of a shipment that was voided; `words` are its own."""

    words: str


@dataclass(frozen=True)
class Exists:
    """Something was sold, but not here to be had: no label yet, or several shipments (`several`).

    `candidates` are the tracking numbers it may be, where the carrier names them.
    """

    words: str
    several: bool = False
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tracked:
    """Shipments by their tracking numbers, live ones apart from the voided."""

    purchases: tuple[Purchase, ...]
    voided: int = 0


RecoveryAnswer = Recovered | NotFound | Voided | Exists | Failure
TrackAnswer = Tracked | NotFound | Failure


def recovery_answer(status: int, headers: Headers, body: bytes) -> RecoveryAnswer:
    """What an answer of Label Recovery means (UPS Label Recovery v1)."""
    named = errors(headers, body)
    if status < HTTPStatus.INTERNAL_SERVER_ERROR and named:
        return _recovery_failure(status, headers, body, named)
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return failure(status, headers, body)
    response = one((document(body) or {}).get("LabelRecoveryResponse"))
    results = list(many(response.get("LabelResults")))
    numbers = tuple(filter(None, (text(result.get("TrackingNumber")) for result in results)))
    shipment_id = text(response.get("ShipmentIdentificationNumber")) or next(iter(numbers), "")
    candidates = tuple(
        filter(None, (text(candidate.get("TrackingNumber")) for candidate in many(response.get("TrackingCandidate"))))
    )
    if not succeeded(response) or not (shipment_id or candidates):
        return Unclear(f"HTTP {status} without a readable shipment")
    # UPS may list the shipment it found among its candidates; any other one is another shipment.
    if not shipment_id or {*candidates} - {shipment_id, *numbers}:
        everything = tuple(dict.fromkeys((*filter(None, (shipment_id,)), *numbers, *candidates)))
        return Exists("several candidates", several=True, candidates=everything)
    return Recovered(Purchase(shipment_id, numbers or (shipment_id,), None, _labels(results)))


def track_answer(status: int, headers: Headers, body: bytes, reference: str) -> TrackAnswer:
    """The shipments Track by reference lists for `reference` (UPS Track v1).

    A parcel that names references, `reference` not among them, is another shipment's; where only such are listed the
    answer is Unclear, for the carrier then matched by rules of its own.
    """
    if status == HTTPStatus.NOT_FOUND and (named := errors(headers, body)):
        return NotFound(_words(*named[0]))
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return failure(status, headers, body)
    shipments = list(many(one((document(body) or {}).get("trackResponse")).get("shipment")))
    listed = [list(many(shipment.get("package"))) for shipment in shipments]
    ours = [packages for packages in listed if packages and _is_named(packages, reference)]
    if not any(listed):
        warnings = [warning for shipment in shipments for warning in many(shipment.get("warnings"))]
        for warning in warnings:
            if text(warning.get("code")) == NO_TRACKING_CODE:
                return NotFound(_words(NO_TRACKING_CODE, text(warning.get("message"))))
        return Unclear(f"HTTP {status} without parcels and without {NO_TRACKING_CODE}")
    if not ours or not all(text(parcel.get("trackingNumber")) for packages in ours for parcel in packages):
        return Unclear(f"HTTP {status} with parcels of another reference or without tracking numbers")
    live = [purchase for packages in ours if (purchase := _live(packages))]
    return Tracked(tuple(live), len(ours) - len(live))


def conclude(recovery: NotFound | Voided | Exists, track: Tracked | NotFound) -> tuple[Purchase, ...] | Unclear:
    """The live shipments that both answers together prove; Unclear where they contradict each other."""
    live = track.purchases if isinstance(track, Tracked) else ()
    if not isinstance(recovery, Exists):
        return live
    # Whether UPS counts voided shipments among several is not known; a live one out of sight must not be overlooked.
    if len(live) > recovery.several:
        return live
    if len(live) == 1 and recovery.candidates and {*recovery.candidates} <= {*live[0].tracking_numbers}:
        return live  # several parcels of one shipment, which carry its reference each
    if recovery.candidates:
        return tuple(Purchase(number, (number,), None) for number in recovery.candidates)
    return Unclear(f"Label Recovery knows of more ({recovery.words}) than Track lists")


def _recovery_failure(
    status: int, headers: Headers, body: bytes, named: list[tuple[str, str]]
) -> NotFound | Voided | Exists | Failure:
    general = failure(status, headers, body)
    if isinstance(general, TokenRefused | Blocked | RateLimited):
        return general
    codes = {code for code, _ in named}
    words = _words(*named[0])
    # The least certain reading first: only what nothing else contradicts may end as "not found".
    readings: tuple[tuple[frozenset[str], Unclear | Exists | Voided | NotFound], ...] = (
        (TRANSIENT_CODES, Unclear(words)),
        (SEVERAL_CODES, Exists(words, several=True)),
        (NO_LABEL_CODES | NOT_PROCESSED_CODES, Exists(words)),
        (VOIDED_CODES, Voided(words)),
        (NOT_FOUND_CODES, NotFound(words)),
    )
    return next((reading for among, reading in readings if codes & among), general)


def _labels(results: list[Document]) -> tuple[Label, ...]:
    """Every parcel's label, or none at all."""
    found = []
    for result in results:
        image = one(result.get("LabelImage"))
        recovered = label(text(result.get("TrackingNumber")), image.get("LabelImageFormat"), image.get("GraphicImage"))
        if recovered is None or not recovered.tracking_number:
            return ()
        found.append(recovered)
    return tuple(found)


def _is_named(packages: list[Document], reference: str) -> bool:
    names = {
        text(name.get("number")).casefold() for package in packages for name in many(package.get("referenceNumber"))
    }
    return not names or reference.casefold() in names


def _live(packages: list[Document]) -> Purchase | None:
    numbers = tuple(text(package.get("trackingNumber")) for package in packages if not _is_voided(package))
    return Purchase(numbers[0], numbers, None, destination=_destination(packages)) if numbers else None


def _destination(packages: list[Document]) -> tuple[str, str] | None:
    """State and country that the parcels go to, where Track tells both."""
    for named in (name for package in packages for name in many(package.get("packageAddress"))):
        address = one(named.get("address"))
        state, country = text(address.get("stateProvince")).upper(), text(address.get("countryCode")).upper()
        if text(named.get("type")).upper() == "DESTINATION" and state and country:
            return state, country
    return None


def _is_voided(package: Document) -> bool:
    status = one(package.get("currentStatus"))
    named = {text(status.get(field)).upper() for field in ("type", "code")}
    said = " ".join(text(status.get(field)) for field in ("description", "simplifiedTextDescription"))
    return _VOIDED_TYPE in named or _VOIDED_WORDS.search(said) is not None


def _words(code: str, message: str) -> str:
    return f"{code}: {message}" if message else code
