"""What is typed and how commands end, where no house is needed."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tomllib
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from services.cli.commands.house import status_document
from services.cli.documents import ServiceDocument, StatusDocument
from services.cli.finding import House, find_house
from services.cli.house.record import HouseRecord, ProcessRecord, ProcessState, write_record
from services.cli.outcomes import INTERRUPTED, error_lines, exit_code_of_error, exit_code_of_job, guard
from services.cli.rendering.jobs import services_table
from services.cli.requests import Wish, to_request
from services.cli.sources import parse_source
from services.cli.terminal import ask, command, meaning
from shared.bus.connecting import BusAccess
from shared.contracts.documents import RowCounts
from shared.contracts.source import CsvSource, DatabaseSource, ExcelSource, ParquetSource, Source
from shared.contracts.states import JobMode, JobStatus, RowStatus
from shared.errors import (
    BUS_TIMEOUT,
    BUS_UNREACHABLE,
    IN_DOUBT,
    JOB_AMBIGUOUS,
    JOB_NOT_FOUND,
    ErrorBody,
    TallyError,
)
from shared.version import VERSION
from tests.unit.cli_stand_ins import job

NOW = datetime(2026, 11, 21, 10, 15, 30, tzinfo=UTC)


def tally(*words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("TALLY_")}
    own["PYTHONPATH"] = str(Path(__file__).parents[2])
    return subprocess.run(
        [sys.executable, "-m", "services.cli", *words],
        cwd=cwd,
        env=own | environment,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        check=False,
    )


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("orders.csv", CsvSource(path="orders.csv")),
        ("orders.TSV", CsvSource(path="orders.TSV")),
        ("sub/orders.xlsx", ExcelSource(path="sub/orders.xlsx")),
        ("orders.parquet", ParquetSource(path="orders.parquet")),
        ("shop.orders", DatabaseSource(connection="shop", table="orders")),
        ("shop.public.orders", DatabaseSource(connection="shop", table="public.orders")),
        ("db:shop/my orders.csv", DatabaseSource(connection="shop", table="my orders.csv")),
    ],
)
def test_a_source_is_told_by_how_it_is_typed(text: str, source: Source, tmp_path: Path) -> None:
    assert parse_source(text, tmp_path) == source


def test_a_sheet_and_a_file_beside_are_for_workbooks(tmp_path: Path) -> None:
    wanted = ExcelSource(path="orders.xlsm", sheet="Today", write_back="sidecar")
    assert parse_source("orders.xlsm", tmp_path, "Today", sidecar=True) == wanted
    assert parse_source("orders.parquet", tmp_path, sidecar=True) == ParquetSource(path="orders.parquet")
    for sheet, sidecar in (("Today", False), (None, True)):
        with pytest.raises(TallyError, match=r"E-2020: .*orders\.csv is no workbook"):
            parse_source("orders.csv", tmp_path, sheet, sidecar=sidecar)


def test_a_dialect_that_is_named_goes_with_a_csv_file_and_with_no_other(tmp_path: Path) -> None:
    wish = Wish("orders.csv", delimiter="tab", quote="'", encoding="windows-1252")
    wanted = CsvSource(path="orders.csv", delimiter="\t", quote="'", encoding="windows-1252")
    assert to_request(wish, tmp_path, NOW).source == wanted
    with pytest.raises(TallyError, match=r"E-2020: .*only a CSV file has any"):
        to_request(Wish("orders.xlsx", encoding="utf-8"), tmp_path, NOW)
    for delimiter in ("tabs", "x", ""):
        with pytest.raises(TallyError, match=r"E-2020: .*one character"):
            to_request(Wish("orders.csv", delimiter=delimiter), tmp_path, NOW)


def test_a_file_that_is_here_is_named_by_its_absolute_path(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("a\n")
    assert parse_source("orders.csv", tmp_path) == CsvSource(path=str(tmp_path / "orders.csv"))


def test_a_key_goes_with_a_table_and_nothing_else(tmp_path: Path) -> None:
    request = to_request(Wish("shop.orders", key="order_no"), tmp_path, NOW)
    assert request.source == DatabaseSource(connection="shop", table="orders", key="order_no")
    with pytest.raises(TallyError, match=r"E-2020: .*key order_no: only a table of a database has one"):
        to_request(Wish("orders.csv", key="order_no"), tmp_path, NOW)


@pytest.mark.parametrize("name", ["orders.json", "orders", "my orders"])
def test_a_file_of_no_known_kind_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("x")
    with pytest.raises(TallyError, match="E-1007"):
        parse_source(name, tmp_path)


def test_a_folder_is_said_to_be_a_folder(tmp_path: Path) -> None:
    for name in ("samples", "orders.csv"):
        (tmp_path / name).mkdir()
        with pytest.raises(TallyError, match=rf"E-1002: {name} cannot be read: it is a folder"):
            parse_source(name, tmp_path)


def test_a_name_that_no_file_can_have_is_unreadable(tmp_path: Path) -> None:
    for wish in (Wish("x" * 5000 + ".csv"), Wish("orders.csv", mapping="x" * 5000 + ".yaml")):
        with pytest.raises(TallyError, match=r"E-1002: x{80} cannot be read: File name too long"):
            to_request(wish, tmp_path, NOW)


def test_a_quote_of_several_characters_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(TallyError, match=r"E-2020: .*: delimiter and quote are one character each"):
        to_request(Wish("orders.csv", quote="xx"), tmp_path, NOW)


@pytest.mark.parametrize("name", ["orders.json", "shop.XML", "orders.xls"])
def test_what_is_named_like_a_file_is_no_table(name: str, tmp_path: Path) -> None:
    with pytest.raises(TallyError, match=rf"E-1007: Sources of kind \.{name.split('.')[1]} are"):
        parse_source(name, tmp_path)


@given(st.text())
def test_anything_typed_is_a_source_or_refused(text: str) -> None:
    with suppress(TallyError):
        assert parse_source(text, Path("/nowhere")).kind in {"csv", "excel", "parquet", "database"}


def test_a_wish_becomes_a_request_of_its_own(tmp_path: Path) -> None:
    first, second = (to_request(Wish("orders.csv", where="zip = '01002'"), tmp_path, NOW) for _ in range(2))
    assert first.request_id.startswith("orders-20261121-101530-")
    assert first.request_id != second.request_id
    assert (first.name, first.where, first.mode, first.mapping) == (
        "orders.csv",
        "zip = '01002'",
        JobMode.CONFIRM,
        "auto",
    )


def test_what_to_type_names_the_program_as_it_can_be_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "my bin" / "tally"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr("sys.argv", [str(program)])
    monkeypatch.setenv("PATH", "/usr/bin")
    assert command("show", "last") == f"'{program}' show last"
    monkeypatch.setenv("PATH", str(program.parent))
    assert command("show", "last", data=Path("a b")) == "tally show last --data 'a b'"


@pytest.mark.parametrize(
    ("answer", "means"),
    [("y", True), (" YES ", True), ("n", False), ("No", False), ("", False), ("yep", None), ("2", None)],
)
def test_an_answer_is_yes_or_no_or_neither(answer: str, means: bool | None) -> None:
    assert meaning(answer) is means


@pytest.mark.parametrize(("answers", "taken"), [("what\ny\n", True), ("a\nb\n\n", False), ("a\nb\nc\ny\n", None)])
def test_a_question_is_asked_three_times_at_most(
    answers: str, taken: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answers))
    assert ask("Ship 2 rows?") is taken


def test_a_mapping_file_that_is_here_is_named_by_its_absolute_path(tmp_path: Path) -> None:
    (tmp_path / "map.yaml").write_text("")
    assert to_request(Wish("orders.csv", mapping="map.yaml"), tmp_path, NOW).mapping == str(tmp_path / "map.yaml")


def test_a_request_id_that_no_request_can_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TallyError, match="E-2020: The job request is malformed: request_id"):
        to_request(Wish("orders.csv", request_id="x" * 201), tmp_path, NOW)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TallyError(BUS_UNREACHABLE, url="nats://bus"), 3),
        (TallyError(BUS_TIMEOUT, service="coordinator", subject="tally.api.list", seconds=2), 3),
        (TallyError(IN_DOUBT, reference="T1", reason="lost"), 4),
        (TallyError(JOB_AMBIGUOUS, prefix="a", job_ids="ab, ac"), 2),
        (TallyError(JOB_NOT_FOUND, job_id="a"), 1),
    ],
)
def test_an_error_has_its_exit_code(error: TallyError, code: int) -> None:
    assert exit_code_of_error(error.body) == code


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (JobStatus.COMPLETED, 0),
        (JobStatus.COMPLETED_WITH_WARNINGS, 0),
        (JobStatus.RUNNING, 0),
        (JobStatus.FAILED, 1),
        (JobStatus.CANCELLED, 1),
        (JobStatus.AWAITING_APPROVAL, 4),
        (JobStatus.PAUSED, 4),
        (JobStatus.INTERRUPTED, 4),
    ],
)
def test_a_job_has_its_exit_code(status: JobStatus, code: int) -> None:
    assert exit_code_of_job(job(status=status)) == code


def test_a_row_in_doubt_needs_a_person() -> None:
    assert exit_code_of_job(job(status=JobStatus.FAILED, rows=RowCounts(total=2, in_doubt=1))) == 4


def test_an_error_is_one_line_and_its_details_are_below_it() -> None:
    detail = ErrorBody(code="E-2011", message="zip is\nmissing.", action="Fill it in.", row=3)
    error = ErrorBody(code="E-2010", message="1 of 2 rows cannot ship.", action="Correct it.", details=(detail,))
    assert error_lines(error) == [
        "E-2010: 1 of 2 rows cannot ship. Correct it.",
        "  E-2011 (row 3): zip is missing. Fill it in.",
    ]


def test_of_an_error_with_many_parts_a_terminal_gets_the_first_ones() -> None:
    parts = tuple(ErrorBody(code="E-2011", message="city is missing.", action="", row=row) for row in range(1, 1501))
    error = ErrorBody(code="E-2010", message="1500 rows cannot ship.", action="", details=parts)
    assert len(error_lines(error)) == 1501
    lines = error_lines(error, most=20)
    assert lines[:21] == error_lines(error)[:21]
    assert lines[21:] == ["  … and 1,480 more"]
    assert error_lines(error, most=1500) == error_lines(error)


def raising(error: BaseException) -> int:
    raise error


def test_what_nobody_foresaw_is_a_line_and_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert guard(lambda: raising(ZeroDivisionError("by\nzero")), as_json=False) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("E-5090: Something unforeseen went wrong: ZeroDivisionError by zero.")
    assert len(err.splitlines()) == 1


def test_a_failure_inside_a_group_is_told_as_itself(capsys: pytest.CaptureFixture[str]) -> None:
    group = ExceptionGroup("tasks", [ExceptionGroup("inner", [TallyError(JOB_NOT_FOUND, job_id="a")])])
    assert guard(lambda: raising(group), as_json=True) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "E-4003"


def test_ctrl_c_has_the_shells_own_exit_code() -> None:
    assert guard(lambda: raising(KeyboardInterrupt()), as_json=False) == INTERRUPTED


def record_in(data_dir: Path, nats_url: str, *services: ProcessRecord) -> HouseRecord:
    record = HouseRecord(
        supervisor_pid=1,
        nats_url=nats_url,
        carrier_url="http://127.0.0.1:9",
        data_dir=str(data_dir),
        services=services,
    )
    write_record(record)
    return record


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("TALLY_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_a_house_is_found_by_its_data_directory(tmp_path: Path) -> None:
    (tmp_path / ".tally").mkdir()
    record = record_in(tmp_path / ".tally", "nats://127.0.0.1:1")
    assert find_house(None) == House(BusAccess("nats://127.0.0.1:1"), tmp_path / ".tally", 10.0, record)


def test_a_house_is_found_by_the_data_directory_that_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record_in(tmp_path, "nats://127.0.0.1:1")
    monkeypatch.setenv("TALLY_DATA_DIR", str(tmp_path))
    assert find_house(None).bus.url == "nats://127.0.0.1:1"


def test_an_address_that_is_set_comes_before_the_data_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_in(tmp_path, "nats://127.0.0.1:1")
    monkeypatch.setenv("TALLY_NATS_URL", "nats://127.0.0.1:2")
    assert find_house(tmp_path) == House(BusAccess("nats://127.0.0.1:2"), tmp_path, 10.0, None)
    monkeypatch.setenv("TALLY_NATS_URL", "nats://127.0.0.1:1")
    assert find_house(tmp_path).record is not None


def test_status_says_that_a_recorded_process_is_gone(tmp_path: Path) -> None:
    gone = ProcessRecord(name="shipper", pid=os.getpid(), create_time=1.0, state=ProcessState.RUNNING)
    waiting = ProcessRecord(name="writeback", state=ProcessState.RESTARTING)
    record = record_in(tmp_path, "nats://127.0.0.1:1", gone, waiting)
    assert status_document(House(BusAccess(record.nats_url), tmp_path, 10.0, record), []).model_dump(mode="json") == {
        "services": [
            {"name": "shipper", "pid": None, "state": "stopped", "host": None},
            {"name": "writeback", "pid": None, "state": "restarting", "host": None},
        ],
        "nats_url": "nats://127.0.0.1:1",
        "carrier_url": "http://127.0.0.1:9",
        "console_url": None,
        "data_dir": str(tmp_path),
    }


def test_status_without_a_record_lists_who_answers(tmp_path: Path) -> None:
    shippers = [
        ServiceDocument(name="shipper", pid=7, state=ProcessState.RUNNING, host=host) for host in ("c68d", "d1f0")
    ]
    document = status_document(House(BusAccess("nats://bus:4222"), tmp_path, 10.0, None), shippers)
    assert document.services == tuple(shippers)
    assert document.carrier_url is None


@pytest.mark.parametrize(("hosts", "told"), [(("c68d", "d1f0"), True), ((None, None), False)])
def test_processes_of_several_machines_are_told_apart_by_their_hosts(hosts: tuple[str | None, ...], told: bool) -> None:
    services = tuple(ServiceDocument(name="shipper", pid=7, state=ProcessState.RUNNING, host=host) for host in hosts)
    printed = io.StringIO()
    document = StatusDocument(
        services=services, nats_url="nats://bus", carrier_url=None, console_url=None, data_dir="d"
    )
    Console(file=printed, width=100).print(services_table(document))
    lines = [line.split() for line in printed.getvalue().splitlines()]
    assert lines[0] == ["Service", "State", *(["Host"] if told else []), "Pid"]
    assert [line[2:] for line in lines[1:3]] == [[*([host] if host else []), "7"] for host in hosts]


def test_without_a_house_a_command_says_what_to_do_and_exits_3(tmp_path: Path) -> None:
    done = tally("jobs", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("E-4001: The bus at an unknown address (no house in ")
    assert len(done.stderr.splitlines()) == 1


def test_a_bus_that_is_away_is_an_error_document_in_json(tmp_path: Path) -> None:
    done = tally("status", "--json", cwd=tmp_path, TALLY_NATS_URL="nats://127.0.0.1:1")
    assert (done.returncode, done.stderr) == (3, "")
    assert json.loads(done.stdout)["error"]["code"] == "E-4001"


def test_a_house_without_a_carrier_does_not_start(tmp_path: Path) -> None:
    done = tally("up", "--data", str(tmp_path / "house"), cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("E-5001: No carrier is configured.")
    assert not (tmp_path / "house").exists()


@pytest.mark.parametrize("words", [["frobnicate"], ["ship"], ["ship", "a.csv", "--mode", "maybe"], ["jobs", "--nope"]])
def test_a_command_typed_wrong_exits_2(words: list[str], tmp_path: Path) -> None:
    done = tally(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert "Usage: tally" in done.stderr


def test_the_version_told_is_the_packages(tmp_path: Path) -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION
    assert tally("--version", cwd=tmp_path).stdout == f"tally {VERSION}\n"


@pytest.mark.parametrize(("words", "states"), [("jobs", JobStatus), ("rows", RowStatus)])
def test_help_breaks_no_state_in_two(words: str, states: type[JobStatus | RowStatus], tmp_path: Path) -> None:
    text = tally(words, "--help", cwd=tmp_path, COLUMNS="80").stdout
    assert all(f"{state}" in text for state in states)
    assert "STATE" in text


def test_a_previews_help_speaks_of_no_shipping(tmp_path: Path) -> None:
    text = tally("preview", "--help", cwd=tmp_path, COLUMNS="80").stdout
    assert "A CSV or Parquet file" in text
    assert "Ship " not in text
    assert "Ctrl-C stops following; the job goes on." in tally("ship", "--help", cwd=tmp_path, COLUMNS="80").stdout


def test_help_lists_every_command(tmp_path: Path) -> None:
    commands = "up status demo preview ship approve reject jobs show rows watch pause resume restart cancel void"
    text = tally("--help", cwd=tmp_path).stdout
    assert all(f" {command} " in text for command in commands.split())
