"""Reads a process's settings."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from shared import failpoints
from shared.errors import SETTINGS_INVALID, TallyError
from shared.settings.service import ServiceSettings

SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


def _secrets_from_files() -> None:
    """Put the content of each file that `TALLY_X_FILE` names into `TALLY_X`."""
    for name, path in _secret_files():
        try:
            os.environ[name.removesuffix("_FILE")] = Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise TallyError(SETTINGS_INVALID, setting=name, reason=error.strerror or "unreadable") from error
        except UnicodeDecodeError as error:
            raise TallyError(SETTINGS_INVALID, setting=name, reason="not text in UTF-8") from error


def _secret_files() -> list[tuple[str, str]]:
    """Each `TALLY_X_FILE` of the environment and the path that it names."""
    return [(name, path) for name, path in os.environ.items() if name.startswith("TALLY_") and name.endswith("_FILE")]


@dataclass(frozen=True)
class ExposedFile:
    """A file with a secret that every user of the machine can read, and the setting that names it."""

    setting: str
    path: Path


def exposed_secret_files() -> tuple[ExposedFile, ...]:
    """Those of the `TALLY_X_FILE` files that others than their owner and group can read."""
    named = [ExposedFile(name, Path(path)) for name, path in _secret_files()]
    return tuple(file for file in named if file.path.stat().st_mode & stat.S_IROTH)


def load(model: type[SettingsT]) -> SettingsT:
    """The settings of one service; raises E-5002 that names the first bad one, never its value."""
    _secrets_from_files()
    failpoints.armed()
    try:
        return model()
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = "TALLY_" + "__".join(str(part).upper() for part in first["loc"])
        raise TallyError(SETTINGS_INVALID, setting=name, reason=first["msg"]) from error
