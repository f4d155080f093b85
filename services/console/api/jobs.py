"""Jobs over HTTP: submitted, listed, controlled and watched."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import AwareDatetime, BaseModel

from services.console.answers import ERRORS
from services.console.api.orders import Approval, Order, Restart, Verify
from services.console.api.streaming import EventStream, event_stream
from services.console.wiring import House, Known, wiring_of
from shared.contracts.api import PageSize
from shared.contracts.audit import AuditPage
from shared.contracts.documents import JobDocument, VerificationDocument
from shared.contracts.events import EventType
from shared.contracts.message import JobId
from shared.contracts.report import ReportDocument
from shared.contracts.requests import JobRequest
from shared.contracts.states import JobStatus
from shared.errors import TallyError

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"], responses=ERRORS)

# An error is JSON where the answer is a stream, too.
_NO_STREAM: dict[int | str, dict[str, Any]] = {
    status: {
        "description": answer["description"],
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}},
    }
    for status, answer in ERRORS.items()
}
Start = Annotated[int, Query(ge=0, description="Page on from `next_after` of the page before.")]


class JobPage(BaseModel):
    """Jobs, newest first; `next_before` is set where more may follow."""

    jobs: tuple[JobDocument, ...]
    next_before: AwareDatetime | None = None


@router.post("", status_code=202)
async def submit_job(request: JobRequest, house: House, caller: Known, response: Response) -> JobDocument:
    """Have a batch shipped: the job that was made, or that the same `request_id` made before."""
    wanted = request if request.requested_by else request.model_copy(update={"requested_by": caller.name})
    event = await house.client.submit(wanted)
    if event.type is EventType.REJECTED and event.error is not None:
        raise TallyError.from_body(event.error)
    job = event.job if event.job is not None else await house.client.show(request_id=request.request_id)
    response.headers["Location"] = f"/api/v1/jobs/{job.job_id}"
    return job


@router.get("")
async def list_jobs(
    house: House,
    status: JobStatus | None = None,
    limit: PageSize = 50,
    before: Annotated[AwareDatetime | None, Query(description="Page on from `next_before` of the page before.")] = None,
) -> JobPage:
    """The newest jobs first."""
    jobs = await house.client.list_jobs(status=status, limit=limit, before=before.isoformat() if before else None)
    return JobPage(jobs=jobs, next_before=jobs[-1].created_at if len(jobs) == limit else None)


@router.get("/{job_id}")
async def show_job(job_id: JobId, house: House) -> JobDocument:
    """One job."""
    return await house.client.show(job_id)


@router.post("/{job_id}/approve")
async def approve_job(job_id: JobId, house: House, caller: Known, order: Approval | None = None) -> JobDocument:
    """Let a previewed job ship. With the total that was seen it is refused once where that has changed since."""
    approval = order or Approval()
    return await house.client.approve(job_id, approval.giver(caller), seen=approval.estimate)


@router.post("/{job_id}/reject")
async def reject_job(job_id: JobId, house: House, caller: Known, order: Order | None = None) -> JobDocument:
    """Turn a previewed job down: nothing ships."""
    return await house.client.reject(job_id, _giver(order, caller))


@router.post("/{job_id}/pause")
async def pause_job(job_id: JobId, house: House, caller: Known, order: Order | None = None) -> JobDocument:
    """Stop a job after the row in hand."""
    return await house.client.pause(job_id, _giver(order, caller))


@router.post("/{job_id}/resume")
async def resume_job(job_id: JobId, house: House, caller: Known, order: Order | None = None) -> JobDocument:
    """Let a failed, paused or interrupted job go on at its row."""
    return await house.client.resume(job_id, _giver(order, caller))


@router.post("/{job_id}/cancel")
async def cancel_job(job_id: JobId, house: House, caller: Known, order: Order | None = None) -> JobDocument:
    """End a job for good; what is shipped stays shipped."""
    return await house.client.cancel(job_id, _giver(order, caller))


@router.post("/{job_id}/restart", status_code=202)
async def restart_job(
    job_id: JobId, house: House, caller: Known, response: Response, order: Restart | None = None
) -> JobDocument:
    """Do a job over as a new one; the same new one however often it is asked for."""
    restart = order or Restart()
    job = await house.client.restart(job_id, restart.mode, restart.giver(caller))
    response.headers["Location"] = f"/api/v1/jobs/{job.job_id}"
    return job


@router.post("/{job_id}/verify")
async def verify_job(job_id: JobId, house: House, caller: Known, order: Verify | None = None) -> VerificationDocument:
    """Compare a job's tracking numbers with its source."""
    verify = order or Verify()
    return await house.client.verify(job_id, rewrite=verify.rewrite, by=verify.giver(caller))


@router.get("/{job_id}/report")
async def report_job(job_id: JobId, house: House) -> ReportDocument:
    """What a job cost, took and left open."""
    return await house.client.report(job_id)


@router.get("/{job_id}/audit")
async def audit_job(
    job_id: JobId,
    house: House,
    row_number: Annotated[int | None, Query(ge=1)] = None,
    after: Start = 0,
    limit: PageSize = 500,
) -> AuditPage:
    """A page of a job's audit trail, or of what it says of one row."""
    return await house.client.audit_page(job_id, row_number, after=after, limit=limit)


@router.get("/{job_id}/events", response_class=EventStream, responses=_NO_STREAM)
async def watch_job(
    job_id: JobId,
    house: House,
    request: Request,
    replay: Annotated[bool, Query(description="From the first event; else only those to come.")] = True,
    last_event_id: Annotated[int, Header(ge=0, description="Go on behind this event.")] = 0,
) -> EventStream:
    """A job's events, each a JobEvent, to the one that says its end; then one named `end`, with the job."""
    await house.client.show(job_id)
    return EventStream(event_stream(wiring_of(request), job_id, after=last_event_id, replay=replay))


def _giver(order: Order | None, caller: Known) -> str:
    return (order or Order()).giver(caller)
