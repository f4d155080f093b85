"""A database server as the tests meet it, wherever it came from."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import URL, Row, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

PASSWORD = "tally-secret"
PATIENCE = 90


class NoServerError(Exception):
    """Why a server cannot be had in one of the ways there are."""


@dataclass(frozen=True)
class Server:
    """A running server; `admin` may do anything, `origin` says where it came from."""

    admin: URL
    origin: str

    def execute(self, *statements: str) -> None:
        """Run statements as its administrator, on one connection, each in a transaction of its own."""
        engine = create_engine(self.admin, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def query(self, statement: str) -> Sequence[Row[*tuple[Any, ...]]]:
        """The rows of a statement, run as its administrator."""
        with create_engine(self.admin, poolclass=NullPool).connect() as connection:
            return connection.execute(text(statement)).all()


def answering(admin: URL, origin: str) -> Server:
    """A server that was just started, once it answers."""
    server = Server(admin, origin)
    deadline = time.monotonic() + PATIENCE
    ready = threading.Event()
    while True:
        try:
            server.execute("SELECT 1")
        except SQLAlchemyError as error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{origin} does not answer") from error
            ready.wait(0.1)  # there is no event to wait for: an answer is the server's own sign
        else:
            return server
