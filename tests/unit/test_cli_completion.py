"""Shell completion as it is installed into a bash and used there."""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.unit.cli_stand_ins import job, scripted_house
from tests.unit.terminals import ROOT, Terminal, on_a_terminal

PROMPT = "ready> "

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with `tally` on its PATH."""
    program = tmp_path / "bin" / "tally"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m services.cli "$@"\n')
    program.chmod(0o755)
    return tmp_path


@asynccontextmanager
async def bash(home: Path, **environment: str) -> AsyncIterator[Terminal]:
    """An interactive bash that has read what completion installed."""
    path = f"{home / 'bin'}:{os.environ['PATH']}"
    program = ("bash", "--rcfile", str(home / ".bashrc"), "-i")
    async with on_a_terminal(*program, cwd=home, width=200, HOME=str(home), PATH=path, **environment) as terminal:
        terminal.type(f"PS1='{PROMPT}'; bind 'set enable-bracketed-paste off'; tally --install-completion; exit")
        await terminal.until("Completion will take effect")
        await terminal.end()
    async with on_a_terminal(*program, cwd=home, width=200, HOME=str(home), PATH=path, **environment) as terminal:
        terminal.type(f"bind 'set enable-bracketed-paste off'; PS1='{PROMPT}'")
        await terminal.until(f"\n{PROMPT}")
        yield terminal


async def test_bash_completes_commands_options_and_states(home: Path) -> None:
    async with bash(home) as terminal:
        terminal.press("tally expl\t")
        await terminal.until("tally explain ")
        terminal.press("E-301\t\t")
        await terminal.until("E-3010  E-3011  E-3012  E-3013")
        terminal.press("\x15tally rows last --sta\t")
        await terminal.until("tally rows last --status ")
        terminal.press("in_d\t")
        await terminal.until("in_doubt ")


async def test_bash_completes_the_ids_of_jobs(home: Path) -> None:
    async with scripted_house(home) as (house, _), bash(home, TALLY_NATS_URL=house.url) as terminal:
        house.jobs = {"k3v9q2m8xw1dabcd": job()}
        terminal.press("tally show k3v\t")
        await terminal.until("tally show k3v9q2m8xw1dabcd ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_a_completion_for_each_shell(shell: str, home: Path) -> None:
    environment = {"_TALLY_COMPLETE": f"source_{shell}", "PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-m", "services.cli"],
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"complete_{shell}" in done.stdout
