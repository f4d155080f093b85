"""What a forked `tally` runs, with every command imported: see tally_process.py."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from multiprocessing import reduction
from typing import Any, Self

import services.cli
from services.cli.main import main

for _module in pkgutil.walk_packages(services.cli.__path__, "services.cli."):
    if not _module.name.endswith("__main__"):
        importlib.import_module(_module.name)


class InheritedFile:
    """A file that a process which is being started takes over."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return _taken_over, (reduction.DupFd(self.number),)

    @classmethod
    def become(cls, given: Self, number: int) -> None:
        """Have this process's `number` be the file."""
        os.dup2(given.number, number)
        os.close(given.number)


def _taken_over(duplicate: Any) -> InheritedFile:
    return InheritedFile(duplicate.detach())


def run(
    arguments: tuple[str, ...],
    folder: str,
    environment: dict[str, str],
    output: InheritedFile,
    errors: InheritedFile,
) -> None:
    """Be `tally ARGUMENTS` in `folder`, with nothing to read."""
    InheritedFile.become(output, 1)
    InheritedFile.become(errors, 2)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", closefd=False)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["tally", *arguments]
    main()
