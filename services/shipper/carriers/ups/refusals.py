"""UPS's refusals as the errors a person reads, without the recipient's data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from services.shipper.carriers.carrier import NothingCreatedError, UnknownOutcomeError
from services.shipper.carriers.ups.answers import Blocked, Refused, TokenRefused
from shared.errors import (
    CARRIER_BLOCKED,
    CARRIER_REJECTED,
    CHARACTERS_REFUSED,
    CREDENTIALS_REFUSED,
    LANE_NOT_SERVED,
    PACKAGE_REFUSED,
    POSTAL_CODE_REFUSED,
    RECIPIENT_REFUSED,
    REFERENCE_REFUSED,
    SERVICE_REFUSED,
    SHIP_FROM_REFUSED,
    SHIPPER_REFUSED,
    VOID_REFUSED,
    ErrorKind,
    TallyError,
)
from shared.shipping import Contact, Shipment
from shared.shipping.redaction import without_contact

_NO_REASON = "it gave no reason"

# What UPS's codes are about; 1111xx and 1112xx are Rating's, the others Shipping's. A whole code goes before a hundred.
_KINDS = {
    "111100": SERVICE_REFUSED,
    "111210": LANE_NOT_SERVED,
    "111285": POSTAL_CODE_REFUSED,
    "120124": LANE_NOT_SERVED,
    "120500": SERVICE_REFUSED,
    "120541": REFERENCE_REFUSED,
    "120542": REFERENCE_REFUSED,
    "121000": CHARACTERS_REFUSED,
    "1201xx": SHIPPER_REFUSED,
    "1202xx": RECIPIENT_REFUSED,
    "1203xx": SHIP_FROM_REFUSED,
    "1206xx": PACKAGE_REFUSED,
}
_LENGTH = 6


def stop(error: TallyError) -> NothingCreatedError:
    """Nothing was created, and no other row would fare better."""
    return NothingCreatedError(error.body, stops_job=True)


def kind_of(code: str) -> ErrorKind:
    """What UPS's code of a refused shipment or rate is about; E-3001 where that is not known."""
    hundred = f"{code[:4]}xx" if len(code) == _LENGTH else ""
    return _KINDS.get(code) or _KINDS.get(hundred) or CARRIER_REJECTED


def rejected(answer: Refused, shipment: Shipment) -> NothingCreatedError:
    """E-3030 to E-3038 by the carrier's code, else E-3001, with the carrier's code and words.

    What it quotes of the recipient's name and street is left out.
    """
    words = without_contact(answer.message, shipment.recipient)
    return NothingCreatedError(_told(kind_of(answer.code), answer.code, words).body, stops_job=False)


@contextmanager
def telling_nothing_of(contact: Contact) -> Iterator[None]:
    """Leave the contact's data out of whatever the block fails with: the carrier quotes what it was sent."""
    try:
        yield
    except NothingCreatedError as refusal:
        error = refusal.error.model_copy(update={"message": without_contact(refusal.error.message, contact)})
        raise NothingCreatedError(error, stops_job=refusal.stops_job) from None
    except UnknownOutcomeError as unknown:
        raise UnknownOutcomeError(without_contact(str(unknown), contact)) from None
    except TallyError as error:
        message = without_contact(error.body.message, contact)
        raise TallyError.from_body(error.body.model_copy(update={"message": message})) from None


def void_refused(answer: Refused, shipment_id: str) -> TallyError:
    """E-3020 with the carrier's code and words."""
    words = answer.message.rstrip(" .") or _NO_REASON
    return TallyError(VOID_REFUSED, shipment_id=shipment_id, carrier_code=answer.code, carrier_message=words)


def credentials_refused(answer: TokenRefused | Refused) -> NothingCreatedError:
    """E-5003: the credentials, or the product that they are for."""
    return stop(_told(CREDENTIALS_REFUSED, answer.code, answer.message))


def blocked(answer: Blocked) -> NothingCreatedError:
    """E-3004."""
    return stop(_told(CARRIER_BLOCKED, answer.code, answer.message))


def _told(kind: ErrorKind, code: str, words: str) -> TallyError:
    return TallyError(kind, carrier_code=code, carrier_message=words.rstrip(" .") or _NO_REASON)
