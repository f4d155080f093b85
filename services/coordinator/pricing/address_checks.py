"""The addresses of one batch, looked up in the carrier's directory: each once, within a time, and never in the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from nats.aio.client import Client

from services.coordinator.pricing.address_warnings import address_warnings
from services.coordinator.pricing.asking import Question, ask_all
from shared.contracts import subjects
from shared.contracts.addresses import AddressFinding, AddressFindings, AddressQuestion
from shared.contracts.warning import RowWarning
from shared.errors import ErrorBody
from shared.shipping import Address, country_of
from shared.shipping.lane import UNITED_STATES

# More than can be looked up within any usual time; the others are not kept in memory.
_MOST_ASKED_FOR = 20_000
_QUESTION: Question[Address, AddressFinding] = Question(
    subject=subjects.ADDRESSES_CHECK,
    request=lambda addresses, within: AddressQuestion(addresses=addresses, within=within).encode(),
    answers=lambda body: AddressFindings.model_validate_json(body).findings,
    tells=lambda finding: finding.verdict is not None,
    error_of=lambda finding: finding.error,
    failed=lambda error: AddressFinding(error=error),
)


@dataclass(frozen=True)
class Directory:
    """Has addresses looked up by all shippers there are, within `budget` seconds; not at all where it is `off`."""

    client: Client
    budget: float
    off: bool = False


class AddressChecks:
    """Takes a batch's addresses in, has them looked up, then knows what to warn of."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._addresses: dict[str, Address] = {}
        self._rows: dict[str, int] = {}
        self._too_many = 0
        self._findings: dict[str, AddressFinding] = {}
        self._given_up: ErrorBody | None = None

    def add(self, address: Address) -> str | None:
        """Note a row's address; what its warnings are asked for by, None where it is not to be looked up."""
        if self._directory.off or country_of(address) not in UNITED_STATES:
            return None
        key = blake2b(address.model_dump_json().encode(), digest_size=16).hexdigest()
        if key not in self._addresses:
            if len(self._addresses) >= _MOST_ASKED_FOR:
                self._too_many += 1
                return None
            self._addresses[key] = address
        self._rows[key] = self._rows.get(key, 0) + 1
        return key

    async def check(self) -> None:
        """Have what was added looked up."""

        async def heard(findings: Mapping[str, AddressFinding]) -> None:
            self._findings |= findings

        directory = self._directory
        self._given_up = await ask_all(directory.client, _QUESTION, self._addresses, heard, directory.budget)

    def warnings(self, key: str | None) -> tuple[RowWarning, ...]:
        """What to warn of at an address, once `check` is over; nothing where it could not be looked up."""
        finding = None if key is None else self._findings.get(key)
        return () if key is None or finding is None else address_warnings(self._addresses[key], finding)

    def notes(self) -> tuple[str, ...]:
        """What to say, once, of rows whose addresses could not be looked up."""
        missing = [key for key in self._rows if (found := self._findings.get(key)) is None or found.verdict is None]
        count = self._too_many + sum(self._rows[key] for key in missing)
        if not count:
            return ()
        error = self._given_up or next((found.error for key in missing if (found := self._findings.get(key))), None)
        why = f"{error.code}: {error.message}" if error is not None else f"not within {self._directory.budget:g} s."
        total = self._too_many + sum(self._rows.values())
        which = "No address was" if count == total else f"The addresses of {count:,} of {total:,} rows were not"
        return (f"{which} checked with the carrier ({why.rstrip('.')}).",)
