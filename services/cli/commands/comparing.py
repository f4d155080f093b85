"""`tally preview --compare`."""

from __future__ import annotations

import asyncio
from pathlib import Path

from services.cli.commands.shipping import Manner
from services.cli.finding import client_of
from services.cli.outcomes import ExitCode, print_json
from services.cli.preview_progress import shown_preview
from services.cli.rendering.comparison import comparison
from services.cli.requests import Wish, to_request
from services.cli.terminal import output
from shared.clock import utc_now
from shared.contracts.documents import ComparisonDocument


def compare(wish: Wish, manner: Manner) -> int:
    """Show what a source's rows would cost by each service; nothing is kept."""
    request = to_request(wish, Path.cwd(), utc_now())

    async def ask_house() -> ComparisonDocument:
        async with client_of(manner.data) as client:
            with shown_preview(output(), quiet=manner.as_json) as bar:
                return await client.compare(request, on_progress=bar.heard)

    document = asyncio.run(ask_house())
    if manner.as_json:
        print_json(document.model_dump(mode="json"))
    else:
        output().print(comparison(document))
    return ExitCode.DONE
