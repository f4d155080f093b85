"""Orders that cannot ship, as a file: a line for each of their problems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from services.cli.files.tables import Cell, write_table
from shared.contracts.refusals import RefusedOrder

HEADERS = ("Row", "Order number", "Recipient", "Field", "Code", "Reason", "What to do")


def write_errors(orders: Iterable[RefusedOrder], path: Path) -> None:
    """Write what is wrong with each order to `path`, a `.csv` or `.xlsx` file; only the header where nothing is.

    Rows are numbered as the source's data rows are, from 1. Raises E-5007.
    """
    write_table(path, HEADERS, _lines(orders), title="Errors")


def _lines(orders: Iterable[RefusedOrder]) -> Iterator[tuple[Cell, ...]]:
    for order in orders:
        for problem in order.problems:
            yield (
                problem.row or order.source_row,
                order.order_number or None,
                order.recipient or None,
                problem.field or None,
                problem.code,
                problem.message,
                problem.action or None,
            )
