"""What is run besides the coordinator, by a person or before one starts: `python -m services.coordinator migrate`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from services.coordinator.database.engine import Database
from services.coordinator.database.migration import HEAD, migrate
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
    asyncio.run(_migrate(settings, asked.to))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services.coordinator", description="Runs a coordinator.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    migrating = commands.add_parser(
        "migrate", help="bring the job database's schema up to date, or to another revision, and end"
    )
    migrating.add_argument("--to", default=HEAD, metavar="REVISION", help="a revision, head (the default) or base")
    return parser


async def _migrate(settings: CoordinatorSettings, target: str) -> None:
    if not settings.database_url:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.job_database_url)
    try:
        before, after = await migrate(database, target, settings.database_wait)
    finally:
        await database.close()
    sys.stdout.write(f"schema: {before} -> {after}\n" if before != after else f"schema: {after}, as it was\n")
