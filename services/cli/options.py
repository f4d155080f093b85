"""Options and arguments that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="The house's data directory (default: TALLY_DATA_DIR, else .tally)."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Detach = Annotated[bool, typer.Option("--detach", help="Do not follow the job; it goes on by itself.")]
Job = Annotated[str, typer.Argument(metavar="JOB", help="A job id, the beginning of one, or last.")]
SourceText = Annotated[
    str,
    typer.Argument(metavar="SOURCE", help="A CSV, Excel or Parquet file, or connection.table of a database."),
]
Where = Annotated[
    str | None, typer.Option("--where", metavar="SQL", help="Ship only the rows that this condition holds for.")
]
Map = Annotated[str, typer.Option("--map", metavar="MAPPING", help="A mapping's name or YAML file.", show_default=True)]
Service = Annotated[
    str | None, typer.Option("--service", metavar="LEVEL", help="Ship every row by this service, such as ground.")
]
Reship = Annotated[bool, typer.Option("--reship", help="Ship again what is already shipped.")]
