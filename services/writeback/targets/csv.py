"""Tracking numbers into CSV files."""

from __future__ import annotations

from collections.abc import Sequence

from services.writeback.targets.csv_document import CsvDocument, parse_document
from services.writeback.targets.csv_edit import edit
from services.writeback.targets.file_target import Edit, FileSource, FileTarget
from services.writeback.targets.target import RowChange
from shared.contracts.source import CsvSource


class CsvTarget(FileTarget[CsvDocument]):
    """Writes into CSV files: only the two tracking columns change, every other byte stays."""

    takes = CsvSource

    def _parse(self, raw: bytes, source: FileSource) -> CsvDocument:
        return parse_document(raw, source.path)

    def _edit(self, document: CsvDocument, changes: Sequence[RowChange], source: FileSource) -> Edit[CsvDocument]:
        return edit(document, changes, source.path)

    def _weight(self, document: CsvDocument) -> int:
        return sum(map(len, document.records))
