"""The jobs: rows in doubt, write-backs that failed, jobs that stand still or wait for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.cli.doctor.finding import Finding, State, look, ok, problem, unless_worse
from services.cli.rendering.wording import plural
from shared.contracts.documents import JobDocument

STANDS_STILL_AFTER = timedelta(minutes=5)
_WAITING = {
    "awaiting_approval": "tally approve {job_id}, or tally reject {job_id}",
    "paused": "tally resume {job_id}",
    "interrupted": "tally resume {job_id}",
}


@dataclass(frozen=True)
class JobProgress:
    """A job, and when something was last said of it."""

    job: JobDocument
    told_at: datetime | None


def findings(jobs: Sequence[JobProgress], now: datetime) -> list[Finding]:
    """What is to be said of the jobs that were looked at."""
    running = sum(progress.job.status == "running" for progress in jobs)
    good = ok("jobs", f"{running} running; none needs a person.")
    return unless_worse(good, (each for progress in jobs for each in _job(progress, now)))


def _job(progress: JobProgress, now: datetime) -> Iterator[Finding]:
    job = progress.job
    name = f"Job {job.job_id}"
    if job.rows.in_doubt:
        what = f"{name} has {plural(job.rows.in_doubt, 'row')} in doubt: nobody can prove whether a label was bought."
        do = f"tally rows {job.job_id} --status in_doubt, then tally resolve."
        yield Finding("jobs", State.PROBLEM, what, do, decide=True)
    if job.write_back.failed:
        what = f"{name}: {plural(job.write_back.failed, 'tracking number')} could not be written back."
        yield problem("jobs", what, f"tally show {job.job_id} says why; then tally verify {job.job_id} writes them.")
    if action := _WAITING.get(job.status):
        yield look("jobs", f"{name} is {job.status.replace('_', ' ')}.", f"{action.format(job_id=job.job_id)}.")
    since = progress.told_at or job.started_at
    if since is not None and now - since > STANDS_STILL_AFTER:
        yield from _at_a_stand(job, (now - since).total_seconds() / 60)


def _at_a_stand(job: JobDocument, minutes: float) -> Iterator[Finding]:
    """What is to be said of a job of which nothing was heard for so many minutes."""
    if job.write_back.due:
        numbers = plural(job.write_back.due, "tracking number")
        what = f"Job {job.job_id}: {numbers} not written back, and nothing has happened for {minutes:.0f} minutes."
        yield problem("jobs", what, f"tally show {job.job_id}; docs/runbook.md, TallyWriteBackLag.")
    if job.status == "running" and (job.cursor < job.rows.total or not job.write_back.due):
        where = f" {job.cursor + 1}" if job.cursor < job.rows.total else ""
        rows = f"row{where}" if where else "all rows settled"
        what = f"Job {job.job_id} is running and nothing has happened for {minutes:.0f} minutes ({rows})."
        yield problem("jobs", what, f"tally show {job.job_id}{where}; docs/runbook.md, TallyJobStuck.")
