"""Whoever waits for a preview: told how far it is, where they named an inbox for that."""

from __future__ import annotations

from nats.aio.client import Client

from shared.contracts.api import CompareServices, PreviewProgress, PreviewSource


async def tell(client: Client, call: PreviewSource | CompareServices, progress: PreviewProgress) -> None:
    """Publish how far the preview of `call` is."""
    if call.progress is not None:
        await client.publish(call.progress, progress.encode())
