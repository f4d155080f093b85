"""CSV files as snapshots: what is read, and what is refused."""

from __future__ import annotations

import codecs
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings

from shared.contracts.source import CsvSource
from shared.errors import TallyError
from shared.sources import row_checksum
from shared.sources.csv import open_csv
from shared.sources.csv_records import MAX_RECORD
from shared.sources.csv_text import detect_dialect
from shared.sources.text_encoding import CHUNK, detect_encoding
from tests.unit.csv_files import CsvFile, csv_files

ORDERS_CSV = CsvSource(path="orders.csv")
ORDERS = "order,name,state,zip,weight\n1,Ada,CA,01002,5\n2,Ben,NY,10001,25\n3,Cy,CA,,\n"


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text(ORDERS)
    return path


def refusal(path: Path, content: bytes, source: CsvSource = ORDERS_CSV) -> str:
    path.write_bytes(content)
    with pytest.raises(TallyError) as caught:
        open_csv(path, source)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@settings(max_examples=40)
@given(csv_files(tracking=True))
def test_columns_and_rows_are_those_of_the_records(file: CsvFile) -> None:
    columns = [name for name in file.header if name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "orders.csv")
        path.write_bytes(file.content)
        if not file.rows:
            assert "E-1003" in refusal(path, file.content, file.source)
            return
        with open_csv(path, file.source) as snapshot:
            assert snapshot.columns == tuple(columns)
            assert snapshot.count() == len(file.rows)
            rows = list(snapshot.rows())
            assert list(snapshot.rows("1 = 1")) == rows
    for number, (row, texts) in enumerate(zip(rows, file.rows, strict=True), start=1):
        expected = [text for text, name in zip((*texts, *[""] * len(file.header)), file.header, strict=False) if name]
        assert (row.number, row.key) == (number, str(number))
        assert list(row.values.items()) == list(zip(columns, expected, strict=True))
        assert row.checksum == row_checksum(row.values)
        assert row.surplus == sum(1 for text in texts[len(file.header) :] if text.strip(" \t\r\n"))


def test_a_zip_keeps_its_leading_zero_and_an_empty_field_is_empty_text(orders: Path) -> None:
    with open_csv(orders) as snapshot:
        first, _, last = snapshot.rows()
    assert first.values["zip"] == "01002"
    assert last.values["zip"] == ""


def test_rows_come_in_file_order_under_a_condition(orders: Path) -> None:
    with open_csv(orders) as snapshot:
        assert [row.number for row in snapshot.rows("state = 'CA'")] == [1, 3]
        assert snapshot.count("weight < 20") == 1


def test_the_snapshot_stays_as_it_was_when_the_file_changes(orders: Path) -> None:
    with open_csv(orders) as snapshot:
        orders.write_text("order,name\n9,Zed\n")
        assert [row.values["name"] for row in snapshot.rows()] == ["Ada", "Ben", "Cy"]


def test_two_readers_of_one_snapshot_do_not_disturb_each_other(orders: Path) -> None:
    with open_csv(orders) as snapshot:
        one, other = snapshot.rows(), snapshot.rows("state = 'NY'")
        assert [next(one).number, next(other).number, snapshot.count(), next(one).number] == [1, 2, 3, 2]


def test_nothing_outside_can_be_reached_and_no_setting_changed(orders: Path) -> None:
    with open_csv(orders) as snapshot:
        for statement in (
            f"SELECT * FROM read_csv('{orders}')",
            "ATTACH 'x.db'",
            "SET threads = 2",
            "SET lock_configuration = false",
        ):
            with pytest.raises(Exception, match=r"Permission|locked|disabled"):
                snapshot._connection.execute(statement)


