"""Tracking numbers into a CSV file beside a source that cannot be written to: `orders.tracking.csv` for `orders.xlsx`.

A line for each shipped row: the source it is of, the row's number and key there, its order number, and the checksum of
what was read, by which the line is found again. A file of that name which is not one of these is left alone.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.writeback.targets.atomic_file import FileVersion
from services.writeback.targets.comparison import Contents
from services.writeback.targets.file_target import Edit, FileSource, FileTarget
from shared.contracts.source import ExcelSource, ParquetSource, sidecar_name, written_label
from shared.errors import NOT_CSV, ErrorBody, TallyError
from shared.sources.changes import RowChange, wanted_texts
from shared.sources.rows import TRACKING_COLUMNS

_ROW = ("source", "row", "row_key", "order_number")
_HEADER = (*_ROW, *TRACKING_COLUMNS, "checksum")

# What tells a line from every other: the source, the row's number, the checksum.
LineKey = tuple[str, int, str]


@dataclass(frozen=True)
class Sidecar:
    """The lines of such a file, in order."""

    lines: Mapping[LineKey, Mapping[str, str]]

    def encode(self) -> bytes:
        """The file."""
        text = io.StringIO()
        writer = csv.DictWriter(text, _HEADER, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.lines.values())
        return text.getvalue().encode()


class SidecarTarget(FileTarget[Sidecar]):
    """Writes beside sources that are only read."""

    takes = ExcelSource | ParquetSource

    def _file(self, path: Path) -> Path:
        return path.with_name(sidecar_name(path.name))

    def _label(self, source: FileSource) -> str:
        return written_label(source)

    def _read(self, path: Path) -> tuple[bytes, FileVersion | None]:
        try:
            return super()._read(path)
        except FileNotFoundError:
            return b"", None

    def _parse(self, raw: bytes, source: FileSource) -> Sidecar:
        return parse_sidecar(raw, sidecar_name(source.path))

    def _edit(self, document: Sidecar, changes: Sequence[RowChange], source: FileSource) -> Edit[Sidecar]:
        return edit(document, changes, source)

    def _contents(self, document: Sidecar) -> Contents:
        return Contents([(key[2], line[TRACKING_COLUMNS[0]]) for key, line in document.lines.items()])

    def _weight(self, document: Sidecar) -> int:
        return 1000 * len(document.lines)


def parse_sidecar(raw: bytes, label: str) -> Sidecar:
    """The lines in a file's bytes; none in an empty file. Raises E-1005: it is some other file."""
    if not raw:
        return Sidecar({})
    try:
        reader = csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True)
        lines = list(reader)
        keys = [(line["source"], int(line["row"]), line["checksum"]) for line in lines]
    except (ValueError, TypeError, KeyError, csv.Error) as error:
        raise _not_ours(label) from error
    if tuple(reader.fieldnames or ()) != _HEADER:
        raise _not_ours(label)
    return Sidecar(dict(zip(keys, lines, strict=True)))


def _not_ours(label: str) -> TallyError:
    return TallyError(NOT_CSV, path=label, reason="it is some other file, or was changed, and is left alone")


def edit(document: Sidecar, changes: Sequence[RowChange], source: FileSource) -> Edit[Sidecar]:
    """Bring `changes` into `document`, in their order; a row without a number any more has no line."""
    lines = dict(document.lines)
    errors: list[ErrorBody | None] = []
    touched: list[bool] = []
    for change in changes:
        key = _name_of(source), change.source_row, change.checksum
        present = {name: lines.get(key, {}).get(name, "") for name in TRACKING_COLUMNS}
        try:
            wanted = wanted_texts(present, change, sidecar_name(source.path))
        except TallyError as error:
            errors.append(error.body)
            touched.append(False)
            continue
        errors.append(None)
        touched.append(bool(wanted))
        if wanted and change.values.tracking_number is None:
            del lines[key]
        elif wanted:
            of_row = (_name_of(source), str(change.source_row), change.row_key, change.order_number)
            lines[key] = {**dict(zip(_ROW, of_row, strict=True)), **present, **wanted, "checksum": change.checksum}
    edited = Sidecar(lines)
    return Edit(edited, edited.encode() if any(touched) else None, tuple(errors), tuple(touched))


def _name_of(source: FileSource) -> str:
    sheet = source.sheet if isinstance(source, ExcelSource) else None
    return Path(source.path).name + (f"#{sheet}" if sheet else "")
