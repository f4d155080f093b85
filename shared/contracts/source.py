"""Where orders are: a file under a source root, or a table of a named connection (DESIGN §6)."""

from __future__ import annotations

import hashlib
from pathlib import PurePath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator


class _Source(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


Character = Annotated[str, StringConstraints(min_length=1, max_length=1, pattern=r"^[^\w\r\n\x00]$")]


class CsvSource(_Source):
    """A CSV file; `path` is relative to a source root, or absolute inside one.

    Delimiter, quote and encoding (a Python codec's name, such as `utf-8`, `utf-16`, `cp1252`) are detected where they
    are null; a job's source has what it was read with. With quote '' nothing is quoted.
    """

    kind: Literal["csv"] = "csv"
    path: str = Field(min_length=1)
    delimiter: Character | None = None
    quote: Character | Literal[""] | None = None
    encoding: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None = None

    @model_validator(mode="after")
    def _tell_apart(self) -> CsvSource:
        if self.delimiter is not None and self.delimiter == self.quote:
            raise ValueError("delimiter and quote must not be the same character")
        return self


class ExcelSource(_Source):
    """One sheet of a workbook, or one table, by name; the first sheet that is shown where `sheet` is null.

    Tracking numbers go into the workbook, or with `write_back` sidecar into a CSV file beside it.
    """

    kind: Literal["excel"] = "excel"
    path: str = Field(min_length=1)
    sheet: str | None = None
    write_back: Literal["source", "sidecar"] = "source"


class ParquetSource(_Source):
    """A Parquet file, read only: tracking numbers go into a CSV file beside it."""

    kind: Literal["parquet"] = "parquet"
    path: str = Field(min_length=1)


class DatabaseSource(_Source):
    """A table of a connection named in the settings."""

    kind: Literal["database"] = "database"
    connection: str = Field(min_length=1)
    table: str = Field(min_length=1)
    key: str | None = None


Source = Annotated[CsvSource | ExcelSource | ParquetSource | DatabaseSource, Field(discriminator="kind")]


def source_label(source: Source) -> str:
    """The source as a person calls it: its path, or connection and table."""
    if isinstance(source, DatabaseSource):
        return f"{source.connection}.{source.table}"
    return source.path


def has_sidecar(source: Source) -> bool:
    """Whether tracking numbers go into a file beside the source instead of into it."""
    return isinstance(source, ParquetSource) or (isinstance(source, ExcelSource) and source.write_back == "sidecar")


def sidecar_name(path: str) -> str:
    """The name of that file, for the source at `path`: orders.tracking.csv for orders.xlsx."""
    return f"{PurePath(path).stem}.tracking.csv"


def written_label(source: Source) -> str:
    """What tracking numbers are written to, as a person calls it: the source, or the file beside it."""
    label = source_label(source)
    return str(PurePath(label).with_name(sidecar_name(label))) if has_sidecar(source) else label


def source_hash(source: Source) -> str:
    """Sixteen hex digits that name a source in subjects and locks; `path` is to be resolved beforehand."""
    parts = [source.kind, source_label(source)]
    if isinstance(source, ExcelSource):
        parts.append(source.sheet or "")
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
