"""What is said of rows that cannot ship and are left out; pure: nothing here prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.cli.rendering.wording import plural
from shared.contracts.documents import JobDocument, PreviewDocument, RowDocument
from shared.contracts.states import RowStatus
from shared.errors import ErrorBody

_LISTED = 20
# What is wrong with a row by mapping and validation, or as the carrier says; rows skipped as shipped have others.
_OF_REFUSALS = ("E-2", "E-3")


@dataclass(frozen=True)
class Refusals:
    """How many rows are left out since they cannot ship, and why the first of them cannot."""

    count: int = 0
    problems: tuple[ErrorBody, ...] = ()

    @classmethod
    def of_preview(cls, preview: PreviewDocument) -> Refusals:
        """Those of a preview without a job."""
        return cls(preview.refused, preview.problems)

    @classmethod
    def of_job(cls, job: JobDocument, skipped: Iterable[RowDocument]) -> Refusals:
        """Those of a job, from its skipped rows or the first of them."""
        return cls(job.rows.refused, tuple(problem for row in skipped for problem in refusal_of(row)))

    def lines(self) -> list[str]:
        """A line that counts them, one for each problem, one that says how to see those there is no room for."""
        if not self.count:
            return []
        verbs = "cannot ship and is left out:" if self.count == 1 else "cannot ship and are left out:"
        told = [f"{plural(self.count, 'row')} {verbs}", *(_line(problem) for problem in self.problems[:_LISTED])]
        if len(self.problems) > _LISTED or self.count > len(self.problems):
            told.append("  … and more; --errors-out FILE writes them all.")
        return told


NO_REFUSALS = Refusals()


def refusal_of(row: RowDocument) -> Sequence[ErrorBody]:
    """Why a job's row is left out, a problem each; nothing for a row that ships, or is skipped for another reason."""
    error = row.error
    if row.status is not RowStatus.SKIPPED or error is None or not error.code.startswith(_OF_REFUSALS):
        return ()
    return problems_of(error)


def problems_of(error: ErrorBody) -> Sequence[ErrorBody]:
    """A refused row's error as the problems that it is made of."""
    return error.model_copy(update={"details": ()}), *error.details


def _line(problem: ErrorBody) -> str:
    return "  " + " ".join(str(problem).split())
