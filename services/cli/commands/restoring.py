"""`tally restore`: puts a job's source back as it was before the job first wrote to it."""

from __future__ import annotations

import asyncio
import sys

from rich.text import Text

from services.cli.commands.shipping import Manner
from services.cli.finding import client_of, resolve_job
from services.cli.outcomes import ExitCode, print_json
from services.cli.rendering.jobs import facts
from services.cli.rendering.wording import moment, plural
from services.cli.terminal import ask, is_interactive, output, person
from shared.contracts.restoring import Restoration
from shared.errors import RESTORE_REFUSED, TallyError


def restore(job: str, manner: Manner, *, force: bool) -> int:
    """Show what is replaced, ask, and have it replaced.

    A yes on a terminal covers what was shown there; `--yes` covers the job's own numbers only, and `--force` all. The
    question stands between two runs of the event loop: a loop that waits for a key answers no Ctrl-C.
    """
    told = asyncio.run(_look(job, manner))
    if not manner.as_json:
        output().print(_shown(told))
    asked = False
    if not (manner.yes or force):
        if manner.as_json or not is_interactive():
            if manner.as_json:
                print_json(told.model_dump(mode="json"))
            hint = "Nothing was restored. Add --yes to restore without being asked."
            print(hint, file=sys.stderr)  # noqa: T201 - a command line's output
            return ExitCode.PERSON_NEEDED
        asked = ask(f"Put {told.path} back as it was?") is True
        if not asked:
            output().print("Nothing was restored.")
            return ExitCode.FAILED
    if (losses := told.losses()) and not (asked or force):
        raise TallyError(RESTORE_REFUSED, path=told.path, losses="; ".join(losses))
    done = asyncio.run(_restore(told, manner, force=asked or force))
    if manner.as_json:
        print_json(done.model_dump(mode="json"))
        return ExitCode.DONE
    console = output()
    console.print(Text(f"{done.path} is as it was on {moment(done.taken_at)}."), soft_wrap=True)
    if done.kept_as is not None:
        console.print(Text(f"The file that it replaced is kept as {done.kept_as}."), soft_wrap=True)
    return ExitCode.DONE


async def _look(job: str, manner: Manner) -> Restoration:
    async with client_of(manner.data) as client:
        found = await resolve_job(client, job)
        return await client.restore(found.job_id)


async def _restore(told: Restoration, manner: Manner, *, force: bool) -> Restoration:
    async with client_of(manner.data) as client:
        return await client.restore(told.job_id, told.digest, force=force, by=person())


def _shown(told: Restoration) -> object:
    grid = facts()
    grid.add_row("File", Text(told.path + ("" if told.digest else " (gone)")))
    grid.add_row("Backup", Text(f"{told.backup}, of {moment(told.taken_at)}"))
    grid.add_row("Numbers", f"{plural(told.numbers, 'tracking number')} go; the job keeps them")
    for loss in told.losses():
        grid.add_row(Text("Also lost", style="red"), Text(loss, style="red"))
    return grid
