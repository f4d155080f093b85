"""Interrupted jobs as a person is told of them: where the job stopped, what came last, what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.cli.rendering.jobs import next_steps
from services.cli.terminal import command
from shared.client import TallyClient
from shared.contracts.documents import JobDocument, RowDocument
from shared.contracts.states import JobStatus


@dataclass(frozen=True)
class Interruption:
    """An interrupted job and the row that was settled last, if any was."""

    job: JobDocument
    last: RowDocument | None

    def lines(self) -> list[str]:
        """`Job 'X' was interrupted at row 47/200. Last: row 47 (John Doe, 1Z…). 153 remaining.`, then its error."""
        job = self.job
        last = "" if self.last is None else f" Last: row {self.last.row_number} ({_told(self.last)})."
        left = job.rows.total - job.cursor
        place = f"row {job.cursor}/{job.rows.total}"
        told = [f"Job '{job.name or job.job_id}' was interrupted at {place}.{last} {left} remaining."]
        if job.error is not None and job.error.row is not None:
            row = job.error.row
            told.append(f"Crashed at row {row}: {job.error.message} Resume will retry row {row}.")
        elif job.error is not None:
            told.append(f"Last error: {job.error.message}")
        return told

    def steps(self, data: Path | None) -> list[tuple[str, str]]:
        """What can be typed about it, and what for; `data` is the data directory that was typed, if any."""
        job_id = self.job.job_id
        return [
            (command("resume", job_id, data=data), "go on where it stopped"),
            (command("restart", job_id, data=data), "do it over from its first row"),
            (command("cancel", job_id, data=data), "end it; what is shipped stays shipped"),
        ]

    def told(self, data: Path | None) -> str:
        """All of it as plain text."""
        return "\n".join((*self.lines(), str(next_steps(*self.steps(data)))))


async def interruption_of(client: TallyClient, job: JobDocument) -> Interruption:
    """The job with its last settled row."""
    return Interruption(job, await client.row(job.job_id, job.cursor) if job.cursor else None)


async def interruptions(client: TallyClient, most: int) -> list[Interruption]:
    """The newest interrupted jobs, `most` at most."""
    jobs = await client.list_jobs(status=JobStatus.INTERRUPTED, limit=most)
    return [await interruption_of(client, job) for job in jobs]


def _told(row: RowDocument) -> str:
    return f"{row.recipient}, {row.tracking_numbers[0] if row.tracking_numbers else row.status}"
