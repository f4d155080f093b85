"""Reading labels and invoices from the label store: core request and reply on `tally.labels.get`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Base64Bytes, Field, StringConstraints

from shared.contracts.message import Message
from shared.errors import ErrorBody

# A folder of one job's, and no way out of it.
LabelKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}/[^/\\\x00-\x1f]+\.[a-z]{1,5}$", max_length=200)]
# In base64 it stays well below the megabyte that NATS takes as one message.
CHUNK_SIZE = 512 * 1024


class GetLabel(Message):
    """Read a label or an invoice by its key, at most CHUNK_SIZE bytes of it from `offset` on."""

    key: LabelKey
    offset: Annotated[int, Field(ge=0)] = 0


class LabelChunk(Message):
    """Some bytes of a label that is `size` bytes long, or why there are none.

    `tag` is the same for all chunks unless the label was stored again in between.
    """

    content: Base64Bytes = b""
    size: int = 0
    tag: str = ""
    error: ErrorBody | None = None
