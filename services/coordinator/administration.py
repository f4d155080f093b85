"""What is run besides a coordinator, by a person or before one starts: `python -m services.coordinator migrate`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from services.coordinator.database.backup import back_up, put_back
from services.coordinator.database.engine import Database
from services.coordinator.database.interruption import distrust
from services.coordinator.database.migration import HEAD, migrate, prepare
from shared.clock import utc_now
from shared.settings import CoordinatorSettings, load
from shared.telemetry import configure


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the command line asks for; without a command, run a coordinator."""
    asked = _parser().parse_args(arguments)
    if asked.command is None:
        from services.coordinator.app import main as run_coordinator  # most of a coordinator is of no use to the rest

        run_coordinator()
        return
    settings = load(CoordinatorSettings)
    configure("coordinator", settings.log_level, settings.log_format)
    if asked.command == "migrate":
        asyncio.run(_migrate(settings, asked.to))
    elif asked.command == "backup":
        back_up(settings.job_database_url, asked.file)
        sys.stdout.write(f"backed up to {asked.file}\n")
    elif asked.command == "distrust":
        asyncio.run(_distrust(settings))
    else:
        counts_for = timedelta(seconds=settings.interrupted_after)
        asyncio.run(put_back(settings.job_database_url, asked.file, utc_now(), counts_for))
        sys.stdout.write(f"put back from {asked.file}\n")
        sys.stdout.write(
            "Is the bus's store gone as well, or put back, too? Then run `distrust` before a coordinator starts.\n"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services.coordinator", description="Runs a coordinator.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    migrating = commands.add_parser(
        "migrate", help="bring the job database's schema up to date, or to another revision, and end"
    )
    migrating.add_argument("--to", default=HEAD, metavar="REVISION", help="a revision, head (the default) or base")
    backing_up = commands.add_parser("backup", help="copy a job database that is a file, while coordinators work")
    backing_up.add_argument("file", type=Path, metavar="FILE")
    putting_back = commands.add_parser("restore", help="put such a copy back, while no coordinator works")
    putting_back.add_argument("file", type=Path, metavar="FILE")
    commands.add_parser(
        "distrust",
        help="have every row that is still to ship looked up before it is bought: "
        "the job database was put back, and the ledger is gone as well, or as old",
    )
    return parser


@asynccontextmanager
async def _database(settings: CoordinatorSettings) -> AsyncIterator[Database]:
    """The job database; one in the data folder has that folder made."""
    if not settings.database_url:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.job_database_url)
    try:
        yield database
    finally:
        await database.close()


async def _distrust(settings: CoordinatorSettings) -> None:
    async with _database(settings) as database:
        await prepare(database, migrates=False)
        looked_up = await database.write(distrust)
    sys.stdout.write(f"to be looked up: {looked_up}\n")


async def _migrate(settings: CoordinatorSettings, target: str) -> None:
    async with _database(settings) as database:
        before, after = await migrate(database, target, settings.database_wait)
    sys.stdout.write(f"schema: {before} -> {after}\n" if before != after else f"schema: {after}, as it was\n")
