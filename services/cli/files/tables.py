"""Tables as files that a person opens in a spreadsheet: CSV or Excel, readable by their owner only."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import IO

from shared.errors import OUTPUT_NOT_WRITTEN, TallyError

Cell = str | int | Decimal | None
Rows = Iterable[Sequence[Cell]]

_CSV = ".csv"
SUFFIXES = (_CSV, ".xlsx")
# A spreadsheet takes what begins with one of these for a formula, and a formula may do anything.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_WIDEST, _NARROWEST = 60, 8


def write_table(path: Path, headers: Sequence[str], rows: Rows, *, title: str = "Sheet1") -> None:
    """Write `rows` below `headers` to `path`, whose suffix says how: CSV in UTF-8, or a workbook with one sheet.

    Texts are texts: none is taken for a formula. The file appears whole, with mode 0600, in place of one that was
    there. Raises E-5007 where it cannot be written.
    """
    with owners_file(path) as file:
        if path.suffix.lower() == _CSV:
            _write_csv(file, headers, rows)
        else:
            _write_workbook(file, headers, rows, title)


@contextmanager
def owners_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes `path`'s place once the block is done, with mode 0600. Raises E-5007."""
    try:
        # Such a file is made for its owner alone.
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        unfinished = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise TallyError(OUTPUT_NOT_WRITTEN, path=path, reason=error.strerror or error) from error


def harmless(text: str) -> str:
    """A CSV cell that no spreadsheet takes for a formula: what looks like one gets an apostrophe in front."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _write_csv(file: IO[bytes], headers: Sequence[str], rows: Rows) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text)
    for row in (headers, *rows):
        writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])
    text.flush()
    text.detach()


def _write_workbook(file: IO[bytes], headers: Sequence[str], rows: Rows, title: str) -> None:
    import xlsxwriter

    workbook = xlsxwriter.Workbook(file)
    sheet = workbook.add_worksheet(title)
    bold, amount = workbook.add_format({"bold": True}), workbook.add_format({"num_format": "#,##0.00"})
    widths = [len(header) for header in headers]
    for column, header in enumerate(headers):
        sheet.write_string(0, column, header, bold)
    for number, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                sheet.write_string(number, column, cell)
            elif cell is not None:
                sheet.write_number(number, column, cell, amount if isinstance(cell, Decimal) else None)
            widths[column] = max(widths[column], len(str(cell or "")))
    for column, width in enumerate(widths):
        sheet.set_column(column, column, min(max(width, _NARROWEST), _WIDEST) + 2)
    sheet.freeze_panes(1, 0)
    workbook.close()
