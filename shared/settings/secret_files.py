"""Settings from files: `TALLY_X_FILE` names the file that has the value of `TALLY_X`.

What a file holds goes into the settings only, never into the environment: that is handed on to every process that is
started, and can be read from outside.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

from shared.errors import SETTINGS_INVALID, TallyError

_PREFIX = "TALLY_"
_SUFFIX = "_FILE"


@dataclass(frozen=True)
class ExposedFile:
    """A file with a secret that every user of the machine can read, and the setting that names it."""

    setting: str
    path: Path


def exposed_secret_files() -> tuple[ExposedFile, ...]:
    """Those of the `TALLY_X_FILE` files that others than their owner and group can read."""
    named = [ExposedFile(name, Path(path)) for name, path in _named_files()]
    return tuple(file for file in named if file.path.stat().st_mode & stat.S_IROTH)


def settings_from_files(model: type[BaseSettings]) -> PydanticBaseSettingsSource:
    """The settings that files hold, named as in the environment. Raises E-5002 for a file that cannot be read."""
    source = EnvSettingsSource(model)
    source.env_vars = {name.removesuffix(_SUFFIX).lower(): _content(name, path) for name, path in _named_files()}
    return source


def _named_files() -> list[tuple[str, str]]:
    """Each `TALLY_X_FILE` of the environment and the path that it names."""
    return [(name, path) for name, path in os.environ.items() if name.startswith(_PREFIX) and name.endswith(_SUFFIX)]


def _content(setting: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise TallyError(SETTINGS_INVALID, setting=setting, reason=error.strerror or "unreadable") from error
    except UnicodeDecodeError as error:
        raise TallyError(SETTINGS_INVALID, setting=setting, reason="not text in UTF-8") from error
