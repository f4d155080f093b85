"""Answers what the carrier knows of addresses: every one of a question at once."""

from __future__ import annotations

import asyncio

from services.shipper.carriers.carrier import Carrier, NothingCreatedError
from shared.contracts.addresses import AddressFinding, AddressFindings, AddressQuestion
from shared.errors import TallyError
from shared.shipping import Address


class AddressChecks:
    """Looks addresses up with one carrier account."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    async def answer(self, body: bytes) -> bytes:
        """From an AddressQuestion's body to an AddressFindings'."""
        question = AddressQuestion.model_validate_json(body)
        findings = await asyncio.gather(*(self._finding(address, question.within) for address in question.addresses))
        return AddressFindings(findings=tuple(findings)).encode()

    async def _finding(self, address: Address, within: float | None) -> AddressFinding:
        try:
            async with asyncio.timeout(within):
                return await self._carrier.check_address(address)
        except TimeoutError:
            return AddressFinding()
        except NothingCreatedError as refusal:
            return AddressFinding(error=refusal.error)
        except TallyError as error:
            return AddressFinding(error=error.body)
