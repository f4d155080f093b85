"""A fresh clone in a folder, prepared as a person does it, whose containers' times are cut short."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
_PARTS = (".dockerignore", "docker-compose.yml", "deploy", "requirements", "services", "shared")

# With the defaults a call counts as possibly sold for a minute after its claim.
_SHORT_TIMES = """\
services:
  shipper:
    environment:
      TALLY_CARRIER__SEND_WITHIN: "2"
      TALLY_CARRIER__CALL_TIMEOUT: "4"
      TALLY_CARRIER__TCP_USER_TIMEOUT: "1"
      TALLY_CARRIER__COMMIT_MARGIN: "0.5"
"""


def make_project(folder: Path) -> None:
    """Put the files that the images and the compose file need into `folder`, and run deploy/prepare there."""
    for part in _PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "secrets"))
        else:
            shutil.copy2(ROOT / part, folder / part)
    (folder / "docker-compose.override.yml").write_text(_SHORT_TIMES)
    prepare(folder)


def prepare(folder: Path) -> str:
    """Run deploy/prepare in a project; what it printed."""
    return subprocess.run(["deploy/prepare"], cwd=folder, capture_output=True, text=True, check=True).stdout


def give(path: Path, owner: Path) -> None:
    """Have `path` belong to whom `owner` belongs to, where the tests run as root."""
    if os.getuid() == 0:
        whose = owner.stat()
        os.chown(path, whose.st_uid, whose.st_gid)
