"""`--errors-out FILE`: the orders of a source that cannot ship, written to a file before anything else is done."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text

from services.cli.files.errors import write_errors
from services.cli.rendering.wording import plural
from services.cli.terminal import output
from shared.client import TallyClient
from shared.contracts.documents import InspectionDocument
from shared.contracts.requests import JobRequest


async def list_errors(client: TallyClient, request: JobRequest, path: Path, *, quiet: bool) -> InspectionDocument:
    """Write every order that cannot ship to `path`, and say so unless `quiet`; what the source is. Raises E-5007."""
    document, refused = await client.inspect_whole(request)
    write_errors(refused, path)
    if not quiet:
        output().print(Text(f"{plural(len(refused), 'row')} that cannot ship written to {path}."), soft_wrap=True)
    return document
