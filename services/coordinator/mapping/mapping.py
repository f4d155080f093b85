"""A mapping: how a source's row becomes the fields of a shipment."""

from __future__ import annotations

import hashlib
import re
from collections import abc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from services.coordinator.mapping.definition import DefinitionError, FieldDefinition, read_definition
from services.coordinator.mapping.fields import NEEDED, SKIP, Fields
from services.coordinator.mapping.headers import HeaderIndex
from services.coordinator.mapping.leaving_out import LeaveOut, placed, why_left_out
from services.coordinator.mapping.plan import RowPlan
from services.coordinator.mapping.templates import FieldTemplate, TemplateRefusedError, compile_field
from shared.errors import (
    MAPPING_INVALID,
    MAPPING_MISSING_COLUMN,
    MAPPING_NOT_FOUND,
    SOURCE_NOT_FOUND,
    ErrorBody,
    TallyError,
)
from shared.sources.files import open_real
from shared.sources.paths import resolve_within

_FILE_SIZE = 65536
_FILE_SUFFIXES = {".yaml", ".yml"}
_HEADERS_NAMED = 3
_ALIASES = {"generic": "default"}
_BUILT_IN_NAME = re.compile(r"[a-z0-9_-]{1,40}")


@dataclass(frozen=True)
class Mapping:
    """A compiled mapping. `name` is what a request calls it, `checksum` the SHA-256 of its file in hex.

    `match` are the choices of headers by which it is recognised, `group_by` the choice that says which rows are one
    order, `leave_out` the rules by which orders are not to be shipped; all may be empty.
    `packages_by_row` and `customs_by_row` say what each row of an order is. `content` is the file's text.
    """

    name: str
    checksum: str
    templates: abc.Mapping[str, FieldTemplate]
    match: tuple[tuple[str, ...], ...] = ()
    group_by: tuple[str, ...] = ()
    leave_out: tuple[LeaveOut, ...] = ()
    packages_by_row: bool = False
    customs_by_row: bool = False
    content: bytes = dataclass_field(kw_only=True, repr=False, compare=False)

    def __reduce__(self) -> tuple[abc.Callable[[str, bytes], Mapping], tuple[str, bytes]]:
        """Another process compiles it anew, for a compiled template cannot be sent."""
        return parse_mapping, (self.name, self.content)

    def check(self, columns: Sequence[str]) -> None:
        """Raise E-2003, once for the mapping, where it names columns that are not among `columns`.

        A field that no row can do without counts too when it picks from headers none of which is there. The first
        such column is the error, the others are its details.
        """
        gaps = [*self._missing_columns(columns), *self._unmet_picks(columns)]
        if self.group_by and self.order_column(columns) is None:
            gaps.append(("group_by", " or ".join(self.group_by)))
        if gaps:
            others = tuple(self._missing(gap, columns).body.model_copy(update={"action": ""}) for gap in gaps[1:])
            raise self._missing(gaps[0], columns, details=others)

    def render(self, values: abc.Mapping[str, str | None]) -> Fields:
        """The fields of one row; `values` are its columns as text, null counting as blank.

        Each field is rendered on its own, and its text is never read as anything else, so no value can change another
        field. A field that cannot be rendered is blank and has its E-2012 error among the problems.
        """
        columns = tuple(values)
        plan = self._plans.get(columns)
        if plan is None:
            plan = RowPlan.of(self.templates, columns)
            self._plans.clear()  # rows come from one source at a time
            self._plans[columns] = plan
        return plan.render(values)

    def why_left_out(self, rows: Sequence[abc.Mapping[str, str]], included: abc.Collection[str]) -> str | None:
        """Why an order with these rows is not to be shipped; None where it is, or where the reason is included."""
        return why_left_out(self.leave_out, rows, included)

    def leaves_out_by(self, columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """The reasons for which it leaves orders out, each with the columns that say so in a source with these."""
        found: dict[str, tuple[str, ...]] = {}
        for rule, column in placed(self.leave_out, tuple(columns)):
            found[rule.reason] = (*found.get(rule.reason, ()), column)
        return found

    def recognises(self, columns: Sequence[str]) -> bool:
        """Whether a source with these columns is of the kind that this mapping is for."""
        index = HeaderIndex.of(columns)
        return bool(self.match) and all(index.column(headers) is not None for headers in self.match)

    def order_column(self, columns: Sequence[str]) -> str | None:
        """The column of which rows with the same text are one order; None where every row is an order."""
        return HeaderIndex.of(columns).column(self.group_by)

    def placed(self, columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Each field's columns in a source with these; none for a field that is the same in every row."""
        index = HeaderIndex.of(columns)
        return {
            field: tuple(dict.fromkeys(template.columns_in(index)))
            for field, template in self.templates.items()
            if field != SKIP
        }

    @cached_property
    def _plans(self) -> dict[tuple[str, ...], RowPlan]:
        return {}

    def _missing_columns(self, columns: Sequence[str]) -> Iterator[tuple[str, str]]:
        present = frozenset(columns)
        for field, template in self.templates.items():
            for column in dict.fromkeys(template.columns):
                if column not in present:
                    yield field, column

    def _unmet_picks(self, columns: Sequence[str]) -> Iterator[tuple[str, str]]:
        plan = RowPlan.of(self.templates, tuple(columns))
        for choice in NEEDED:
            given = [(field, self.templates[field].picks) for field in choice if field in self.templates]
            if all(picks and plan.is_always_blank(field) for field, picks in given):
                field, picks = given[0]
                yield field, _either([header for headers in picks for header in headers])

    def _missing(self, gap: tuple[str, str], columns: Sequence[str], details: tuple[ErrorBody, ...] = ()) -> TallyError:
        field, column = gap
        return TallyError(
            MAPPING_MISSING_COLUMN,
            field=field,
            mapping=self.name,
            column=column,
            columns=", ".join(columns),
            details=details,
        )


def _either(headers: Sequence[str]) -> str:
    """`a or b or c or one of 9 others`."""
    first, others = headers[:_HEADERS_NAMED], headers[_HEADERS_NAMED:]
    return " or ".join([*first, *(others if len(others) == 1 else [f"one of {len(others)} others"] if others else ())])


def built_in_mapping(name: str) -> Mapping:
    """The built-in mapping `name`."""
    content = _built_in(name)
    if content is None:
        raise KeyError(name)
    return parse_mapping(name, content)


def load_mapping(name: str, roots: Sequence[Path]) -> Mapping:
    """The built-in mapping `name`, or the one in the YAML file at `name` under one of `roots`.

    Raises E-2001 where there is none, E-2002 where it is invalid, E-1006 where the path leads out of the roots.
    """
    name = _ALIASES.get(name, name)
    return parse_mapping(name, _built_in(name) or _from_file(name, roots))


def parse_mapping(name: str, content: bytes) -> Mapping:
    """The mapping in the YAML text `content` (UTF-8). Raises E-2002 with the line and the field."""
    try:
        definition = read_definition(content.decode("utf-8-sig"))
        skip = [definition.skip] if definition.skip is not None else []
        templates = {field.name: _compiled(field) for field in (*definition.fields, *skip)}
    except UnicodeDecodeError as error:
        raise TallyError(MAPPING_INVALID, mapping=name, reason="it is not UTF-8 text") from error
    except DefinitionError as error:
        raise TallyError(MAPPING_INVALID, mapping=name, reason=str(error)) from error
    checksum = hashlib.sha256(content).hexdigest()
    return Mapping(
        name,
        checksum,
        templates,
        definition.match,
        definition.group_by,
        definition.leave_out,
        packages_by_row=definition.packages_by_row,
        customs_by_row=definition.customs_by_row,
        content=content,
    )


def _compiled(definition: FieldDefinition) -> FieldTemplate:
    try:
        return compile_field(definition.source)
    except TemplateRefusedError as error:
        raise DefinitionError(f"line {definition.line}, field {definition.name}: {error}") from error


def _built_in(name: str) -> bytes | None:
    if not _BUILT_IN_NAME.fullmatch(name):
        return None
    file = files("services.coordinator") / "mappings" / f"{name}.yaml"
    return file.read_bytes() if file.is_file() else None


def _from_file(name: str, roots: Sequence[Path]) -> bytes:
    if Path(name).suffix.lower() not in _FILE_SUFFIXES:
        raise TallyError(MAPPING_NOT_FOUND, mapping=name)
    try:
        with open_real(resolve_within(name, roots)) as file:
            content = file.read(_FILE_SIZE + 1)
    except TallyError as error:
        if error.kind is SOURCE_NOT_FOUND:
            raise TallyError(MAPPING_NOT_FOUND, mapping=name) from error
        raise
    except FileNotFoundError as error:
        raise TallyError(MAPPING_NOT_FOUND, mapping=name) from error
    except OSError as error:
        reason = f"it cannot be read: {error.strerror or 'input error'}"
        raise TallyError(MAPPING_INVALID, mapping=name, reason=reason) from error
    if len(content) > _FILE_SIZE:
        raise TallyError(MAPPING_INVALID, mapping=name, reason=f"it is larger than {_FILE_SIZE} bytes")
    return content
