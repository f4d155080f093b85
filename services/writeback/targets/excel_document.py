"""A workbook taken apart as far as writing needs: its archive, one sheet's XML, and the orders on that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.writeback.targets.comparison import Contents
from services.writeback.targets.tracking import RowFinder
from shared.sources.excel_orders import read_orders
from shared.sources.excel_package import Package, part_key
from shared.sources.excel_placement import Placement, place_tracking
from shared.sources.excel_region import Region
from shared.sources.excel_sheet import SheetXml
from shared.sources.rows import TRACKING_COLUMNS, row_checksum


@dataclass(frozen=True)
class ExcelDocument:
    """A parsed workbook. `rows` holds the index in `xml.rows` of each data row, `texts` what its tracking columns say.

    `header_row` is an index in `xml.rows`, too.
    """

    package: Package
    region: Region
    xml: SheetXml
    placement: Placement
    header_row: int
    rows: tuple[int, ...]
    texts: Mapping[int, Mapping[str, str]]
    finder: RowFinder
    has_formulas: bool

    @property
    def weight(self) -> int:
        """About how many bytes it takes beside the file's."""
        return len(self.xml.content) + 400 * len(self.rows)


def contents(document: ExcelDocument) -> Contents:
    """What a document says; the sheet and its table are told by their rows, all other parts by their checksums."""
    numbers = [document.texts[index].get(TRACKING_COLUMNS[0], "").strip() for index in range(len(document.rows))]
    table = document.region.table
    written = {part_key(document.region.sheet.part), *([] if table is None else [part_key(table.part)])}
    parts = {key: entry.crc for key, entry in document.package.entries.items() if key not in written}
    return Contents(list(zip(document.finder.checksums(), numbers, strict=True)), parts)


def parse_document(raw: bytes, sheet: str | None, label: str) -> ExcelDocument:
    """The document in a workbook's bytes, `sheet` names a sheet or table. Raises as reading does, or E-1025."""
    orders = read_orders(raw, sheet, label)
    placement = place_tracking(orders)
    index_of = {row.number: index for index, row in enumerate(orders.xml.rows)}
    columns = orders.region.header.columns
    names = orders.region.header.names
    tracking = [(name, columns.index(names[at])) for name, at in orders.region.header.tracking.items()]
    rows, checksums, texts = [], [], {}
    for index, (number, values) in enumerate(orders.rows()):
        rows.append(index_of[number])
        checksums.append(row_checksum(dict(zip(columns, values, strict=True))))
        texts[index] = {name: values[at] for name, at in tracking}
    return ExcelDocument(
        package=orders.workbook.package,
        region=orders.region,
        xml=orders.xml,
        placement=placement,
        header_row=index_of[orders.region.header_row],
        rows=tuple(rows),
        texts=texts,
        finder=RowFinder(len(rows), checksums.__getitem__),
        has_formulas=orders.xml.has_formulas or "xl/calcChain.xml" in orders.workbook.package,
    )
