"""A sheet of an Excel workbook as a snapshot: its cached values, every column as text."""

from __future__ import annotations

from pathlib import Path

from shared.sources.excel_orders import read_orders, read_workbook
from shared.sources.snapshot_table import SpooledSnapshot
from shared.sources.spool import line_of, spool


def open_excel(path: Path, wanted: str | None = None, *, label: str | None = None) -> SpooledSnapshot:
    """A snapshot of a workbook's sheet or table `wanted`, or of its first sheet; to be closed.

    Raises E-1002, E-1003, E-1004 or E-1020 to E-1024. A row's key is its number.
    """
    label = label or str(path)
    orders = read_orders(read_workbook(path, label), wanted, label)
    nothing = f"has a header but no rows on {orders.region.sheet.title}"
    rows = spool(label, (line_of(texts) for _, texts in orders.rows()), nothing)
    return SpooledSnapshot(label, orders.region.header.columns, rows, orders.notes())
