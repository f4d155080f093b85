"""How far the ledger has come, on the shipper's disk: one that was put back to an earlier state is noticed at a start.

A ship command that comes with such a store may have been carried out since. A coordinator is told and puts an empty
ledger of another epoch in its place; nothing is taken before (DESIGN §4).
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from nats.aio.client import Client
from nats.errors import NoRespondersError
from pydantic import ValidationError

from shared.bus.ledger import Ledger, LedgerRolledBackError
from shared.bus.publishing import fresh_id
from shared.contracts import subjects
from shared.contracts.ledger import KnownLedger
from shared.contracts.message import NewerVersionError
from shared.telemetry import logger

log = logger("ledger")

EVERY = 0.5
_ANSWERED_WITHIN = 15.0


class LedgerMark:
    """Keeps the mark of `ledger` in a file, in `folder`, over the shipper's lives."""

    def __init__(self, client: Client, ledger: Ledger, folder: Path) -> None:
        self._client = client
        self._ledger = ledger
        self._path = folder / "ledger-mark.json"
        self._kept: KnownLedger | None = None
        self.is_behind = False

    async def recall(self) -> None:
        """Begin with what an earlier life noted; whether the ledger is behind that shows in `is_behind`."""
        await self._ledger.refresh()
        self._kept = await asyncio.to_thread(_read, self._path)
        if self._kept is not None:
            self._ledger.recall(self._kept)
        await self.round()

    async def round(self) -> None:
        """Note how far the ledger has come, whoever wrote to it; raises what JetStream's API raises."""
        try:
            await self._ledger.look()
        except LedgerRolledBackError as error:
            if self.is_behind:  # a leader that was just elected may still be applying what it has
                await self._tell()
            else:
                log.error("the ledger was put back; nothing is shipped until a coordinator replaced it", why=str(error))
            self.is_behind = True
            return
        self.is_behind = False
        await self.keep()

    async def behind(self) -> str | None:
        """What keeps a shipper from its work: a ledger that was put back."""
        return "the ledger was put back; a coordinator must replace it" if self.is_behind else None

    async def _tell(self) -> None:
        """Tell a coordinator what it may not know; where none is there the next round does.

        A ledger that came after the present one, and that a coordinator knows nothing of, was another house's.
        """
        known = self._ledger.known
        try:
            answer = await self._client.request(subjects.LEDGER_KNOWN, known.encode(), timeout=_ANSWERED_WITHIN)
            if KnownLedger.model_validate_json(answer.data).epoch == self._ledger.epoch != known.epoch:
                self._ledger.accept()
        except (NoRespondersError, TimeoutError, ValidationError) as error:
            log.warning("no coordinator answered", subject=subjects.LEDGER_KNOWN, error=type(error).__name__)

    async def keep(self) -> None:
        """Write down what is known; a disk that takes nothing is said, and is no reason to stop."""
        noted = self._ledger.known
        if noted == self._kept:
            return
        try:
            await asyncio.to_thread(_write, self._path, noted)
        except OSError as error:
            log.warning("how far the ledger has come cannot be kept on disk", error=repr(error))
        else:
            self._kept = noted


def _read(path: Path) -> KnownLedger | None:
    try:
        return KnownLedger.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError, NewerVersionError) as error:
        log.warning("how far the ledger had come cannot be read", file=str(path), error=type(error).__name__)
        return None


def _write(path: Path, noted: KnownLedger) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Shippers that share a folder each have a file of their own until it takes the place of the one before.
    partial = path.with_name(f"{path.name}.{fresh_id()}.part")
    try:
        partial.write_text(noted.model_dump_json(), encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
