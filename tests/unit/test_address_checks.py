"""The addresses of a batch: each looked up once, and what could not be looked up told once."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from services.coordinator.pricing.address_checks import AddressChecks, Directory
from shared.contracts.addresses import AddressFinding, AddressFindings, AddressQuestion
from shared.errors import CARRIER_BLOCKED, CARRIER_UNAVAILABLE, TallyError
from shared.shipping import Address

BLOCKED = TallyError(CARRIER_BLOCKED, carrier_code="250004", carrier_message="Blocked").body
BUSY = TallyError(CARRIER_UNAVAILABLE, operation="Address Validation", reason="HTTP 503").body


def address(number: int, country: str = "US") -> Address:
    return Address(lines=(f"{number} Elm St",), city="Austin", state="TX", postal_code="78701", country=country)


class Shippers:
    """Answer what the carrier knows of addresses; those whose street begins with an odd number are unknown."""

    def __init__(self, failing: Any = None) -> None:
        self.asked: list[Address] = []
        self.failing = failing

    def finding(self, place: Address) -> AddressFinding:
        if self.failing is not None:
            return cast("AddressFinding", self.failing)
        return AddressFinding(verdict="unknown" if int(place.lines[0].split()[0]) % 2 else "valid")

    async def request(self, _subject: str, body: bytes, timeout: float) -> Any:  # noqa: ASYNC109 - nats-py's signature
        del timeout
        question = AddressQuestion.model_validate_json(body)
        self.asked += question.addresses
        return SimpleNamespace(data=AddressFindings(findings=tuple(map(self.finding, question.addresses))).encode())


def checks(shippers: Shippers, *, off: bool = False) -> AddressChecks:
    return AddressChecks(Directory(cast("Any", shippers), 20.0, off=off))


async def test_the_same_address_is_looked_up_once() -> None:
    shippers = Shippers()
    book = checks(shippers)
    keys = [book.add(address(1)) for _ in range(30)] + [book.add(address(2))]
    await book.check()
    assert len(shippers.asked) == 2
    assert [len(book.warnings(key)) for key in keys] == [1] * 30 + [0]
    assert book.notes() == ()


async def test_what_the_directory_does_not_cover_is_not_looked_up_nor_missed() -> None:
    shippers = Shippers()
    book = checks(shippers)
    assert book.add(address(1, "CA")) is None
    await book.check()
    assert (shippers.asked, book.notes(), book.warnings(None)) == ([], (), ())


async def test_where_it_is_switched_off_nothing_is_looked_up() -> None:
    shippers = Shippers()
    book = checks(shippers, off=True)
    assert book.add(address(1)) is None
    await book.check()
    assert (shippers.asked, book.notes()) == ([], ())


async def test_a_directory_that_may_not_be_used_is_told_once_and_not_asked_on() -> None:
    shippers = Shippers(AddressFinding(error=BLOCKED))
    book = checks(shippers)
    keys = [book.add(address(number)) for number in range(1000)]
    async with asyncio.timeout(20):
        await book.check()
    assert len(shippers.asked) <= 80
    assert book.notes() == (f"No address was checked with the carrier (E-3004: {BLOCKED.message[:-1]}).",)
    assert not any(book.warnings(key) for key in keys)


async def test_rows_that_came_too_late_are_counted() -> None:
    late = Shippers(AddressFinding())
    book = checks(late)
    for _ in range(3):
        book.add(address(1))
    await book.check()
    assert book.notes() == ("No address was checked with the carrier (not within 20 s).",)


async def test_some_that_failed_are_counted_among_all() -> None:
    class OneFails(Shippers):
        def finding(self, place: Address) -> AddressFinding:
            return AddressFinding(error=BUSY) if place == address(4) else AddressFinding(verdict="valid")

    book = checks(OneFails())
    for number in (1, 2, 4, 4):
        book.add(address(number))
    await book.check()
    told = f"The addresses of 2 of 4 rows were not checked with the carrier (E-3006: {BUSY.message[:-1]})."
    assert book.notes() == (told,)
