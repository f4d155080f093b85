"""Labels read over the bus: whole however large, and nothing but labels."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from services.shipper.carriers.carrier import Label
from services.shipper.label_keeping import LabelKeeping
from services.shipper.labels import LabelStore
from shared.client import TallyClient
from shared.contracts import subjects
from shared.contracts.labels import CHUNK_SIZE, GetLabel, LabelChunk
from shared.errors import LABEL_GONE, LABEL_UNREADABLE, REQUEST_MALFORMED, TallyError

JOB = "k3v9q2m8xw1dabcd"


@asynccontextmanager
async def keeping(connection: Client, url: str, folder: Path) -> AsyncIterator[tuple[LabelStore, TallyClient]]:
    """A label store in `folder` that is read by a client over the bus."""
    store = LabelStore(f"file://{folder}")
    answerer = LabelKeeping(store)

    async def answer(message: Msg) -> None:
        await message.respond(await answerer.get(message.data))

    subscription = await connection.subscribe(subjects.LABELS_GET, cb=answer)
    async with await TallyClient.connect(url) as client:
        yield store, client
    await subscription.unsubscribe()


@pytest.mark.parametrize("size", [1, CHUNK_SIZE, CHUNK_SIZE * 2 + 1])
async def test_a_label_of_any_size_is_read_whole(client: Client, nats_url: str, tmp_path: Path, size: int) -> None:
    content = random.Random(size).randbytes(size)
    async with keeping(client, nats_url, tmp_path) as (store, reader):
        key = await store.put(JOB, 17, Label("1Z TALLY_1", "pdf", content))
        assert await reader.label(key) == content


async def test_a_label_that_is_gone_or_unreadable_is_named(client: Client, nats_url: str, tmp_path: Path) -> None:
    async with keeping(client, nats_url, tmp_path) as (store, reader):
        key = await store.put(JOB, 1, Label("1ZTALLY1", "gif", b"GIF89a"))
        (tmp_path / key).unlink()
        with pytest.raises(TallyError) as caught:
            await reader.label(key)
        assert (caught.value.kind, key in str(caught.value)) == (LABEL_GONE, True)
        (tmp_path / key).mkdir()
        with pytest.raises(TallyError) as caught:
            await reader.label(key)
        assert caught.value.kind in {LABEL_GONE, LABEL_UNREADABLE}


@pytest.mark.parametrize("number", ["1Z/../../../evil", "1Z\n9", "1Z\\9", "1Z" + "9" * 300])
async def test_a_label_of_whatever_number_is_kept_in_its_jobs_folder(
    client: Client, nats_url: str, tmp_path: Path, number: str
) -> None:
    async with keeping(client, nats_url, tmp_path) as (store, reader):
        key = await store.put(JOB, 1, Label(number, "gif", b"GIF89a"))
        assert await reader.label(key) == b"GIF89a"
        invoice = await store.put_invoice(JOB, 1, number, b"%PDF-1.4")
        assert await reader.label(invoice) == b"%PDF-1.4"
    assert all(stored.startswith(f"{JOB}/") and stored.count("/") == 1 for stored in (key, invoice))


@pytest.mark.parametrize("key", ["../jobs.db", "k3v9/../../jobs.db", "/etc/passwd.txt", "k3v9/a/b.gif", "k3v9/..", ""])
async def test_nothing_outside_a_jobs_folder_can_be_asked_for(tmp_path: Path, key: str) -> None:
    (tmp_path / "jobs.db").write_text("secret")
    call = GetLabel.model_construct(key=key, offset=0, version=1)
    chunk = LabelChunk.model_validate_json(
        await LabelKeeping(LabelStore(f"file://{tmp_path}/labels")).get(call.encode())
    )
    assert (chunk.content, chunk.error and chunk.error.code) == (b"", REQUEST_MALFORMED.code)
