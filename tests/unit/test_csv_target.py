"""Tracking numbers into CSV files: the harms that writing back must not do, each by name, and what is reported."""

from __future__ import annotations

import codecs
import os
from pathlib import Path

import pytest

from shared.contracts.commands import WrittenValues
from shared.contracts.source import CsvSource, ExcelSource
from shared.errors import TallyError
from shared.sources.csv import open_csv
from tests.unit.csv_changes import SHIPPED, change, changes, codes, intake, target, write


def rewritten(tmp_path: Path, before: bytes, numbers: dict[int, str | None], replaces: tuple[str, ...] = ()) -> bytes:
    """What a file becomes when rows get tracking numbers; writing again must not even replace it."""
    path = tmp_path / "orders.csv"
    path.write_bytes(before)
    wanted = changes(path, numbers, replaces)
    assert codes(write(path, wanted)) == [None] * len(wanted)
    after, inode = path.read_bytes(), path.stat().st_ino
    assert codes(write(path, wanted)) == [None] * len(wanted)
    assert (path.read_bytes(), path.stat().st_ino) == (after, inode)
    return after


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_stay_as_they_were(tmp_path: Path, line_end: str) -> None:
    before = line_end.join(["name,zip", "Ada,01002", "Ben,10001", ""])
    after = line_end.join(["name,zip,tracking_number,shipped_at", f"Ada,01002,1Z1,{SHIPPED}", "Ben,10001,,", ""])
    assert rewritten(tmp_path, before.encode(), {1: "1Z1"}) == after.encode()


def test_a_missing_final_line_end_stays_missing(tmp_path: Path) -> None:
    after = f"name,zip,tracking_number,shipped_at\nAda,01002,,\nBen,10001,1Z2,{SHIPPED}"
    assert rewritten(tmp_path, b"name,zip\nAda,01002\nBen,10001", {2: "1Z2"}) == after.encode()


def test_quoting_and_blank_lines_stay(tmp_path: Path) -> None:
    before = b'\nname,"zip"\n\n"Ada ""the first"" of\nmany",01002\n   \n Ben ,"10001"\n\n'
    after = (
        f'\nname,"zip",tracking_number,shipped_at\n\n"Ada ""the first"" of\nmany",01002,1Z1,{SHIPPED}\n'
        f'   \n Ben ,"10001",1Z2,{SHIPPED}\n\n'
    )
    assert rewritten(tmp_path, before, {1: "1Z1", 2: "1Z2"}) == after.encode()


def test_blank_lines_of_a_file_of_one_column_stay(tmp_path: Path) -> None:
    after = f"name,tracking_number,shipped_at\n\nAda,,\n  \nBen,1Z2,{SHIPPED}\n\n"
    assert rewritten(tmp_path, b"name\n\nAda\n  \nBen\n\n", {2: "1Z2"}) == after.encode()


def test_a_file_that_quotes_everything_gets_quoted_fields(tmp_path: Path) -> None:
    before = b'"name","zip"\r\n"Ada","01002"\r\n"Ben",""\r\n'
    after = f'"name","zip","tracking_number","shipped_at"\r\n"Ada","01002","1Z1","{SHIPPED}"\r\n"Ben","","",""\r\n'
    assert rewritten(tmp_path, before, {1: "1Z1"}) == after.encode()


def test_a_file_that_quotes_texts_only_gets_quoted_texts(tmp_path: Path) -> None:
    before = b'"name","weight"\n"Ada",5\n"Ben",\n'
    after = f'"name","weight","tracking_number","shipped_at"\n"Ada",5,"1Z1","{SHIPPED}"\n"Ben",,,\n'
    assert rewritten(tmp_path, before, {1: "1Z1"}) == after.encode()


def test_a_trailing_delimiter_stays_trailing(tmp_path: Path) -> None:
    before = b"name;zip;\nAda;01002;\nBen;10001\n"
    after = f"name;zip;tracking_number;shipped_at;\nAda;01002;1Z1;{SHIPPED};\nBen;10001;1Z2;{SHIPPED}\n"
    assert rewritten(tmp_path, before, {1: "1Z1", 2: "1Z2"}) == after.encode()


