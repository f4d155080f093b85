"""`tally doctor`: everything that can be seen of a house from outside, and what to do about what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

from services.cli.doctor import bus, carrier, jobs, machine, services
from services.cli.doctor.finding import Finding, State, of_error
from services.cli.documents import DoctorDocument, FindingDocument
from services.cli.finding import find_house
from services.cli.outcomes import ExitCode, exit_code_of_error, print_json
from services.cli.rendering.doctor import findings_table
from services.cli.terminal import output
from shared.client import CHECKS_TAKE, TallyClient
from shared.clock import utc_now
from shared.contracts.states import JobStatus
from shared.errors import TallyError
from shared.settings import ClientSettings, load

_CARRIER_WITHIN = 10.0
_LATEST = 200
_NOT_AT_AN_END = (JobStatus.RUNNING, JobStatus.AWAITING_APPROVAL, JobStatus.PAUSED, JobStatus.INTERRUPTED)
_AT_WORK_AT_MOST = 50


def doctor(data: Path | None, *, as_json: bool) -> int:
    """Look at all of it and print what was found; 0 where nothing is a problem."""
    found, code = asyncio.run(_look(data))
    problems = [finding for finding in found if finding.state is State.PROBLEM]
    if as_json:
        documents = tuple(FindingDocument.model_validate(finding.document) for finding in found)
        print_json(DoctorDocument(healthy=not problems, findings=documents).model_dump(mode="json"))
    else:
        output().print(findings_table(found))
    if code is not None:
        return code
    if any(finding.decide for finding in found):
        return ExitCode.PERSON_NEEDED
    return ExitCode.FAILED if problems else ExitCode.DONE


async def _look(data: Path | None) -> tuple[list[Finding], ExitCode | None]:
    """What was found, and the exit code where the bus cannot be reached."""
    try:
        house = find_house(data)
        found = machine.findings(house.data_dir if house.record is not None else None)
    except TallyError as error:
        return [of_error("bus", error.body)], exit_code_of_error(error.body)
    try:
        async with await TallyClient.connect(house.bus, house.timeout) as client:
            return [*(await _look_through(client)), *found], None
    except TallyError as error:
        return [of_error("bus", error.body), *found], exit_code_of_error(error.body)


async def _look_through(client: TallyClient) -> list[Finding]:
    checks: dict[str, Callable[[TallyClient], Awaitable[list[Finding]]]] = {
        "bus": _bus,
        "services": _services,
        "carrier": _carrier,
        "jobs": _jobs,
    }
    found = await asyncio.gather(*(_guarded(name, check, client) for name, check in checks.items()))
    return [finding for each in found for finding in each]


async def _guarded(
    name: str, check: Callable[[TallyClient], Awaitable[list[Finding]]], client: TallyClient
) -> list[Finding]:
    """What a check finds; that it cannot be made is a finding, too."""
    try:
        return await check(client)
    except TallyError as error:
        return [of_error(name, error.body)]


async def _bus(client: TallyClient) -> list[Finding]:
    settings = load(ClientSettings)
    copies = settings.stream_replicas if "stream_replicas" in settings.model_fields_set else None
    return bus.findings(await client.bus_condition(), copies)


async def _services(client: TallyClient) -> list[Finding]:
    asked = utc_now()
    processes = await client.services(CHECKS_TAKE, checks=True)
    now = utc_now()
    return services.findings(processes, now, now - asked)


async def _carrier(client: TallyClient) -> list[Finding]:
    return [carrier.finding(await client.check_address(carrier.QUESTION, _CARRIER_WITHIN))]


async def _jobs(client: TallyClient) -> list[Finding]:
    """The latest jobs, and of every state in which a job is not at its end."""
    found = {job.job_id: job for job in await client.list_jobs(limit=_LATEST)}
    for status in _NOT_AT_AN_END:
        found |= {job.job_id: job for job in await client.list_jobs(status=status, limit=_LATEST)}
    at_work = [job.job_id for job in found.values() if job.status == "running" or job.write_back.due]
    told = {job_id: await _last_told(client, job_id) for job_id in at_work[:_AT_WORK_AT_MOST]}
    return jobs.findings([jobs.JobProgress(job, told.get(job.job_id)) for job in found.values()], utc_now())


async def _last_told(client: TallyClient, job_id: str) -> datetime | None:
    event = await client.last_event(job_id)
    return event.at if event is not None else None
