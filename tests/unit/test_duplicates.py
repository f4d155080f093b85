"""Orders that may be duplicates, by their marks: in one batch, and in earlier jobs."""

from collections.abc import Sequence

import pytest

from services.coordinator.intake import duplicates
from services.coordinator.intake.duplicates import EarlierOrder, RowsSoFar, SimilarOrders
from services.coordinator.intake.marks import Marks, marks_of
from shared.contracts.states import RowStatus
from shared.contracts.warning import RowWarning
from tests.contract.messages import SHIPMENT


def words(warnings: Sequence[RowWarning]) -> list[str]:
    assert all(warning.code == "possible_duplicate" for warning in warnings)
    return [warning.message for warning in warnings]


def earlier(row: int, marks: Marks, *, key: str = "another", status: RowStatus = RowStatus.SHIPPED) -> EarlierOrder:
    return EarlierOrder("k3v9", row, status, key, marks)


def test_a_row_like_an_earlier_one_of_the_batch_names_it() -> None:
    rows = RowsSoFar()
    assert rows.note(1, Marks("number-1", "contents-1")) == ()
    assert words(rows.note(2, Marks("number-1", "contents-2"))) == ["Row 1 has the same order number."]
    assert words(rows.note(3, Marks("number-3", "contents-2"))) == ["Row 2 has the same address and contents."]
    assert words(rows.note(4, Marks("number-1", "contents-1"))) == [
        "Row 1 has the same order number, address and contents."
    ]
    assert rows.note(5, Marks("", "contents-5")) == rows.note(6, Marks("", "contents-6")) == ()


def test_a_very_long_batch_is_compared_with_its_last_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "_REMEMBERED", 2)
    rows = RowsSoFar()
    for number in (1, 2, 3):
        rows.note(number, Marks(f"number-{number}", f"contents-{number}"))
    assert rows.note(4, Marks("number-1", "contents-4")) == ()
    assert words(rows.note(5, Marks("number-3", "contents-5"))) == ["Row 3 has the same order number."]


def test_a_row_like_one_of_an_earlier_job_names_that() -> None:
    seventh = earlier(7, Marks("number-1", "contents-1"))
    eighth = earlier(8, Marks("number-2", "contents-2"), status=RowStatus.IN_DOUBT)
    known = SimilarOrders(by_order=[seventh], by_contents=[seventh, eighth])
    assert words(known.like(Marks("number-1", "other"), "mine")) == [
        "Row 7 of job k3v9, which is shipped, has the same order number."
    ]
    assert words(known.like(Marks("other", "contents-2"), "mine")) == [
        "Row 8 of job k3v9, which is in doubt, has the same address and contents."
    ]
    assert known.like(Marks("", "other"), "mine") == ()


def test_the_very_same_order_is_no_duplicate_of_itself() -> None:
    marks = Marks("number-1", "contents-1")
    itself = [earlier(7, marks, key="mine")]
    assert SimilarOrders(by_order=itself, by_contents=itself).like(marks, "mine") == ()


def test_an_order_found_by_another_rows_number_does_not_count_for_its_contents() -> None:
    known = SimilarOrders(by_order=[earlier(7, Marks("number-1", "contents-1"))], by_contents=[])
    assert known.like(Marks("other", "contents-1"), "mine") == ()


def test_marks_tell_order_numbers_and_contents_apart_but_no_case() -> None:
    marks = marks_of(SHIPMENT)
    assert marks_of(SHIPMENT.model_copy(update={"order_number": SHIPMENT.order_number.upper()})) == marks
    renumbered = marks_of(SHIPMENT.model_copy(update={"order_number": "another", "reference": "other words"}))
    assert renumbered.contents == marks.contents
    assert renumbered.order != marks.order
    described = marks_of(SHIPMENT.model_copy(update={"description": "Something else"}))
    assert (described.order, described.contents == marks.contents) == (marks.order, False)
    assert marks_of(SHIPMENT.model_copy(update={"order_number": ""})).order == ""
