"""A source's rows in a file of their own: CSV as RFC 4180 has it, which DuckDB and Python's csv read alike."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import duckdb

from shared.errors import SOURCE_EMPTY, TallyError
from shared.sources.condition_sql import quote_text
from shared.sources.csv_records import MAX_RECORD
from shared.sources.rows import FoundRow
from shared.sources.rows_folder import RowsFolder, keeping, not_kept

# Header names have no surrounding blanks: these clash with none, and no condition can name them.
_SURPLUS = " surplus"
NUMBER, SURPLUS = '" number"', f'"{_SURPLUS}"'

DELIMITER = ","
_LINE = 4 * MAX_RECORD + (1 << 16)  # bytes of the longest row as it is spooled

# The csv module's own limit is lower, and for the whole process; a field never has more characters than its record.
csv.field_size_limit(max(csv.field_size_limit(), MAX_RECORD))


@dataclass(frozen=True)
class Spool:
    """A folder with so many `rows` in a file; the folder goes with whoever has the spool."""

    folder: RowsFolder
    rows: int
    delimiter: str

    @property
    def path(self) -> Path:
        """The file."""
        return _file_in(self.folder)

    def found(self) -> Iterator[FoundRow]:
        """Every row, in order: its number from 1, its surplus, its texts. Raises OSError."""
        with self.path.open(encoding="utf-8", newline="") as file:
            lines = csv.reader(file, delimiter=self.delimiter, strict=True)
            for number, (surplus, *texts) in enumerate(lines, start=1):
                yield (number, int(surplus), *texts)

    def load(self, connection: duckdb.DuckDBPyConnection, columns: Sequence[str]) -> None:
        """Make the table `orders` of it: NUMBER, SURPLUS, then the texts of `columns`."""
        kinds = ", ".join(f"{quote_text(name)}: 'VARCHAR'" for name in columns)
        options = (
            f"columns = {{{quote_text(_SURPLUS)}: 'INTEGER', {kinds}}}, auto_detect = false, header = false,"
            f" force_not_null = [{', '.join(map(quote_text, columns))}], allow_quoted_nulls = false,"
            f" delim = {quote_text(self.delimiter)}, quote = '\"', escape = '\"', new_line = '\\n',"
            f" parallel = false, max_line_size = {_LINE}, buffer_size = {_LINE + (1 << 16)}"
        )
        read = f"read_csv({quote_text(str(self.path))}, {options})"
        query = f"SELECT row_number() OVER () AS {NUMBER}, * FROM {read}"  # nosec B608  # noqa: S608 - names and path quoted
        connection.execute(f"CREATE TABLE orders AS {query}")


def line_of(texts: Sequence[str], surplus: int = 0, delimiter: str = DELIMITER) -> str:
    """A row as it is spooled. No text may hold a NUL."""
    # No text holds a NUL, so it stands for the delimiter while quotes are doubled.
    quoted = "\0".join(texts).replace('"', '""').replace("\0", f'"{delimiter}"')
    return f'{surplus}{delimiter}"{quoted}"\n'


def spool(
    label: str, lines: Iterable[str], nothing: str = "has a header line but no rows", delimiter: str = DELIMITER
) -> Spool:
    """A spool of rows as `line_of` writes them, with the same delimiter.

    Raises E-1003 where there is no row, which `nothing` says, E-1016 where they cannot be kept, what `lines` raises.
    """
    folder = RowsFolder(label)
    try:
        with _writing(_file_in(folder), label) as file:
            rows = _write(file, lines, label)
    except BaseException:
        folder.cleanup()
        raise
    if rows == 0:
        folder.cleanup()
        raise TallyError(SOURCE_EMPTY, path=label, what=nothing)
    return Spool(folder, rows, delimiter)


@contextmanager
def _writing(path: Path, label: str) -> Iterator[TextIO]:
    with keeping(label):
        file = path.open("w", encoding="utf-8", newline="")
    try:
        yield file
    finally:
        with keeping(label):
            file.close()


def _write(file: TextIO, lines: Iterable[str], label: str) -> int:
    """Write all of `lines`; how many there are."""
    rows = 0
    for rows, line in enumerate(lines, start=1):  # noqa: B007 - counted
        try:
            file.write(line)
        except OSError as error:
            raise not_kept(label, error) from error
    return rows


def _file_in(folder: RowsFolder) -> Path:
    return folder.path / "orders.csv"
