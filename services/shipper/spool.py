"""Outcomes on disk while the bus is away, so that a shipper's death then loses nothing (DESIGN §4)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.bus.ledger import Ledger
from shared.contracts.ledger import Failed, InDoubt, Outcome, Shipped
from shared.contracts.message import NewerVersionError
from shared.telemetry import logger

log = logger("spool")


class Spooled(BaseModel):
    """An outcome and the ledger sequence of the claim that it settles."""

    model_config = ConfigDict(frozen=True)

    claim_sequence: int
    outcome: Annotated[Shipped | Failed | InDoubt, Field(discriminator="kind")]


class Spool:
    """A folder of outcomes that the ledger has not confirmed yet, one file for each claim."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @asynccontextmanager
    async def kept(self, outcome: Outcome, claim_sequence: int) -> AsyncIterator[None]:
        """Keep an outcome on disk until the block ends without an error.

        Where the disk takes nothing the block runs all the same: it still has the outcome to say.
        """
        path = self._folder / f"{outcome.claim_id}.json"
        place = {"job": outcome.job_id, "row": outcome.row_number}
        try:
            await asyncio.to_thread(_write, path, Spooled(claim_sequence=claim_sequence, outcome=outcome))
        except OSError as error:
            log.error("the bus is away, and an outcome cannot be kept on disk", **place, error=repr(error))
            yield
            return
        log.warning("the bus is away; an outcome is kept on disk", **place)
        yield
        await asyncio.to_thread(path.unlink, missing_ok=True)

    async def deliver(self, ledger: Ledger) -> None:
        """Settle whatever an earlier process left, however long the bus is away; what cannot be read stays there.

        Settling twice does no harm, so it does not matter whether the process that wrote a file still lives.
        """
        for path in await asyncio.to_thread(_files, self._folder):
            try:
                spooled = Spooled.model_validate_json(await asyncio.to_thread(path.read_bytes))
            except FileNotFoundError:
                continue
            except ValidationError:
                log.error("a kept outcome cannot be read", file=path.name)
                continue
            except NewerVersionError as error:
                log.error("a kept outcome is of a newer version", file=path.name, version=error.version)
                continue
            outcome = spooled.outcome
            settled = await ledger.settle(outcome, spooled.claim_sequence)
            log.warning("delivered a kept outcome", job=outcome.job_id, row=outcome.row_number, settled=settled)
            await asyncio.to_thread(path.unlink, missing_ok=True)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json")) if folder.is_dir() else []


def _write(path: Path, spooled: Spooled) -> None:
    """Write a file that is whole or not there, and stays over a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_suffix(".part")
    with partial.open("wb") as file:
        file.write(spooled.model_dump_json().encode())
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
