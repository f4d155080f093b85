"""`tally shell` at a terminal and with lines piped in, against a house that answers as it is told to."""

import asyncio
import signal
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from services.cli.session import Session, current_session, entered, note_started, session_mode
from services.cli.shell.completing import SessionCompleter
from shared.contracts.events import EventType
from shared.contracts.states import JobMode, JobStatus
from tests.unit.cli_stand_ins import dollars, job, row, scripted_house
from tests.unit.terminals import ROOT, Terminal, tally_on_a_terminal

JOB = "k3v9q2m8xw1dabcd"
PROMPT = "tally (confirm)>"


def piped(lines: str, cwd: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services.cli", "shell", *options],
        input=lines,
        cwd=cwd,
        env={"PYTHONPATH": str(ROOT), "HOME": str(cwd), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def answered(terminal: Terminal, line: str, *told: str, prompt: str = PROMPT) -> None:
    """Type a line at the prompt and wait for what it is answered with."""
    await terminal.until(prompt)
    terminal.type(line)
    for words in told:
        await terminal.until(words)


def test_a_session_knows_its_mode_and_what_it_started() -> None:
    assert (current_session(), session_mode()) == (None, JobMode.CONFIRM)
    note_started(JOB)
    with entered(Session(JobMode.AUTO)) as _:
        note_started(JOB)
        note_started(JOB)
        session = current_session()
        assert session is not None
        assert (session_mode(), session.started) == (JobMode.AUTO, [JOB])
    assert current_session() is None


def test_piped_lines_are_obeyed_and_the_last_ones_exit_code_is_the_sessions(tmp_path: Path) -> None:
    done = piped("explain E-4001\n\ntally explain E-3012  # a comment\nset mode auto\nset mode never\n", tmp_path)
    assert "E-4001  Bus unreachable" in done.stdout
    assert "Batches of this session ship at once" in done.stdout
    assert done.stderr.endswith("Type set mode confirm or set mode auto; the mode is auto.\n")
    assert done.returncode == 2
    assert "tally (" not in done.stdout


def test_a_session_goes_on_after_what_it_does_not_know(tmp_path: Path) -> None:
    done = piped("frobnicate\nship 'orders.csv\nshell\njobs\nset mode confirm\n", tmp_path)
    assert "No such command 'frobnicate'" in done.stderr
    assert "That line cannot be read: No closing quotation." in done.stderr
    assert "This is a session already." in done.stderr
    assert "E-4001" in done.stderr
    assert done.returncode == 0


def test_in_json_every_line_is_answered_by_a_document(tmp_path: Path) -> None:
    done = piped("set mode auto\nexplain E-4001\nquit\njobs\n", tmp_path, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith('{\n  "mode": "auto"\n}\n{\n  "code": "E-4001"')


async def test_the_prompt_shows_the_mode_and_a_new_session_knows_nothing_of_it(tmp_path: Path) -> None:
    async with tally_on_a_terminal("shell", cwd=tmp_path) as terminal:
        await answered(terminal, "set mode auto", "ship at once")
        await answered(terminal, "exit", prompt="tally (auto)>")
        assert (await terminal.end())[0] == 0
    async with tally_on_a_terminal("shell", cwd=tmp_path) as terminal:
        await terminal.until("tally (confirm)>")


async def test_commands_are_typed_without_the_word_tally_and_told_so(tmp_path: Path) -> None:
    async with scripted_house(tmp_path) as (house, _):
        house.jobs = {JOB: job(status=JobStatus.PAUSED, mode=JobMode.CONFIRM)}
        async with tally_on_a_terminal("shell", cwd=tmp_path, TALLY_NATS_URL=house.url) as terminal:
            await answered(terminal, f"pause {JOB}", "is paused", f"resume {JOB}")
            assert f"tally resume {JOB}" not in terminal.said


async def test_the_mode_stays_while_a_batch_of_this_session_runs(tmp_path: Path) -> None:
    async with scripted_house(tmp_path) as (house, _):
        house.jobs = {JOB: job(status=JobStatus.RUNNING)}
        async with tally_on_a_terminal("shell", cwd=tmp_path, TALLY_NATS_URL=house.url) as terminal:
            await answered(terminal, "set mode auto", "ship at once")
            await answered(terminal, f"resume {JOB} --detach", "goes on by itself", prompt="tally (auto)>")
            refused = f"E-4032: The mode stays auto: job {JOB}, which this session started, is running at row 15 of 30."
            await answered(terminal, "set mode confirm", refused, prompt="tally (auto)>")
            house.jobs[JOB] = job(status=JobStatus.COMPLETED)
            await answered(terminal, "set mode confirm", "ask before they ship", prompt="tally (auto)>")
            await terminal.until("tally (confirm)>")


async def interrupted(terminal: Terminal, words: str) -> None:
    """Press Ctrl-C until the command says `words`.

    A person presses it again, too: before Python 3.12 `asyncio.wait_for` drops a cancellation that comes in the same
    moment as what is waited for.
    """
    for _ in range(4):
        terminal.process.send_signal(signal.SIGINT)
        with suppress(TimeoutError):
            async with asyncio.timeout(10):
                await terminal.until(words)
                return
    raise AssertionError(f"{words!r} was not said")


async def test_ctrl_c_ends_the_command_and_not_the_session(tmp_path: Path) -> None:
    async with scripted_house(tmp_path) as (house, _):
        house.jobs = {JOB: job(status=JobStatus.RUNNING)}
        async with tally_on_a_terminal("shell", cwd=tmp_path, TALLY_NATS_URL=house.url) as terminal:
            await answered(terminal, f"watch {JOB}", "15/30")
            await interrupted(terminal, f"Detached; job {JOB} goes on by itself.")
            await answered(terminal, "half a li\x03explain E-3012", "E-3012  Row abandoned")
            await terminal.until(PROMPT)
            terminal.press("\x04")
            assert (await terminal.end())[0] == 0


async def test_yes_and_switch_to_auto_approves_and_changes_the_mode(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("name\nAnn\n")
    async with scripted_house(tmp_path) as (house, _):
        waiting = job(status=JobStatus.AWAITING_APPROVAL, started_at=None, cursor=0)
        done = job(status=JobStatus.COMPLETED, cursor=30)
        house.jobs = {JOB: waiting}
        house.results = {"approve": {JOB: done}}
        async with tally_on_a_terminal("shell", cwd=tmp_path, TALLY_NATS_URL=house.url) as terminal:
            await answered(terminal, "ship orders.csv")
            request = await house.requests.get()
            house.jobs[JOB] = waiting.model_copy(update={"request_id": request["request_id"]})
            await house.say(EventType.ACCEPTED, house.jobs[JOB])
            await terminal.until("Ship 30 rows for about $372.00? [y/N/a: yes, and switch to auto] ")
            house.jobs[JOB] = done
            terminal.type("a")
            await terminal.until("Batches of this session ship at once from here on.")
            await terminal.until("tally (auto)>")
        seen = dollars("372.00").model_dump(mode="json")
        assert [body["estimate"] for call, body in house.calls if call == "approve"] == [seen]


async def test_what_was_typed_is_kept_for_its_owner_only(tmp_path: Path) -> None:
    data = tmp_path / ".tally"
    data.mkdir()
    async with tally_on_a_terminal("shell", cwd=tmp_path) as terminal:
        await answered(terminal, "explain E-3012", "Row abandoned")
        await answered(terminal, "exit")
        await terminal.end()
    history = data / "shell_history"
    assert "explain E-3012" in history.read_text()
    assert stat.S_IMODE(history.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("line", "among"),
    [
        ("", {"ship", "set", "help", "exit"}),
        ("sh", {"ship", "show", "shell"}),
        ("tally sh", {"ship", "show"}),
        ("set mode ", {"confirm", "auto"}),
        ("help ship", {"ship"}),
        ("ship orders.csv --mo", {"--mode"}),
        ("ship orders.csv --mode a", {"auto"}),
        ("rows last --status in_", {"in_flight", "in_doubt"}),
    ],
)
def test_tab_completes_commands_options_and_states(line: str, among: set[str]) -> None:
    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.document import Document

    found = SessionCompleter().get_completions(Document(line), CompleteEvent(completion_requested=True))
    assert among <= {completion.text for completion in found}


async def test_what_a_cancelled_job_bought_is_listed_with_the_offer_to_void_it(tmp_path: Path) -> None:
    async with scripted_house(tmp_path) as (house, _client):
        house.jobs = {JOB: job(status=JobStatus.CANCELLED)}
        house.rows = [row(1), row(2)]
        async with tally_on_a_terminal("cancel", JOB, cwd=tmp_path, TALLY_NATS_URL=house.url) as terminal:
            await terminal.until("It bought 2 labels for $184.20. Void them? [y/N] ")
            terminal.type("n")
            assert (await terminal.end())[0] == 0
        assert "void" not in [call for call, _ in house.calls]
