"""The supervisor over real processes: order, restarts, a clean end, and what a killed supervisor leaves."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from services.cli.house.leftovers import end_leftovers, is_ours
from services.cli.house.lock import process_lock, supervisor_lock
from services.cli.house.process import how_it_ended, race
from services.cli.house.record import HouseRecord, ProcessRecord, ProcessState, read_record
from services.cli.house.specs import Layers, ProcessSpec, prints_listening
from services.cli.house.supervisor import Supervisor
from shared.errors import TallyError
from tests.unit.house_stand_ins import STUBBORN, Listening, polite, stubborn

WITHIN = 20.0


@asynccontextmanager
async def running(layers: Layers, data_dir: Path) -> AsyncIterator[tuple[Supervisor, Listening, asyncio.Task[None]]]:
    """A supervisor that runs until the block ends, and nothing of it afterwards."""
    announcer = Listening()
    with process_lock(data_dir, None) as inherited:
        supervisor = Supervisor(
            layers=layers,
            data_dir=data_dir,
            nats_url="nats://127.0.0.1:1",
            carrier_url=None,
            inherited=inherited,
            announcer=announcer,
        )
        task = asyncio.create_task(supervisor.run())
        try:
            yield supervisor, announcer, task
        finally:
            supervisor.stop_asked.set()
            supervisor.kill.set()
            await asyncio.wait_for(task, WITHIN)


def states(data_dir: Path) -> dict[str, str]:
    record = read_record(data_dir)
    assert record is not None
    return {service.name: service.state.value for service in record.services}


def pid_of(data_dir: Path, name: str) -> int:
    record = read_record(data_dir)
    assert record is not None
    pid = next(service.pid for service in record.services if service.name == name)
    assert pid is not None
    return pid


async def test_layers_start_one_after_the_other_and_stop_in_reverse(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    layers = ((polite("bus", journal),), (polite("carrier", journal),), (polite("service", journal),))
    async with running(layers, tmp_path) as (supervisor, announcer, task):
        await asyncio.wait_for(announcer.is_ready.wait(), WITHIN)
        assert states(tmp_path) == {"bus": "running", "carrier": "running", "service": "running"}
        supervisor.stop_asked.set()
        await asyncio.wait_for(task, WITHIN)
    assert journal.read_text().splitlines() == [
        "started bus",
        "started carrier",
        "started service",
        "ended service",
        "ended carrier",
        "ended bus",
    ]
    assert announcer.has_stopped
    assert states(tmp_path) == {"bus": "stopped", "carrier": "stopped", "service": "stopped"}


async def test_a_service_that_dies_is_announced_and_started_again(tmp_path: Path) -> None:
    layers = ((polite("service", tmp_path / "journal"),),)
    async with running(layers, tmp_path) as (_, announcer, _task):
        await asyncio.wait_for(announcer.is_ready.wait(), WITHIN)
        first = pid_of(tmp_path, "service")
        os.kill(first, signal.SIGKILL)
        death = await asyncio.wait_for(announcer.deaths.get(), WITHIN)
        assert (death.name, death.pid, death.how) == ("service", first, "was ended by SIGKILL")
        assert 0.5 <= death.restart_in <= 0.6
        assert states(tmp_path) == {"service": "restarting"}
        again = await asyncio.wait_for(announcer.returns.get(), WITHIN)
        assert again.pid == pid_of(tmp_path, "service") != first
        assert states(tmp_path) == {"service": "running"}


async def test_a_program_that_cannot_be_started_is_tried_again(tmp_path: Path) -> None:
    missing = ProcessSpec("missing", (str(tmp_path / "none"),), {}, prints_listening())
    async with running(((missing,),), tmp_path) as (_, announcer, _task):
        death = await asyncio.wait_for(announcer.deaths.get(), WITHIN)
        assert death.how == "could not be started (No such file or directory)"
        assert not announcer.is_ready.is_set()


async def test_a_second_word_kills_what_will_not_stop(tmp_path: Path) -> None:
    async with running(((stubborn("deaf"),),), tmp_path) as (_, announcer, task):
        await asyncio.wait_for(announcer.is_ready.wait(), WITHIN)
        pid = pid_of(tmp_path, "deaf")
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.wait_for(task, WITHIN)
        assert not psutil.pid_exists(pid)


async def test_a_house_told_to_stop_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    waited_for = asyncio.Event()

    async def never_ready(_: object) -> None:
        waited_for.set()
        await asyncio.Event().wait()

    silent = ProcessSpec("silent", (sys.executable, "-c", "import signal; signal.pause()"), {}, never_ready)
    async with running(((silent,), (polite("never", tmp_path / "journal"),)), tmp_path) as (supervisor, _, task):
        await asyncio.wait_for(waited_for.wait(), WITHIN)
        pid = pid_of(tmp_path, "silent")
        supervisor.stop_asked.set()
        await asyncio.wait_for(task, WITHIN)
        assert not psutil.pid_exists(pid)
        assert not (tmp_path / "journal").exists()


async def test_what_there_is_to_notice_is_told_once_the_house_runs(tmp_path: Path) -> None:
    async def notices() -> list[str]:
        supervisor.stop_asked.set()
        return ["Job 'X' was interrupted."]

    announcer = Listening()
    with process_lock(tmp_path, None) as inherited:
        supervisor = Supervisor(
            layers=((polite("good", tmp_path / "journal"),),),
            data_dir=tmp_path,
            nats_url="",
            carrier_url=None,
            inherited=inherited,
            announcer=announcer,
            notices=notices,
        )
        await asyncio.wait_for(supervisor.run(), WITHIN)
    assert announcer.is_ready.is_set()
    assert announcer.notices == ["Job 'X' was interrupted."]


async def test_a_failure_inside_ends_every_process(tmp_path: Path) -> None:
    async def failing(_: object) -> None:
        raise ZeroDivisionError

    good = polite("good", tmp_path / "journal")
    bad = ProcessSpec("bad", good.command, good.environment, failing)
    supervisor = Supervisor(
        layers=((good,), (bad,)),
        data_dir=tmp_path,
        nats_url="",
        carrier_url=None,
        inherited=os.open(os.devnull, os.O_RDONLY),
        announcer=Listening(),
    )
    try:
        with pytest.raises(ExceptionGroup):
            await asyncio.wait_for(supervisor.run(), WITHIN)
    finally:
        os.close(supervisor.inherited)
    assert set(states(tmp_path).values()) == {"stopped"}


def test_a_second_supervisor_is_refused_and_told_whose_the_directory_is(tmp_path: Path) -> None:
    with (
        supervisor_lock(tmp_path),
        pytest.raises(TallyError, match=rf"E-5005: Another tally up \(pid {os.getpid()}\)"),
        supervisor_lock(tmp_path),
    ):
        pass
    with supervisor_lock(tmp_path):
        pass


def started(code: str, *, pass_fds: tuple[int, ...] = ()) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, pass_fds=pass_fds)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def recorded(process: subprocess.Popen[bytes], **changes: object) -> ProcessRecord:
    record = ProcessRecord(
        name="deaf",
        pid=process.pid,
        create_time=psutil.Process(process.pid).create_time(),
        state=ProcessState.RUNNING,
    )
    return record.model_copy(update=changes)


def house_of(*services: ProcessRecord) -> HouseRecord:
    return HouseRecord(supervisor_pid=1, nats_url="", data_dir="", services=services)


def test_leftovers_are_ended_even_where_they_will_not_stop() -> None:
    with started(STUBBORN) as process:
        service = recorded(process)
        assert is_ours(service)
        assert end_leftovers(house_of(service), grace=0.1) == ("deaf",)
        assert not is_ours(service)
        assert process.wait(WITHIN) == -signal.SIGKILL


def test_a_process_that_is_not_provably_ours_gets_no_signal() -> None:
    with started(STUBBORN) as process:
        created = psutil.Process(process.pid).create_time()
        strangers = (
            recorded(process, create_time=created - 60),
            recorded(process, create_time=None),
            recorded(process, pid=None),
        )
        assert end_leftovers(house_of(*strangers), grace=0.1) == ()
        assert process.poll() is None
        process.kill()


def test_processes_that_live_on_keep_a_new_house_from_their_data(tmp_path: Path) -> None:
    with process_lock(tmp_path, None) as inherited:
        process = started(STUBBORN, pass_fds=(inherited,))
    with process:
        with pytest.raises(TallyError, match=r"E-5005.*pid 7, whose processes live on"), process_lock(tmp_path, 7):
            pass
        process.kill()
        process.wait(WITHIN)
        with process_lock(tmp_path, 7):
            pass


async def test_a_race_leaves_no_loser_behind() -> None:
    never = asyncio.ensure_future(asyncio.Event().wait())
    assert await race(never, asyncio.sleep(0)) == 1
    assert never.cancelled()


@pytest.mark.parametrize(
    ("returncode", "words"),
    [(0, "ended with exit code 0"), (3, "ended with exit code 3"), (-9, "was ended by SIGKILL")],
)
def test_an_end_is_told_in_words(returncode: int, words: str) -> None:
    assert how_it_ended(returncode) == words
