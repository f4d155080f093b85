"""What the doctor makes of what it sees."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.cli.doctor import bus, carrier, jobs, machine, services
from services.cli.doctor.finding import Finding, State
from services.cli.doctor.jobs import JobProgress
from shared.bus import topology
from shared.bus.condition import BusCondition, ConsumerCondition, Copies, StreamCondition
from shared.contracts.addresses import AddressFinding
from shared.contracts.api import ServiceStatus
from shared.contracts.documents import JobDocument, RowCounts, WriteBackCounts
from shared.errors import CARRIER_RATE_LIMITED, CREDENTIALS_REFUSED, TallyError
from tests.contract.messages import JOB_DOCUMENT

RUNBOOK = (Path(__file__).parents[2] / "docs" / "runbook.md").read_text(encoding="utf-8")
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
AT_ONCE = timedelta(0)


def sound_bus(copies: int = 1) -> BusCondition:
    leader = "n1" if copies > 1 else ""
    return BusCondition(
        version=(2, 12, 1),
        servers=("nats:4222",),
        streams=tuple(StreamCondition(str(each.name), Copies(copies, leader)) for each in topology.streams(copies)),
        consumers=tuple(
            ConsumerCondition(each.durable, each.stream, exists=True, asked_for=1) for each in topology.CONSUMERS
        ),
    )


def process(name: str, **fields: object) -> ServiceStatus:
    return ServiceStatus(name=name, pid=7, state="running", host="box", release="0.1.0", at=NOW).model_copy(
        update=fields
    )


def complaints(findings: list[Finding]) -> list[tuple[str, State]]:
    return [(finding.check, finding.state) for finding in findings if finding.state is not State.OK]


def job(**fields: object) -> JobProgress:
    usual = {"status": "running", "rows": RowCounts(total=9), "started_at": NOW, "write_back": WriteBackCounts()}
    document = JOB_DOCUMENT.model_copy(update=usual | fields)
    return JobProgress(document, NOW)


def test_a_sound_bus_is_well() -> None:
    assert complaints(bus.findings(sound_bus(3), 3)) == []
    assert complaints(bus.findings(sound_bus(3), None)) == []


def test_an_old_server_is_a_problem() -> None:
    assert complaints(bus.findings(replace(sound_bus(), version=(2, 11, 9)), 1)) == [("bus", State.PROBLEM)]


def test_a_lost_stream_and_a_lost_consumer_are_problems() -> None:
    sound = sound_bus()
    lost = replace(
        sound,
        streams=(StreamCondition("REQUESTS"), *sound.streams[1:]),
        consumers=(ConsumerCondition("shipper", "COMMANDS"), *sound.consumers[1:]),
    )
    assert complaints(bus.findings(lost, 1)) == [("streams", State.PROBLEM), ("consumers", State.PROBLEM)]


def test_a_stream_that_somebody_changed_is_a_problem() -> None:
    sound = sound_bus()
    changed = replace(sound, streams=(replace(sound.streams[0], differs=("retention",)), *sound.streams[1:]))
    found = bus.findings(changed, 1)
    assert complaints(found) == [("streams", State.PROBLEM)]
    assert "retention" in found[1].what


def test_fewer_copies_than_set_and_a_copy_that_is_behind_are_worth_a_look() -> None:
    sound = sound_bus(3)
    fewer = replace(sound, streams=(replace(sound.streams[0], copies=Copies(1)), *sound.streams[1:]))
    behind = replace(sound, streams=(replace(sound.streams[0], copies=Copies(3, "n1", ("n2",))), *sound.streams[1:]))
    assert complaints(bus.findings(fewer, 3)) == [("streams", State.LOOK)]
    assert complaints(bus.findings(behind, 3)) == [("streams", State.LOOK)]


def test_a_stream_without_a_leader_is_a_problem() -> None:
    sound = sound_bus(3)
    headless = replace(sound, streams=(replace(sound.streams[0], copies=Copies(3)), *sound.streams[1:]))
    assert complaints(bus.findings(headless, 3)) == [("streams", State.PROBLEM)]


def test_messages_that_wait_are_a_problem_only_where_nobody_takes_them() -> None:
    sound = sound_bus()
    waiting = replace(sound.consumers[0], waiting=5)
    left = replace(waiting, asked_for=0)
    assert complaints(bus.findings(replace(sound, consumers=(waiting, *sound.consumers[1:])), 1)) == []
    assert complaints(bus.findings(replace(sound, consumers=(left, *sound.consumers[1:])), 1)) == [
        ("consumers", State.PROBLEM)
    ]


def test_one_of_each_service_is_enough() -> None:
    running = [process(name) for name in services.NEEDED]
    assert complaints(services.findings(running, NOW, AT_ONCE)) == []
    assert complaints(services.findings(running[1:], NOW, AT_ONCE)) == [("coordinator", State.PROBLEM)]


def test_what_a_process_lacks_is_a_problem_with_its_remedy() -> None:
    running = [process(name) for name in services.NEEDED[1:]]
    lacking = process("coordinator", lacking={"database": "no answer in 2 s"})
    found = services.findings([lacking, *running], NOW, AT_ONCE)
    assert complaints(found) == [("coordinator", State.PROBLEM)]
    assert "TALLY_DATABASE_URL" in found[0].do


@pytest.mark.parametrize(("seconds", "state"), [(4, None), (20, State.LOOK), (-20, State.LOOK), (90, State.PROBLEM)])
def test_a_clock_that_is_off_is_told(seconds: int, state: State | None) -> None:
    running = [process(name) for name in services.NEEDED]
    running[1] = process("shipper", at=NOW + timedelta(seconds=seconds))
    assert complaints(services.findings(running, NOW, AT_ONCE)) == ([("clocks", state)] if state else [])


def test_the_time_that_the_answer_took_is_no_skew() -> None:
    running = [process(name, at=NOW - timedelta(seconds=6)) for name in services.NEEDED]
    assert complaints(services.findings(running, NOW, timedelta(seconds=6))) == []


def test_two_releases_and_parked_messages_are_worth_a_look() -> None:
    running = [process(name) for name in services.NEEDED]
    running[2] = process("writeback", release="0.2.0", parked=3)
    assert complaints(services.findings(running, NOW, AT_ONCE)) == [
        ("writeback", State.LOOK),
        ("releases", State.LOOK),
    ]


def test_a_row_in_doubt_needs_a_person() -> None:
    found = jobs.findings([job(rows=RowCounts(total=9, in_doubt=1), status="failed")], NOW)
    assert complaints(found) == [("jobs", State.PROBLEM)]
    assert found[0].decide


def test_a_number_that_was_not_written_back_is_a_problem() -> None:
    assert complaints(jobs.findings([job(write_back=WriteBackCounts(failed=2))], NOW)) == [("jobs", State.PROBLEM)]


@pytest.mark.parametrize("status", ["awaiting_approval", "paused", "interrupted"])
def test_a_job_that_waits_for_a_person_is_worth_a_look(status: str) -> None:
    assert complaints(jobs.findings([job(status=status)], NOW)) == [("jobs", State.LOOK)]


def test_a_running_job_of_which_nothing_is_heard_stands_still() -> None:
    running = job()
    assert complaints(jobs.findings([running], NOW + timedelta(minutes=4))) == []
    found = jobs.findings([running], NOW + timedelta(minutes=6))
    assert complaints(found) == [("jobs", State.PROBLEM)]
    assert JobDocument.model_validate(running.job).job_id in found[0].what


def test_a_job_stuck_leads_to_its_row_and_its_section_of_the_runbook() -> None:
    (found,) = jobs.findings([job(cursor=4)], NOW + timedelta(minutes=6))
    assert "(row 5)" in found.what
    assert " 5; " in found.do
    assert f"### {found.do.split()[-1].rstrip('.')}\n" in RUNBOOK


@pytest.mark.parametrize("status", ["running", "failed", "paused", "cancelled"])
def test_numbers_that_wait_long_for_their_source_are_a_problem(status: str) -> None:
    waits = job(status=status, cursor=9, write_back=WriteBackCounts(due=2, written=7))
    assert not [each for each in jobs.findings([waits], NOW + timedelta(minutes=4)) if each.state is State.PROBLEM]
    (found,) = [each for each in jobs.findings([waits], NOW + timedelta(minutes=6)) if each.state is State.PROBLEM]
    assert "2 tracking numbers" in found.what
    assert "row 10" not in found.what + found.do
    assert f"### {found.do.split()[-1].rstrip('.')}\n" in RUNBOOK


def test_a_job_that_stands_still_behind_its_last_row_names_no_row() -> None:
    (found,) = jobs.findings([job(cursor=9)], NOW + timedelta(minutes=6))
    assert "all rows settled" in found.what
    assert "10" not in found.do


def test_one_row_in_doubt_is_told_in_the_singular() -> None:
    (found,) = jobs.findings([job(status="failed", rows=RowCounts(total=9, in_doubt=1))], NOW)
    assert "1 row in doubt" in found.what


def test_the_carrier_is_well_whatever_it_knows_of_the_address() -> None:
    assert carrier.finding(AddressFinding(verdict="unknown")).state is State.OK
    assert carrier.finding(AddressFinding()).state is State.LOOK
    refused = TallyError(CREDENTIALS_REFUSED, carrier_code="10401", carrier_message="ClientId is Invalid")
    assert carrier.finding(AddressFinding(error=refused.body)).state is State.PROBLEM
    busy = TallyError(CARRIER_RATE_LIMITED, tries=3)
    assert carrier.finding(AddressFinding(error=busy.body)).state is State.LOOK


def test_a_data_folder_that_others_can_look_into_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert ("data", State.LOOK) in complaints(machine.findings(tmp_path))
    tmp_path.chmod(0o700)
    assert ("data", State.LOOK) not in complaints(machine.findings(tmp_path))


def test_a_secret_that_others_can_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "password"
    secret.write_text("s3cret")
    secret.chmod(0o644)
    monkeypatch.setenv("TALLY_NATS_PASSWORD_FILE", str(secret))
    found = machine.findings(None)
    assert complaints(found) == [("secrets", State.LOOK)]
    assert "s3cret" not in found[0].what
