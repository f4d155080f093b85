"""What every message that crosses the bus shares."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

JobId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
RowNumber = Annotated[int, Field(ge=1)]
# PostgreSQL keeps no NUL in a text.
RequestId = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Attempt = Annotated[int, Field(ge=1)]
Timestamp = AwareDatetime


class Message(BaseModel):
    """A message: immutable, versioned; fields a reader does not know are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: int = 1

    def encode(self) -> bytes:
        """The message as UTF-8 JSON."""
        return self.model_dump_json().encode()
