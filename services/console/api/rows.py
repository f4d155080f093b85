"""A job's rows over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from services.console.answers import ERRORS
from services.console.api.jobs import Start
from services.console.api.orders import Resolution, Void
from services.console.wiring import House, Known
from shared.contracts.api import PageSize, RowList
from shared.contracts.documents import RowDocument
from shared.contracts.message import JobId
from shared.contracts.states import RowStatus

router = APIRouter(prefix="/api/v1/jobs/{job_id}", tags=["rows"], responses=ERRORS)

Row = Annotated[int, Path(ge=1, description="The row's number, from 1.")]


@router.get("/rows")
async def list_rows(
    job_id: JobId, house: House, status: RowStatus | None = None, after: Start = 0, limit: PageSize = 200
) -> RowList:
    """A page of a job's rows, in order."""
    return await house.client.row_page(job_id, status=status, after=after, limit=limit)


@router.get("/rows/{row_number}")
async def show_row(job_id: JobId, row_number: Row, house: House) -> RowDocument:
    """One row, with the evidence of every look-up."""
    return await house.client.row(job_id, row_number)


@router.post("/rows/{row_number}/resolve")
async def resolve_row(
    job_id: JobId, row_number: Row, resolution: Resolution, house: House, caller: Known
) -> RowDocument:
    """Record what a person found out about a row in doubt."""
    by = resolution.giver(caller)
    return await house.client.resolve(job_id, row_number, resolution.tracking_number, by, resolution.reason)


@router.post("/void", status_code=202)
async def void_rows(job_id: JobId, void: Void, house: House, caller: Known) -> RowList:
    """Have labels given back to the carrier; the rows as they are with the orders given."""
    by = void.giver(caller)
    rows = await house.client.void(job_id, void.row_numbers, tracking_number=void.tracking_number, by=by)
    return RowList(rows=rows)
