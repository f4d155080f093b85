"""The product's regular expressions have what Python before 3.11.5 gets wrong by quantifiers.POSSESSIVE only."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import services
import shared

# A possessive quantifier or an atomic group; no other text of the product looks like one.
_MISREAD = re.compile(r"[*+?}]\+|\(\?>")


def texts(source: str) -> Iterator[tuple[int, str]]:
    """Each literal text of a module, those of f-strings in pieces, with its line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            value = node.value
            yield node.lineno, value if isinstance(value, str) else value.decode("latin-1")


def test_no_pattern_has_possessive_quantifiers_or_atomic_groups() -> None:
    modules = [path for package in (services, shared) for path in Path(package.__path__[0]).rglob("*.py")]
    found = [
        f"{module}:{line}"
        for module in modules
        for line, text in texts(module.read_text(encoding="utf-8"))
        if _MISREAD.search(text)
    ]
    assert modules
    assert found == []


@pytest.mark.parametrize("pattern", ["[^>]*+", "(?:ab)++", "a?+", "a{2}+", "(?>a|b)"])
def test_such_a_pattern_is_noticed(pattern: str) -> None:
    assert [line for line, text in texts(f"PATTERN = {pattern!r}") if _MISREAD.search(text)] == [1]
