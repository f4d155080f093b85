"""Answers for the label store as a whole: the labels of a job that is purged."""

from __future__ import annotations

from obstore.exceptions import BaseError as LabelStoreError

from services.shipper.labels import LabelStore
from shared.contracts.purging import DropLabels, LabelsDropped
from shared.errors import LABELS_NOT_DELETED, TallyError


class LabelKeeping:
    """Deletes what is to be kept no longer."""

    def __init__(self, labels: LabelStore) -> None:
        self._labels = labels

    async def drop(self, body: bytes) -> bytes:
        """From a DropLabels' body to a LabelsDropped's; asking again does no harm."""
        call = DropLabels.model_validate_json(body)
        try:
            dropped, more = await self._labels.drop(call.job_id)
        except (LabelStoreError, OSError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            return LabelsDropped(error=TallyError(LABELS_NOT_DELETED, job_id=call.job_id, reason=reason).body).encode()
        return LabelsDropped(dropped=dropped, more=more).encode()
