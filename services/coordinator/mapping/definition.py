"""A mapping file's text: YAML whose key `fields` is a flat dict from a field's name to its template."""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from services.coordinator.mapping.fields import FIELDS, MOST_NUMBERED, NEEDED, PLACES
from services.coordinator.mapping.leaving_out import ANYTHING, LeaveOut
from services.coordinator.mapping.text import normalised

_FIELDS, _MATCH, _GROUP_BY, _SKIP, _LEAVE_OUT = "fields", "match", "group_by", "skip", "leave_out"
_PACKAGES, _CUSTOMS, _ROWS = "packages", "customs", "rows"
_TOP_KEYS = (_FIELDS, _GROUP_BY, _PACKAGES, _CUSTOMS, _LEAVE_OUT, _MATCH, _SKIP)
_REASON = re.compile(r"[a-z][a-z_-]{0,39}")


class DefinitionError(Exception):
    """A text that is no mapping; the message is a clause with the line and, where there is one, the field."""


@dataclass(frozen=True)
class FieldDefinition:
    """One field's template as written, and its line in the file, from 1."""

    name: str
    line: int
    source: str


@dataclass(frozen=True)
class Definition:
    """A mapping file's content. Each of `match` and `group_by` is a choice of headers, of which one is enough.

    `match` are the headers by which a profile is told, `group_by` those whose column says which rows are one order,
    `skip` the template that says yes for a row that is no order at all, `leave_out` the rules by which orders are not
    to be shipped. Each row of an order is a parcel with `packages_by_row`, a line for customs with
    `customs_by_row`.
    """

    fields: tuple[FieldDefinition, ...]
    match: tuple[tuple[str, ...], ...] = ()
    group_by: tuple[str, ...] = ()
    skip: FieldDefinition | None = None
    leave_out: tuple[LeaveOut, ...] = ()
    packages_by_row: bool = False
    customs_by_row: bool = False


def read_definition(text: str) -> Definition:
    """The definition in `text`, its fields in order. Raises DefinitionError.

    Every value is read as text, so that ``postal_code: 02134`` is five digits and ``residential: yes`` a word.
    """
    top = _top_nodes(_compose(text))
    skip = top.get(_SKIP)
    return Definition(
        fields=_fields(top[_FIELDS]),
        match=_choices(top[_MATCH]) if _MATCH in top else (),
        group_by=_headers(top[_GROUP_BY], _GROUP_BY) if _GROUP_BY in top else (),
        skip=None if skip is None else FieldDefinition(_SKIP, skip.start_mark.line + 1, _text(skip, _SKIP)),
        leave_out=_rules(top[_LEAVE_OUT]) if _LEAVE_OUT in top else (),
        packages_by_row=_is_by_row(top, _PACKAGES),
        customs_by_row=_is_by_row(top, _CUSTOMS),
    )


def _fields(node: yaml.Node) -> tuple[FieldDefinition, ...]:
    if not isinstance(node, yaml.MappingNode):
        raise DefinitionError(f"{_FIELDS} needs a line for each field below it, such as 'country: US'")
    definitions: dict[str, FieldDefinition] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or key.value not in PLACES:
            known = f"{', '.join(FIELDS)}, and those of customs again with _2 to _{MOST_NUMBERED}"
            raise DefinitionError(f"line {line}: there is no field {_shown(key)}; the fields are {known}")
        if not isinstance(value, yaml.ScalarNode):
            raise DefinitionError(f"line {line}, field {key.value}: the value must be text; put a template in quotes")
        if key.value in definitions:
            first = definitions[key.value].line
            raise DefinitionError(f"line {line}, field {key.value}: it was given before, on line {first}")
        definitions[key.value] = FieldDefinition(key.value, line, value.value)
    for choice in NEEDED:
        if not any(name in definitions for name in choice):
            raise DefinitionError(f"field {' or '.join(choice)} is not mapped")
    return tuple(definitions.values())


def _is_by_row(top: dict[str, yaml.Node], key: str) -> bool:
    node = top.get(key)
    if node is None:
        return False
    line = node.start_mark.line + 1
    if _text(node, key) != _ROWS:
        raise DefinitionError(f"line {line}: {key} is {_ROWS}, or left out")
    if _GROUP_BY not in top:
        raise DefinitionError(f"line {line}: {key}: {_ROWS} needs {_GROUP_BY}, which says what rows are one order")
    return True


def _choices(node: yaml.Node) -> tuple[tuple[str, ...], ...]:
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        raise DefinitionError(f"line {node.start_mark.line + 1}: {_MATCH} is a list of headers")
    return tuple(_headers(each, _MATCH) for each in node.value)


def _headers(node: yaml.Node, key: str) -> tuple[str, ...]:
    """One header, or a list of which one is enough."""
    nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
    headers = tuple(_text(each, key) for each in nodes)
    if not headers or not all(headers):
        raise DefinitionError(f"line {node.start_mark.line + 1}: {key} names no header")
    return headers


def _rules(node: yaml.Node) -> tuple[LeaveOut, ...]:
    """Below each reason headers, and with each of these the texts that say so."""
    rules: list[LeaveOut] = []
    for reason, headers in _pairs(node):
        if not _REASON.fullmatch(reason):
            line = node.start_mark.line + 1
            raise DefinitionError(f"line {line}: reason {reason[:60]} in {_LEAVE_OUT} is not one lower-case word")
        for header, texts in _pairs(headers):
            said = _headers(texts, _LEAVE_OUT)
            if not normalised(header) or not all(normalised(text) or text == ANYTHING for text in said):
                line = texts.start_mark.line + 1
                raise DefinitionError(f"line {line}: {_LEAVE_OUT} names a header or a text without letters or digits")
            anything = ANYTHING in said
            rules.append(LeaveOut(reason, header, frozenset() if anything else frozenset(map(normalised, said))))
    return tuple(rules)


def _pairs(node: yaml.Node) -> list[tuple[str, yaml.Node]]:
    if not isinstance(node, yaml.MappingNode) or not node.value:
        line = node.start_mark.line + 1
        raise DefinitionError(f"line {line}: {_LEAVE_OUT} has reasons, and below each a line such as 'Status: shipped'")
    return [(_text(key, _LEAVE_OUT), value) for key, value in node.value]


def _text(node: yaml.Node, key: str) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise DefinitionError(f"line {node.start_mark.line + 1}: {key} must be text; put a template in quotes")
    return str(node.value)


def _compose(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=yaml.BaseLoader)  # builds nodes only, never an object
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise DefinitionError(f"{line}{error.problem or 'it is not YAML'}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise DefinitionError("it is not YAML text, or nested too deeply") from error


def _top_nodes(root: yaml.Node | None) -> dict[str, yaml.Node]:
    if not isinstance(root, yaml.MappingNode):
        raise DefinitionError(f"it needs the key {_FIELDS}, with a line for each field below it")
    found: dict[str, yaml.Node] = {}
    for key, value in root.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or key.value not in _TOP_KEYS:
            raise DefinitionError(f"line {line}: there is no key {_shown(key)}; the keys are {', '.join(_TOP_KEYS)}")
        if key.value in found:
            raise DefinitionError(f"line {line}: {key.value} was given before")
        found[key.value] = value
    if _FIELDS not in found:
        raise DefinitionError(f"it needs the key {_FIELDS}, with a line for each field below it")
    return found


def _shown(key: yaml.Node) -> str:
    return str(key.value)[:60] if isinstance(key, yaml.ScalarNode) else "of that kind"
