"""Options and arguments that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.cli import completion

Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="The house's data directory (default: TALLY_DATA_DIR, else .tally)."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Detach = Annotated[bool, typer.Option("--detach", help="Do not follow the job; it goes on by itself.")]
Job = Annotated[
    str, typer.Argument(metavar="JOB", help="A job id, the beginning of one, or last.", autocompletion=completion.jobs)
]
SourceText = Annotated[
    str,
    typer.Argument(metavar="SOURCE", help="A CSV or Parquet file, an Excel workbook, or a table as CONNECTION.TABLE."),
]
Sheet = Annotated[
    str | None, typer.Option("--sheet", metavar="NAME", help="A workbook's sheet or table (default: its first sheet).")
]
Sidecar = Annotated[
    bool,
    typer.Option("--sidecar", help="Write tracking numbers into a CSV file beside the workbook."),
]
Delimiter = Annotated[
    str | None,
    typer.Option("--delimiter", metavar="CHAR", help="A CSV file's delimiter: a character or tab (default: detected)."),
]
Quote = Annotated[
    str | None,
    typer.Option("--quote", metavar="CHAR", help="A CSV file's quote character, or none (default: detected)."),
]
Encoding = Annotated[
    str | None,
    typer.Option("--encoding", metavar="NAME", help="A CSV file's encoding, such as windows-1252 (default: detected)."),
]
Key = Annotated[
    str | None,
    typer.Option("--key", metavar="COLUMN", help="What tells a table's rows apart (default: its primary key)."),
]
Where = Annotated[
    str | None, typer.Option("--where", metavar="SQL", help="Only the rows that this condition holds for.")
]
Map = Annotated[
    str,
    typer.Option(
        "--map", metavar="MAPPING", help="A mapping's name or YAML file; auto: by the columns.", show_default=True
    ),
]
Service = Annotated[
    str | None,
    typer.Option(
        "--service",
        metavar="LEVEL",
        help="Every row by this service, such as ground; cheapest, or cheapest-by:DAY, chooses for each row.",
    ),
]
Include = Annotated[
    list[str] | None,
    typer.Option(
        "--include", metavar="REASON", help="Orders that the mapping leaves out for REASON, such as fulfilled, too."
    ),
]
SkipInvalid = Annotated[bool, typer.Option("--skip-invalid", help="Leave out rows that cannot ship; the others do.")]
ErrorsOut = Annotated[
    Path | None,
    typer.Option("--errors-out", metavar="FILE", help="Write every row that cannot ship to FILE, a .csv or .xlsx."),
]
Expand = Annotated[bool, typer.Option("--expand", help="Show under each row its warnings in full.")]
AllRows = Annotated[bool, typer.Option("--all", help="Show every row, not only the first 20.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Go ahead without asking.")]
Reship = Annotated[bool, typer.Option("--reship", help="Rows that are already shipped, too.")]
