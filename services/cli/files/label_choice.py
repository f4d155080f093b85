"""Which of a job's labels are printed, and onto what; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from shared.contracts.documents import RowDocument
from shared.contracts.states import RowStatus
from shared.errors import LABELS_OF_ANOTHER_KIND, TallyError

_GIVEN_BACK = frozenset({RowStatus.VOIDING, RowStatus.VOIDED})
_PICTURES = frozenset({"gif", "png", "pdf"})


class Paper(StrEnum):
    """A label's own size, or letter sheets with two labels each."""

    LABEL = "4x6"
    LETTER = "letter"


class Output(StrEnum):
    """What labels are written as: one PDF, one stream for a label printer, or a file each."""

    PDF = "pdf"
    ZPL = "zpl"
    EPL = "epl"
    FILES = "files"

    @classmethod
    def of(cls, path: Path) -> Output:
        """What a path asks for: a folder, or what its name says. Raises ValueError."""
        suffix = path.suffix.lower().removeprefix(".")
        if path.is_dir() or not suffix:
            return cls.FILES
        if suffix not in {cls.PDF, cls.ZPL, cls.EPL}:
            raise ValueError("labels go into a .pdf, .zpl or .epl file, or into a folder")
        return cls(suffix)

    @property
    def holds_invoices(self) -> bool:
        """Whether commercial invoices, which are PDFs, can be in it."""
        return self in {Output.PDF, Output.FILES}

    def takes(self, kind: str) -> bool:
        """Whether a label that is a file of `kind` can be in it."""
        match self:
            case Output.PDF:
                return kind in _PICTURES
            case Output.FILES:
                return True
            case _:
                return kind == self.value


@dataclass(frozen=True)
class LabelChoice:
    """The rows with labels to write, in the source's order, and the numbers of those without.

    `due` rows are shipped and their labels still to be fetched, `voided` ones are given back or about to be.
    `shipped_by` tells of those not shipped by the job which ones other jobs shipped, by job.
    """

    rows: tuple[RowDocument, ...]
    due: tuple[int, ...]
    voided: tuple[int, ...]
    not_shipped: tuple[int, ...]
    shipped_by: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def never_shipped(self) -> tuple[int, ...]:
        """The rows that no job shipped."""
        elsewhere = {number for numbers in self.shipped_by.values() for number in numbers}
        return tuple(number for number in self.not_shipped if number not in elsewhere)

    @property
    def invoices(self) -> int:
        """How many of the rows have a commercial invoice."""
        return sum(row.label is not None and row.label.invoice is not None for row in self.rows)


def choose_labels(rows: Iterable[RowDocument]) -> LabelChoice:
    """Sort rows by whether they have labels to write."""
    ready, due, voided, not_shipped = list[RowDocument](), list[int](), list[int](), list[int]()
    others = defaultdict[str, list[int]](list)
    for row in rows:
        if row.status in _GIVEN_BACK:
            voided.append(row.row_number)
        elif row.status is not RowStatus.SHIPPED:
            not_shipped.append(row.row_number)
            before = row.shipped_before if row.status is RowStatus.SKIPPED else None
            if before is not None and before.job_id is not None:
                others[before.job_id].append(row.row_number)
        elif not keys_of(row):
            due.append(row.row_number)
        else:
            ready.append(row)
    return LabelChoice(tuple(ready), tuple(due), tuple(voided), tuple(not_shipped), _frozen(others))


def _frozen(numbers: Mapping[str, Sequence[int]]) -> dict[str, tuple[int, ...]]:
    return {job_id: tuple(of_job) for job_id, of_job in numbers.items()}


def keys_of(row: RowDocument) -> tuple[str, ...]:
    """The keys of a row's labels, a parcel each; none while they are still to be fetched."""
    if row.label is None or row.label.due or row.label.key is None:
        return ()
    return row.label.keys or (row.label.key,)


def check_kinds(rows: Sequence[RowDocument], output: Output) -> None:
    """Raise E-4052 where a label cannot be in `output`."""
    for row in rows:
        for key in keys_of(row):
            kind = key.rsplit(".", 1)[-1]
            if not output.takes(kind):
                raise TallyError(
                    LABELS_OF_ANOTHER_KIND,
                    row=row.row_number,
                    row_number=row.row_number,
                    found=kind.upper(),
                    wanted=f".{output}",
                    todo=_todo(kind),
                )


def _todo(kind: str) -> str:
    own = ".pdf" if kind in _PICTURES else f".{kind}"
    return f"Write it to a {own} file, or all of them into a folder; --row chooses rows"
