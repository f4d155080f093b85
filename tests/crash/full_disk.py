"""A file system that is full, for a while: a small tmpfs filled up where one can be mounted, else a limit on the
size of files that one process may write."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from tests.crash.process import Process

_SIZE = "4m"
_CHUNK = b"\0" * 65536


class SmallDisk:
    """A folder on a file system of its own, where the machine lets one be mounted (as root)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mounted = False

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        options = ["-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(self.folder)]
        done = subprocess.run(["mount", *options], capture_output=True, check=False)
        self.mounted = done.returncode == 0
        return self

    def __exit__(self, *_: object) -> None:
        if self.mounted:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)

    @property
    def how(self) -> str:
        """How it is filled."""
        return "tmpfs filled up" if self.mounted else "limit on the size of files"

    @contextmanager
    def full_for(self, process: Process) -> Iterator[None]:
        """Within the block `process` cannot make its files there any larger."""
        filled = self._filled() if self.mounted else _limited(process)
        with filled:
            yield

    @contextmanager
    def _filled(self) -> Iterator[None]:
        filler = self.folder / "filler"
        with filler.open("wb", buffering=0) as file:
            chunk = _CHUNK
            while chunk:
                try:
                    file.write(chunk)
                except OSError:
                    chunk = chunk[: len(chunk) // 2]
        try:
            yield
        finally:
            filler.unlink()


@contextmanager
def _limited(process: Process) -> Iterator[None]:
    pid = process.pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
