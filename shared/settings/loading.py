"""Reads a process's settings."""

from __future__ import annotations

from typing import TypeVar

from pydantic import ValidationError

from shared import failpoints
from shared.errors import SETTINGS_INVALID, TallyError
from shared.settings.service import ServiceSettings

SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


def load(model: type[SettingsT]) -> SettingsT:
    """The settings of one service; raises E-5002 that names the first bad one, never its value."""
    failpoints.armed()
    try:
        return model()
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = "TALLY_" + "__".join(str(part).upper() for part in first["loc"])
        raise TallyError(SETTINGS_INVALID, setting=name, reason=first["msg"]) from error
