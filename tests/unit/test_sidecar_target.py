"""Tracking numbers into a file beside a source that is only read."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from services.writeback.targets.lock import SourceLocks
from services.writeback.targets.sidecar import SidecarTarget
from shared.contracts.source import CsvSource, ExcelSource, ParquetSource, Source
from shared.sources.changes import RowChange
from tests.unit.csv_changes import SHIPPED, change, codes
from tests.unit.killed_writers import after_each_kill

BESIDE = ["orders.parquet", "orders.tracking.csv", "orders.xlsx"]
PARQUET = ParquetSource(path="orders.parquet")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("orders.parquet", "orders.xlsx"):
        (tmp_path / name).write_bytes(b"only read")
        (tmp_path / name).chmod(0o640)
    return tmp_path


def target(folder: Path) -> SidecarTarget:
    return SidecarTarget([folder], SourceLocks(folder / "locks"))


def shipped(number: int, tracking_number: str | None, **more: object) -> RowChange:
    return RowChange(**{**vars(change(number, f"sum{number}", tracking_number)), "order_number": f"#{number}", **more})


def lines(folder: Path) -> list[dict[str, str]]:
    with (folder / "orders.tracking.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_line_for_each_shipped_row_and_the_source_stays(folder: Path) -> None:
    sidecar = target(folder)
    assert codes(sidecar.apply(PARQUET, [shipped(7, "1Z7"), shipped(3, "1Z,3")])) == [None, None]
    assert codes(sidecar.apply(PARQUET, [shipped(9, "1Z9")])) == [None]
    assert [tuple(line.values()) for line in lines(folder)] == [
        ("orders.parquet", "7", "7", "#7", "1Z7", SHIPPED, "sum7"),
        ("orders.parquet", "3", "3", "#3", "1Z,3", SHIPPED, "sum3"),
        ("orders.parquet", "9", "9", "#9", "1Z9", SHIPPED, "sum9"),
    ]
    assert list(lines(folder)[0]) == [
        "source",
        "row",
        "row_key",
        "order_number",
        "tracking_number",
        "shipped_at",
        "checksum",
    ]
    assert (folder / "orders.parquet").read_bytes() == b"only read"


def test_applying_again_changes_nothing(folder: Path) -> None:
    target(folder).apply(PARQUET, [shipped(1, "1Z1")])
    before = (folder / "orders.tracking.csv").stat().st_ino
    assert codes(target(folder).apply(PARQUET, [shipped(1, "1Z1")])) == [None]
    assert (folder / "orders.tracking.csv").stat().st_ino == before


def test_it_is_readable_by_whom_the_source_is(folder: Path) -> None:
    target(folder).apply(PARQUET, [shipped(1, "1Z1")])
    assert (folder / "orders.tracking.csv").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in folder.iterdir()) == ["locks", *BESIDE]


def test_another_number_is_a_conflict_and_a_voided_row_has_no_line(folder: Path) -> None:
    sidecar = target(folder)
    sidecar.apply(PARQUET, [shipped(1, "1Z1"), shipped(2, "1Z2")])
    assert codes(sidecar.apply(PARQUET, [shipped(1, "1Z9", job_id="other")])) == ["E-4012"]
    assert codes(sidecar.apply(PARQUET, [shipped(1, "1Z9", replaces=("1Z1",))])) == [None]
    assert codes(sidecar.apply(PARQUET, [shipped(2, None, replaces=("1Z2",))])) == [None]
    assert codes(sidecar.apply(PARQUET, [shipped(2, None, replaces=("1Z2",))])) == [None]
    assert [(line["row"], line["tracking_number"]) for line in lines(folder)] == [("1", "1Z9")]


def test_sources_of_one_name_share_the_file_and_nothing_else(folder: Path) -> None:
    sidecar = target(folder)
    sheets = (ExcelSource(path="orders.xlsx", sheet=name, write_back="sidecar") for name in "AB")
    sources: list[Source] = [PARQUET, *sheets]
    for source in sources:
        assert codes(sidecar.apply(source, [shipped(1, f"1Z-{source.kind}")])) == [None]
    assert [(line["source"], line["tracking_number"]) for line in lines(folder)] == [
        ("orders.parquet", "1Z-parquet"),
        ("orders.xlsx#A", "1Z-excel"),
        ("orders.xlsx#B", "1Z-excel"),
    ]


@pytest.mark.parametrize("content", [b"order,name\n1,Ada\n", b"\xff\xfe\0", b"source,row\norders.parquet,x\n"])
def test_a_file_of_that_name_which_is_another_is_left_alone(folder: Path, content: bytes) -> None:
    (folder / "orders.tracking.csv").write_bytes(content)
    (result,) = target(folder).apply(PARQUET, [shipped(1, "1Z1")])
    assert result.error is not None
    assert result.error.code == "E-4011"
    assert result.error.message.startswith("orders.tracking.csv could not be written: ")
    assert (folder / "orders.tracking.csv").read_bytes() == content


def test_it_takes_no_source_that_is_written_to(folder: Path) -> None:
    with pytest.raises(TypeError):
        target(folder).apply(CsvSource(path="orders.csv"), [])


def test_a_hundred_kills_leave_the_old_or_the_new_file_and_the_source_as_it_was(folder: Path) -> None:
    seen = set()
    for _ in after_each_kill("sidecar", folder / "orders.parquet", 500, within=0.05):
        found = lines(folder)
        assert [line["row"] for line in found] == [str(number) for number in range(1, 501)]
        numbers = {line["tracking_number"] for line in found}
        assert numbers in ({"old"}, {"new"})
        seen |= numbers
    assert seen == {"old", "new"}
    assert {line["tracking_number"] for line in lines(folder)} == {"last"}
    assert (folder / "orders.parquet").read_bytes() == b"only read"