def test_mode_owner_and_extended_attributes_stay(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"name,zip\nAda,01002\n")
    path.chmod(0o664)
    if os.geteuid() == 0:
        os.chown(path, 12345, 23456)
    if hasattr(os, "setxattr"):
        os.setxattr(path, "user.department", b"shipping")
    before = path.stat()
    write(path, changes(path, {1: "1Z1"}))
    after = path.stat()
    assert after.st_ino != before.st_ino
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    if hasattr(os, "getxattr"):
        assert os.getxattr(path, "user.department") == b"shipping"


def test_windows_1252_stays_windows_1252(tmp_path: Path) -> None:
    before = "name,city\nZoë O\u2019Brien,Málaga\n".encode("cp1252")
    after = f"name,city,tracking_number,shipped_at\nZoë O\u2019Brien,Málaga,1Z1,{SHIPPED}\n".encode("cp1252")
    assert rewritten(tmp_path, before, {1: "1Z1"}) == after


def test_utf_16_and_byte_order_marks_stay(tmp_path: Path) -> None:
    before, after = (
        "name\tcity\r\nZoë\tLos Ángeles\r\n",
        f"name\tcity\ttracking_number\tshipped_at\r\nZoë\tLos Ángeles\t1Z1\t{SHIPPED}\r\n",
    )
    for bom, codec in (
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF8, "utf-8"),
    ):
        assert rewritten(tmp_path, bom + before.encode(codec), {1: "1Z1"}) == bom + after.encode(codec)


def test_decimal_commas_between_semicolons_stay(tmp_path: Path) -> None:
    before = b"name;weight;price\nAda;1,5;19,99\nBen;2,25;5,00\n"
    after = f"name;weight;price;tracking_number;shipped_at\nAda;1,5;19,99;;\nBen;2,25;5,00;1Z2;{SHIPPED}\n"
    assert rewritten(tmp_path, before, {2: "1Z2"}) == after.encode()


def test_ragged_rows_and_comment_lines_stay(tmp_path: Path) -> None:
    before = b"name,street,zip\nAda,1 Main St,01002\n# picked up\nBen,2 Main St\nCy,3 Main St,10001,extra,\n,,\n"
    after = (
        f"name,street,zip,tracking_number,shipped_at\nAda,1 Main St,01002,1Z1,{SHIPPED}\n# picked up\n"
        f"Ben,2 Main St,,1Z3,{SHIPPED}\nCy,3 Main St,10001,1Z4,{SHIPPED},extra,\n,,,,\n"
    )
    assert rewritten(tmp_path, before, {1: "1Z1", 3: "1Z3", 4: "1Z4"}) == after.encode()


def test_columns_that_are_there_are_filled_wherever_they_are(tmp_path: Path) -> None:
    before = b'Tracking_Number,name,SHIPPED_AT,zip\n,Ada,,01002\n,Ben\n"",Cy,"",2\n'
    after = f'Tracking_Number,name,SHIPPED_AT,zip\n1Z1,Ada,{SHIPPED},01002\n1Z2,Ben,{SHIPPED}\n"1Z3",Cy,"{SHIPPED}",2\n'
    assert rewritten(tmp_path, before, {1: "1Z1", 2: "1Z2", 3: "1Z3"}) == after.encode()


def test_the_one_column_that_is_missing_is_added(tmp_path: Path) -> None:
    before = b"tracking_number,name\n,Ada\n"
    assert rewritten(tmp_path, before, {1: "1Z1"}) == f"tracking_number,name,shipped_at\n1Z1,Ada,{SHIPPED}\n".encode()


def test_duplicate_headers_that_appear_later_are_refused_and_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"name,zip\nAda,01002\n")
    wanted = changes(path, {1: "1Z1"})
    path.write_bytes(b"name,name\nAda,01002\n")
    (result,) = write(path, wanted)
    assert result.error is not None
    assert result.error.code == "E-4011"
    assert "more than once" in result.error.message
    assert path.read_bytes() == b"name,name\nAda,01002\n"


def test_a_symlink_stays_and_the_real_file_is_written(tmp_path: Path) -> None:
    real = tmp_path / "exports" / "orders.csv"
    real.parent.mkdir()
    real.write_bytes(b"name,zip\nAda,01002\n")
    link = tmp_path / "orders.csv"
    link.symlink_to("exports/orders.csv")
    assert codes(write(link, changes(link, {1: "1Z1"}))) == [None]
    assert link.is_symlink()
    assert b"1Z1" in real.read_bytes()


