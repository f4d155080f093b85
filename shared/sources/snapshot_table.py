"""A source's rows, taken once into DuckDB, every column as text: there conditions run and rows are streamed from.

What is spooled is taken in when something first asks for that: a source whose rows are wanted one by one is streamed
from its spool. Memory stays flat: DuckDB moves to disk what exceeds its memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from threading import Lock
from types import TracebackType
from typing import Self

import duckdb

from shared.errors import SOURCE_UNREADABLE, WHERE_FAILED, TallyError
from shared.sources.condition import parse_condition
from shared.sources.condition_sql import quote_identifier
from shared.sources.files import unreadable
from shared.sources.rows import FoundOrder, FoundRow, RowFormat, SourceRow
from shared.sources.rows_folder import RowsFolder
from shared.sources.spool import NUMBER, Spool

_FETCH = 1024  # rows fetched at a time
_MEMORY = ("48MB", "1GB")  # enough for any number of usual rows; the second for rows of many kilobytes

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
        folder: RowsFolder,
        notes: Sequence[str] = (),
        key: Sequence[str] = (),
    ) -> None:
        """Of what `load` loads when it is first asked for; `folder` is the snapshot's from then on.

        `key` names the columns whose texts tell a row apart.
        """
        self.label = label
        self.columns = tuple(columns)
        self.notes = tuple(notes)
        self.facts: dict[str, str] = {"key": ", ".join(key)} if key else {}
        self.format = RowFormat(self.columns, tuple(key))
        self._folder = folder
        self._load = load
        self._loading = Lock()
        self._loaded: duckdb.DuckDBPyConnection | None = None

    def count(self, where: str | None = None) -> int:
        """How many rows meet the condition. Raises E-1002, E-1010, E-1011 or E-1012."""
        ((count,),) = self._select("count(*)", where)
        return int(count)

    def rows(self, where: str | None = None) -> Iterator[SourceRow]:
        """The rows that meet the condition, in the source's order. Raises E-1002, E-1010, E-1011 or E-1012."""
        return map(self.format.row, self._found(where))

    def orders(self, where: str | None = None, key: str | None = None) -> Iterator[tuple[SourceRow, ...]]:
        """Orders, each with all its rows (see Snapshot.orders)."""
        return map(self.format.order, self.found_orders(where, key))

    def found_orders(self, where: str | None = None, key: str | None = None) -> Iterator[FoundOrder]:
        """The same as plain values (see Snapshot.found_orders)."""
        if key is None:
            return zip(self._found(where))
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
        with self._loading:
            if self._loaded is not None:
                self._loaded.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _found(self, where: str | None) -> Iterator[FoundRow]:
        return self._select("*", where)

    @property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        """Where the table is. Raises E-1002."""
        with self._loading:
            if self._loaded is None:
                try:
                    self._loaded = self._taken_in()
                except duckdb.Error as error:
                    reason = f"DuckDB cannot take it in ({type(error).__name__})"
                    raise TallyError(SOURCE_UNREADABLE, path=self.label, reason=reason) from error
            return self._loaded

    def _taken_in(self) -> duckdb.DuckDBPyConnection:
        small, large = _MEMORY
        try:
            return self._taken_in_within(small)
        except duckdb.OutOfMemoryException:
            return self._taken_in_within(large)

    def _taken_in_within(self, memory: str) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(
            ":memory:",
            config={
                "threads": 1,
                "memory_limit": memory,
                "temp_directory": str(self._folder.path / "spill"),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        try:
            self._load(connection)
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
        except BaseException:
            connection.close()
            raise
        return connection

    def _select(self, what: str, where: str | None) -> Iterator[FoundRow]:
        query = f"SELECT {what} FROM orders WHERE {self._condition(where)}"  # nosec B608  # noqa: S608 - parse_condition wrote it
        return self._query(query, where)

    def _condition(self, where: str | None) -> str:
        return "TRUE" if where is None else parse_condition(where, self.columns, label=self.label).sql

    def _query(self, query: str, where: str | None = None) -> Iterator[FoundRow]:
        with self._connection.cursor() as cursor:
            try:
                cursor.execute(query)
                while batch := cursor.fetchmany(_FETCH):
                    yield from batch
            except duckdb.Error as error:
                raise TallyError(WHERE_FAILED, where=where, reason=_reason(error)) from error


class SpooledSnapshot(TableSnapshot):
    """A snapshot of rows that were spooled; what needs no table comes from the spool itself."""

    def __init__(
        self,
        label: str,
        columns: Sequence[str],
        spooled: Spool,
        notes: Sequence[str] = (),
        key: Sequence[str] = (),
    ) -> None:
        """Of rows with texts of `columns`; the spool's folder is the snapshot's from then on."""
        super().__init__(label, columns, partial(spooled.load, columns=columns), spooled.folder, notes, key)
        self._spool = spooled

    def count(self, where: str | None = None) -> int:
        """See TableSnapshot."""
        return self._spool.rows if where is None else super().count(where)

    def _found(self, where: str | None) -> Iterator[FoundRow]:
        return self._spooled() if where is None else super()._found(where)

    def _spooled(self) -> Iterator[FoundRow]:
        try:
            yield from self._spool.found()
        except OSError as error:
            raise unreadable(self.label, error) from error


def _reason(error: duckdb.Error) -> str:
    if isinstance(error, duckdb.ConversionException | duckdb.OutOfRangeException):
        # DuckDB's own words quote the value, which may be a recipient's.
        return "a value cannot be converted; TRY_CAST gives NULL for such a value"
    return str(error).splitlines()[0].partition(": ")[2] or "DuckDB refuses it"
