"""Rows of one order, merged: whatever they say, nothing of it is lost and nothing is made up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.coordinator.mapping.fields import CUSTOMS_LINE, FIELDS, PACKAGE_FIELDS, Fields, numbered
from services.coordinator.mapping.merging import merged

LINE_FIELDS = {*CUSTOMS_LINE, *(numbered(field, 2) for field in CUSTOMS_LINE)}
TEXTS = st.sampled_from(["", " ", "1", "2", "Mug", "mug "])
ROWS = st.lists(st.dictionaries(st.sampled_from([*FIELDS, *sorted(LINE_FIELDS)]), TEXTS), min_size=2, max_size=4)


def as_rows(texts: list[dict[str, str]]) -> list[tuple[int, Fields]]:
    return [(number, Fields(row)) for number, row in enumerate(texts, start=1)]


def said(texts: list[dict[str, str]], field: str) -> list[str]:
    return [row[field] for row in texts if row.get(field, "").strip()]


@given(ROWS, st.booleans(), st.booleans())
def test_a_field_is_what_its_first_row_says_or_told_to_differ_or_kept_by_each_row(
    texts: list[dict[str, str]], packages_by_row: bool, customs_by_row: bool
) -> None:
    order = merged(as_rows(texts), packages_by_row=packages_by_row, customs_by_row=customs_by_row)
    apart = {*(PACKAGE_FIELDS if packages_by_row else ()), *(LINE_FIELDS if customs_by_row else ())}
    for field in {name for row in texts for name in row}:
        words = said(texts, field)
        alike = len({word.strip().casefold() for word in words}) <= 1
        if field in apart:
            assert field not in order.texts
        elif alike or field == "description":
            assert order.texts[field] == (words[0] if words else "")
            assert field not in order.problems
        else:
            assert (order.texts[field], order.problems[field].code) == ("", "E-2014")


@given(ROWS)
def test_what_rows_say_of_parcels_and_goods_is_kept_row_by_row(texts: list[dict[str, str]]) -> None:
    order = merged(as_rows(texts), packages_by_row=True, customs_by_row=True)
    for parts, names in ((order.packages, set(PACKAGE_FIELDS)), (order.lines, LINE_FIELDS)):
        kept = [(number, name, text) for number, part in parts for name, text in part.texts.items() if text.strip()]
        given_texts = [
            (number, name, text)
            for number, row in enumerate(texts, start=1)
            for name, text in row.items()
            if name in names and text.strip()
        ]
        lines = {number for number, name, _ in given_texts if name != "customs_origin"}
        assert kept == [each for each in given_texts if names is not LINE_FIELDS or each[0] in lines]


def test_rows_that_say_nothing_of_a_parcel_are_none_unless_no_row_says_anything() -> None:
    rows = as_rows([{"city": "Bath"}, {"weight": "2"}, {"weight": "3"}])
    assert [number for number, _ in merged(rows, packages_by_row=True).packages] == [2, 3]
    assert [number for number, _ in merged(rows[:1] * 2, packages_by_row=True).packages] == [1, 1]
    assert merged(rows[:1] * 2, customs_by_row=True).lines == ()


def test_one_row_is_an_order_by_itself() -> None:
    ((_, only),) = as_rows([{"weight": "2"}])
    assert merged([(1, only)], packages_by_row=True, customs_by_row=True) is only
