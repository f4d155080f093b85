"""What a cancelled job bought: listed, with the offer to give it back."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from itertools import islice

from rich.text import Text

from services.cli.commands.shipping import Manner
from services.cli.commands.voiding import Choice, void
from services.cli.finding import client_of
from services.cli.outcomes import ExitCode
from services.cli.rendering.jobs import next_steps
from services.cli.rendering.rows import rows_table
from services.cli.rendering.wording import money, plural
from services.cli.terminal import ask, command, is_interactive, output
from shared.contracts.documents import JobDocument, RowDocument
from shared.contracts.states import RowStatus

_LISTED = 20


def offer_void(job: JobDocument, manner: Manner) -> int:
    """List what a cancelled job bought; on a terminal ask whether to void it, else say how that is done.

    The question stands between two runs of the event loop: a loop that waits for a key answers no Ctrl-C.
    """
    rows = asyncio.run(_bought(job, manner))
    console = output()
    if not rows:
        console.print("It bought nothing.")
        return ExitCode.DONE
    console.print(rows_table(list(islice(rows, _LISTED)), estimated=False))
    if (more := len(rows) - _LISTED) > 0:
        console.print(Text(f"… and {more:,} more", style="dim"))
    labels = f"{plural(len(rows), 'label')} for {money(job.cost)}"
    if is_interactive() and not manner.yes:
        if ask(f"It bought {labels}. Void {'it' if len(rows) == 1 else 'them'}?"):
            return void(Choice(job.job_id), Manner(manner.data, yes=True))
        return ExitCode.DONE
    console.print(Text(f"It bought {labels}; {'it stays' if len(rows) == 1 else 'they stay'} bought."), soft_wrap=True)
    console.print(next_steps((command("void", job.job_id, data=manner.data), "give them back")), soft_wrap=True)
    return ExitCode.DONE


async def _bought(job: JobDocument, manner: Manner) -> list[RowDocument]:
    async with client_of(manner.data) as client, aclosing(client.rows(job.job_id, status=RowStatus.SHIPPED)) as rows:
        return [row async for row in rows]
