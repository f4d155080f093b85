"""Tracking numbers into CSV files."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from services.writeback.targets.comparison import Contents
from services.writeback.targets.csv_document import CsvDocument, parse_document
from services.writeback.targets.csv_edit import contents, edit
from services.writeback.targets.file_target import Edit, FileSource, FileTarget
from shared.contracts.source import CsvSource
from shared.errors import SOURCE_CHANGED, TallyError
from shared.sources.changes import RowChange


class CsvTarget(FileTarget[CsvDocument]):
    """Writes into CSV files: only the two tracking columns change, every other byte stays."""

    takes = CsvSource

    def _parse(self, raw: bytes, source: FileSource) -> CsvDocument:
        """The document in the dialect that was read at intake; in the one it has, where it cannot be in that."""
        try:
            return parse_document(raw, _csv(source))
        except TallyError:
            return parse_document(raw, CsvSource(path=source.path))

    def _edit(self, document: CsvDocument, changes: Sequence[RowChange], source: FileSource) -> Edit[CsvDocument]:
        edited = edit(document, changes, source.path)
        if _none_found(edited):
            # A person may have saved the file in another dialect; the rows' checksums tell whether that is so.
            with suppress(TallyError):
                other = parse_document(document.encode(), CsvSource(path=source.path))
                if other.dialect != document.dialect:
                    found = edit(other, changes, source.path)
                    return edited if _none_found(found) else found
        return edited

    def _contents(self, document: CsvDocument) -> Contents:
        return contents(document)

    def _weight(self, document: CsvDocument) -> int:
        return sum(map(len, document.records))


def _csv(source: FileSource) -> CsvSource:
    assert isinstance(source, CsvSource)
    return source


def _none_found(edited: Edit[CsvDocument]) -> bool:
    codes = [None if error is None else error.code for error in edited.errors]
    return bool(codes) and set(codes) == {SOURCE_CHANGED.code}
