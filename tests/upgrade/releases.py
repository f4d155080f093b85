"""A rig whose processes are of several releases."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.house_settings import ROOT, service
from tests.crash.rig import Rig


@dataclass(frozen=True)
class Release:
    """Where a release's code is; `wrapper` is a module of it that starts the service it is told."""

    root: Path = ROOT
    wrapper: str = ""

    def command(self, module: str) -> tuple[str, ...]:
        """What starts one of its services."""
        return (*service(self.wrapper), module) if self.wrapper else service(module)


THIS = Release()
NEXT = Release(wrapper="tests.upgrade.next_release")


@dataclass
class MixedRig(Rig):
    """`releases` are those of the processes, by name, that are not of this one."""

    releases: dict[str, Release] = field(default_factory=dict)

    async def upgrade(self, name: str) -> None:
        """Have a process of another release end, and one of this release take its place."""
        process = self.processes[name]
        await process.stop()
        await process.start(PYTHONPATH=str(ROOT))

    def _command_of(self, name: str, role: str) -> tuple[str, ...]:
        return self.releases.get(name, THIS).command(f"services.{role}")

    def _own_settings(self, name: str) -> dict[str, str]:
        return {"PYTHONPATH": str(self.releases.get(name, THIS).root)}


def previous_release() -> str | None:
    """The tag of the release before this one; None while there are fewer than two."""
    tags = _git("tag", "--list", "v*", "--sort=version:refname").split()
    if len(tags) < 2:
        return None
    here = _git("rev-parse", "HEAD")
    return tags[-2] if _git("rev-parse", f"{tags[-1]}^{{commit}}") == here else tags[-1]


@contextmanager
def checked_out(commit: str, folder: Path) -> Iterator[Release]:
    """A release's code in `folder`."""
    _git("worktree", "add", "--detach", "--force", str(folder), commit)
    try:
        yield Release(root=folder)
    finally:
        _git("worktree", "remove", "--force", str(folder))


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()
