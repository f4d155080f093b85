"""Interrupted jobs, as the next command offers them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.cli.rendering.interruption import Interruption
from shared.contracts.documents import JobDocument, RowCounts, RowDocument
from shared.contracts.states import JobStatus, RowStatus
from shared.errors import INTERRUPTED, ErrorBody, TallyError
from tests.unit.cli_stand_ins import ScriptedHouse, job, row, scripted_house
from tests.unit.terminals import ROOT, tally_on_a_terminal

QUESTION = "Enter decides later:"
JOB = "k3v9q2m8xw1dabcd"


def interrupted(**changes: Any) -> JobDocument:
    fields: dict[str, Any] = {
        "status": JobStatus.INTERRUPTED,
        "name": "orders.csv",
        "cursor": 47,
        "rows": RowCounts(total=200, shipped=47),
    }
    return job(JOB, **fields | changes)


def last() -> RowDocument:
    return row(47, recipient="John Doe", tracking_numbers=("1ZTALLY10200000047",))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[ScriptedHouse]:
    async with scripted_house(tmp_path) as (house, _):
        house.jobs = {JOB: interrupted()}
        house.rows = [last()]
        yield house


def called(house: ScriptedHouse) -> list[str]:
    return [call for call, _ in house.calls if call not in {"list", "show", "row", "rows"}]


def test_an_interrupted_job_says_where_it_stopped_and_what_came_last() -> None:
    assert Interruption(interrupted(), last()).lines() == [
        "Job 'orders.csv' was interrupted at row 47/200. Last: row 47 (John Doe, 1ZTALLY10200000047). 153 remaining."
    ]
    assert Interruption(interrupted(cursor=0), None).lines() == [
        "Job 'orders.csv' was interrupted at row 0/200. 200 remaining."
    ]
    skipped = row(47, RowStatus.SKIPPED, recipient="John Doe", tracking_numbers=())
    assert "Last: row 47 (John Doe, skipped)." in Interruption(interrupted(), skipped).lines()[0]


def test_an_interrupted_job_says_at_which_row_it_crashed_and_what_resume_does() -> None:
    error = ErrorBody(code="E-4014", message="The row was on its way.", row=48)
    assert Interruption(interrupted(error=error), last()).lines()[1] == (
        "Crashed at row 48: The row was on its way. Resume will retry row 48."
    )


async def test_the_next_command_asks_and_a_resumed_job_goes_on_by_itself(house: ScriptedHouse, tmp_path: Path) -> None:
    house.jobs[JOB] = interrupted(error=TallyError(INTERRUPTED, row=48).body)
    house.results["resume"] = {JOB: interrupted(status=JobStatus.RUNNING)}
    async with tally_on_a_terminal("jobs", cwd=tmp_path, TALLY_NATS_URL=house.url) as terminal:
        said = await terminal.until(QUESTION)
        assert "Job 'orders.csv' was interrupted at row 47/200. Last: row 47 (John Doe, 1ZTALLY10200000047)." in said
        assert "Crashed at row 48: No coordinator was running" in said
        assert "Resume will retry row 48." in said
        terminal.type("r")
        code, said = await terminal.end()
    assert (code, called(house)) == (0, ["resume"])
    assert f"Detached; job {JOB} goes on by itself." in said
    assert "running" in said.partition("Status")[2]


@pytest.mark.parametrize("answer", ["c", "cancel"])
async def test_the_next_command_cancels_on_request(house: ScriptedHouse, tmp_path: Path, answer: str) -> None:
    house.results["cancel"] = {JOB: interrupted(status=JobStatus.CANCELLED)}
    async with tally_on_a_terminal("rows", JOB, cwd=tmp_path, TALLY_NATS_URL=house.url) as terminal:
        await terminal.until(QUESTION)
        terminal.type("what")
        await terminal.until("Please answer r, s, c or nothing.")
        terminal.type(answer)
        said = await terminal.until("Void it? [y/N]")
        terminal.type("")
        code, _ = await terminal.end()
    assert (code, called(house)) == (0, ["cancel"])
    assert "is cancelled." in said


async def test_the_next_command_restarts_on_request_after_the_warning(house: ScriptedHouse, tmp_path: Path) -> None:
    async with tally_on_a_terminal("jobs", cwd=tmp_path, TALLY_NATS_URL=house.url) as terminal:
        await terminal.until(QUESTION)
        terminal.type("s")
        await terminal.until("Row 47 already has a tracking number; restarting creates a duplicate. Continue? [y/N]")
        terminal.type("n")
        code, said = await terminal.end()
    assert (code, called(house)) == (0, [])
    assert "Nothing was restarted." in said


async def test_who_decides_later_is_told_what_to_type_and_gets_what_was_asked_for(
    house: ScriptedHouse, tmp_path: Path
) -> None:
    async with tally_on_a_terminal("jobs", cwd=tmp_path, TALLY_NATS_URL=house.url) as terminal:
        await terminal.until(QUESTION)
        terminal.type("")
        code, said = await terminal.end()
    assert code == 0
    for word in ("resume", "restart", "cancel"):
        assert f" {word} {JOB}" in said
    assert "interrupted" in said.partition("Status")[2]


@pytest.mark.parametrize("words", [("resume", "k3v9"), ("cancel", "last"), ("restart", JOB)])
async def test_a_command_about_the_job_itself_is_not_kept_from_it_by_a_question(
    house: ScriptedHouse, tmp_path: Path, words: tuple[str, str]
) -> None:
    house.rows[0] = row(47, RowStatus.SKIPPED)
    for call in ("resume", "cancel", "restart"):
        house.results[call] = {JOB: interrupted(status=JobStatus.CANCELLED)}
    async with tally_on_a_terminal(*words, cwd=tmp_path, TALLY_NATS_URL=house.url) as terminal:
        _, said = await terminal.end()
    assert called(house)[:1] == [words[0]]
    assert QUESTION not in said


async def test_the_job_shown_tells_of_its_interruption_once_and_asks(house: ScriptedHouse, tmp_path: Path) -> None:
    async with tally_on_a_terminal("show", JOB, cwd=tmp_path, TALLY_NATS_URL=house.url) as terminal:
        before = await terminal.until(QUESTION)
        terminal.type("")
        await terminal.end()
    assert before.count("was interrupted at row 47/200") == 1
    assert before.index("Cursor") < before.index("was interrupted")


async def without_terminal(house: ScriptedHouse, folder: Path, *words: str) -> tuple[int, str, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TALLY_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.cli",
        *words,
        cwd=folder,
        env=environment | {"PYTHONPATH": str(ROOT), "TALLY_NATS_URL": house.url},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_without_a_terminal_the_notice_goes_to_stderr_and_nothing_is_asked(
    house: ScriptedHouse, tmp_path: Path
) -> None:
    code, out, err = await without_terminal(house, tmp_path, "rows", JOB)
    assert code == 0
    assert "interrupted" not in out
    lines = err.splitlines()
    assert lines[0].startswith("Job 'orders.csv' was interrupted at row 47/200.")
    assert [line.split()[1] for line in lines[2:]] == ["resume", "restart", "cancel"]


async def test_json_is_only_json(house: ScriptedHouse, tmp_path: Path) -> None:
    code, _, err = await without_terminal(house, tmp_path, "jobs", "--json")
    assert (code, err) == (0, "")


async def test_the_status_speaks_of_no_jobs(house: ScriptedHouse, tmp_path: Path) -> None:
    _, _, err = await without_terminal(house, tmp_path, "status")
    assert "interrupted" not in err
