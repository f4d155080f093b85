"""`tally …` as a process of its own, forked from one that has the command line imported already.

A test types hundreds of commands, and Python's start and its imports are most of what one costs. Each has its own
process, working directory, environment and streams all the same.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired
from typing import IO

from tests.integration.forking import FORKS
from tests.integration.tally_commands import InheritedFile, run

_STOPS_WITHIN = 10.0


def run_tally(*arguments: str, cwd: Path, environment: dict[str, str], timeout: float) -> CompletedProcess[str]:
    """Run `tally …` to its end, with nothing to read; what it printed and its exit code."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output, tempfile.TemporaryFile("w+") as errors:
        process = _start(arguments, cwd, environment, output, errors)
        process.join(timeout)
        if process.exitcode is None:
            _end(process)
            raise TimeoutExpired(["tally", *arguments], timeout, _text(output), _text(errors))
        return CompletedProcess(["tally", *arguments], process.exitcode, _text(output), _text(errors))


@contextmanager
def printing_tally(*arguments: str, cwd: Path, environment: dict[str, str]) -> Iterator[IO[str]]:
    """Run `tally …` beside the block, which reads what it prints; killed at the block's end."""
    reading, writing = os.pipe()
    lines = os.fdopen(reading, encoding="utf-8")  # closed by whoever reads it last
    with os.fdopen(writing, "w") as output, Path(os.devnull).open("w") as nowhere:
        process = _start(arguments, cwd, environment, output, nowhere)
    try:
        yield lines
    finally:
        _end(process)


def _start(
    arguments: tuple[str, ...], cwd: Path, environment: dict[str, str], output: IO[str], errors: IO[str]
) -> ForkServerProcess:
    streams = (InheritedFile(output.fileno()), InheritedFile(errors.fileno()))
    process = FORKS.Process(target=run, args=(arguments, str(cwd), environment, *streams), daemon=True)
    process.start()
    return process


def _end(process: ForkServerProcess) -> None:
    process.kill()
    process.join(_STOPS_WITHIN)


def _text(file: IO[str]) -> str:
    file.seek(0)
    return file.read()
