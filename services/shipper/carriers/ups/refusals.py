"""UPS's refusals as the errors a person reads, without the recipient's data."""

from __future__ import annotations

import re

from services.shipper.carriers.carrier import NothingCreatedError
from services.shipper.carriers.ups.answers import Blocked, Refused, TokenRefused
from shared.errors import (
    CARRIER_BLOCKED,
    CARRIER_REJECTED,
    CREDENTIALS_REFUSED,
    VOID_REFUSED,
    ErrorKind,
    TallyError,
)
from shared.shipping import Shipment

_SHORTEST_NAME = 3
_NO_REASON = "it gave no reason"


def stop(error: TallyError) -> NothingCreatedError:
    """Nothing was created, and no other row would fare better."""
    return NothingCreatedError(error.body, stops_job=True)


def rejected(answer: Refused, shipment: Shipment) -> NothingCreatedError:
    """E-3001 with the carrier's code and words; what it quotes of the recipient's name and street is left out."""
    words = _without_recipient(answer.message, shipment)
    return NothingCreatedError(_told(CARRIER_REJECTED, answer.code, words).body, stops_job=False)


def void_refused(answer: Refused, shipment_id: str) -> TallyError:
    """E-3020 with the carrier's code and words."""
    words = answer.message or _NO_REASON
    return TallyError(VOID_REFUSED, shipment_id=shipment_id, carrier_code=answer.code, carrier_message=words)


def credentials_refused(answer: TokenRefused | Refused) -> NothingCreatedError:
    """E-5003: the credentials, or the product that they are for."""
    return stop(_told(CREDENTIALS_REFUSED, answer.code, answer.message))


def blocked(answer: Blocked) -> NothingCreatedError:
    """E-3004."""
    return stop(_told(CARRIER_BLOCKED, answer.code, answer.message))


def _told(kind: ErrorKind, code: str, words: str) -> TallyError:
    return TallyError(kind, carrier_code=code, carrier_message=words or _NO_REASON)


def _without_recipient(words: str, shipment: Shipment) -> str:
    # City, state and postal code stay: they are what most refusals are about.
    to = shipment.recipient
    for private in sorted((to.name, to.company, to.phone, to.email, *to.address.lines), key=len, reverse=True):
        if len(private) >= _SHORTEST_NAME:
            words = re.sub(rf"(?<!\w){re.escape(private)}(?!\w)", "[…]", words, flags=re.IGNORECASE)
    return words
