"""How CSV text is cut into records and fields."""

from __future__ import annotations

import csv as stdlib_csv
import io
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sources import quantifiers
from shared.sources.csv_records import (
    MAX_RECORD,
    CsvGrammar,
    MalformedRecordError,
    cut_records,
    grammar,
    is_separator_line,
)
from tests.unit.csv_files import CsvFile, csv_files

COMMA = grammar(",")


def values(text: str, csv: CsvGrammar = COMMA) -> list[list[str]]:
    records = [record for batch in cut_records([text], csv) for record in batch]
    return [csv.values(record) for record in records if not csv.is_blank(record)]


@given(csv_files())
def test_every_record_says_what_was_meant(file: CsvFile) -> None:
    found = values("".join(file.records), grammar(file.delimiter, file.quote))
    separator = [["sep=", ""]] if is_separator_line(file.records[0]) else []
    assert found == [*separator, list(file.header), *map(list, file.rows)]


@given(csv_files(), st.lists(st.integers(0, 400), max_size=8))
def test_chunks_make_no_difference(file: CsvFile, cuts: list[int]) -> None:
    text, csv = "".join(file.records), grammar(file.delimiter, file.quote)
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    chunks = [text[start:end] for start, end in pairwise(places)]
    assert [record for batch in cut_records(chunks, csv) for record in batch] == list(file.records)


@given(st.text(st.sampled_from(',"\r\n a'), max_size=30))
def test_any_text_is_cut_without_losing_a_character(text: str) -> None:
    assert "".join(COMMA.cut(text)) == text
    for record in COMMA.cut(text):
        if COMMA.is_whole(record):
            assert ",".join(COMMA.fields(record)) == record.removesuffix("\n").removesuffix("\r")


def told(csv: CsvGrammar, text: str) -> list[tuple[str, bool, list[str], bool]]:
    is_canonical = csv.canonical(2)
    return [(record, csv.is_whole(record), csv.fields(record), is_canonical(record)) for record in csv.cut(text)]


@given(st.text(st.sampled_from(',"\r\n a'), max_size=30), st.sampled_from(['"', "a", ""]))
def test_a_python_without_possessive_quantifiers_cuts_alike(text: str, quote: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quantifiers, "POSSESSIVE", "")
        without = told(CsvGrammar(",", quote), text)
    assert told(CsvGrammar(",", quote), text) == without


@given(st.lists(st.lists(st.text(st.sampled_from(',"\r\n ab'), max_size=5), min_size=2, max_size=4), min_size=1))
def test_what_the_standard_library_writes_is_read_alike(table: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    stdlib_csv.writer(text, quoting=stdlib_csv.QUOTE_ALL).writerows(table)
    expected = [row for row in table if any(cell.strip() for cell in row)]
    assert values(text.getvalue()) == expected


@given(
    st.lists(st.text(st.sampled_from(",;\"'\r\n ab"), max_size=12)),
    st.sampled_from([grammar(delimiter, quote) for delimiter in ",;" for quote in ('"', "'", "")]),
    st.integers(1, 4),
)
def test_a_canonical_record_says_the_same_to_the_standard_library(
    texts: list[str], csv: CsvGrammar, width: int
) -> None:
    canonical = csv.canonical(width)
    for record in csv.cut("\n".join(texts)):
        if csv.is_whole(record) and not csv.is_blank(record) and canonical(record):
            reader = stdlib_csv.reader(io.StringIO(record, newline=""), delimiter=csv.delimiter, strict=True)
            assert list(reader) == [csv.values(record)]
            assert csv.width(record) == width


@pytest.mark.parametrize("record", ["a,b\n", 'a,"b, ""c"""\r\n', '"","b\nc"', ",b\r"])
def test_a_record_as_every_program_writes_it_is_canonical(record: str) -> None:
    assert COMMA.canonical(2)(record)


@pytest.mark.parametrize("record", ["a\n", "a,b,c\n", '5" pipe,b\n', '"a" ,b\n', '"a"b,c\n', '"a,b\n'])
def test_one_of_another_width_or_with_a_quote_out_of_place_is_not(record: str) -> None:
    assert not COMMA.canonical(2)(record)


def test_newlines_and_delimiters_inside_quotes_belong_to_the_field() -> None:
    assert values('name,note\r\nAda,"1 Main St,\r\nApt 4"\r\n') == [["name", "note"], ["Ada", "1 Main St,\r\nApt 4"]]


def test_a_quote_within_a_field_is_a_character_like_any_other() -> None:
    assert values('size,x\n5" pipe,y\n') == [["size", "x"], ['5" pipe', "y"]]


def test_a_quote_that_is_never_closed_is_refused_by_record() -> None:
    with pytest.raises(MalformedRecordError, match="record 3 is never closed"):
        values('a,b\n1,2\n3,"4\n5,6\n')


def test_text_after_a_closing_quote_is_refused_by_record() -> None:
    with pytest.raises(MalformedRecordError, match="in record 7 text follows a closing quote"):
        COMMA.values('1,"12" wide"\n', 7)


def test_a_record_that_swallows_the_file_is_refused_before_all_of_it_is_read() -> None:
    taken = []

    def endless() -> Iterator[str]:
        yield 'a,b\n1,"'
        for number in range(100):
            taken.append(number)
            yield "x" * (MAX_RECORD // 4)

    with pytest.raises(MalformedRecordError, match="record 2 has more than"):
        list(cut_records(endless(), COMMA))
    assert len(taken) < 10


@pytest.mark.parametrize("record", ["\n", "  \r\n", ",,,\n", ' ,"", \n', '""\n', "\t"])
def test_a_record_of_nothing_but_blanks_is_no_row(record: str) -> None:
    assert COMMA.is_blank(record)


@pytest.mark.parametrize("record", ["#\n", "#,,\n", '""""\n', ",,0\n", '"" ""\n'])
def test_a_record_that_says_anything_is_a_row(record: str) -> None:
    assert not COMMA.is_blank(record)
