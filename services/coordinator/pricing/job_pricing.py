"""Prices a job's rows while it is taken in, chooses their services where that is asked for, checks their addresses."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from itertools import islice

from services.coordinator.announcer import Announcer
from services.coordinator.database import previewing
from services.coordinator.database.engine import Database
from services.coordinator.database.previewing import RowToShip
from services.coordinator.mapping.service_choice import ServiceChoice
from services.coordinator.pricing.address_checks import AddressChecks, Directory
from services.coordinator.pricing.estimate import Estimator
from services.coordinator.pricing.price import Price, cannot_ship, negotiation_notes
from services.coordinator.pricing.pricing import Heard, Pricing
from shared.cancelling import together
from shared.clock import Clock
from shared.contracts.warning import RowWarning
from shared.errors import ROWS_INVALID, ErrorBody, TallyError

_PAGE = 500
_CHOSEN_AT_ONCE = 5000
_PROBLEMS_LISTED = 500
# A row whose service is to be chosen cannot do with an estimate: it waits for the carrier, for hours if need be.
_UNTIL_ALL_ARE_RATED = 12 * 3600.0

Warned = tuple[int, tuple[RowWarning, ...]]


class JobPricing:
    """Works on jobs that are being taken in. Every call raises SupersededError where another intake went on."""

    def __init__(
        self, database: Database, estimator: Estimator, directory: Directory, announcer: Announcer, clock: Clock
    ) -> None:
        self._database = database
        self._estimator = estimator
        self._directory = directory
        self._announcer = announcer
        self._clock = clock

    async def estimate(self, job_id: str, intake: str, *, skip_invalid: bool = False) -> None:
        """Price every row that ships and has no price: those that are rated as their quotes come, the others by them.

        Meanwhile every row's address is looked up. What there is to warn of is noted. With `skip_invalid` the rows that
        the carrier says cannot ship are left out.
        """
        pricing, checks = Pricing(self._estimator), AddressChecks(self._directory)
        asked_for: dict[str, array[int]] = defaultdict(_row_numbers)
        placed: dict[str, array[int]] = defaultdict(_row_numbers)
        published = 0

        async def heard(news: Heard) -> None:
            nonlocal published
            prices = [(number, price) for key, price in news.prices.items() for number in asked_for[key]]
            await self._note(job_id, intake, prices)
            published += await self._warn(job_id, intake, _warnings(prices))
            self._announcer.moved(job_id)

        async for page in self._rows(job_id):
            for row in page:
                if (place := checks.add(row.shipment.recipient.address)) is not None:
                    placed[place].append(row.row_number)
                if not row.is_priced and (key := pricing.add(row.shipment).key) is not None:
                    asked_for[key].append(row.row_number)
            await self._note(job_id, intake)
        await together(pricing.rate(heard), checks.check())
        async for page in self._rows(job_id, unpriced_only=True):
            await self._note(
                job_id, intake, [(row.row_number, pricing.price(pricing.add(row.shipment))) for row in page]
            )
        if skip_invalid:
            await self._database.write(previewing.leave_out_refused, job_id, intake, self._clock())
        by_place = ((checks.warnings(place), numbers) for place, numbers in placed.items())
        await self._warn(job_id, intake, ((number, of_place) for of_place, numbers in by_place for number in numbers))
        await self._add_notes(job_id, intake, (*checks.notes(), *negotiation_notes(published)))

    async def choose(self, job_id: str, intake: str, choice: ServiceChoice, *, skip_invalid: bool = False) -> None:
        """Choose every row's service by the carrier's prices, and note these.

        With `skip_invalid` a row that has no service to go by is left out. Raises E-2010 where it is not, or where no
        row is left, for the reasons that its details give; and what kept the carrier from naming its prices.
        """
        problems: list[ErrorBody] = []
        failed = total = published = 0
        async for rows in self._in_bulk(job_id):
            chosen = await self._chosen(job_id, intake, choice, rows)
            refused = [(row.row_number, price.error) for row, price in chosen if price.error is not None]
            total, failed = total + len(chosen), failed + len(refused)
            published += sum(not price.negotiated for _, price in chosen)
            problems += [error.model_copy(update={"row": number}) for number, error in refused]
            del problems[_PROBLEMS_LISTED:]
        if failed and not (skip_invalid and failed < total):
            raise TallyError(ROWS_INVALID, count=failed, total=total, details=tuple(problems))
        if failed:
            await self._database.write(previewing.leave_out_refused, job_id, intake, self._clock())
        await self._add_notes(job_id, intake, negotiation_notes(published))

    async def _in_bulk(self, job_id: str) -> AsyncIterator[list[RowToShip]]:
        """The rows that ship, as many at a time as are rated side by side."""
        rows: list[RowToShip] = []
        async for page in self._rows(job_id):
            rows += page
            if len(rows) >= _CHOSEN_AT_ONCE:
                yield rows
                rows = []
        if rows:
            yield rows

    async def _chosen(
        self, job_id: str, intake: str, choice: ServiceChoice, rows: Sequence[RowToShip]
    ) -> list[tuple[RowToShip, Price]]:
        """Rows with their prices, which are written down with the services chosen."""
        pricing = Pricing(self._estimator, choice)

        async def heard(_: Heard) -> None:
            await self._note(job_id, intake)
            self._announcer.moved(job_id)

        tickets = [(row, pricing.add(row.shipment)) for row in rows]
        await pricing.rate(heard, budget=_UNTIL_ALL_ARE_RATED)
        chosen = [(row, pricing.price(ticket)) for row, ticket in tickets]
        for row, price in chosen:
            if price.error is not None and not cannot_ship(price.error):
                raise TallyError.from_body(price.error.model_copy(update={"row": row.row_number}))
        for start in range(0, len(chosen), _PAGE):
            some = chosen[start : start + _PAGE]
            await self._database.write(previewing.fix_services, job_id, intake, some, self._clock())
        await self._warn(job_id, intake, _warnings((row.row_number, price) for row, price in chosen))
        return chosen

    async def _note(self, job_id: str, intake: str, prices: Sequence[tuple[int, Price]] = ()) -> None:
        # A page at a time, for other jobs' rows wait for this transaction; one in any case, to say that it goes on.
        for start in range(0, max(len(prices), 1), _PAGE):
            page = prices[start : start + _PAGE]
            await self._database.write(previewing.note_prices, job_id, intake, page, self._clock())

    async def _warn(self, job_id: str, intake: str, warnings: Iterable[Warned]) -> int:
        """Add to what rows are warned of, a page at a time; how many of them are."""
        told, count = (warned for warned in warnings if warned[1]), 0
        while page := list(islice(told, _PAGE)):
            await self._database.write(previewing.note_warnings, job_id, intake, page, self._clock())
            count += len(page)
        return count

    async def _add_notes(self, job_id: str, intake: str, notes: Sequence[str]) -> None:
        if notes:
            await self._database.write(previewing.add_notes, job_id, intake, notes, self._clock())

    async def _rows(self, job_id: str, *, unpriced_only: bool = False) -> AsyncIterator[Sequence[RowToShip]]:
        """The rows that ship, or those without a price and without a reason why, in pages."""
        after = 0
        while page := await self._database.read(
            previewing.rows_to_ship, job_id, after, _PAGE, unpriced_only=unpriced_only
        ):
            yield page
            after = page[-1].row_number


def _warnings(prices: Iterable[tuple[int, Price]]) -> Iterator[Warned]:
    return ((number, price.warnings) for number, price in prices)


def _row_numbers() -> array[int]:
    """Numbers of rows, of which a job may have a million, in eight bytes each."""
    return array("q")
