"""Tracking numbers into Excel workbooks."""

from __future__ import annotations

from collections.abc import Sequence

from services.writeback.targets.comparison import Contents
from services.writeback.targets.excel_document import ExcelDocument, contents, parse_document
from services.writeback.targets.excel_edit import edit
from services.writeback.targets.file_target import Edit, FileSource, FileTarget
from shared.contracts.source import ExcelSource
from shared.sources.changes import RowChange


class ExcelTarget(FileTarget[ExcelDocument]):
    """Writes into workbooks: the cells' XML of one sheet is patched, every other part keeps its bytes."""

    takes = ExcelSource

    def _parse(self, raw: bytes, source: FileSource) -> ExcelDocument:
        return parse_document(raw, source.sheet if isinstance(source, ExcelSource) else None, source.path)

    def _edit(self, document: ExcelDocument, changes: Sequence[RowChange], source: FileSource) -> Edit[ExcelDocument]:
        return edit(document, changes, source.path)

    def _contents(self, document: ExcelDocument) -> Contents:
        return contents(document)

    def _weight(self, document: ExcelDocument) -> int:
        return document.weight
