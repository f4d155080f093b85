"""Only the tracking columns change: properties over dialects and contents, without touching a disk."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from services.writeback.targets.csv_document import CsvDocument, parse_document
from services.writeback.targets.csv_edit import edit
from shared.sources.changes import RowChange
from shared.sources.rows import TRACKING_COLUMNS, row_checksum, tracking_column
from tests.unit.csv_changes import SHIPPED, change
from tests.unit.csv_files import CsvFile, csv_files


def texts(document: CsvDocument) -> list[dict[str, str]]:
    """What every data row says, by column."""
    return [document.header.values(document.grammar.values(document.records[index])) for index in document.rows]


def wanted(document: CsvDocument, numbers: set[int], tracking_number: str | None = "1Z999") -> list[RowChange]:
    rows = texts(document)
    return [
        change(
            number,
            row_checksum(rows[number - 1]),
            tracking_number and f"{tracking_number}{number}",
            replaces=(f"1Z999{number}",),
        )
        for number in sorted(numbers)
    ]


def fields_but_for(document: CsvDocument, index: int, columns: set[str]) -> list[str]:
    """The raw fields of a record without those of some columns."""
    left_out = {position for position, name in enumerate(document.header.names) if tracking_column(name) in columns}
    fields = document.grammar.fields(document.records[index])
    return [field for position, field in enumerate(fields) if position not in left_out]


@st.composite
def files_and_rows(draw: st.DrawFn) -> tuple[CsvFile, set[int]]:
    file = draw(csv_files(tracking=True).filter(lambda file: bool(file.rows)))
    return file, draw(st.sets(st.integers(1, len(file.rows)), min_size=1))


@given(files_and_rows())
def test_the_file_says_the_same_as_before_with_the_tracking_columns_filled(case: tuple[CsvFile, set[int]]) -> None:
    file, numbers = case
    before = parse_document(file.content, file.source)
    edited = edit(before, wanted(before, numbers), "x")
    assert set(edited.errors) == {None}
    after = parse_document(edited.document.encode(), file.source)
    present = {tracking_column(name) for name in before.header.columns}
    added = [column for column in TRACKING_COLUMNS if column not in present]
    assert after.header.columns == (*before.header.columns, *added)
    assert len(after.rows) == len(before.rows)
    for number, (old, new) in enumerate(zip(texts(before), texts(after), strict=True), start=1):
        filled = dict(
            zip(TRACKING_COLUMNS, (f"1Z999{number}", SHIPPED) if number in numbers else ("", ""), strict=True)
        )
        expected = {name: filled.get(tracking_column(name) or "", text) for name, text in old.items()}
        assert new == expected | {column: filled[column] for column in added}


@given(files_and_rows())
def test_every_byte_outside_the_tracking_columns_stays(case: tuple[CsvFile, set[int]]) -> None:
    file, numbers = case
    before = parse_document(file.content, file.source)
    after = edit(before, wanted(before, numbers), "x").document
    added, both = set(before.header.missing), set(TRACKING_COLUMNS)
    touched = {before.rows[number - 1] for number in numbers}
    width = before.header.insertion
    assert len(after.records) == len(before.records)
    for index, (old, new) in enumerate(zip(before.records, after.records, strict=True)):
        body = old.rstrip("\r\n") if not file.quote or file.quote not in old else old
        assert new.endswith(old[len(body) :])
        if index not in touched and (
            not added or len(before.grammar.fields(old)) < width or before.grammar.is_blank_line(old)
        ):
            assert new == old
            continue
        kept = fields_but_for(before, index, both - added if index in touched else set())
        left = fields_but_for(after, index, both if index in touched else added)
        assert left[: len(kept)] == kept
        assert not "".join(left[len(kept) :]).strip(file.quote or None), (
            "a short row is padded by nothing but empty fields"
        )
        assert index in touched or len(left) == len(kept)
    assert after.encode().startswith(before.dialect.encoding.bom)


@given(files_and_rows())
def test_a_second_application_changes_nothing(case: tuple[CsvFile, set[int]]) -> None:
    file, numbers = case
    before = parse_document(file.content, file.source)
    changes = wanted(before, numbers)
    after = parse_document(edit(before, changes, "x").document.encode(), file.source)
    again = edit(after, changes, "x")
    assert again.document is after
    assert set(again.errors) == {None}


@given(files_and_rows())
def test_clearing_leaves_the_row_as_if_it_had_not_shipped(case: tuple[CsvFile, set[int]]) -> None:
    file, numbers = case
    before = parse_document(file.content, file.source)
    filled = edit(before, wanted(before, numbers), "x").document
    cleared = edit(filled, wanted(before, numbers, None), "x").document
    blank = dict.fromkeys(before.header.missing, "")
    assert texts(parse_document(cleared.encode(), file.source)) == [row | blank for row in texts(before)]


@given(files_and_rows(), st.randoms(use_true_random=False))
def test_rows_that_moved_are_found_by_their_checksum_or_left_alone(
    case: tuple[CsvFile, set[int]], random: Random
) -> None:
    file, numbers = case
    before = parse_document(file.content, file.source)
    changes = wanted(before, numbers)
    lines = [before.records[index] for index in before.rows]
    if not all(line.endswith(("\n", "\r")) for line in lines):
        lines = [line.rstrip("\r\n") + "\n" for line in lines]
    random.shuffle(lines)
    head = "".join(before.records[: before.header_at + 1])
    moved = parse_document(before.dialect.encoding.encode(head + "".join(lines)), file.source)
    edited = edit(moved, changes, "x")
    sums = [row_checksum(row) for row in texts(moved)]
    for one, error in zip(changes, edited.errors, strict=True):
        at_its_place = one.source_row <= len(sums) and sums[one.source_row - 1] == one.checksum
        found = at_its_place or sums.count(one.checksum) == 1
        assert (error is None or error.code == "E-4012") if found else (error is not None and error.code == "E-4010")
