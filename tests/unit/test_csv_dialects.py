"""The dialect of a CSV file: named, detected, carried from intake to write-back, and never guessed differently."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.contracts.source import CsvSource, source_hash
from shared.errors import TallyError
from shared.sources import as_read, open_source
from shared.sources.csv import open_csv
from shared.sources.csv_text import detect_dialect
from shared.sources.text_encoding import TextEncoding, detect_encoding
from tests.unit.csv_changes import SHIPPED, change, codes, target

UTF_8 = TextEncoding("utf-8")


def taken_in(path: Path, **dialect: str) -> tuple[CsvSource, list[str]]:
    """A file's source as a job has it after intake, and its rows' checksums."""
    source = CsvSource(path=path.name, **dialect)
    with open_source(source, [path.parent]) as snapshot:
        read = as_read(source, snapshot)
        assert isinstance(read, CsvSource)
        return read, [row.checksum for row in snapshot.rows()]


def written(path: Path, source: CsvSource, checksums: list[str]) -> bytes:
    """What the file becomes when each row gets its number."""
    wanted = [change(number, checksum, f"1Z{number}") for number, checksum in enumerate(checksums, start=1)]
    assert codes(target(path.parent).apply(source, wanted)) == [None] * len(wanted)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("encoding", "before", "after"),
    [
        ("utf-16-le", "name,city\nZoë,Łódź\n", f"name,city,tracking_number,shipped_at\nZoë,Łódź,1Z1,{SHIPPED}\n"),
        ("cp1250", "name,city\nZoë,Łódź\n", f"name,city,tracking_number,shipped_at\nZoë,Łódź,1Z1,{SHIPPED}\n"),
        ("latin-1", "name,city\nZo\x85,x\n", f"name,city,tracking_number,shipped_at\nZo\x85,x,1Z1,{SHIPPED}\n"),
    ],
)
def test_a_named_encoding_is_read_and_written(tmp_path: Path, encoding: str, before: str, after: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(before.encode(encoding))
    assert written(path, *taken_in(path, encoding=encoding)) == after.encode(encoding)


def test_a_named_delimiter_and_quote_are_read_and_written(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("name:note\n'a:b':x,y,z\n'it''s':\"\n")
    source, checksums = taken_in(path, delimiter=":", quote="'")
    assert written(path, source, checksums).decode() == (
        f"name:note:tracking_number:shipped_at\n'a:b':x,y,z:1Z1:'{SHIPPED}'\n'it''s':\":1Z2:'{SHIPPED}'\n"
    )


def test_what_was_detected_at_intake_is_what_is_written_in(tmp_path: Path) -> None:
    """After intake the first rows change so that another delimiter would explain the file better."""
    path = tmp_path / "orders.csv"
    path.write_text("name;note\nAda;x\nBen;y\n")
    source, checksums = taken_in(path)
    assert (source.delimiter, source.quote, source.encoding) == (";", '"', "utf-8")
    path.write_text("name;note\na,b,c,d;e,f,g,h\n" * 1 + "Ada;x\nBen;y\n")
    wanted = [change(number, checksum, f"1Z{number}") for number, checksum in enumerate(checksums, start=1)]
    assert codes(target(tmp_path).apply(source, wanted)) == [None, None]
    assert f"Ben;y;1Z2;{SHIPPED}\n" in path.read_text()


@pytest.mark.parametrize(("delimiter", "encoding"), [("\t", "utf-8"), (",", "utf-16"), (";", "cp1252")])
def test_rows_of_a_file_saved_in_another_dialect_are_found_by_their_checksums(
    tmp_path: Path, delimiter: str, encoding: str
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("name,city\nZoë Müller,Málaga\nJosé Núñez,Cádiz\n", encoding="utf-8")
    source, checksums = taken_in(path)
    resaved = "name,city\nZoë Müller,Málaga\nJosé Núñez,Cádiz\n".replace(",", delimiter)
    path.write_text(resaved, encoding=encoding)
    lines = written(path, source, checksums).decode(encoding).splitlines()
    assert lines[1] == delimiter.join(["Zoë Müller", "Málaga", "1Z1", SHIPPED])


def test_a_line_that_names_the_delimiter_is_no_header_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"sep=;\r\nname;a,b,c\r\nAda;1,2,3\r\n")
    source, checksums = taken_in(path)
    assert source.delimiter == ";"
    assert written(path, source, checksums) == (
        f"sep=;\r\nname;a,b,c;tracking_number;shipped_at\r\nAda;1,2,3;1Z1;{SHIPPED}\r\n".encode()
    )


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("name,street\n'Ada','1 Main St, Apt 4'\n'Ben','2 Side St'\n", "'"),
        ("name,zip\nAda,'01002\nBen,'10001\n", '"'),
        ('name,street\n"Ada","1 Main St"\n', '"'),
        ("name,street\n'Ada','1 Main St'\n\"Ben\",x\n", '"'),
        ('name,zip\n"Ada,01002\n', '"'),
        ('name\tstreet\n"Ada"\t"1\tMain"\n', '"'),
    ],
)
def test_single_quotes_count_only_where_the_file_surely_quotes_by_them(text: str, quote: str) -> None:
    assert detect_dialect(text, UTF_8).quote == quote


def test_between_tabs_a_quote_may_be_part_of_a_text(tmp_path: Path) -> None:
    path = tmp_path / "orders.txt"
    path.write_text('order-id\tproduct-name\n1\t"Premium" pan\n2\t12" pan\n')
    source, checksums = taken_in(path)
    assert (source.delimiter, source.quote) == ("\t", "")
    assert written(path, source, checksums).decode() == (
        "order-id\tproduct-name\ttracking_number\tshipped_at\n"
        f'1\t"Premium" pan\t1Z1\t{SHIPPED}\n2\t12" pan\t1Z2\t{SHIPPED}\n'
    )
    wanted = [change(1, checksums[0], "1Z\t9", replaces=("1Z1",))]
    assert codes(target(tmp_path).apply(source, wanted)) == ["E-4011"]


def test_the_dialect_is_told_in_words(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"\xef\xbb\xbfname\tcity\r\nAda\tRome\r\n")
    with open_csv(path) as snapshot:
        assert snapshot.facts == {
            "encoding": "UTF-8 with byte order mark",
            "delimiter": "tab",
            "quote": "double quote",
            "line_end": "CRLF",
        }


@pytest.mark.parametrize(
    ("encoding", "raw", "code"),
    [
        ("klingon", b"a,b\n1,2\n", "E-1015"),
        ("rot13", b"a,b\n1,2\n", "E-1015"),
        ("../../etc/passwd", b"a,b\n1,2\n", "E-1015"),
        ("utf-8", b"a,b\nJos\xe9,2\n", "E-1005"),
        ("utf-16", b"a,b\n1,2\n", "E-1005"),
        ("utf-16-le", b"a,b\n1,\n", "E-1005"),
        ("utf-8", b"a,b\n1,\0\n", "E-1005"),
        ("utf-8", b"PK\x03\x04", "E-1005"),
        ("utf-8", b"", "E-1003"),
        # Two pairs of bytes say the same character there: what was read would not be what is written back.
        ("cp932", b"a,b\n1,\xfaT\n", "E-1005"),
    ],
)
def test_a_file_is_held_to_the_encoding_it_is_said_to_have(encoding: str, raw: bytes, code: str) -> None:
    with pytest.raises(TallyError) as caught:
        detect_encoding(raw, "orders.csv", encoding)
    assert caught.value.body.code == code


def test_a_mark_belongs_to_the_file_and_not_to_the_encodings_name() -> None:
    for name in ("utf-8", "UTF-8-SIG", "utf_8"):
        assert detect_encoding(b"\xef\xbb\xbfa\n1\n", "x", name) == TextEncoding("utf-8", b"\xef\xbb\xbf")
        assert detect_encoding(b"a\n1\n", "x", name) == TextEncoding("utf-8")
    assert detect_encoding("\ufeffa\n1\n".encode("utf-16-be"), "x", "utf-16").codec == "utf-16-be"
    assert detect_encoding("\ufeffa\n1\n".encode("utf-16-le"), "x", "utf-16-le").bom == b"\xff\xfe"


@pytest.mark.parametrize(
    "dialect", [{"delimiter": "ab"}, {"delimiter": "\n"}, {"quote": "x"}, {"delimiter": '"', "quote": '"'}]
)
def test_a_source_with_an_impossible_dialect_is_refused(dialect: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        CsvSource(path="orders.csv", **dialect)


def test_the_dialect_is_no_part_of_what_a_source_is() -> None:
    assert source_hash(CsvSource(path="/x")) == source_hash(CsvSource(path="/x", delimiter=";", encoding="cp1252"))
