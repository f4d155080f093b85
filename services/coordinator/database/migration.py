"""Brings the job database's schema up to date, or to another revision; waits for it where somebody else does."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, select, text

from services.coordinator.database.engine import Database
from services.coordinator.database.tables import installation
from services.coordinator.identity import new_installation
from shared.errors import JOB_DATABASE_UNREACHABLE, NO_SUCH_REVISION, SCHEMA_BEHIND, TallyError
from shared.telemetry import logger

log = logger("migration")

BASE = "base"
HEAD = "head"
_ADVISORY_LOCK = 7_483_512
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0  # seconds
_LONGEST_MIGRATION = 3600  # seconds


def upgrade(connection: Connection, revision: str = HEAD) -> None:
    """Run the migrations up to `revision`; coordinators that start together take turns."""
    _take_turns(connection)
    command.upgrade(_config(connection), revision)


def downgrade(connection: Connection, revision: str) -> None:
    """Run the migrations down to `revision`."""
    _take_turns(connection)
    command.downgrade(_config(connection), revision)


def revision_of(connection: Connection) -> str:
    """The revision that the schema is at; `base` where there is none."""
    return MigrationContext.configure(connection).get_current_revision() or BASE


def revisions() -> list[str]:
    """Every revision this release knows, the first one first."""
    return [each.revision for each in _scripts().walk_revisions()][::-1]


def move(connection: Connection, target: str = HEAD) -> tuple[str, str]:
    """Bring the schema up or down to `target`; the revisions it was at and is at.

    A schema that a later release has brought further than this one knows is left alone for `head`. Raises E-4073 for a
    revision that there is not, and where the schema's own is unknown here.
    """
    _take_turns(connection)
    known = [BASE, *revisions()]
    target = known[-1] if target == HEAD else target
    before = revision_of(connection)
    if target not in known:
        raise _unknown(target)
    if before not in known:
        if target != known[-1]:
            raise _unknown(before)
        log.warning("the schema is of a later release; left as it is", revision=before)
        return before, before
    if known.index(target) < known.index(before):
        command.downgrade(_config(connection), target)
    else:
        command.upgrade(_config(connection), target)
    return before, revision_of(connection)


def installation_id(connection: Connection) -> str:
    """The id of this installation, made on the first start."""
    _take_turns(connection)
    found = connection.scalar(select(installation.c.installation_id))
    if found is None:
        found = new_installation()
        connection.execute(insert(installation), {"installation_id": found})
    return str(found)


async def migrate(database: Database, target: str = HEAD, patience: float = 0) -> tuple[str, str]:
    """Bring the schema up or down to `target` once the database answers, `patience` seconds at most.

    Returns the revisions before and after. Raises E-4070 and E-4073.
    """
    await _answering(database, patience)
    return await database.write(move, target)


async def prepare(database: Database, *, migrates: bool = True, patience: float = 0) -> str:
    """Have the schema current, by migrating it or by waiting until somebody else has; the installation's id.

    Waits `patience` seconds at most. Raises E-4070 where the database does not answer, E-4072 where its schema stays
    behind.
    """
    if migrates:
        before, after = await migrate(database, patience=patience)
        if before != after:
            log.info("the schema was migrated", before=before, after=after)
    else:
        await _current(database, patience)
    return await database.write(installation_id)


async def _answering(database: Database, patience: float) -> None:
    """Wait until the database answers; raises E-4070."""
    async for last in _tries(patience):
        try:
            await database.read(revision_of)
        except TallyError as error:
            if error.kind is not JOB_DATABASE_UNREACHABLE or last:
                raise
            log.warning("waiting for the job database", reason=error.body.message)
        else:
            return


async def _current(database: Database, patience: float) -> None:
    """Wait until the schema is at this release's revision, or a later release's; raises E-4070 and E-4072."""
    deadline = time.monotonic() + patience
    await _answering(database, patience)
    behind = [BASE, *revisions()[:-1]]
    async for last in _tries(deadline - time.monotonic()):
        found = await database.read(revision_of)
        if found not in behind:
            return
        if last:
            raise TallyError(SCHEMA_BEHIND, found=found, wanted=revisions()[-1])
        log.warning("waiting for the schema to be migrated", found=found, wanted=revisions()[-1])


async def _tries(patience: float) -> AsyncIterator[bool]:
    """One try after the other, further and further apart; each says whether it is the last."""
    deadline = time.monotonic() + patience
    pause = _FIRST_PAUSE
    while (left := deadline - time.monotonic()) > 0:
        yield False
        await asyncio.sleep(min(left, pause * random.uniform(0.5, 1)))  # nosec B311  # noqa: S311 - spreads tries, guards nothing
        pause = min(2 * pause, _LONGEST_PAUSE)
    yield True


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _unknown(revision: str) -> TallyError:
    return TallyError(NO_SUCH_REVISION, revision=revision, known=", ".join(revisions()))


def _take_turns(connection: Connection) -> None:
    """Let one transaction at a time at the schema, however long the one before takes.

    A migration itself waits no longer than any other transaction for what somebody reads: all others wait behind it.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL statement_timeout = '{_LONGEST_MIGRATION}s'"))
        connection.execute(text(f"SET LOCAL lock_timeout = '{_LONGEST_MIGRATION}s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        connection.execute(text("SET LOCAL lock_timeout TO DEFAULT"))