def test_closing_leaves_nothing_on_disk(orders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    with open_csv(orders):
        assert any(scratch.iterdir())
    assert not any(scratch.iterdir())
    refusal(orders, b'a,b\n1,2\n3,"4\n')
    assert not any(scratch.iterdir())


def test_a_condition_that_cannot_be_evaluated_says_so_without_telling_the_value(orders: Path) -> None:
    with open_csv(orders) as snapshot, pytest.raises(TallyError) as caught:
        snapshot.count("CAST(name AS INTEGER) = 1")
    assert caught.value.body.code == "E-1012"
    assert "Ada" not in str(caught.value)


@pytest.mark.parametrize("where", [None, "length(n) > 0"])
def test_a_file_longer_than_a_chunk_is_read_whole(tmp_path: Path, where: str | None) -> None:
    path = tmp_path / "long.csv"
    line = '{},"Ada ""the first"" of\nmany",é\r\n'
    total = 2 * CHUNK // len(line) + 1
    path.write_text("n,name,e\r\n" + "".join(line.format(number) for number in range(1, total + 1)), newline="")
    with open_csv(path) as snapshot:
        found = [(row.number, row.values["n"]) for row in snapshot.rows(where)]
    assert found == [(number, str(number)) for number in range(1, total + 1)]


def test_rows_of_many_kilobytes_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text("name,note\n" + ("Ada," + "x" * 20_000 + "\n") * 2_500)
    with open_csv(path) as snapshot:
        assert snapshot.count("length(note) = 20000") == 2_500
        assert next(snapshot.rows()).values["note"] == "x" * 20_000


@pytest.mark.parametrize("where", [None, "length(note) > 0"])
def test_a_field_that_is_nearly_as_long_as_a_record_may_be_is_read(tmp_path: Path, where: str | None) -> None:
    path = tmp_path / "long.csv"
    note = "é" * (MAX_RECORD - 100)
    path.write_text(f"name,note\nAda,{note}\n")
    with open_csv(path) as snapshot:
        assert next(snapshot.rows(where)).values["note"] == note


def test_rows_of_a_snapshot_that_is_closed_are_unreadable(orders: Path) -> None:
    with open_csv(orders) as snapshot:
        rows, chosen = snapshot.rows(), snapshot.rows("state = 'CA'")
    for each in (rows, chosen):
        with pytest.raises(TallyError, match="E-1002"):
            next(each)


def test_surplus_fields_are_counted_so_that_slipped_columns_show(tmp_path: Path) -> None:
    path = tmp_path / "slipped.csv"
    path.write_text("name,street,city\nAda,1 Main St, Apt 4,Austin\nBen,2 Main St,Austin,,\n")
    with open_csv(path) as snapshot:
        assert [row.surplus for row in snapshot.rows()] == [1, 0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "E-1003: orders.csv is empty."),
        (codecs.BOM_UTF8, "E-1003: orders.csv is empty."),
        (b"\n \r\n\n", "E-1003: orders.csv is empty."),
        (b"name,zip\n", "E-1003: orders.csv has a header line but no rows."),
        (b"name,zip\n\n,,\n", "E-1003: orders.csv has a header line but no rows."),
        (b"Name,zip,name \n1,2,3\n", "E-1004: orders.csv names column Name, name more than once."),
        (b"PK\x03\x04rest", "E-1005: orders.csv is not a CSV file: it is a workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "E-1005: orders.csv is not a CSV file: it is an old Excel workbook"),
        (b"%PDF-1.7\n", "E-1005: orders.csv is not a CSV file: it is a PDF"),
        (b"\n<!DOCTYPE html><table>", "E-1005: orders.csv is not a CSV file: it is an HTML"),
        (b"name,zip\nA\x00da,01002\n", "E-1005: orders.csv is not a CSV file: it holds binary data"),
        ("name,zip\nAda,01002\n".encode("utf-32-le"), "E-1005: orders.csv is not a CSV file: it holds binary data"),
        ("name,zip\nAda,0100\0\n".encode("utf-16-le"), "E-1005: orders.csv is not a CSV file: it holds binary data"),
        (
            "a,b\nA\n".encode("utf-16-le") + b"x",
            "E-1005: orders.csv is not a CSV file: its bytes are not UTF-16 LE",
        ),
        (b"order,na\x07me\n1,Ada\n", "E-1024: The column name in column 2 of orders.csv has control characters."),
        (
            b'order,"=HYPERLINK(""http://example.com"",""name"")"\n1,Ada\n',
            "E-1024: The column name in column 2 of orders.csv begins with =, as a formula does.",
        ),
        (codecs.BOM_UTF16_LE + b"a,b", "E-1005: orders.csv is not a CSV file: its bytes are not UTF-16 LE with"),
        ("жил,щит\nЮлий,Жизнь\n".encode("cp1251") * 20, "E-1005: orders.csv is not a CSV file: its text is neither"),
        (
            ("name,city\n" + "Ann Lee,Boston\n" * 30 + "Юлий Жизнин,Austin\n").encode("cp1251"),
            "E-1005: orders.csv is not a CSV file: its text is neither",
        ),
        ("name,city\nשרה לוי,Boston\n".encode("cp1255"), "E-1005: orders.csv is not a CSV file: its text is neither"),
        ("n\nJosé\nZoë\n".encode() + b"Jos\xe9\n", "E-1005: orders.csv is not a CSV file: it is UTF-8 in most lines"),
        (b'name,zip\n"Ada,01002\nBen,1\n', "E-1005: orders.csv is not a CSV file: the quote opened in record 2"),
        (
            b'name,zip\n"Ada" L,01002\n',
            "E-1005: orders.csv is not a CSV file: in record 2 text follows a closing quote",
        ),
    ],
)
def test_what_is_no_usable_csv_is_refused_in_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    assert refusal(tmp_path / "orders.csv", content).startswith(said)


