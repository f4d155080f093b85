"""The state machines: one table each, and a drawing in docs that says the same."""

import re
from enum import StrEnum
from pathlib import Path

import pytest

from services.coordinator import states
from shared.contracts.states import JobStatus, RowStatus, WriteBackStatus

DRAWING = Path(__file__).parents[2] / "docs" / "states.md"


def drawn(heading: str) -> set[tuple[str, str]]:
    """The arrows of the state diagram under `heading`, without the ones from the start and to the end."""
    section = DRAWING.read_text(encoding="utf-8").split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    arrows = re.findall(r"^\s+(\w+) --> (\w+)", section, re.MULTILINE)
    return set(arrows)


@pytest.mark.parametrize(
    ("heading", "table"), [("Job", states.JOB), ("Row", states.ROW), ("Write-back", states.WRITE_BACK)]
)
def test_the_drawing_shows_exactly_the_legal_transitions(
    heading: str, table: dict[StrEnum, frozenset[StrEnum]]
) -> None:
    legal = {(state.value, target.value) for state, targets in table.items() for target in targets}
    assert drawn(heading) == legal


@pytest.mark.parametrize(
    ("table", "kind"), [(states.JOB, JobStatus), (states.ROW, RowStatus), (states.WRITE_BACK, WriteBackStatus)]
)
def test_every_state_has_a_line_in_its_table(table: dict[StrEnum, frozenset[StrEnum]], kind: type[StrEnum]) -> None:
    assert set(table) == set(kind)


def test_a_finished_job_never_runs_again() -> None:
    for status in (JobStatus.COMPLETED, JobStatus.COMPLETED_WITH_WARNINGS, JobStatus.CANCELLED):
        assert not states.allows(states.JOB, status, JobStatus.RUNNING)


def test_a_row_leaves_doubt_only_by_what_a_person_or_the_carrier_says() -> None:
    assert states.ROW[RowStatus.IN_DOUBT] == {RowStatus.SHIPPED, RowStatus.FAILED}


def test_sources_is_the_table_read_backwards() -> None:
    assert states.sources(states.JOB, JobStatus.RUNNING) == {
        JobStatus.PENDING,
        JobStatus.AWAITING_APPROVAL,
        JobStatus.PAUSED,
        JobStatus.INTERRUPTED,
        JobStatus.FAILED,
    }
