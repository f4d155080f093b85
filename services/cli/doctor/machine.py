"""The machine, as far as the house or its settings are on it: the disk, files with secrets, the folder of the data."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from services.cli.doctor.finding import Finding, look, ok, problem
from shared.settings import exposed_secret_files

ROOM_TO_LOOK_AT = 2 * 1024**3
ROOM_TOO_LITTLE = 256 * 1024**2
_GIBIBYTE = 1024**3
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def findings(data_dir: Path | None) -> list[Finding]:
    """What is to be said of this machine; `data_dir` where a house has its data on it."""
    found = list(_secrets())
    if data_dir is not None and data_dir.is_dir():
        found += [_room(data_dir), *_open_folder(data_dir)]
    return found


def _secrets() -> Iterator[Finding]:
    for exposed in exposed_secret_files():
        yield look(
            "secrets",
            f"{exposed.path} ({exposed.setting}) can be read by every user of this machine.",
            f"chmod 600 {exposed.path}",
        )


def _room(data_dir: Path) -> Finding:
    free = shutil.disk_usage(data_dir).free
    what = f"{free / _GIBIBYTE:.1f} GiB free for {data_dir}."
    do = "Make room: a full disk stops the bus and the job database. tally purge forgets old jobs."
    if free < ROOM_TOO_LITTLE:
        return problem("disk", what, do)
    return look("disk", what, do) if free < ROOM_TO_LOOK_AT else ok("disk", what)


def _open_folder(data_dir: Path) -> Iterator[Finding]:
    if data_dir.stat().st_mode & _OTHERS:
        yield look(
            "data",
            f"Other users of this machine can look into {data_dir}: it has recipients' names and streets.",
            f"chmod 700 {data_dir}",
        )
