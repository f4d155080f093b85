"""The checker sees what it is there to see: each kind of harm in books made up, and a shipper broken on purpose."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from services.coordinator.records.audit import AuditTrail
from shared.contracts.ledger import Claimed, Failed, Shipped
from shared.errors import CARRIER_REJECTED, TallyError
from shared.shipping import Money
from tests.crash.books import Books, Entry, Job, Row, Sale
from tests.crash.cases import Case, Fault
from tests.crash.checker import Expected, Verdict, check
from tests.crash.rig import running_rig
from tests.crash.shapes import Shape
from tests.crash.trial import run
from tests.integration.job_steps import claimed

START = datetime(2026, 11, 21, tzinfo=UTC)
ROWS = 3


def number_of(row: int) -> str:
    return f"1Z{row}"


def shipped_row(number: int) -> Row:
    return Row(
        number=number,
        source_row=number,
        status="shipped",
        attempt=1,
        reference=f"R{number}",
        tracking_numbers=(number_of(number),),
        label_key=f"label{number}",
        label_due=False,
        write_back="written",
        error=None,
        evidence=(),
        reserved=True,
    )


def claim(row: int) -> Claimed:
    return claimed("job", row, epoch="first", claim_id=f"claim{row}", reference=f"R{row}")


def shipped(row: int, number: str = "") -> Shipped:
    return Shipped(
        job_id="job",
        row_number=row,
        attempt=1,
        epoch="first",
        claim_id=f"claim{row}",
        shipment_id=number or number_of(row),
        tracking_numbers=(number or number_of(row),),
        cost=Money(amount=Decimal(10), currency="USD"),
        label_key=f"label{row}",
        shipped_at=START,
    )


def refused(row: int) -> Failed:
    error = TallyError(CARRIER_REJECTED, carrier_code="120207", carrier_message="no").body
    return Failed(
        job_id="job", row_number=row, attempt=1, epoch="first", claim_id=f"claim{row}", error=error, failed_at=START
    )


def sale(row: int, number: str = "", *, at: float | None = None) -> Sale:
    moment = START + timedelta(seconds=row if at is None else at)
    return Sale(f"R{row}", (number or number_of(row),), voided=False, created_at=moment)


def source(*numbers: str, company: str = "Bell") -> bytes:
    lines = ["order,company,tracking_number", *(f"{row},{company},{number}" for row, number in enumerate(numbers, 1))]
    return "\n".join(lines).encode()


def trail(*actions: tuple[str, int | None]) -> AuditTrail:
    """A trail with an entry a second."""
    kept = AuditTrail("job", 0, "0" * 64, START)
    for place, (action, row) in enumerate(actions):
        kept.at = START + timedelta(seconds=place)
        kept.add(action, row=row)
    return kept


def job(kept: AuditTrail) -> Job:
    return Job(
        job_id="job",
        status="completed",
        cursor=ROWS,
        total=ROWS,
        error=None,
        rows=tuple(shipped_row(number) for number in range(1, ROWS + 1)),
        trail=tuple(kept.entries),
        hashes=tuple(kept.hashes),
        head=kept.head,
    )


def sound() -> Books:
    return Books(
        job=job(trail(("job.running", None), ("row.in_flight", 1), ("row.shipped", 1))),
        ledger={row: [claim(row), shipped(row)] for row in range(1, ROWS + 1)},
        late={},
        submitted=source("", "", ""),
        source=source("1Z1", "1Z2", "1Z3"),
        sales=[sale(row) for row in range(1, ROWS + 1)],
        labels=frozenset({"label1", "label2", "label3"}),
    )


def with_row(books: Books, row: Row) -> Books:
    rows = tuple(row if other.number == row.number else other for other in books.job.rows)
    return replace(books, job=replace(books.job, rows=rows))


def without_label(row: Row, status: str) -> Row:
    return replace(row, status=status, tracking_numbers=(), label_key=None, write_back="none", reserved=False)


def failed_at_2() -> Books:
    """Sound books of a job whose second row the carrier refused."""
    books = sound()
    rows = (books.job.rows[0], without_label(books.job.rows[1], "failed"), without_label(books.job.rows[2], "pending"))
    kept = trail(("job.running", None), ("row.shipped", 1), ("row.failed", 2), ("job.failed", None))
    return replace(
        books,
        job=replace(job(kept), status="failed", cursor=1, rows=rows),
        ledger={1: [claim(1), shipped(1)], 2: [claim(2), refused(2)]},
        source=source("1Z1", "", ""),
        sales=[sale(1)],
    )


def words(verdict: Verdict) -> str:
    return "; ".join(verdict.problems)


def test_sound_books_hold() -> None:
    assert check(sound(), Expected()).holds
    assert check(failed_at_2(), Expected(refused=2)).holds


def test_two_live_labels_of_a_row_are_a_duplicate() -> None:
    books = sound()
    verdict = check(replace(books, sales=[*books.sales, sale(2, "1Z9")]), Expected())
    assert verdict.duplicates == (2,)


def test_a_number_that_the_source_lacks_is_lost() -> None:
    assert check(replace(sound(), source=source("1Z1", "", "1Z3")), Expected()).lost == (2,)


def test_a_sale_that_the_job_does_not_know_is_lost() -> None:
    books = with_row(sound(), replace(sound().job.rows[1], status="failed", tracking_numbers=()))
    assert check(books, Expected()).lost == (2,)


def test_another_number_in_the_ledger_is_a_problem() -> None:
    books = sound()
    ledger: dict[int, Sequence[Entry]] = {**books.ledger, 2: [claim(2), shipped(2, "1Z9")]}
    assert "row 2 has ('1Z2',), the ledger [('1Z9',)]" in words(check(replace(books, ledger=ledger), Expected()))


def test_another_number_in_the_late_ledger_is_a_problem() -> None:
    verdict = check(replace(sound(), late={2: [shipped(2, "1Z9")]}), Expected())
    assert "the ledger has several numbers for row 2" in words(verdict)


def test_an_open_claim_at_the_end_is_a_problem() -> None:
    books = sound()
    verdict = check(replace(books, ledger={**books.ledger, 3: [claim(3)]}), Expected())
    assert "its last ledger entry an open claim" in words(verdict)


def test_a_changed_column_of_the_source_is_a_problem() -> None:
    verdict = check(replace(sound(), source=source("1Z1", "1Z2", "1Z3", company="Ball")), Expected())
    assert "the source's own columns have changed" in words(verdict)


def test_a_number_in_the_wrong_row_of_the_source_is_a_problem() -> None:
    verdict = check(replace(sound(), source=source("1Z2", "1Z1", "1Z3")), Expected())
    assert "the source's row 1 has 1Z2" in words(verdict)


def test_a_job_that_did_not_get_to_its_end_is_a_problem() -> None:
    books = sound()
    verdict = check(replace(books, job=replace(books.job, status="running", cursor=2)), Expected())
    assert "the job is running, not completed" in words(verdict)
    assert "the cursor is 2, not 3" in words(verdict)


def test_a_row_sold_out_of_order_is_a_problem() -> None:
    verdict = check(replace(sound(), sales=[sale(1), sale(2), sale(3, at=1.5)]), Expected())
    assert "row 3 was sold before the row in front of it" in words(verdict)


def test_a_sale_after_a_failure_is_a_problem() -> None:
    books = failed_at_2()
    verdict = check(replace(books, sales=[sale(1), sale(3, at=60)]), Expected(refused=2))
    assert "row 3 is pending with 1 live labels" in words(verdict)
    assert "1 labels were sold after the failure" in words(verdict)


def test_a_row_in_doubt_is_a_problem_unless_it_is_expected() -> None:
    books = failed_at_2()
    parked = with_row(books, replace(books.job.rows[1], status="in_doubt", reserved=True))
    assert "rows [2] are in doubt" in words(check(parked, Expected()))
    assert "rows [2] are in doubt" not in words(check(parked, Expected(may_park=True)))


def test_a_broken_audit_chain_is_a_problem() -> None:
    books = sound()
    forged = (replace(books.job.trail[0], actor="somebody else"), *books.job.trail[1:])
    verdict = check(replace(books, job=replace(books.job, trail=forged)), Expected())
    assert "the audit chain is broken at entry 1" in words(verdict)


def test_a_cut_audit_chain_is_a_problem() -> None:
    books = sound()
    cut = replace(books.job, trail=books.job.trail[:-1], hashes=books.job.hashes[:-1])
    assert "the audit chain's head is not the job's" in words(check(replace(books, job=cut), Expected()))


def test_a_missing_label_is_a_problem() -> None:
    verdict = check(replace(sound(), labels=frozenset({"label1", "label3"})), Expected())
    assert "row 2's label is neither stored nor due" in words(verdict)


@pytest.mark.timeout(300)
async def test_a_shipper_that_neither_compares_claims_nor_looks_up_turns_the_matrix_red(tmp_path: Path) -> None:
    async with running_rig(tmp_path, Shape(shipper_module="tests.crash.broken_shipper")) as rig:
        result = await run(rig, Case(Fault.KILL, "shipper", several=False, point="shipper.after_call", nth=2), 1)
    assert not result.holds
    assert result.verdict.duplicates == (2,)
