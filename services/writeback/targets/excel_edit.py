"""What becomes of a workbook when tracking numbers go into it: decided here, without touching any file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from services.writeback.targets.excel_document import ExcelDocument
from services.writeback.targets.file_target import Edit
from services.writeback.targets.tracking import decide
from services.writeback.targets.workbook.archive import rewritten
from services.writeback.targets.workbook.cells import CellText, fits, style_at, style_of_new, with_texts
from services.writeback.targets.workbook.sheet import with_rows
from services.writeback.targets.workbook.table import with_columns
from shared.sources.changes import RowChange
from shared.sources.excel_package import open_package
from shared.sources.excel_placement import Placement


def edit(document: ExcelDocument, changes: Sequence[RowChange], label: str) -> Edit[ExcelDocument]:
    """Bring `changes` into `document`, in their order."""
    decided = decide(document.finder, document.texts.__getitem__, changes, label, _refusal)
    if not decided.texts:
        return Edit(document, None, decided.errors, decided.pending)
    edited = _edited(document, decided.texts)
    return Edit(edited, edited.package.raw, decided.errors, decided.pending)


def _refusal(text: str) -> str | None:
    return None if fits(text) else "the tracking number has characters that no workbook can hold"


def _edited(document: ExcelDocument, texts: Mapping[int, Mapping[str, str]]) -> ExcelDocument:
    """The document with `texts` in its tracking columns; where one of them is missing, both are there afterwards."""
    placement, package, table = document.placement, document.package, document.region.table
    needs_more = any(column not in placement.present for wanted in texts.values() for column in wanted)
    added = placement.added if needs_more else {}
    columns = {**placement.present, **added}
    rows = {
        document.rows[index]: _row(document, document.rows[index], wanted, columns) for index, wanted in texts.items()
    }
    if added:
        names = {name: name for name in added}
        rows[document.header_row] = _row(document, document.header_row, names, columns)
    xml = with_rows(document.xml, rows, max(columns.values()), recalculate=document.has_formulas)
    parts = {document.region.sheet.part: xml.content}
    if table is not None and added:
        parts[table.part] = with_columns(package.read(table.part), list(added))
        table = replace(table, area=replace(table.area, right=table.area.right + len(added)))
    return replace(
        document,
        package=open_package(rewritten(package, parts), package.label),
        region=replace(document.region, table=table),
        xml=xml,
        placement=Placement(columns, {} if added else placement.added),
        texts={**document.texts, **{index: {**document.texts[index], **wanted} for index, wanted in texts.items()}},
    )


def _row(document: ExcelDocument, index: int, wanted: Mapping[str, str], columns: Mapping[str, int]) -> bytes:
    """The bytes of a row with the wanted texts in it; new cells look like their row, column or neighbour."""
    xml, header = document.xml, document.region.header
    row, row_cells = xml.row(xml.rows[index]), xml.cells(xml.rows[index])
    orders = [position + 1 for position in header.positions if position not in header.tracking.values()]
    texts = {}
    for name, text in wanted.items():
        column = columns[name]
        beside = max((each for each in orders if each < column), default=0)
        style = style_of_new(row, xml.prefix, xml.head, column) or style_at(row_cells, beside)
        texts[column] = CellText(text, style)
    return with_texts(row, row_cells, xml.rows[index].number, xml.prefix, texts)
