"""What a transaction on a job asks to have published once it is committed."""

from __future__ import annotations

from dataclasses import dataclass

from services.coordinator.database.trail import Ended, JobTransaction
from shared.contracts.commands import ShipCommand, VoidCommand, WritebackCommand
from shared.contracts.requests import JobRequest
from shared.contracts.states import JobStatus


@dataclass(frozen=True)
class Step:
    """What a transaction asks to have done: commands to publish, another job's request, the source's check at the end.

    `entered` is the state the job entered, `ended` what a row came to.
    """

    job_id: str
    ship: ShipCommand | None = None
    writeback: WritebackCommand | None = None
    writebacks: tuple[WritebackCommand, ...] = ()
    voids: tuple[VoidCommand, ...] = ()
    request: JobRequest | None = None
    check: bool = False
    entered: JobStatus | None = None
    row: int | None = None
    alarm: bool = False
    ended: Ended | None = None


def close(
    job: JobTransaction,
    *,
    ship: ShipCommand | None = None,
    writeback: WritebackCommand | None = None,
    writebacks: tuple[WritebackCommand, ...] = (),
    voids: tuple[VoidCommand, ...] = (),
    request: JobRequest | None = None,
    row: int | None = None,
    alarm: bool = False,
) -> Step:
    job.close()
    return Step(
        job.job_id,
        ship=ship,
        writeback=writeback,
        writebacks=writebacks,
        voids=voids,
        request=request,
        check=job.check_due,
        entered=job.entered,
        row=row,
        alarm=alarm,
        ended=job.ended,
    )
