"""Row numbers as they are typed and told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cli.row_numbers import parse_row_numbers, ranges, rows_in_words


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [([], ()), (["3"], (3,)), (["5", "1-3", "2"], (1, 2, 3, 5)), (["7-7"], (7,))],
)
def test_rows_are_typed_as_numbers_and_ranges(texts: list[str], numbers: tuple[int, ...]) -> None:
    assert parse_row_numbers(texts) == numbers


@pytest.mark.parametrize("text", ["", "0", "-1", "1-", "3-1", "a", "1,2", "1.0", "²", "1-99999999"])
def test_what_is_no_row_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="row"):
        parse_row_numbers([text])


@given(st.sets(st.integers(1, 300)))
def test_ranges_say_every_row_once(numbers: set[int]) -> None:
    told = ranges(sorted(numbers))
    typed = [part.replace("–", "-") for part in told.split(", ")] if told else []
    assert parse_row_numbers(typed) == tuple(sorted(numbers))


@pytest.mark.parametrize(
    ("numbers", "words"),
    [([3], "Row 3"), (range(1, 48), "Rows 1–47"), ([1, 2, 4], "Rows 1–2, 4")],
)
def test_rows_are_told_as_ranges(numbers: list[int], words: str) -> None:
    assert rows_in_words(numbers) == words