def test_a_row_number_out_of_range_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"name,zip\nAda,01002\n")
    checksum = intake(path)[1]
    results = write(path, [change(7, "0" * 64, "1Z7"), change(1, checksum, "1Z1")])
    assert codes(results) == ["E-4010", None]
    assert results[0].error is not None
    assert results[0].error.action.endswith("enter tracking number 1Z7 by hand.")
    assert b"1Z1" in path.read_bytes()
    assert b"1Z7" not in path.read_bytes()


def test_rows_that_were_sorted_are_found_again_and_a_changed_one_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"name,zip\nAda,01002\nBen,10001\nCy,90210\n")
    wanted = changes(path, {1: "1Z1", 2: "1Z2", 3: "1Z3"})
    path.write_bytes(b"name,zip\nCy,90210\nNew,00501\nBen,10002\nAda,01002\n")
    assert codes(write(path, wanted)) == [None, "E-4010", None]
    with open_csv(path) as snapshot:
        assert [row.values["tracking_number"] for row in snapshot.rows()] == ["1Z3", "", "", "1Z1"]


def test_a_row_of_which_there_are_two_is_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"name,zip\nAda,01002\nBen,10001\n")
    wanted = changes(path, {1: "1Z1"})
    path.write_bytes(b"name,zip\nNew,1\nAda,01002\nAda,01002\n")
    assert codes(write(path, wanted)) == ["E-4010"]
    assert path.read_bytes() == b"name,zip\nNew,1\nAda,01002\nAda,01002\n"


def test_another_tracking_number_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    before = b"name,tracking_number,shipped_at\nAda,1Z9,yesterday\nBen,,\n"
    path.write_bytes(before)
    results = write(path, changes(path, {1: "1Z1"}))
    assert codes(results) == ["E-4012"]
    assert path.read_bytes() == before
    assert codes(write(path, changes(path, {1: "1Z1", 2: "1Z2"}))) == ["E-4012", None]
    assert path.read_bytes() == f"name,tracking_number,shipped_at\nAda,1Z9,yesterday\nBen,1Z2,{SHIPPED}\n".encode()


def test_the_time_beside_our_own_number_stays_and_a_missing_one_is_filled(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"name,tracking_number,shipped_at\nAda, 1Z1,yesterday\nBen,1Z2,\n")
    assert codes(write(path, changes(path, {1: "1Z1", 2: "1Z2"}))) == [None, None]
    after = f"name,tracking_number,shipped_at\nAda, 1Z1,yesterday\nBen,1Z2,{SHIPPED}\n"
    assert path.read_bytes() == after.encode()


def test_clearing_empties_only_the_two_fields_and_adds_no_column(tmp_path: Path) -> None:
    before = b'name,tracking_number,shipped_at,note\nAda,1Z1,2026,x\nBen,"1Z2",,y\n'
    after = b'name,tracking_number,shipped_at,note\nAda,,,x\nBen,"",,y\n'
    assert rewritten(tmp_path, before, {1: None, 2: None}, ("1Z1", "1Z2")) == after
    assert rewritten(tmp_path, b"name,zip\nAda,01002\n", {1: None}) == b"name,zip\nAda,01002\n"


def test_only_a_number_that_is_ours_is_cleared(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    before = b"name,tracking_number,shipped_at\nAda,1Z9,2026\nBen, 1Z2 ,2026\nCyd,,2026\n"
    path.write_bytes(before)
    cleared = changes(path, dict.fromkeys((1, 2, 3)), ("1Z1", "1Z2"))
    assert codes(write(path, cleared)) == ["E-4012", None, None]
    assert path.read_bytes() == before.replace(b" 1Z2 ,2026", b",")


def test_a_number_is_overwritten_only_where_it_was_said_to_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"name,tracking_number,shipped_at\nAda,1Z1,yesterday\nBen,1Z9,yesterday\n")
    assert codes(write(path, changes(path, {1: "1Z5", 2: "1Z6"}, ("1Z1", "1Z2")))) == [None, "E-4012"]
    assert path.read_bytes() == f"name,tracking_number,shipped_at\nAda,1Z5,{SHIPPED}\nBen,1Z9,yesterday\n".encode()


