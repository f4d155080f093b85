"""The label store: a folder or an S3 bucket, by obstore; invoices are kept beside their labels."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlparse

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

from services.shipper.carriers.carrier import Label


class LabelStore:
    """Keeps labels under `<job>/<row>-<tracking number>.<format>`, relative to the store's URL.

    A commercial invoice is `<job>/<row>-<shipment id>-invoice.pdf`.
    """

    def __init__(self, url: str) -> None:
        self._store: ObjectStore
        if url.startswith("file:"):
            folder = Path(urlparse(url).path)
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._store = LocalStore(folder)
        else:
            self._store = from_url(url)

    async def put(self, job_id: str, row_number: int, label: Label) -> str:
        """Store a label, whole or not at all; its key. The same label again replaces itself."""
        key = f"{job_id}/{row_number:07d}-{label.tracking_number}.{label.format}"
        await obstore.put_async(self._store, key, label.image)
        return key

    async def put_invoice(self, job_id: str, row_number: int, shipment_id: str, invoice: bytes) -> str:
        """Store a shipment's commercial invoice (PDF); its key."""
        key = f"{job_id}/{row_number:07d}-{shipment_id}-invoice.pdf"
        await obstore.put_async(self._store, key, invoice)
        return key
