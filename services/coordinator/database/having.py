"""A table's rows that have one of many texts, which are one parameter: hundreds cost more to bind than to look up."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlalchemy import Connection

# Each has its database look the texts up in an index, however many rows it takes the table to have.
_RELATIONS = {
    "sqlite": "json_each(:{texts}) AS asked CROSS JOIN {table} ON {table}.{column} = asked.value",
    "postgresql": "(SELECT * FROM {table} WHERE {column} = ANY(ARRAY("
    "SELECT json_array_elements_text(CAST(:{texts} AS json))))) AS {table}",
}


def having(connection: Connection, table: str, column: str, texts: str) -> str:
    """SQL for the relation, called as the table is; a text that is named twice may bring its rows twice.

    `texts` names the parameter.
    """
    return _RELATIONS[connection.dialect.name].format(table=table, column=column, texts=texts)


def bound(texts: Iterable[str]) -> str:
    """The parameter's value."""
    return json.dumps(list(texts))
