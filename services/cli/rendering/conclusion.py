"""What is said when a job stops: how it went, what went wrong, and what to type next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from services.cli.outcomes import ExitCode, exit_code_of_job, print_error
from services.cli.rendering.jobs import job_summary, next_steps
from services.cli.rendering.rows import failed_write_backs
from services.cli.terminal import command
from shared.contracts.documents import JobDocument, RowDocument
from shared.contracts.states import JobStatus

Step = tuple[str, str]


@dataclass(frozen=True)
class Conclusion:
    """How commands end for a person at `console`; `data` is the data directory that was typed, if any."""

    console: Console
    data: Path | None

    def conclude(self, job: JobDocument, unwritten: Sequence[RowDocument] = ()) -> ExitCode:
        """Say how `job` stopped; returns the exit code that says it to a script.

        `unwritten` are the first of its rows whose write-back failed.
        """
        if job.status is JobStatus.AWAITING_APPROVAL:
            self.awaiting(job.job_id)
        if job.started_at is not None:
            self.console.print(job_summary(job))
        if unwritten:
            self.console.print(failed_write_backs(job, unwritten))
        if job.error is not None:
            self.console.file.flush()
            print_error(job.error)
        elif job.status is JobStatus.CANCELLED:
            self.console.print(f"Job {job.job_id} was cancelled; nothing further is sent.")
        if steps := self._steps(job):
            self.console.print(next_steps(*steps), soft_wrap=True)
        return exit_code_of_job(job)

    def detached(self, job_id: str) -> None:
        """Say that the job goes on without anyone looking."""
        self.console.print(Text(f"Detached; job {job_id} goes on by itself."))
        self.console.print(next_steps(*self._watching(job_id)), soft_wrap=True)

    def awaiting(self, job_id: str) -> None:
        """Say that the job waits for a person's approval."""
        self.console.print(Text(f"Nothing is shipped yet; job {job_id} awaits approval."))
        steps = (self._command("approve", job_id), "ship it"), (self._command("reject", job_id), "do not ship it")
        self.console.print(next_steps(*steps), soft_wrap=True)

    def _steps(self, job: JobDocument) -> list[Step]:
        match job.status:
            case JobStatus.COMPLETED | JobStatus.COMPLETED_WITH_WARNINGS:
                return [
                    *self._printing(job),
                    (self._command("rows", job.job_id), "every row's tracking number"),
                    (self._command("show", job.job_id), "everything about the job"),
                ]
            case JobStatus.INTERRUPTED:
                return [
                    *self._failed_row(job),
                    (self._command("resume", job.job_id), "go on where it stopped"),
                    (self._command("restart", job.job_id), "do it over from its first row"),
                    (self._command("cancel", job.job_id), "end it; what is shipped stays shipped"),
                ]
            case JobStatus.FAILED | JobStatus.PAUSED if job.started_at is not None:
                where = "go on at that row" if job.status is JobStatus.FAILED else "go on with the next row"
                return [*self._failed_row(job), (self._command("resume", job.job_id), where)]
            case JobStatus.RUNNING:
                return self._watching(job.job_id)
            case _:
                return []

    def _failed_row(self, job: JobDocument) -> list[Step]:
        if job.error is None or job.error.row is None:
            return []
        return [(self._command("show", job.job_id, str(job.error.row)), "the row and what the carrier said")]

    def _printing(self, job: JobDocument) -> list[Step]:
        if not job.rows.shipped:
            return []
        return [(self._command("labels", job.job_id, "-o", "labels.pdf"), "its labels, to print them")]

    def _watching(self, job_id: str) -> list[Step]:
        return [
            (self._command("watch", job_id), "follow it again"),
            (self._command("pause", job_id), "stop it after the row in hand"),
        ]

    def _command(self, *words: str) -> str:
        return command(*words, data=self.data)
