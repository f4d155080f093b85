"""A preview as a file: every row, with its warnings in full."""

from __future__ import annotations

from pathlib import Path

from services.cli.files.tables import Cell, write_table
from services.cli.rendering.refusals import problems_of
from services.cli.rendering.wording import service_name
from shared.contracts.documents import PreviewDocument, PreviewRow

HEADERS = ("#", "Recipient", "City, State", "Service", "Est. Cost", "Currency", "Price", "Warnings", "Remarks")


def write_preview(preview: PreviewDocument, path: Path) -> None:
    """Write a preview that has every row to `path`, a `.csv` or `.xlsx` file. Raises E-5007."""
    write_table(path, HEADERS, map(_cells, preview.rows), title="Preview")


def _cells(row: PreviewRow) -> tuple[Cell, ...]:
    price = row.estimate
    return (
        row.row_number,
        row.recipient,
        row.destination,
        service_name(row.service),
        None if price is None else price.amount,
        None if price is None else price.currency,
        _kind(row),
        "; ".join(map(str, row.warnings)) or None,
        _remark(row),
    )


def _remark(row: PreviewRow) -> str | None:
    if row.error is None:
        return row.skipped
    return "; ".join(str(problem) for problem in problems_of(row.error))


def _kind(row: PreviewRow) -> str:
    """What the row's price is."""
    if row.skipped is not None:
        return "skipped" if row.error is None else "refused"
    if row.estimate is None:
        return "none"
    return "estimated" if row.estimated else "rated"
