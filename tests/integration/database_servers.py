"""PostgreSQL and MariaDB servers of a test run's own, from the binaries on this machine; SQLite needs none."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

PASSWORD = "tally-secret"
PATIENCE = 90
_POSTGRES = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Server:
    """A running server; `admin` may do anything."""

    admin: URL

    def execute(self, *statements: str) -> None:
        """Run statements as its administrator, each in a transaction of its own."""
        engine = create_engine(self.admin, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))


@contextmanager
def postgres() -> Iterator[Server]:
    """A PostgreSQL server whose password is asked for; skips the test where none is installed."""
    binaries = sorted(_POSTGRES.glob("*/bin/postgres"))
    postgres = str(binaries[-1]) if binaries else shutil.which("postgres")
    initdb = str(binaries[-1].with_name("initdb")) if binaries else shutil.which("initdb")
    if postgres is None or initdb is None:
        pytest.skip("there is no PostgreSQL server on this machine")
    with _folder() as folder:
        secret = folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        port = _free_port()
        data = folder / "data"
        _run(folder, initdb, "-D", str(data), "-U", "tally", "-A", "scram-sha-256", f"--pwfile={secret}", "--no-sync")
        options = ("-h", "127.0.0.1", "-p", str(port), "-k", str(folder), "-c", "fsync=off")
        with _serving(folder, postgres, "-D", str(data), *options):
            yield _ready(URL.create("postgresql+pg8000", "tally", PASSWORD, "127.0.0.1", port, "postgres"))


@contextmanager
def mariadb() -> Iterator[Server]:
    """A MariaDB server; skips the test where none is installed."""
    server = shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin")
    install = shutil.which("mariadb-install-db")
    if server is None or install is None:
        pytest.skip("there is no MariaDB server on this machine")
    with _folder() as folder:
        data, port = folder / "data", _free_port()
        _run(folder, install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal")
        script = folder / "init.sql"
        script.write_text(
            f"CREATE USER tally@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';"
            "\nGRANT ALL ON *.* TO tally@'127.0.0.1' WITH GRANT OPTION;\n"
        )
        script.chmod(0o644)
        options = (f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder}/socket", f"--init-file={script}")
        buffers = ("--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve")
        with _serving(folder, server, "--no-defaults", f"--datadir={data}", *options, *buffers):
            yield _ready(URL.create("mariadb+pymysql", "tally", PASSWORD, "127.0.0.1", port, "mysql"))


def _ready(url: URL) -> Server:
    server = Server(url)
    deadline = time.monotonic() + PATIENCE
    ready = threading.Event()
    while True:
        try:
            server.execute("SELECT 1")
        except SQLAlchemyError:
            assert time.monotonic() < deadline, "the server does not answer"
            ready.wait(0.1)  # there is no event to wait for: an answer is the server's own sign
        else:
            return server


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder of the server's user, whose path every user may go."""
    with tempfile.TemporaryDirectory(prefix="tally-server-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if user := _user():
            shutil.chown(folder, user)
        yield folder


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, user=_user(), capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def _serving(folder: Path, *command: str) -> Iterator[None]:
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, user=_user(), stdout=log, stderr=subprocess.STDOUT)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _user() -> str | None:
    """Whom the server runs as: neither of them runs as root."""
    return "nobody" if os.geteuid() == 0 else None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
