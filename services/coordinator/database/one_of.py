"""Whether a column has one of many texts, as one parameter: hundreds of them cost more to bind than to look up."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Text, any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY


def one_of(connection: Connection, column: Column[Any], texts: Iterable[str]) -> ColumnElement[bool]:
    """The condition that a column has one of these texts."""
    if connection.dialect.name == "postgresql":
        return column == any_(literal(list(texts), ARRAY(Text)))
    listed = func.json_each(literal(json.dumps(list(texts)), Text)).table_valued("value", joins_implicitly=True)
    return column.in_(select(listed.c.value))
