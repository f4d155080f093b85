"""Rows of one order, wherever in the source they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.sources.csv import CsvSnapshot, open_csv


@contextmanager
def orders(rows: list[tuple[str, str]]) -> Iterator[CsvSnapshot]:
    with TemporaryDirectory() as folder:
        path = Path(folder, "orders.csv")
        path.write_text("order,state\n" + "".join(f'"{key}","{state}"\n' for key, state in rows))
        with open_csv(path) as snapshot:
            yield snapshot


def numbers(snapshot: CsvSnapshot, where: str | None = None) -> list[list[int]]:
    return [[row.number for row in rows] for rows in snapshot.orders(where, "order")]


def test_rows_with_the_same_number_are_one_order() -> None:
    with orders([("#1", "CA"), ("#1", ""), ("#2", "NY"), ("#3", "CA"), (" #3 ", "")]) as snapshot:
        assert numbers(snapshot) == [[1, 2], [3], [4, 5]]


def test_without_a_column_every_row_is_an_order() -> None:
    with orders([("#1", "CA"), ("#1", "")]) as snapshot:
        assert [[row.number for row in rows] for rows in snapshot.orders()] == [[1], [2]]


def test_a_condition_is_asked_of_an_orders_first_row_and_all_its_rows_come() -> None:
    with orders([("#1", "CA"), ("#1", ""), ("#2", "NY"), ("#2", "CA"), ("", "CA"), (" ", "CA")]) as snapshot:
        assert numbers(snapshot, "state = 'CA'") == [[1, 2], [5], [6]]
        assert numbers(snapshot, "state <> 'CA'") == [[3, 4]]


def test_rows_of_an_order_that_are_scattered_come_together_in_the_order_of_the_first() -> None:
    with orders([("#2", "NY"), ("#1", "CA"), ("#2", "CA"), ("", "CA"), ("#1", "")]) as snapshot:
        assert numbers(snapshot) == [[1, 3], [2, 5], [4]]
        assert numbers(snapshot, "state = 'CA'") == [[2, 5], [4]]


@settings(max_examples=30)
@given(st.lists(st.sampled_from(["a", "b", "c", "d", "", "  "]), min_size=1, max_size=12))
def test_every_row_is_in_one_order_and_orders_come_by_their_first_row(keys: list[str]) -> None:
    with orders([(key, "CA") for key in keys]) as snapshot:
        found = numbers(snapshot)
    expected: dict[object, list[int]] = {}
    for number, key in enumerate(keys, start=1):
        expected.setdefault(key.strip() or number, []).append(number)
    assert found == list(expected.values())
