"""`tally verify`: a job's tracking numbers against its source."""

from __future__ import annotations

import asyncio

from rich.console import Group, RenderableType
from rich.text import Text

from services.cli.commands.shipping import Manner
from services.cli.finding import client_of, resolve_job
from services.cli.following import await_write_back
from services.cli.outcomes import ExitCode, print_json
from services.cli.rendering.wording import plural
from services.cli.terminal import output, person
from shared.contracts.documents import UnverifiedRow, VerificationDocument
from shared.contracts.source import written_label

_SHOWN = 20


def verify(job: str, manner: Manner) -> int:
    """Compare, have written again what lacks, wait for that, compare once more; whether every number stands there."""
    found = asyncio.run(_verified(job, manner))
    if manner.as_json:
        print_json(found.model_dump(mode="json"))
    else:
        output().print(_told(found))
    return ExitCode.DONE if found.agrees else ExitCode.FAILED


async def _verified(job: str, manner: Manner) -> VerificationDocument:
    async with client_of(manner.data) as client:
        named = await resolve_job(client, job)
        first = await client.verify(named.job_id, by=person())
        if not first.rewritten:
            return first
        await await_write_back(client, named)
        again = await client.verify(named.job_id, rewrite=False)
        return again.model_copy(update={"rewritten": first.rewritten})


def _told(found: VerificationDocument) -> RenderableType:
    label = written_label(found.source)
    wanting = found.missing + found.other + found.gone
    total = found.matching + wanting
    lines = [Text(f"{found.matching:,} of {plural(total, 'tracking number')} in {label}.", style="bold")]
    if found.rewritten:
        lines.append(
            Text(f"{plural(found.rewritten, 'number')} lacked there or had to be cleared, and went out again.")
        )
    styles = {True: "dim", False: "red"}
    lines += [Text(_row(row, label), style=styles[row.verdict == "replaced"]) for row in found.rows[:_SHOWN]]
    if (more := wanting + found.replaced + found.voided - _SHOWN) > 0:
        lines.append(Text(f"… and {more:,} more", style="dim"))
    for count, what in (
        (found.due, "on the way there"),
        (found.removed, "left out of it by a restore or for a later job's"),
    ):
        if count:
            lines.append(Text(f"{plural(count, 'number')} {what}.", style="dim"))
    return Group(*lines)


def _row(row: UnverifiedRow, label: str) -> str:
    place = f"Row {row.row_number} (row {row.source_row} of the source)"
    match row.verdict:
        case "missing":
            return f"{place}: {row.tracking_number} is missing in {label}."
        case "other":
            return f"{place}: {label} has {row.found} instead of {row.tracking_number}; nothing was overwritten."
        case "gone":
            return f"{place}: not found in {label} any more; its number is {row.tracking_number}."
        case "voided":
            return f"{place}: {label} has {row.tracking_number}, whose label is voided."
        case "replaced":
            return (
                f"{place}: shipped again by job {row.later_job}, whose {row.found} takes the place of "
                f"{row.tracking_number}."
            )
