"""Answers for the label store: labels that a client prints, the labels of a job that is purged."""

from __future__ import annotations

from base64 import b64encode

from obstore.exceptions import BaseError as LabelStoreError
from pydantic import ValidationError

from services.shipper.labels import LabelStore
from shared.contracts.labels import CHUNK_SIZE, GetLabel, LabelChunk
from shared.contracts.purging import DropLabels, LabelsDropped
from shared.errors import LABEL_GONE, LABEL_UNREADABLE, LABELS_NOT_DELETED, REQUEST_MALFORMED, TallyError


class LabelKeeping:
    """Hands out what is kept, and deletes what is to be kept no longer."""

    def __init__(self, labels: LabelStore) -> None:
        self._labels = labels

    async def get(self, body: bytes) -> bytes:
        """From a GetLabel's body to a LabelChunk's."""
        try:
            call = GetLabel.model_validate_json(body)
        except ValidationError:
            return LabelChunk(error=TallyError(REQUEST_MALFORMED, reason="no key of a label").body).encode()
        try:
            part = await self._labels.read(call.key, call.offset, CHUNK_SIZE)
        except FileNotFoundError:
            return LabelChunk(error=TallyError(LABEL_GONE, key=call.key).body).encode()
        except (LabelStoreError, OSError) as error:
            unreadable = TallyError(LABEL_UNREADABLE, key=call.key, reason=_told(error))
            return LabelChunk(error=unreadable.body).encode()
        return LabelChunk(content=b64encode(part.content), size=part.size, tag=part.tag).encode()

    async def drop(self, body: bytes) -> bytes:
        """From a DropLabels' body to a LabelsDropped's; asking again does no harm."""
        call = DropLabels.model_validate_json(body)
        try:
            dropped, more = await self._labels.drop(call.job_id)
        except (LabelStoreError, OSError) as error:
            return LabelsDropped(
                error=TallyError(LABELS_NOT_DELETED, job_id=call.job_id, reason=_told(error)).body
            ).encode()
        return LabelsDropped(dropped=dropped, more=more).encode()


def _told(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
