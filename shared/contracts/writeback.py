"""What writeback reports after it applied the commands it had for a source."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared.contracts.message import JobId, Message, RowNumber
from shared.errors import ErrorBody


class RowWritten(BaseModel):
    """One row's write-back outcome; `error` is set where `status` is failed."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    job_id: JobId
    row_number: RowNumber
    row_version: int
    status: Literal["written", "failed"]
    error: ErrorBody | None = None


class SourceWritten(Message):
    """One flush to one source, on `tally.outcomes.writeback.<source hash>`."""

    source_hash: str
    rows: tuple[RowWritten, ...]
