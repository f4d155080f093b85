"""What a migration may do, so that a coordinator of the release before works on with the schema that it leaves.

A revision expands: it adds tables, indexes, and columns that may be empty or that the database fills. One that takes
something away, or asks for more, is the contract step of an earlier revision, and says so in its module:
`CONTRACTS = "0002"`. There is at least one release between the two (docs/guides/postgres.md).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

ADDING = {"create_table", "create_index", "add_column", "batch_alter_table", "f", "get_bind", "get_context"}


def breaches(sources: Mapping[str, str]) -> list[str]:
    """In what revisions, each with its module's source and in their order, break the rule; the first one is free."""
    names = list(sources)
    found = []
    for place, name in enumerate(names[1:], start=1):
        module = ast.parse(sources[name])
        contracts = _contracts(module)
        if contracts is not None:
            if contracts not in names[:place]:
                found.append(f"{name} is the contract step of {contracts}, which is no earlier revision")
            continue
        found += [f"{name} {what}" for what in _breaches_of(module)]
    return found


def _contracts(module: ast.Module) -> str | None:
    for statement in module.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
            if names == ["CONTRACTS"]:
                return str(statement.value.value)
    return None


def _breaches_of(module: ast.Module) -> Iterable[str]:
    upgrades = [each for each in module.body if isinstance(each, ast.FunctionDef) and each.name == "upgrade"]
    if not upgrades:
        yield "has no upgrade"
    for call in (node for each in upgrades for node in ast.walk(each) if isinstance(node, ast.Call)):
        if not isinstance(call.func, ast.Attribute) or not isinstance(call.func.value, ast.Name):
            continue
        if call.func.value.id not in {"op", "batch", "batch_op"}:
            continue
        done = call.func.attr
        if done not in ADDING:
            yield f"calls {done}, which may take from the release before what it needs"
        elif done == "add_column" and not _may_be_left_out(call):
            yield "adds a column that the release before does not fill"
        elif done == "create_index" and _is(call, "unique", value=True):
            yield "adds a unique index, which the release before may breach"


def _may_be_left_out(call: ast.Call) -> bool:
    columns = [each for each in ast.walk(call) if isinstance(each, ast.Call) and _name(each) == "Column"]
    return bool(columns) and all(
        not _is(column, "nullable", value=False) or any(word.arg == "server_default" for word in column.keywords)
        for column in columns
    )


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _is(call: ast.Call, word: str, *, value: bool) -> bool:
    return any(
        each.arg == word and isinstance(each.value, ast.Constant) and each.value.value is value
        for each in call.keywords
    )
