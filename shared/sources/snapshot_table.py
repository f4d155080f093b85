"""A source's rows, taken once into DuckDB, every column as text: there conditions run and rows are streamed from.

Memory stays flat: DuckDB moves to disk what exceeds its memory.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb

from shared.errors import SOURCE_EMPTY, SOURCE_UNREADABLE, WHERE_FAILED, TallyError
from shared.sources.condition import parse_condition
from shared.sources.condition_sql import quote_identifier, quote_text
from shared.sources.csv_records import MAX_RECORD
from shared.sources.rows import FoundOrder, RowFormat, SourceRow

# Header names have no surrounding blanks: these clash with none, and no condition can name them.
NUMBER, SURPLUS = '" number"', '" surplus"'

_SPOOL = "orders.csv"
_FETCH = 1024  # rows fetched at a time
_MEMORY = ("48MB", "1GB")  # enough for any number of usual rows; the second for rows of many kilobytes
_LINE = 4 * MAX_RECORD + (1 << 16)  # bytes of the longest row as it is spooled

# Makes and fills the table `orders`: NUMBER, SURPLUS, then the columns.
Load = Callable[[duckdb.DuckDBPyConnection], None]


class TableSnapshot:
    """A source as it was when it was opened, in a table of its own.

    A row's key is made of the texts of its key columns, and is its number where the source has none.
    """

    def __init__(
        self,
        label: str,
        columns: Sequence[str],
        load: Load,
        folder: tempfile.TemporaryDirectory[str],
        notes: Sequence[str] = (),
        key: Sequence[str] = (),
    ) -> None:
        """Take in what `load` loads; `folder` is the snapshot's from then on. Raises E-1002.

        `key` names the columns whose texts tell a row apart.
        """
        self.label = label
        self.columns = tuple(columns)
        self.notes = tuple(notes)
        self.facts: dict[str, str] = {"key": ", ".join(key)} if key else {}
        self.format = RowFormat(self.columns, tuple(key))
        self._folder = folder
        try:
            self._connection = self._loaded(load)
        except duckdb.Error as error:
            folder.cleanup()
            reason = f"DuckDB cannot take it in ({type(error).__name__})"
            raise TallyError(SOURCE_UNREADABLE, path=label, reason=reason) from error
        except BaseException:
            folder.cleanup()
            raise

    def count(self, where: str | None = None) -> int:
        """How many rows meet the condition. Raises E-1010, E-1011 or E-1012."""
        ((count,),) = self._select("count(*)", where)
        return int(count)

    def rows(self, where: str | None = None) -> Iterator[SourceRow]:
        """The rows that meet the condition, streamed in the source's order. Raises E-1010, E-1011 or E-1012."""
        return map(self.format.row, self._select("*", where))

    def orders(self, where: str | None = None, key: str | None = None) -> Iterator[tuple[SourceRow, ...]]:
        """Orders, each with all its rows (see Snapshot.orders)."""
        return map(self.format.order, self.found_orders(where, key))

    def found_orders(self, where: str | None = None, key: str | None = None) -> Iterator[FoundOrder]:
        """The same as plain values (see Snapshot.found_orders)."""
        if key is None:
            return ((found,) for found in self._select("*", where))
        # No text holds a NUL: a row without a key is an order of its own.
        return self._grouped(where, f"coalesce(nullif(trim({quote_identifier(key)}), ''), chr(0) || {NUMBER})")

    def _grouped(self, where: str | None, key: str) -> Iterator[FoundOrder]:
        wanted = f"coalesce(({self._condition(where)}), FALSE)"
        # Exports keep an order's rows together; only where they are scattered is there anything to sort.
        ((scattered,),) = self._query(
            f"SELECT count(*) FROM (SELECT {key} AS k FROM orders GROUP BY k"  # nosec B608  # noqa: S608 - of quoted identifiers
            f" HAVING max({NUMBER}) - min({NUMBER}) + 1 > count(*))"
        )
        order = f" ORDER BY min({NUMBER}) OVER (PARTITION BY {key}), {NUMBER}" if scattered else ""
        rows = self._query(f"SELECT {key}, {wanted}, * FROM orders{order}", where)  # nosec B608  # noqa: S608 - parse_condition's
        for _, members in groupby(rows, key=itemgetter(0)):
            (_, is_wanted, *first), *others = members
            if is_wanted:
                yield (tuple(first), *(tuple(row) for _, _, *row in others))

    def close(self) -> None:
        """Let go of it and of everything it keeps on disk."""
        self._connection.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _loaded(self, load: Load) -> duckdb.DuckDBPyConnection:
        small, large = _MEMORY
        try:
            return self._loaded_within(small, load)
        except duckdb.OutOfMemoryException:
            return self._loaded_within(large, load)

    def _loaded_within(self, memory: str, load: Load) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(
            ":memory:",
            config={
                "threads": 1,
                "memory_limit": memory,
                "temp_directory": str(Path(self._folder.name, "spill")),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        try:
            load(connection)
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
        except BaseException:
            connection.close()
            raise
        return connection

    def _select(self, what: str, where: str | None) -> Iterator[tuple[Any, ...]]:
        query = f"SELECT {what} FROM orders WHERE {self._condition(where)}"  # nosec B608  # noqa: S608 - parse_condition wrote it
        return self._query(query, where)

    def _condition(self, where: str | None) -> str:
        return "TRUE" if where is None else parse_condition(where, self.columns, label=self.label).sql

    def _query(self, query: str, where: str | None = None) -> Iterator[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            try:
                cursor.execute(query)
                while batch := cursor.fetchmany(_FETCH):
                    yield from batch
            except duckdb.Error as error:
                raise TallyError(WHERE_FAILED, where=where, reason=_reason(error)) from error


def spool(
    label: str, rows: Iterable[tuple[int, Sequence[str]]], nothing: str = "has a header line but no rows"
) -> tempfile.TemporaryDirectory[str]:
    """A folder of its own with rows, each its surplus and its texts, in the one form that `load_spooled` loads.

    No text may hold a NUL. Raises E-1003 where there is no row, which `nothing` says, and what `rows` raises.
    """
    folder = tempfile.TemporaryDirectory(prefix="tally-")
    number = 0
    try:
        with Path(folder.name, _SPOOL).open("w", encoding="utf-8", newline="") as file:
            for number, (surplus, texts) in enumerate(rows, start=1):
                # No text holds a NUL, so it stands for the delimiter while quotes are doubled.
                line = "\0".join(texts).replace('"', '""').replace("\0", '","')
                file.write(f'{number},{surplus},"{line}"\n')
    except BaseException:
        folder.cleanup()
        raise
    if number == 0:
        folder.cleanup()
        raise TallyError(SOURCE_EMPTY, path=label, what=nothing)
    return folder


def load_spooled(folder: tempfile.TemporaryDirectory[str], columns: Sequence[str]) -> Load:
    """Loads the rows of `columns` that `spool` put into `folder`."""
    file = Path(folder.name, _SPOOL)
    typed = ", ".join(f"{quote_identifier(name)} VARCHAR" for name in columns)

    def load(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute(f"CREATE TABLE orders ({NUMBER} BIGINT, {SURPLUS} INTEGER, {typed})")
        connection.execute(
            f"COPY orders FROM {quote_text(str(file))} (FORMAT csv, AUTO_DETECT false, HEADER false,"
            " DELIMITER ',', QUOTE '\"', ESCAPE '\"', NEW_LINE '\\n', ALLOW_QUOTED_NULLS false, PARALLEL false,"
            f" MAX_LINE_SIZE {_LINE}, BUFFER_SIZE {_LINE + (1 << 16)})"
        )
        file.unlink()

    return load


def _reason(error: duckdb.Error) -> str:
    if isinstance(error, duckdb.ConversionException | duckdb.OutOfRangeException):
        # DuckDB's own words quote the value, which may be a recipient's.
        return "a value cannot be converted; TRY_CAST gives NULL for such a value"
    return str(error).splitlines()[0].partition(": ")[2] or "DuckDB refuses it"
