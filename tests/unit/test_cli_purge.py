"""`tally purge`: what is told of a job that could not be purged after all."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import pytest

from services.cli.commands.purging import _purge_all
from services.cli.commands.shipping import Manner
from shared.contracts.purging import PurgeableJob, PurgePlan
from shared.contracts.states import JobStatus
from shared.errors import NOT_PURGEABLE, TallyError
from tests.unit.cli_stand_ins import AT


class _Keeping:
    """A client whose house keeps every job."""

    async def purge(self, job_id: str, _before: datetime, *, by: str) -> None:  # noqa: ARG002 - as TallyClient has it
        raise TallyError(NOT_PURGEABLE, job_id=job_id, reason="a shipper may still have a row of it in hand")


@pytest.mark.parametrize("as_json", [False, True])
async def test_a_job_that_is_kept_after_all_is_told_with_its_reason(
    capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    over = PurgeableJob(job_id="k3v9q2m8xw1dabcd", name="Orders", status=JobStatus.FAILED, ended_at=AT, rows=3)
    plan = PurgePlan(before=AT, jobs=(over,))
    assert await _purge_all(cast("Any", _Keeping()), plan, Manner(None, as_json=as_json)) == []
    told = "" if as_json else f"Job {over.job_id} is not purged: a shipper may still have a row of it in hand.\n"
    assert capsys.readouterr().out == told
