"""The questions before labels are given back or bought again, on a terminal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.cli.commands.restarting import warning
from shared.contracts.api import RowList
from shared.contracts.documents import RowCounts, WriteBackCounts
from shared.contracts.states import JobStatus, RowStatus
from tests.unit.cli_stand_ins import ScriptedHouse, job, row, scripted_house
from tests.unit.terminals import tally_on_a_terminal

JOB = "k3v9q2m8xw1dabcd"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[ScriptedHouse]:
    async with scripted_house(tmp_path) as (house, _):
        failed = job(JOB, JobStatus.FAILED, rows=RowCounts(total=3, shipped=2, failed=1), write_back=WriteBackCounts())
        house.jobs = {JOB: failed}
        house.rows = [row(1), row(2), row(3, RowStatus.FAILED)]
        house.lists["void"] = RowList(rows=tuple(house.rows[:2]))
        yield house


def called(house: ScriptedHouse) -> list[str]:
    return [call for call, _ in house.calls if call not in {"list", "show", "row", "rows"}]


def test_the_warning_names_the_shipped_rows_as_ranges() -> None:
    rows = tuple(row(number) for number in range(1, 48))
    assert warning(rows) == "Rows 1–47 already have tracking numbers; restarting creates duplicates."
    assert warning(rows[:1]) == "Row 1 already has a tracking number; restarting creates a duplicate."


async def test_a_restart_asks_and_offers_to_void_first(house: ScriptedHouse, tmp_path: Path) -> None:
    house.results["restart"] = {JOB: job(JOB, JobStatus.COMPLETED, rows=RowCounts(total=3, shipped=3))}
    async with tally_on_a_terminal("restart", JOB, cwd=tmp_path, TALLY_NATS_URL=house.url) as terminal:
        await terminal.until("Rows 1–2 already have tracking numbers; restarting creates duplicates. Continue? [y/N]")
        terminal.type("y")
        await terminal.until("Void the 2 old labels ($24.80) first? [y/N]")
        terminal.type("n")
        code, said = await terminal.end()
    assert (code, called(house)) == (0, ["restart"])
    assert f"Job {JOB} is restarted as job" in said


async def test_a_restart_that_was_not_meant_changes_nothing(house: ScriptedHouse, tmp_path: Path) -> None:
    async with tally_on_a_terminal("restart", JOB, cwd=tmp_path, TALLY_NATS_URL=house.url) as terminal:
        await terminal.until("Continue? [y/N]")
        terminal.type("")
        code, said = await terminal.end()
    assert (code, called(house)) == (1, [])
    assert "Nothing was restarted." in said


async def test_a_label_that_cannot_be_voided_keeps_the_job_from_being_restarted(
    house: ScriptedHouse, tmp_path: Path
) -> None:
    async with tally_on_a_terminal("restart", JOB, "--void", cwd=tmp_path, TALLY_NATS_URL=house.url) as terminal:
        await terminal.until("Rows 1–2 already have tracking numbers. Void the 2 old labels ($24.80) first? [y/N]")
        terminal.type("y")
        code, said = await terminal.end()
    assert (code, called(house)) == (1, ["void"])
    assert "Row 1 is not voided: it is shipped" in said
    assert "Nothing was restarted." in said


@pytest.mark.parametrize("status", [RowStatus.IN_FLIGHT, RowStatus.IN_DOUBT, RowStatus.VOIDING])
async def test_an_unsettled_row_is_told_before_anything_is_asked(
    house: ScriptedHouse, tmp_path: Path, status: RowStatus
) -> None:
    house.rows[2] = row(3, status)
    async with tally_on_a_terminal("restart", JOB, "--void", cwd=tmp_path, TALLY_NATS_URL=house.url) as terminal:
        code, said = await terminal.end()
    assert (code, called(house)) == (1, [])
    assert said.startswith(f"E-4022 (row 3): Row 3 of job {JOB} is {status}")


async def test_a_void_asks_first(house: ScriptedHouse, tmp_path: Path) -> None:
    async with tally_on_a_terminal("void", JOB, cwd=tmp_path, TALLY_NATS_URL=house.url) as terminal:
        await terminal.until(f"Rows 1–2. Void 2 labels of job {JOB} ($24.80)? [y/N]")
        terminal.type("n")
        code, said = await terminal.end()
    assert (code, called(house)) == (1, [])
    assert "Nothing was voided." in said
