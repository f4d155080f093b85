"""The label store: a folder or an S3 bucket, by obstore; invoices are kept beside their labels."""

from __future__ import annotations

import asyncio
import math
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import urlparse

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

from services.shipper.carriers.carrier import Label
from shared.clock import steady_now

_DROPPED_AT_ONCE = 500
_NO_NAME = re.compile(r"[/\\\x00-\x1f\x7f]")
_LONGEST_NAME = 60
_PROBE = ".ready"
_BELIEVED_FOR = 60.0


@dataclass(frozen=True)
class LabelPart:
    """Some bytes of a label that is `size` bytes long; `tag` changes when it is stored again."""

    content: bytes
    size: int
    tag: str


class LabelStore:
    """Keeps labels under `<job>/<row>-<tracking number>.<format>`, relative to the store's URL.

    A commercial invoice is `<job>/<row>-<shipment id>-invoice.pdf`.
    """

    def __init__(self, url: str) -> None:
        self._store: ObjectStore
        if url.startswith("file:"):
            folder = Path(urlparse(url).path)
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._folder: Path | None = folder
            self._store = LocalStore(folder)
        else:
            self._folder = None
            self._store = from_url(url)
        self._written_at = -math.inf

    async def put(self, job_id: str, row_number: int, label: Label) -> str:
        """Store a label, whole or not at all; its key. The same label again replaces itself."""
        key = f"{job_id}/{row_number:07d}-{_named(label.tracking_number)}.{label.format}"
        await obstore.put_async(self._store, key, label.image)
        return key

    async def put_invoice(self, job_id: str, row_number: int, shipment_id: str, invoice: bytes) -> str:
        """Store a shipment's commercial invoice (PDF); its key."""
        key = f"{job_id}/{row_number:07d}-{_named(shipment_id)}-invoice.pdf"
        await obstore.put_async(self._store, key, invoice)
        return key

    async def read(self, key: str, offset: int, most: int) -> LabelPart:
        """Up to `most` bytes of what is stored under `key`, from `offset` on.

        Raises FileNotFoundError, or the store's error: for an offset behind the end, too.
        """
        found = await obstore.get_async(self._store, key, options={"range": (offset, offset + most)})
        return LabelPart(bytes(await found.bytes_async()), found.meta["size"], found.meta["e_tag"] or "")

    async def unwritable(self) -> str | None:
        """Why no label can be stored, or None; a bucket is written to for that, once in _BELIEVED_FOR seconds.

        Raises the store's error.
        """
        if self._folder is not None:
            return None if os.access(self._folder, os.W_OK | os.X_OK) else f"{self._folder} cannot be written to"
        if steady_now() - self._written_at > _BELIEVED_FOR:
            await obstore.put_async(self._store, _PROBE, b"")
            self._written_at = steady_now()
        return None

    async def drop(self, job_id: str) -> tuple[int, bool]:
        """Delete labels and invoices of a job, a bounded number; how many, and whether some are left."""
        if self._folder is not None:
            return await asyncio.to_thread(_drop_files, self._folder / job_id)
        keys: list[str] = []
        async for listed in obstore.list(self._store, prefix=f"{job_id}/", chunk_size=_DROPPED_AT_ONCE):
            keys = [entry["path"] for entry in listed]
            break
        if keys:
            await obstore.delete_async(self._store, keys)
        return len(keys), len(keys) == _DROPPED_AT_ONCE


def _named(number: str) -> str:
    """A carrier's number as a part of a file's name: a label that is paid for is kept whatever the carrier calls it."""
    return _NO_NAME.sub("-", number)[:_LONGEST_NAME]


def _drop_files(folder: Path) -> tuple[int, bool]:
    """The first files of the folder, what a broken-off upload left there, too; with the last ones the folder itself."""
    try:
        with os.scandir(folder) as entries:
            found = [Path(entry.path) for entry in islice(entries, _DROPPED_AT_ONCE)]
    except FileNotFoundError:
        return 0, False
    for path in found:
        path.unlink(missing_ok=True)
    if len(found) == _DROPPED_AT_ONCE:
        return len(found), True
    with suppress(FileNotFoundError):
        folder.rmdir()
    return len(found), False
