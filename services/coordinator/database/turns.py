"""Has transactions take turns that have no row in common to do so by."""

from __future__ import annotations

from sqlalchemy import Connection, text

_WAIT = text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))")


def take_turns(connection: Connection, what: str) -> None:
    """Wait until no other transaction is at `what`, and be at it until this one ends; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(_WAIT, {"what": f"tally:{what}"})
