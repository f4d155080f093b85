"""A sheet of an Excel workbook as a snapshot: its cached values, every column as text."""

from __future__ import annotations

from pathlib import Path

from shared.sources.excel_orders import read_orders, read_workbook
from shared.sources.snapshot_table import TableSnapshot, load_spooled, spool


def open_excel(path: Path, wanted: str | None = None, *, label: str | None = None) -> TableSnapshot:
    """A snapshot of a workbook's sheet or table `wanted`, or of its first sheet; to be closed.

    Raises E-1002, E-1003, E-1004 or E-1020 to E-1024. A row's key is its number.
    """
    label = label or str(path)
    orders = read_orders(read_workbook(path, label), wanted, label)
    nothing = f"has a header but no rows on {orders.region.sheet.title}"
    folder = spool(label, ((0, texts) for _, texts in orders.rows()), nothing)
    columns = orders.region.header.columns
    return TableSnapshot(label, columns, load_spooled(folder, columns), folder, orders.notes())
