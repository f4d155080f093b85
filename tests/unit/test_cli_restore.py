"""The question before a file is put back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.contracts.restoring import Restoration
from shared.contracts.states import JobStatus
from tests.unit.cli_stand_ins import AT, ScriptedHouse, job, scripted_house
from tests.unit.terminals import tally_on_a_terminal

JOB = "k3v9q2m8xw1dabcd"
TOLD = Restoration(
    job_id=JOB,
    path="/srv/orders.csv",
    backup="/srv/.tally-backups/orders.2026-11-21T101530Z.csv",
    taken_at=AT,
    digest="0" * 64,
    numbers=3,
    kept_as="/srv/.tally-backups/orders.2026-11-21T111530Z.csv",
)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[ScriptedHouse]:
    async with scripted_house(tmp_path) as (house, _):
        house.jobs = {JOB: job(JOB, JobStatus.COMPLETED)}
        house.lists["restore"] = TOLD
        yield house


def called(house: ScriptedHouse) -> list[tuple[str | None, bool]]:
    return [(body["digest"], body["force"]) for call, body in house.calls if call == "restore"]


async def test_a_restore_shows_what_it_replaces_and_asks(house: ScriptedHouse, tmp_path: Path) -> None:
    async with tally_on_a_terminal("restore", JOB, cwd=tmp_path, TALLY_NATS_URL=house.url) as terminal:
        await terminal.until("3 tracking numbers go; the job keeps them")
        await terminal.until("Put /srv/orders.csv back as it was? [y/N]")
        terminal.type("y")
        code, said = await terminal.end()
    assert (code, called(house)) == (0, [(None, False), ("0" * 64, True)])
    assert "kept as /srv/.tally-backups/orders.2026-11-21T111530Z.csv" in said


async def test_a_no_restores_nothing(house: ScriptedHouse, tmp_path: Path) -> None:
    async with tally_on_a_terminal("restore", JOB, cwd=tmp_path, TALLY_NATS_URL=house.url) as terminal:
        await terminal.until("[y/N]")
        terminal.type("")
        code, said = await terminal.end()
    assert (code, called(house)) == (1, [(None, False)])
    assert "Nothing was restored." in said


async def test_what_else_is_lost_is_told_and_a_yes_given_in_advance_does_not_cover_it(
    house: ScriptedHouse, tmp_path: Path
) -> None:
    house.lists["restore"] = TOLD.model_copy(update={"changed": 21, "changed_rows": tuple(range(1, 21)), "missing": 2})
    async with tally_on_a_terminal("restore", JOB, "--yes", cwd=tmp_path, TALLY_NATS_URL=house.url) as terminal:
        code, said = await terminal.end()
    assert (code, called(house)) == (1, [(None, False)])
    assert "and 1 more changed or added" in " ".join(said.split())
    assert "E-4025" in said


def test_losses_are_told_in_words() -> None:
    told = TOLD.model_copy(
        update={
            "other_numbers": 2,
            "moved": True,
            "changed_parts": ("xl/styles.xml",),
            "other_jobs": ("one", "two"),
            "unreadable": "it is damaged",
        }
    )
    assert told.losses() == [
        "it cannot be compared (it is damaged)",
        "rows moved",
        "xl/styles.xml changed",
        "2 numbers of others",
        "what job one, two wrote since",
    ]
