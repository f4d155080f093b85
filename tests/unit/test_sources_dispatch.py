"""Sources by kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.contracts.source import CsvSource, DatabaseSource, ExcelSource, ParquetSource, source_hash
from shared.errors import TallyError
from shared.sources import open_source, resolve_source, row_checksum
from tests.unit.excel_files import plain


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "orders.csv").write_text("a,b\n1,2\n")
    (tmp_path / "link.csv").symlink_to("orders.csv")
    return tmp_path


def test_a_csv_source_is_opened_under_its_own_name(root: Path) -> None:
    with open_source(CsvSource(path="orders.csv"), [root]) as snapshot:
        assert snapshot.columns == ("a", "b")
        with pytest.raises(TallyError, match=r"which orders\.csv does not have"):
            snapshot.count("c = 1")


def test_a_workbook_resolves_to_one_of_its_sheets_by_its_own_name(root: Path) -> None:
    (root / "orders.xlsx").write_bytes(plain())
    resolved = {
        resolve_source(ExcelSource(path="orders.xlsx", sheet=name), [root]) for name in (None, "orders", "Orders")
    }
    assert resolved == {ExcelSource(path=str(root / "orders.xlsx"), sheet="Orders")}
    with open_source(resolved.pop(), [root]) as snapshot:
        assert snapshot.count() == 3
    with pytest.raises(TallyError, match="E-1022"):
        resolve_source(ExcelSource(path="orders.xlsx", sheet="Other"), [root])


def test_a_parquet_file_is_opened_under_its_own_name(root: Path) -> None:
    (root / "orders.parquet").write_bytes(b"PAR")
    with pytest.raises(TallyError, match=r"E-1026: orders\.parquet is not a Parquet file"):
        open_source(ParquetSource(path="orders.parquet"), [root])


def test_every_name_of_one_file_resolves_to_one_source(root: Path) -> None:
    paths = ("orders.csv", "./orders.csv", "link.csv", str(root / "orders.csv"))
    resolved = {resolve_source(CsvSource(path=path), [root]) for path in paths}
    assert resolved == {CsvSource(path=str(root / "orders.csv"))}
    assert len({source_hash(source) for source in resolved}) == 1


def test_a_table_needs_a_connection(root: Path) -> None:
    table = DatabaseSource(connection="shop", table="orders")
    for ask in (resolve_source, open_source):
        with pytest.raises(TallyError, match="E-1040: There is no connection shop; known are: none"):
            ask(table, [root])


def test_a_checksum_covers_names_and_texts_but_not_the_tracking_columns() -> None:
    row = {"name": "Ada", "zip": "01002", "tracking_number": "", "Shipped_At": ""}
    same = {**row, "tracking_number": "1Z", "Shipped_At": "2026-11-21T10:15:30Z"}
    assert row_checksum(same) == row_checksum(row) == row_checksum({"name": "Ada", "zip": "01002"})
    others = [
        {"name": "Ada", "zip": "1002"},
        {"zip": "01002", "name": "Ada"},
        {"name": "Ada0", "zip": "1002"},
        {"name": "Ada", "zip": "01002", "x": ""},
        {"nam": "eAda", "zip": "01002"},
        {"name": "Ada3:zip5:01002"},
    ]
    assert row_checksum(row) not in {row_checksum(other) for other in others}
