"""Whether a job's four books agree number by number, whatever died: the promises P1-P3 and P5 as one pure function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.coordinator.records.audit import GENESIS
from shared.contracts.ledger import Claimed, Failed, InDoubt, Shipped
from tests.crash.books import Books, Row, Sale, tracking_numbers, without_tracking

DONE = "completed"


@dataclass(frozen=True)
class Expected:
    """How a job is to end.

    `refused` is the row that the carrier refuses: the job fails there, and nothing behind it is shipped. With
    `may_park` a row may end in doubt, sold at most once, and its job failed. With `store_lost` the ledger knows only of
    what came after the loss.
    """

    refused: int | None = None
    may_park: bool = False
    store_lost: bool = False


@dataclass(frozen=True)
class Verdict:
    """What the books come to: rows with two live labels, rows whose label got lost, and every other disagreement."""

    duplicates: tuple[int, ...]
    lost: tuple[int, ...]
    problems: tuple[str, ...]
    parked: tuple[int, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.duplicates or self.lost or self.problems)


def check(books: Books, expected: Expected) -> Verdict:
    """The verdict on a job that is at its end."""
    live = _live(books)
    parked = tuple(row.number for row in books.job.rows if row.status == "in_doubt")
    return Verdict(
        duplicates=tuple(row.number for row in books.job.rows if len(live[row.number]) > 1),
        lost=tuple(_lost(books, live)),
        problems=tuple(_problems(books, expected, live)),
        parked=parked,
    )


Live = dict[int, list[Sale]]


def _live(books: Books) -> Live:
    by_reference: dict[str, list[Sale]] = {}
    for sale in books.sales:
        if not sale.voided:
            by_reference.setdefault(sale.reference, []).append(sale)
    return {row.number: by_reference.get(row.reference, []) for row in books.job.rows}


def _lost(books: Books, live: Live) -> Iterator[int]:
    """The rows with a live label whose number the job database or the source does not have."""
    written = tracking_numbers(books.source)
    for row in books.job.rows:
        for sale in live[row.number]:
            if row.status == "in_doubt":
                continue  # a person is asked, with the reference and the evidence
            if (
                sale.tracking_numbers != row.tracking_numbers
                or written[row.source_row - 1] not in sale.tracking_numbers
            ):
                yield row.number


def _problems(books: Books, expected: Expected, live: Live) -> Iterator[str]:
    yield from _job_problems(books, expected)
    yield from _row_problems(books, expected, live)
    yield from _ledger_problems(books, expected)
    yield from _source_problems(books)
    yield from _order_problems(books, live)
    yield from _trail_problems(books)


def _job_problems(books: Books, expected: Expected) -> Iterator[str]:
    job = books.job
    parked = [row.number for row in job.rows if row.status == "in_doubt"]
    if parked and not expected.may_park:
        yield f"rows {parked} are in doubt"
    stopped_at = expected.refused or (parked[0] if parked else None)
    should = "failed" if stopped_at else DONE
    if job.status != should:
        yield f"the job is {job.status}, not {should}: {job.error}"
    cursor = job.total if stopped_at is None else stopped_at - 1
    if job.cursor != cursor:
        yield f"the cursor is {job.cursor}, not {cursor}"
    if len(job.rows) != job.total:
        yield f"{len(job.rows)} rows, {job.total} counted"


def _row_problems(books: Books, expected: Expected, live: Live) -> Iterator[str]:
    stopped = False
    for row in books.job.rows:
        wanted = "pending" if stopped else "shipped"
        if row.number == expected.refused:
            wanted, stopped = "failed", True
        elif row.status == "in_doubt" and not stopped:
            wanted, stopped = "in_doubt", True
        if row.status != wanted:
            yield f"row {row.number} is {row.status}, not {wanted}: {row.error}"
        yield from _sale_problems(row, len(live[row.number]))
        if row.status == "shipped" and row.write_back != "written":
            yield f"row {row.number}'s write-back is {row.write_back}"
        if row.reserved != (row.status in {"shipped", "in_doubt"}):
            yield f"row {row.number} is {row.status}, its order reserved: {row.reserved}"
        if row.status == "shipped" and not _has_its_label(books, row):
            yield f"row {row.number}'s label is neither stored nor due"


def _sale_problems(row: Row, sold: int) -> Iterator[str]:
    may_be_sold = {"shipped": {1}, "in_doubt": {0, 1}}.get(row.status, {0})
    if sold not in may_be_sold:
        yield f"row {row.number} is {row.status} with {sold} live labels"


def _has_its_label(books: Books, row: Row) -> bool:
    return row.label_due or (row.label_key is not None and row.label_key in books.labels)


def _ledger_problems(books: Books, expected: Expected) -> Iterator[str]:
    told_by_a_person = {entry.row_number for entry in books.job.trail if entry.action == "row.resolved"}
    for row in books.job.rows:
        entries = books.ledger.get(row.number, ())
        outcomes = [entry for entry in entries if not isinstance(entry, Claimed)]
        numbers = {
            entry.tracking_numbers
            for entry in (*entries, *books.late.get(row.number, ()))
            if isinstance(entry, Shipped)
        }
        if len(numbers) > 1:
            yield f"the ledger has several numbers for row {row.number}: {sorted(numbers)}"
        # A command of the lost ledger may be claimed in the new one; its row was recorded before the loss.
        superseded = expected.store_lost and row.status == "shipped"
        if entries and isinstance(entries[-1], Claimed) and not superseded:
            yield f"row {row.number} is {row.status}, its last ledger entry an open claim"
        if row.status == "shipped":
            if numbers and numbers != {row.tracking_numbers}:
                yield f"row {row.number} has {row.tracking_numbers}, the ledger {sorted(numbers)}"
            if not numbers and not expected.store_lost and row.number not in told_by_a_person:
                yield f"row {row.number} is shipped, the ledger does not know"
        else:
            kind = {"failed": Failed, "in_doubt": InDoubt}.get(row.status)
            last = outcomes[-1] if outcomes else None
            if kind is not None and not isinstance(last, kind) and not expected.store_lost:
                yield f"row {row.number} is {row.status}, the ledger says {last and last.kind}"
            if kind is None and entries:
                yield f"row {row.number} is {row.status}, the ledger has {[entry.kind for entry in entries]}"


def _source_problems(books: Books) -> Iterator[str]:
    if without_tracking(books.source) != without_tracking(books.submitted):
        yield "the source's own columns have changed"
    written = tracking_numbers(books.source)
    of_rows = {row.source_row: row for row in books.job.rows}
    for place, number in enumerate(written, 1):
        row = of_rows.get(place)
        known = row.tracking_numbers if row is not None else ()
        if number and number not in known:
            yield f"the source's row {place} has {number}, the job {known}"
        if not number and row is not None and row.write_back == "written":
            yield f"row {row.number} is written back, the source has no number"


def _order_problems(books: Books, live: Live) -> Iterator[str]:
    """One row at a time and in order; nothing after a failure."""
    before: datetime | None = None
    for row in books.job.rows:
        for sale in live[row.number]:
            if before is not None and sale.created_at < before:
                yield f"row {row.number} was sold before the row in front of it"
            before = sale.created_at
    failed_at: datetime | None = None
    for entry in books.job.trail:
        if entry.action in {"row.failed", "row.in_doubt"}:
            failed_at = entry.at
        elif entry.action == "job.running":
            failed_at = None
        elif entry.action == "row.in_flight" and failed_at is not None:
            yield f"row {entry.row_number} was started after a failure"
    if failed_at is not None:
        late = [sale for sales in live.values() for sale in sales if sale.created_at > failed_at]
        if late:
            yield f"{len(late)} labels were sold after the failure"


def _trail_problems(books: Books) -> Iterator[str]:
    previous = GENESIS
    for seq, (entry, known) in enumerate(zip(books.job.trail, books.job.hashes, strict=True), 1):
        if (entry.seq, entry.previous_hash, entry.hash) != (seq, previous, known):
            yield f"the audit chain is broken at entry {entry.seq}"
        previous = known
    if previous != books.job.head:
        yield "the audit chain's head is not the job's"
    actions = Counter((entry.action, entry.row_number) for entry in books.job.trail)
    for (action, row_number), times in actions.items():
        if action == "row.second_label":
            yield f"a second label was reported for row {row_number}"
        if action == "row.shipped" and times > 1:
            yield f"row {row_number} was recorded as shipped {times} times"


def all_sold_once(sold: Sequence[Sale]) -> tuple[str, ...]:
    """The references with more than one live label in a whole carrier's ledger."""
    counts = Counter(sale.reference for sale in sold if not sale.voided)
    return tuple(reference for reference, count in counts.items() if count > 1)
