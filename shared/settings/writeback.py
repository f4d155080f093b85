"""What writeback is told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from shared.settings.service import ServiceSettings
from shared.settings.sources import NamedConnections, Roots


class WritebackSettings(ServiceSettings):
    """Writeback: how it groups what waits for a source.

    Between two flushes of a source it rests `pace` times as long as the last one took, at least `min_wait` and at most
    `max_wait` seconds, so that neither many small flushes nor rewriting a large file crowd out shipping. A workbook is
    packed anew at every flush, so it has a pace and an utmost wait of its own. Of each file that is written to the last
    `backups` copies are kept; 0 makes none.
    """

    source_roots: Roots = (Path(),)
    connections: NamedConnections = Field(default_factory=dict)
    max_batch: Annotated[int, Field(ge=1)] = 1000
    pace: Annotated[float, Field(ge=0)] = 29.0
    min_wait: Annotated[float, Field(ge=0)] = 0.2
    max_wait: Annotated[float, Field(ge=0)] = 0.6
    excel_pace: Annotated[float, Field(ge=0)] = 49.0
    excel_max_wait: Annotated[float, Field(ge=0)] = 10.0
    backups: Annotated[int, Field(ge=0)] = 5
