"""Records: what was done, by whom, and for how long it is kept."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from services.cli.options import Data, Json, Yes
from services.cli.panels.running import run_with_offer

PANEL = "Records"
commands = typer.Typer()

_VERIFY = "verify"
_HASH = re.compile(r"[0-9a-fA-F]{64}")


class _Format(StrEnum):
    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"


@commands.command(rich_help_panel=PANEL)
def audit(
    job: Annotated[
        str, typer.Argument(metavar="JOB|verify", help="A job id, the beginning of one, or last; or verify.")
    ],
    of: Annotated[
        str | None, typer.Argument(metavar="[JOB]", help="With verify: the job to check (default: every job).")
    ] = None,
    row: Annotated[int | None, typer.Option("--row", metavar="N", min=1, help="Only what concerns this row.")] = None,
    form: Annotated[
        _Format | None, typer.Option("--format", help="How to print it (default: a table; into a file JSON lines).")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it to this file, .jsonl or .csv.")
    ] = None,
    head: Annotated[
        str | None, typer.Option("--head", metavar="HASH", help="With verify: a head that it printed before.")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show who did what and when in a job, every call to the carrier and every write-back.

    `tally audit verify` checks that nothing in the trails was changed, added or removed.
    """
    from services.cli.commands import auditing

    if job == _VERIFY:
        if row is not None or form is not None or file is not None:
            raise typer.BadParameter("verify takes a JOB only")
        if head is not None and _HASH.fullmatch(head) is None:
            raise typer.BadParameter("--head takes the 64 digits that verify printed")
        run_with_offer(lambda: auditing.verify(of, head, data, as_json=as_json), data, as_json=as_json)
    if of is not None or head is not None:
        raise typer.BadParameter("give one JOB, or verify [JOB]")
    if file is not None and form is _Format.TABLE:
        raise typer.BadParameter("a file takes jsonl or csv")
    excerpt = auditing.Excerpt(job, row, None if form is None else form.value, file)
    run_with_offer(lambda: auditing.show(excerpt, data, as_json=as_json), data, as_json=as_json)


@commands.command(rich_help_panel=PANEL)
def purge(
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="TIME", help="How long jobs have been over: 90d, 12w or 36h.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and leave it.")] = False,
    yes: Yes = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Remove personal data, labels and ledger entries of jobs long over.

    Counts, costs, tracking numbers and the audit trail stay, and so does the knowledge which orders are shipped.
    """
    from services.cli.commands import purging
    from services.cli.commands.shipping import Manner

    try:
        age = purging.parse_age(older_than)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    manner = Manner(data, as_json, yes)
    run_with_offer(lambda: purging.purge(age, manner, dry_run=dry_run), data, as_json=as_json)
