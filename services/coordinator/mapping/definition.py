"""A mapping file's text: YAML with one key, `fields`, a flat dict from a field's name to its template."""

from __future__ import annotations

from dataclasses import dataclass

import yaml

from services.coordinator.mapping.fields import FIELDS, NEEDED

_TOP_KEY = "fields"


class DefinitionError(Exception):
    """A text that is no mapping; the message is a clause with the line and, where there is one, the field."""


@dataclass(frozen=True)
class FieldDefinition:
    """One field's template as written, and its line in the file, from 1."""

    name: str
    line: int
    source: str


def read_definition(text: str) -> tuple[FieldDefinition, ...]:
    """The field definitions in `text`, in its order. Raises DefinitionError.

    Every value is read as text, so that ``postal_code: 02134`` is five digits and ``residential: yes`` a word.
    """
    fields = _fields_node(_compose(text))
    definitions: dict[str, FieldDefinition] = {}
    for key, value in fields.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or key.value not in FIELDS:
            raise DefinitionError(f"line {line}: there is no field {_shown(key)}; the fields are {', '.join(FIELDS)}")
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


def _compose(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=yaml.BaseLoader)  # builds nodes only, never an object
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise DefinitionError(f"{line}{error.problem or 'it is not YAML'}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise DefinitionError("it is not YAML text, or nested too deeply") from error


def _fields_node(root: yaml.Node | None) -> yaml.MappingNode:
    if not isinstance(root, yaml.MappingNode):
        raise DefinitionError(f"it needs the key {_TOP_KEY}, with a line for each field below it")
    found: yaml.Node | None = None
    for key, value in root.value:
        if found is not None or not isinstance(key, yaml.ScalarNode) or key.value != _TOP_KEY:
            raise DefinitionError(f"line {key.start_mark.line + 1}: {_TOP_KEY} is the one key, not {_shown(key)}")
        found = value
    if not isinstance(found, yaml.MappingNode):
        raise DefinitionError(f"{_TOP_KEY} needs a line for each field below it, such as 'country: US'")
    return found


def _shown(key: yaml.Node) -> str:
    return str(key.value)[:60] if isinstance(key, yaml.ScalarNode) else "of that kind"
