"""Tables as files: what a spreadsheet reads is what was meant."""

from __future__ import annotations

import csv
import stat
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook

from services.cli.files.tables import write_table
from shared.errors import OUTPUT_NOT_WRITTEN, TallyError

HEADERS = ("#", "Recipient", "Est. Cost")
ROWS = [(1, "Zoë Ng", Decimal("12.40")), (2, '=HYPERLINK("http://evil.example")', None), (3, "@SUM(A1)", Decimal(-1))]


def test_a_csv_file_has_no_formula_in_it(tmp_path: Path) -> None:
    path = tmp_path / "preview.csv"
    write_table(path, HEADERS, ROWS)
    with path.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            list(HEADERS),
            ["1", "Zoë Ng", "12.40"],
            ["2", '\'=HYPERLINK("http://evil.example")', ""],
            ["3", "'@SUM(A1)", "-1"],
        ]


def test_a_workbook_has_texts_as_texts_and_amounts_as_numbers(tmp_path: Path) -> None:
    path = tmp_path / "preview.XLSX"
    write_table(path, HEADERS, ROWS, title="Preview")
    sheet = load_workbook(path)["Preview"]
    assert [[cell.value for cell in row] for row in sheet.rows] == [
        list(HEADERS),
        [1, "Zoë Ng", 12.4],
        [2, '=HYPERLINK("http://evil.example")', None],
        [3, "@SUM(A1)", -1],
    ]
    assert sheet["B3"].data_type == "s"
    assert sheet["C2"].number_format == "#,##0.00"


@pytest.mark.parametrize("name", ["preview.csv", "preview.xlsx"])
def test_only_its_owner_may_read_it(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("older")
    path.chmod(0o644)
    write_table(path, HEADERS, ROWS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in tmp_path.iterdir()] == [name]


def test_a_file_that_cannot_be_written_is_said_to_be_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(TallyError) as raised:
        write_table(tmp_path / "nowhere" / "preview.csv", HEADERS, ROWS)
    assert raised.value.kind is OUTPUT_NOT_WRITTEN
    folder = tmp_path / "preview.csv"
    folder.mkdir()
    with pytest.raises(TallyError):
        write_table(folder, HEADERS, ROWS)
    assert list(tmp_path.iterdir()) == [folder]