def test_a_file_that_is_gone_or_a_folder_is_unreadable(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.csv", tmp_path):
        with pytest.raises(TallyError, match="E-1002"):
            open_csv(path)


def test_one_endless_cell_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    path.write_bytes(b'name,zip\n"' + b"x" * (3 << 20) + b'",1\n')
    with pytest.raises(TallyError, match=r"E-1005.*quote may be left open"):
        open_csv(path)


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a;b;c\n1,5;2,5;x\n", ";"),
        ("name;price,eur;city\nAda;1,5;Rome\n", ";"),
        ("name;street, no, apt;city\nAda;Main St;Rome\nBen;Side St;Oslo\n", ";"),
        ("a\tb\n1,2,3\t4\n", "\t"),
        ("a|b\n1,2|3\n", "|"),
        ("id,name|alias,city\n1,A|B,X\n", ","),
        ("only\n1\n", ","),
        ('a,"x;y;z;w",c\n1,"p;q;r;s",3\n', ","),
    ],
)
def test_the_delimiter_is_the_one_that_explains_the_rows(text: str, delimiter: str) -> None:
    assert detect_dialect(text, detect_encoding(text.encode(), "x")).delimiter == delimiter


@pytest.mark.parametrize(
    ("raw", "codec"),
    [
        ("a\nJosé\n".encode(), "utf-8"),
        ("a\nJosé Núñez\n".encode("cp1252"), "cp1252"),
        ("a\nO\u2019Brien \u2013 €5\n".encode("cp1252"), "cp1252"),
        (b"name,zip\n" + b"Ada Lovelace,01002\n" * 50 + b"Jos\xe9\x81,01002\n", "iso8859-1"),
        (codecs.BOM_UTF16_BE + "a\nJosé\n".encode("utf-16-be"), "utf-16-be"),
        ("name,zip\r\nJosé,01002\r\nŁucja,€5\r\n".encode("utf-16-le"), "utf-16-le"),
        ("name,zip\nJosé,01002\n".encode("utf-16-be"), "utf-16-be"),
        (b"plain\n1\n", "utf-8"),
    ],
)
def test_the_encoding_is_told_from_the_bytes(raw: bytes, codec: str) -> None:
    encoding = detect_encoding(raw, "x")
    assert encoding.codec == codec
    assert encoding.encode(encoding.decode(raw)) == raw
