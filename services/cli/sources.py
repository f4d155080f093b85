"""What a person types as SOURCE, as a source of the contract."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import ValidationError

from shared.contracts.source import CsvSource, DatabaseSource, ExcelSource, ParquetSource, Source, has_sidecar
from shared.errors import REQUEST_MALFORMED, SOURCE_KIND_UNSUPPORTED, SOURCE_UNREADABLE, TallyError

_KINDS: dict[str, type[CsvSource | ExcelSource | ParquetSource]] = {
    ".csv": CsvSource,
    ".tsv": CsvSource,
    ".txt": CsvSource,
    ".xlsx": ExcelSource,
    ".xlsm": ExcelSource,
    ".parquet": ParquetSource,
}
# A table of such a name can still be named as db:connection/table.
_OTHER_FILES = re.compile(
    r"\.(avro|db|docx?|feather|gz|html?|jsonl?|log|md|ndjson|numbers|ods|orc|pdf|sql|sqlite|tab|xlsb?|xml|ya?ml|zip)"
)
_CHARACTERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "colon": ":", "space": " "}
_TABLE = re.compile(r"(?P<connection>\w+)\.(?P<table>\w+(\.\w+)?)")
_EXPLICIT_TABLE = re.compile(r"db:(?P<connection>[^/]+)/(?P<table>.+)")


def parse_source(text: str, working_dir: Path, sheet: str | None = None, *, sidecar: bool = False) -> Source:
    """A file by its suffix, or `connection.table`, or `db:connection/table`.

    A file that exists here is named by its absolute path; any other as typed, for the house to look up under its source
    roots. `sheet` and `sidecar` are for a workbook. Raises E-1002 for a folder, E-1007 for a file of no known kind,
    E-2020 for a sheet of what has none.
    """
    source = _parsed(text, working_dir)
    if isinstance(source, ExcelSource):
        return source.model_copy(update={"sheet": sheet, "write_back": "sidecar" if sidecar else "source"})
    if sheet is not None:
        raise TallyError(REQUEST_MALFORMED, reason=f"{text} is no workbook and has no sheet {sheet}")
    if sidecar and not has_sidecar(source):
        raise TallyError(REQUEST_MALFORMED, reason=f"{text} is no workbook; only its own file can be written to")
    return source


def _parsed(text: str, working_dir: Path) -> Source:
    if explicit := _EXPLICIT_TABLE.fullmatch(text):
        return DatabaseSource(connection=explicit["connection"], table=explicit["table"])
    path = working_dir / text
    if text and path.is_dir():
        raise TallyError(SOURCE_UNREADABLE, path=text, reason="it is a folder")
    suffix = Path(text).suffix.lower()
    kind = _KINDS.get(suffix)
    if kind is not None:
        return kind(path=absolute_if_here(text, working_dir))
    if not _OTHER_FILES.fullmatch(suffix) and not path.exists() and (table := _TABLE.fullmatch(text)):
        return DatabaseSource(connection=table["connection"], table=table["table"])
    raise TallyError(SOURCE_KIND_UNSUPPORTED, kind=Path(text).suffix or f"{text!r} (a file without a suffix)")


def in_dialect(source: Source, delimiter: str | None, quote: str | None, encoding: str | None) -> Source:
    """The source with the dialect that a person named for a CSV file. Raises E-2020 for any other source."""
    named = {
        "delimiter": _character(delimiter),
        "quote": "" if quote == "none" else _character(quote),
        "encoding": encoding,
    }
    given = {name: text for name, text in named.items() if text is not None}
    if not given:
        return source
    if not isinstance(source, CsvSource):
        raise TallyError(REQUEST_MALFORMED, reason=f"{', '.join(given)}: only a CSV file has any")
    try:
        return CsvSource(path=source.path, **given)
    except ValidationError as error:
        reason = "delimiter and quote are one character each, no letter or digit, and not the same one"
        raise TallyError(REQUEST_MALFORMED, reason=reason) from error


def with_key(source: Source, key: str | None) -> Source:
    """The source with the column that tells its rows apart. Raises E-2020 for what is no table."""
    if key is None:
        return source
    if not isinstance(source, DatabaseSource):
        raise TallyError(REQUEST_MALFORMED, reason=f"key {key}: only a table of a database has one")
    return source.model_copy(update={"key": key})


def _character(text: str | None) -> str | None:
    return None if text is None else _CHARACTERS.get(text.lower(), text)


def absolute_if_here(text: str, working_dir: Path) -> str:
    """`text` as an absolute path where a file of that name exists here, else as it is."""
    path = working_dir / text
    return str(path.absolute()) if path.exists() else text