def test_of_several_changes_of_a_row_the_greatest_version_counts(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"name,tracking_number,shipped_at\nAda,,\n")
    checksum = intake(path)[1]
    versions = [change(1, checksum, "1Z2", version=2), change(1, checksum, None, version=3), change(1, checksum, "1Z1")]
    results = write(path, versions)
    assert [(result.row_version, result.status) for result in results] == [
        (2, "written"),
        (3, "written"),
        (1, "written"),
    ]
    assert path.read_bytes() == b"name,tracking_number,shipped_at\nAda,,\n"


def test_of_two_jobs_for_one_row_the_second_number_is_a_conflict(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"name,zip\nAda,01002\n")
    checksum = intake(path)[1]
    results = write(path, [change(1, checksum, "1Z1", job_id="one"), change(1, checksum, "1Z2", job_id="two")])
    assert codes(results) == [None, "E-4012"]
    assert b"1Z1" in path.read_bytes()


def test_a_number_the_encoding_lacks_fails_alone(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes("name,zip\nZoë,01002\nBen,10001\n".encode("cp1252"))
    assert codes(write(path, changes(path, {1: "東京", 2: "1Z2"}))) == ["E-4011", None]


def test_a_value_with_a_delimiter_is_quoted(tmp_path: Path) -> None:
    after = f'name,zip,tracking_number,shipped_at\nAda,01002,"1Z1,1Z2",{SHIPPED}\n'
    assert rewritten(tmp_path, b"name,zip\nAda,01002\n", {1: "1Z1,1Z2"}) == after.encode()


def test_a_time_is_written_in_utc_whatever_its_zone(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"name,zip\nAda,01002\n")
    values = WrittenValues.model_validate({"tracking_number": "1Z1", "shipped_at": "2026-11-21T04:15:30.5-06:00"})
    (wanted,) = changes(path, {1: "1Z1"})
    write(path, [type(wanted)(**{**vars(wanted), "values": values})])
    assert SHIPPED.encode() in path.read_bytes()


def test_a_file_that_is_gone_or_no_csv_any_more_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"name,zip\nAda,01002\n")
    wanted = changes(path, {1: "1Z1"})
    path.write_bytes(b"PK\x03\x04")
    assert codes(write(path, wanted)) == ["E-4011"]
    path.unlink()
    assert codes(write(path, wanted)) == ["E-4011"]


def test_a_file_outside_the_roots_is_never_written(tmp_path: Path) -> None:
    outside = tmp_path / "orders.csv"
    outside.write_bytes(b"name,zip\nAda,01002\n")
    root = tmp_path / "root"
    root.mkdir()
    wanted = changes(outside, {1: "1Z1"})
    for path in ("../orders.csv", str(outside)):
        assert codes(target(root).apply(CsvSource(path=path), wanted)) == ["E-1006"]
    assert outside.read_bytes() == b"name,zip\nAda,01002\n"


def test_one_target_goes_on_from_its_own_work_and_from_that_of_others(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"name,zip\nAda,01002\nBen,10001\nCy,90210\n")
    wanted = changes(path, {1: "1Z1", 2: "1Z2", 3: "1Z3"})
    csv = target(tmp_path)
    source = CsvSource(path="orders.csv")
    assert codes(csv.apply(source, wanted[:1])) == [None]
    assert codes(csv.apply(source, wanted[1:2])) == [None]
    path.write_bytes(path.read_bytes().replace(b"Ada,01002", b"Ada,01002").replace(b"\n", b"\r\n"))
    assert codes(csv.apply(source, wanted)) == [None, None, None]
    with open_csv(path) as snapshot:
        assert [row.values["tracking_number"] for row in snapshot.rows()] == ["1Z1", "1Z2", "1Z3"]
    assert path.read_bytes().count(b"\r\n") == 4


def test_a_csv_target_takes_no_other_source(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        target(tmp_path).apply(ExcelSource(path="orders.xlsx"), [])


def test_no_changes_are_no_work(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"name,zip\nAda,01002\n")
    assert write(path, []) == []


def test_reading_and_writing_agree_on_what_a_file_is(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"name,zip\nAda,01002\n")
    wanted = changes(path, {1: "1Z1"})
    for content in (b"", b'name,zip\n"Ada,01002\n', b"a\0,b\n1,2\n"):
        path.write_bytes(content)
        with pytest.raises(TallyError) as caught:
            open_csv(path, CsvSource(path="orders.csv"))
        (result,) = write(path, wanted)
        assert result.error is not None
        assert caught.value.body.message.rstrip(".") in result.error.message
