"""Orders that were shipped before a job: whether they ship again, and how their rows say so. Pure."""

from __future__ import annotations

from collections.abc import Collection

from shared.contracts.documents import ShippedBefore
from shared.errors import RESERVED, ErrorBody


def ships_again(before: ShippedBefore, *, reship: bool, ancestors: Collection[str]) -> bool:
    """Whether an order ships although it is shipped: any with `reship`, in a restart those of the jobs before it."""
    return reship or before.job_id in ancestors


def skip_note(before: ShippedBefore, row: int | None) -> ErrorBody:
    """Why a row is skipped."""
    numbers = ", ".join(before.tracking_numbers)
    if before.job_id is None:
        message = f"The source already has tracking number {numbers} for it."
    else:
        message = f"Already shipped by job {before.job_id}, row {before.row_number}: {numbers}."
    return ErrorBody(code=RESERVED.code, message=message, row=row)


def replaceable(before: ShippedBefore | None, number: str) -> tuple[str, ...]:
    """The numbers that a new one may replace in the source: the one seen there, and those of the earlier shipment."""
    known = before.tracking_numbers if before is not None else ()
    return tuple(dict.fromkeys(filter(None, (number, *known))))
