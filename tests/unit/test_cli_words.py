"""What the command line prints: pure renderings, looked at in 80 columns."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from services.cli.demo_report import ledger_line, written_back
from services.cli.following import can_resume
from services.cli.house.announcing import JsonAnnouncer, TextAnnouncer, up_block
from services.cli.house.process import Death
from services.cli.house.record import HouseRecord, ProcessRecord, ProcessState
from services.cli.ledger_check import check_ledger
from services.cli.progress import Pace, clock_time, shown_progress, status_line
from services.cli.rendering.conclusion import Conclusion
from services.cli.rendering.jobs import (
    job_details,
    job_summary,
    jobs_table,
    next_steps,
)
from services.cli.rendering.rows import evidence_lines, failed_write_backs, row_details, rows_table
from services.cli.rendering.wording import duration, moment, money, plural, service_name, without_repeats
from shared.contracts.documents import (
    JobDocument,
    RowCounts,
    WriteBackCounts,
    WriteBackDocument,
)
from shared.contracts.ledger import Evidence
from shared.contracts.states import JobStatus, RowStatus, WriteBackStatus
from shared.errors import CARRIER_REJECTED, ErrorBody, TallyError
from shared.shipping import Money
from tests.unit.cli_stand_ins import AT, dollars, job, row

WIDTH = 80


def printed(renderable: RenderableType) -> str:
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    console.print(renderable)
    text = console.export_text()
    assert all(len(line.rstrip()) <= WIDTH for line in text.splitlines())
    return "\n".join(line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "-"),
        (dollars("1234.5"), "$1,234.50"),
        (Money(amount=Decimal("9.99"), currency="EUR"), "9.99 EUR"),
        (dollars("0.29"), "$0.29"),
    ],
)
def test_money_is_shown_to_the_cent(amount: Money | None, text: str) -> None:
    assert money(amount) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (8.44, "8.4 s"), (125, "2 min 05 s"), (3720, "1 h 02 min"), (-1, "0.0 s")],
)
def test_a_duration_is_as_exact_as_it_needs_to_be(seconds: float, text: str) -> None:
    assert duration(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("service", "text"),
    [("ground", "Ground"), ("2nd_day_air_am", "2nd Day Air AM"), ("next_day_air_saver", "Next Day Air Saver")],
)
def test_a_service_is_called_by_its_name(service: str, text: str) -> None:
    assert service_name(service) == text


def test_counts_agree_with_their_noun() -> None:
    assert (plural(1, "row"), plural(0, "row"), plural(1200, "row")) == ("1 row", "0 rows", "1,200 rows")


def test_a_summary_tells_rows_cost_time_and_write_back() -> None:
    ended = job(status=JobStatus.COMPLETED, ended_at=AT + timedelta(seconds=10))
    assert printed(job_summary(ended)).splitlines() == [
        "Job         k3v9q2m8xw1dabcd  completed",
        "Rows        15 of 30 shipped",
        "Cost        $184.20",
        "Time        10.0 s (1.5 rows/s)",
        "Write-back  13 written to /work/orders.csv, 2 due",
    ]


def test_tables_fit_a_terminal() -> None:
    long = "An unusually long name for a batch of orders that nobody would type"
    printed(jobs_table([job(name=long)]))
    printed(rows_table([row(12345, recipient=long)]))
    printed(job_details(job(name=long, where="state = 'CA' AND " * 10)))


def test_a_row_shows_the_evidence_of_its_look_ups() -> None:
    evidence = Evidence(at=AT, asked="Label Recovery by TABC0000001", answer="not found")
    assert "Label Recovery by TABC0000001: not found" in printed(row_details(row(evidence=(evidence,))))


def test_look_ups_with_the_same_answer_share_a_line() -> None:
    at = [AT + timedelta(minutes=minutes) for minutes in range(4)]
    answers = ["not found", "not found", "not found", "shipment 1ZTALLY102, 1ZTALLY102"]
    evidence = [Evidence(at=at, asked="Track", answer=answer) for at, answer in zip(at, answers, strict=True)]
    assert list(evidence_lines(evidence)) == [
        f"{moment(at[0])} to {moment(at[2])}, 3 times, Track: not found",
        f"{moment(at[3])} Track: shipment 1ZTALLY102",
    ]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("shipment 1ZTALLY102, 1ZTALLY102", "shipment 1ZTALLY102"),
        ("shipment 1ZTALLY102, 1ZTALLY102 1ZTALLY103", "shipment 1ZTALLY102 1ZTALLY103"),
        ("shipment 1ZTALLY102, 1ZTALLY1029", "shipment 1ZTALLY102, 1ZTALLY1029"),
        ("not found (1, 1)", "not found (1, 1)"),
    ],
)
def test_a_number_is_named_once(answer: str, said: str) -> None:
    assert without_repeats(answer) == said


def test_rows_cost_what_was_charged_and_say_why_they_are_not_shipped() -> None:
    error = TallyError(CARRIER_REJECTED, row=2, carrier_code="120201", carrier_message="Invalid address").body
    known = ErrorBody(code="E-4006", message="The source already has it.")
    unsold = {"cost": None, "tracking_numbers": (), "write_back": WriteBackDocument(status=WriteBackStatus.NONE)}
    rows = [
        row(1),
        row(2, RowStatus.FAILED, error=error, **unsold),
        row(3, RowStatus.SKIPPED, error=known, **unsold),
        row(4, RowStatus.PENDING, **unsold),
    ]
    lines = [line.split() for line in printed(rows_table(rows)).splitlines()]
    assert lines[0][-5:] == ["number", "Cost", "Write-back", "or", "reason"]
    assert lines[1][-2:] == ["$12.40", "written"]
    assert lines[2][4:8] == ["-", "-", "E-3001", "The"]
    assert lines[3][4:] == ["-", "-", "The", "source", "already", "has", "it."]
    assert lines[4][4:] == ["-", "-", "-"]
    assert "~$12.40" in printed(rows_table([row(9, RowStatus.PENDING, cost=None, estimated=True)], estimated=True))
    estimated = [line.split() for line in printed(rows_table(rows[2:], estimated=True)).splitlines()]
    assert (estimated[0][-5:-3], estimated[1][5], estimated[2][5]) == (["Est.", "Cost"], "-", "$12.40")


def test_rows_that_could_not_be_written_back_are_named() -> None:
    failed = WriteBackDocument(
        status=WriteBackStatus.FAILED, error=ErrorBody(code="E-4010", message="No.", action="Do.")
    )
    document = job(status=JobStatus.COMPLETED_WITH_WARNINGS, write_back=WriteBackCounts(written=8, failed=7))
    text = printed(failed_write_backs(document, [row(number, write_back=failed) for number in range(3, 8)]))
    assert text.splitlines() == ["7 rows shipped but not written back: 3, 4, 5, 6, 7 … and 2 more", "E-4010: No. Do."]
    other = failed.model_copy(update={"error": ErrorBody(code="E-4011", message="Full.", action="Tidy.")})
    rows = [row(1, write_back=failed), row(2, write_back=other), row(3, write_back=failed)]
    assert printed(failed_write_backs(document, rows)).splitlines()[1:] == ["E-4010: No. Do.", "E-4011: Full. Tidy."]


@pytest.mark.parametrize("status", list(JobStatus))
def test_only_a_job_that_stopped_short_can_be_resumed(status: JobStatus) -> None:
    assert can_resume(job(status=status)) is (status.value in {"failed", "paused", "interrupted"})
    assert not can_resume(job(status=status, started_at=None))


def test_next_steps_align_where_there_is_room_and_never_break_a_command() -> None:
    assert printed(next_steps(("tally jobs", "list"), ("tally show last", "show"))).splitlines() == [
        "Next:",
        "  tally jobs        list",
        "  tally show last   show",
    ]
    path = "/a/rather/long/path/to/a/data/directory/that/takes/more/room/than/there/is"
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    console.print(next_steps((f"tally show last --data {path}", "everything about the job")), soft_wrap=True)
    assert console.export_text().splitlines() == [
        "Next:",
        f"  tally show last --data {path}",
        "      everything about the job",
    ]


def concluded(document: JobDocument, data: Path | None = None) -> tuple[str, int]:
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    code = Conclusion(console, data).conclude(document)
    return console.export_text(), code


def test_a_failed_job_ends_with_the_row_the_words_and_the_way_on(capsys: pytest.CaptureFixture[str]) -> None:
    error = TallyError(CARRIER_REJECTED, row=16, carrier_code="120201", carrier_message="Invalid address").body
    text, code = concluded(job(status=JobStatus.FAILED, error=error), Path("/my data"))
    assert code == 1
    assert capsys.readouterr().err == (
        "E-3001 (row 16): The carrier refused the shipment (120201): Invalid address."
        " Correct the row and submit it again, or resume if the carrier was wrong.\n"
    )
    assert "tally show k3v9q2m8xw1dabcd 16 --data '/my data'" in text
    assert "tally resume k3v9q2m8xw1dabcd --data '/my data'" in text


def test_a_job_that_is_done_says_how_to_print_its_labels() -> None:
    text, code = concluded(job(status=JobStatus.COMPLETED, rows=RowCounts(total=2, shipped=1, skipped=1)))
    assert code == 0
    assert "tally labels k3v9q2m8xw1dabcd -o labels.pdf   its labels, to print them" in text
    nothing, _ = concluded(job(status=JobStatus.COMPLETED, rows=RowCounts(total=2, skipped=2)))
    assert "tally labels" not in nothing


def test_a_job_that_was_never_taken_in_offers_no_way_on() -> None:
    text, code = concluded(job(status=JobStatus.FAILED, started_at=None))
    assert (text, code) == ("", 1)


def test_a_job_that_awaits_approval_says_how_to_give_it() -> None:
    text, code = concluded(job(status=JobStatus.AWAITING_APPROVAL, started_at=None))
    assert code == 4
    assert "tally approve k3v9q2m8xw1dabcd   ship it" in text


def test_a_cancelled_job_says_so() -> None:
    assert "was cancelled" in concluded(job(status=JobStatus.CANCELLED))[0]


def test_a_pace_counts_from_when_it_first_saw_the_job() -> None:
    moments = iter([10.0, 12.0])
    pace = Pace(clock=lambda: next(moments))
    assert pace.remaining(50) is None
    pace.note(100)
    pace.note(110)
    assert pace.rate == 5.0
    line = status_line(job(cursor=110, rows=RowCounts(total=160)), pace, "1ZTALLY1")
    assert line == "110/160  $184.20  5.0 rows/s  0:10 left  1ZTALLY1"


@given(st.floats(min_value=0, max_value=1e7))
def test_any_time_left_can_be_shown(seconds: float) -> None:
    assert clock_time(seconds).count(":") in {1, 2}


def test_without_a_terminal_progress_is_a_line_at_every_tenth() -> None:
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    with shown_progress(console) as on_change:
        for cursor in range(31):
            on_change(job(cursor=cursor), None)
    assert len(console.export_text().splitlines()) == 10


def test_on_a_terminal_progress_is_a_bar_that_leaves_nothing_behind() -> None:
    console = Console(width=WIDTH, force_terminal=True, file=io.StringIO())
    with shown_progress(console) as on_change:
        on_change(job(), row(15))


def test_the_ledger_holds_where_each_row_was_sold_once_under_its_number() -> None:
    rows = [row(1), row(2), row(3), row(4)]

    def sold(number: int, *, voided: bool = False, tracking: str | None = None) -> dict[str, object]:
        numbers = [tracking or row(number).tracking_numbers[0]]
        return {"reference": row(number).reference, "tracking_numbers": numbers, "voided": voided}

    assert check_ledger(rows, [sold(1), sold(2), sold(3), sold(4), sold(4, voided=True)]).holds
    check = check_ledger(rows, [sold(1), sold(2), sold(2), sold(4, tracking="1ZOTHER")])
    assert (check.holds, check.once, check.never, check.twice, check.wrong) == (False, 2, (3,), (2,), (4,))
    assert "never sold: 3; sold twice: 2; other number: 4" in str(ledger_line(check))
    assert not check_ledger([], []).holds


def test_a_written_back_file_shows_what_tells_orders_apart_and_what_was_written(tmp_path: Path) -> None:
    orders = tmp_path / "orders.csv"
    orders.write_text("order,name,zip,tracking_number,shipped_at\nT-1,Zoë,01001,1ZTALLY1,2026-11-21T10:15:30Z\n")
    lines = printed(written_back(orders)).splitlines()
    assert lines[0].split() == ["order", "name", "tracking_number", "shipped_at"]
    assert lines[1].split() == ["T-1", "Zoë", "1ZTALLY1", "2026-11-21T10:15:30Z"]


DEATH = Death("shipper", 7, "was ended by SIGKILL", 0.52, Path("/data/logs/shipper.log"))
HOUSE = HouseRecord(
    supervisor_pid=1, nats_url="nats://token@bus:4222", carrier_url="http://127.0.0.1:9000", data_dir="/data"
)


def test_a_death_is_told_in_one_line() -> None:
    said: list[str] = []
    announcer = TextAnnouncer(said.append, lambda _: "", clock=lambda: AT)
    announcer.died(DEATH)
    announcer.runs_again(ProcessRecord(name="shipper", pid=8, state=ProcessState.RUNNING))
    now = f"{AT.astimezone():%H:%M:%S}"
    assert said == [
        f"{now} shipper (pid 7) was ended by SIGKILL; restart in 0.5 s; see logs/shipper.log",
        f"{now} shipper (pid 8) runs again",
    ]


def test_a_program_is_told_in_json_lines() -> None:
    said: list[str] = []
    announcer = JsonAnnouncer(said.append, clock=lambda: AT)
    announcer.died(DEATH)
    assert [json.loads(line) for line in said] == [
        {
            "event": "died",
            "at": "2026-11-21T10:15:30+00:00",
            "name": "shipper",
            "pid": 7,
            "how": "was ended by SIGKILL",
            "restart_in": 0.5,
            "log": "/data/logs/shipper.log",
        }
    ]


def test_what_is_up_is_told_with_what_to_type_next_and_no_secret() -> None:
    text = up_block(HOUSE, sandbox=True, steps=["tally ship orders.csv --data d"])
    assert "nats://bus:4222" in text
    assert "token" not in text
    assert "tally ship orders.csv --data d" in text
