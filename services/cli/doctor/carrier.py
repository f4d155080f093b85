"""The carrier, asked through a shipper: whether it answers, and takes our credentials."""

from __future__ import annotations

from services.cli.doctor.finding import Finding, look, of_error, ok
from shared.contracts.addresses import AddressFinding
from shared.errors import CARRIER_RATE_LIMITED, CARRIER_REJECTED, ErrorBody
from shared.shipping import Address

# A public building: nobody's home.
QUESTION = Address(lines=("1100 Congress Ave",), city="Austin", state="TX", postal_code="78701")
# Said of the question, or of how often the account asks: purchases may go on.
_ONLY_OF_THE_QUESTION = (CARRIER_REJECTED.code, CARRIER_RATE_LIMITED.code)


def finding(answer: AddressFinding) -> Finding:
    """What an address look-up says of the carrier."""
    error: ErrorBody | None = answer.error
    if error is None and answer.verdict is None:
        return look("carrier", "The carrier gave no answer in time.", "Ask again; its status page may know more.")
    if error is None:
        return ok("carrier", "The carrier answers and takes the credentials.")
    if error.code in _ONLY_OF_THE_QUESTION:
        return look("carrier", f"The carrier answers, but not an address look-up: {error.message}", error.action)
    return of_error("carrier", error)
