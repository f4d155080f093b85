"""Reading UPS's JSON: branches that may be missing, one-item arrays given as objects, numbers given as strings."""

from __future__ import annotations

import re
from typing import Any

Json = dict[str, Any]

_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")


def branch(node: object, *path: str) -> object:
    """What lies at `path` below `node`; None where a step is missing."""
    for step in path:
        node = node.get(step) if isinstance(node, dict) else None
    return node


def items(node: object) -> list[object]:
    """A repeated element as a list, whether it came as an array, as one object, or not at all."""
    if node is None:
        return []
    return node if isinstance(node, list) else [node]


def text(node: object, *path: str) -> str:
    """The text at `path` below `node`, without surrounding blanks; empty where it is missing or no scalar."""
    value = branch(node, *path)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()


def has_control_characters(node: object) -> bool:
    """Whether any text below `node` holds a C0 control character or DEL."""
    if isinstance(node, str):
        return _CONTROL_CHARACTER.search(node) is not None
    if isinstance(node, dict):
        return any(has_control_characters(value) for value in node.values())
    return isinstance(node, list) and any(has_control_characters(value) for value in node)


def with_objects_for_arrays(node: object) -> object:
    """The same document with every one-item array given as its item, as UPS's older versions do."""
    if isinstance(node, dict):
        return {name: with_objects_for_arrays(value) for name, value in node.items()}
    if isinstance(node, list):
        values = [with_objects_for_arrays(value) for value in node]
        return values[0] if len(values) == 1 else values
    return node
