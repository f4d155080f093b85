"""Workbooks that cannot be written to without a risk: refused before anything is bought, with a way out."""

from __future__ import annotations

import openpyxl
import pytest
from openpyxl.worksheet.table import Table

from shared.contracts.source import sidecar_name
from shared.errors import TallyError
from shared.sources.excel_orders import read_orders
from shared.sources.excel_placement import place_tracking
from tests.unit.excel_files import (
    ORDERS,
    RELATIONS,
    active_sheet,
    by_hand,
    parts_of,
    plain,
    relationships,
    rows_xml,
    saved,
    sheet_xml,
    with_parts,
)

NAMES = ["name", "tracking_number", "shipped_at"]


def refusal(raw: bytes, sheet: str | None = None) -> str:
    orders = read_orders(raw, sheet, "in/orders.xlsx")
    with pytest.raises(TallyError) as caught:
        place_tracking(orders)
    assert caught.value.body.code == "E-1025"
    assert "let them go into orders.tracking.csv beside it" in caught.value.body.action
    return caught.value.body.message


def with_tracking(cell: str, after: str = "", name: str = "Ada") -> bytes:
    row = f'<row r="2"><c r="A2" t="inlineStr"><is><t>{name}</t></is></c>{cell}</row>'
    return by_hand(("S", sheet_xml(rows_xml([NAMES]) + row, after=after)))


def test_a_usual_workbook_is_fine() -> None:
    placement = place_tracking(read_orders(plain(), None, "x"))
    assert (placement.present, placement.added) == ({}, {"tracking_number": 6, "shipped_at": 7})
    placement = place_tracking(read_orders(with_tracking(""), None, "x"))
    assert (placement.present, placement.added) == ({"tracking_number": 2, "shipped_at": 3}, {})


def test_the_file_beside_is_named_after_the_source() -> None:
    assert sidecar_name("/srv/in/orders.xlsx") == "orders.tracking.csv"


def test_a_signed_workbook_is_refused() -> None:
    origin = "http://schemas.openxmlformats.org/package/2006/relationships/digital-signature/origin"
    rels = parts_of(plain())["_rels/.rels"].decode()
    signed = rels.replace("</R", f'<Relationship Id="s" Type="{origin}" Target="_xmlsignatures/origin.sigs"/></R')
    assert "digitally signed" in refusal(with_parts(plain(), {"_rels/.rels": signed}))
    assert "digitally signed" in refusal(with_parts(plain(), {"_xmlsignatures/sig1.xml": "<x/>"}))


def test_a_shared_workbook_is_refused() -> None:
    assert "history of changes" in refusal(with_parts(plain(), {"xl/revisions/revisionHeaders.xml": "<x/>"}))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("<row><c><v>1</v></c></row><row><c><v>2</v></c></row>", "its rows have no numbers"),
        ('<row r="1"><c><v>1</v></c></row><row r="2"><c><v>2</v></c></row>', "its cells have no references"),
        ('<row r="2"><c r="A2"><v>1</v></c></row><row r="1"><c r="A1"><v>2</v></c></row>', "its rows are not in order"),
        (
            '<row r="1"><c r="A1"><v>1</v></c></row><row r="1"><c r="A1"><v>2</v></c></row>' * 2,
            "its rows are not in order",
        ),
        (
            '<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>2</v></c></row><row r="2"><c r="A2"><v>2</v></c></row>',
            "its cells are not",
        ),
        (
            '<row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c r="A3"><v>2</v></c></row>',
            "its cells are not in order",
        ),
        (
            '<row r="1"><c r="A1" xmlns="urn:x"><v>1</v></c></row><row r="2"><c r="A2"><v>2</v></c></row>',
            "declare XML namespaces",
        ),
    ],
)
def test_cells_that_cannot_be_told_by_place_are_refused(data: str, reason: str) -> None:
    assert reason in refusal(by_hand(("S", sheet_xml(data))))


def test_formulas_in_a_tracking_column_are_refused() -> None:
    formula = '<c r="B2" t="str"><f>VLOOKUP(A2,X:Y,2)</f><v></v></c>'
    assert "column tracking_number has formulas" in refusal(with_tracking(formula))
    array = '<c r="D2"><f t="array" ref="B2:D2">X2:Z2</f><v>1</v></c>'
    assert "a formula in D2 fills a tracking column" in refusal(with_tracking(array))


def test_formulas_elsewhere_are_fine() -> None:
    place_tracking(read_orders(with_tracking('<c r="D2"><f>LEN(A2)</f><v>3</v></c>'), None, "x"))


def test_merged_cells_in_a_tracking_column_are_refused() -> None:
    merged = '<mergeCells count="1"><mergeCell ref="B2:B3"/></mergeCells>'
    assert "column tracking_number has merged cells" in refusal(with_tracking("", merged))
    place_tracking(read_orders(with_tracking("", merged.replace("B2:B3", "A2:A3")), None, "x"))


def test_what_a_query_fills_is_refused() -> None:
    rels = relationships(
        f'<Relationship Id="q" Type="{RELATIONS}/queryTable" Target="../queryTables/queryTable1.xml"/>'
    )
    assert "a query fills its sheet" in refusal(with_parts(plain(), {"xl/worksheets/_rels/sheet1.xml.rels": rels}))
    raw = table_workbook()
    table = parts_of(raw)["xl/tables/table1.xml"].decode().replace("<table ", '<table tableType="queryTable" ', 1)
    assert "its table Parcels is filled from outside" in refusal(with_parts(raw, {"xl/tables/table1.xml": table}))


def table_workbook(*beside: str) -> bytes:
    book = openpyxl.Workbook()
    for row in ORDERS:
        active_sheet(book).append(row)
    for place in beside:
        active_sheet(book)[place] = "taken"
    active_sheet(book).add_table(Table(displayName="Parcels", ref="A1:E4"))
    return saved(book)


def test_a_table_that_cannot_grow_is_refused() -> None:
    place_tracking(read_orders(table_workbook("F9", "H2"), None, "x"))
    assert "the columns beside its table Parcels are not free" in refusal(table_workbook("G3"))


def test_another_table_below_the_free_columns_makes_them_go_further() -> None:
    book = openpyxl.Workbook()
    for row in ORDERS:
        active_sheet(book).append(row)
    active_sheet(book)["G3"], active_sheet(book)["G4"] = "code", "x"
    active_sheet(book).add_table(Table(displayName="Codes", ref="G3:G4"))
    placement = place_tracking(read_orders(saved(book), "Sheet", "x"))
    assert placement.added == {"tracking_number": 8, "shipped_at": 9}


def test_a_sheet_without_a_free_column_is_refused() -> None:
    row = '<row r="2"><c r="A2"><v>1</v></c><c r="D2"><v>1</v></c><c r="XFC2"><v>1</v></c></row>'
    assert "no column of its sheet is free" in refusal(by_hand(("S", sheet_xml(rows_xml([["a", "b", "c"]]) + row))))
