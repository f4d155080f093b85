"""Workbooks with tracking numbers, opened by LibreOffice; and the workbooks that it writes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.csv_changes import codes
from tests.unit.excel_changes import changes, every_number, write
from tests.unit.excel_files import parts_of
from tests.unit.workbook_comparison import changed_parts
from tests.unit.workbook_corpus import CORPUS

SOFFICE = shutil.which("soffice")


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")
@pytest.mark.timeout(600)
def test_libreoffice_opens_every_workbook_and_makes_others_of_them(tmp_path: Path) -> None:
    folder, results, again = tmp_path / "in", tmp_path / "csv", tmp_path / "xlsx"
    folder.mkdir()
    for number, make in enumerate(CORPUS.values()):
        path = folder / f"{number}.xlsx"
        path.write_bytes(make())
        write(path, changes(path, every_number(path)))
    _convert("csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1", folder, results)
    for number, name in enumerate(CORPUS):
        sheets = "".join(path.read_text() for path in results.glob(f"{number}-*.csv"))
        assert "tracking_number" in sheets.lower(), name
        assert "1Z1" in sheets, name
    # What LibreOffice wrote itself is a workbook of one more writer.
    _convert("xlsx", folder, again)
    for number, name in enumerate(CORPUS):
        path = again / f"{number}.xlsx"
        before = path.read_bytes()
        (change,) = changes(path, {1: "1Z-more"})
        (result,) = write(path, [change])
        assert result.error is not None, name
        assert result.error.code == "E-4012", name
        cleared = type(change)(**{**vars(change), "replaces": ("1Z1",)})
        assert codes(write(path, [cleared])) == [None], name
        assert changed_parts(before, path.read_bytes()) <= {"xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"}, (
            name
        )


# A flat OpenDocument file: orders with a note, a check on their values, and a pivot table of them.
PIVOT = """<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:of="urn:oasis:names:tc:opendocument:xmlns:of:1.2"
 office:version="1.3"
 office:mimetype="application/vnd.oasis.opendocument.spreadsheet"><office:body><office:spreadsheet>
<table:content-validations><table:content-validation table:name="states" table:base-cell-address="Orders.B2"
 table:condition="of:cell-content-is-in-list(&quot;CA&quot;;&quot;NY&quot;)"/></table:content-validations>
<table:table table:name="Orders">{rows}</table:table>
<table:table table:name="Pivot"><table:table-row><table:table-cell/></table:table-row></table:table>
<table:data-pilot-tables><table:data-pilot-table table:name="ByState" table:target-range-address="Pivot.A1:Pivot.B4">
<table:source-cell-range table:cell-range-address="Orders.A1:Orders.C3"/>
<table:data-pilot-field table:source-field-name="state" table:orientation="row"><table:data-pilot-level/>
</table:data-pilot-field><table:data-pilot-field table:source-field-name="weight" table:orientation="data"
 table:function="sum"><table:data-pilot-level/></table:data-pilot-field></table:data-pilot-table>
</table:data-pilot-tables></office:spreadsheet></office:body></office:document>"""
TEXT = '<table:table-cell office:value-type="string"{more}>{note}<text:p>{text}</text:p></table:table-cell>'
NUMBER = '<table:table-cell office:value-type="float" office:value="{text}"><text:p>{text}</text:p></table:table-cell>'


def _text(text: str, more: str = "", note: str = "") -> str:
    return TEXT.format(text=text, more=more, note=note)


def _pivot() -> str:
    rows = [[_text("order"), _text("state"), _text("weight")]]
    for order, state, weight in (("A1", "CA", 5), ("A2", "NY", 7)):
        note = "<office:annotation><text:p>Ring first</text:p></office:annotation>"
        checked = ' table:content-validation-name="states"'
        rows.append([_text(order, note=note), _text(state, checked), NUMBER.format(text=weight)])
    return PIVOT.format(rows="".join(f"<table:table-row>{''.join(row)}</table:table-row>" for row in rows))


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")
@pytest.mark.timeout(600)
def test_a_pivot_table_notes_and_checks_that_libreoffice_wrote_are_still_there_for_it(tmp_path: Path) -> None:
    first, book, again = (tmp_path / name for name in ("first", "book", "again"))
    first.mkdir()
    (first / "orders.fods").write_text(_pivot())
    _convert("xlsx", first, book)
    path = book / "orders.xlsx"
    before = path.read_bytes()
    assert codes(write(path, changes(path, {1: "1Z1", 2: "1Z2"}))) == [None, None]
    assert changed_parts(before, path.read_bytes()) == {"xl/worksheets/sheet1.xml"}
    assert "xl/pivotTables/pivotTable1.xml" in parts_of(path.read_bytes())
    _convert("fods", book, again)
    text = (again / "orders.fods").read_text()
    wanted = ("data-pilot-field", "Ring first", "cell-content-is-in-list", "1Z1", "1Z2")
    assert [word for word in wanted if word not in text] == []


def _convert(kind: str, folder: Path, results: Path) -> None:
    assert SOFFICE is not None
    profile = f"-env:UserInstallation=file://{results}-profile"
    command = [SOFFICE, profile, "--headless", "--convert-to", kind, "--outdir", str(results)]
    subprocess.run([*command, *sorted(folder.iterdir())], check=True, capture_output=True, timeout=300)
