"""The carrier's ledger in SQLite: every shipment ever sold, and the tokens in force.

Each call commits before it returns, so what was answered survives the death of the process. `synchronous=NORMAL`
leaves only the loss of power uncovered, which a sandbox need not survive.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Concatenate, Literal, ParamSpec, TypeVar

from pydantic import BaseModel, ConfigDict

from services.sandbox.tracking_number import SERIALS, tracking_number

P = ParamSpec("P")
T = TypeVar("T")

EarlyAnswer = Literal["not_found", "not_processed"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS shipments (
  number INTEGER PRIMARY KEY,
  shipment_id TEXT NOT NULL UNIQUE,
  document TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS lookups (
  kind TEXT NOT NULL CHECK (kind IN ('tracking_number', 'reference')),
  value TEXT NOT NULL,
  shipment INTEGER NOT NULL REFERENCES shipments (number),
  PRIMARY KEY (kind, value, shipment)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS serial (next INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (digest TEXT PRIMARY KEY, expires_at TEXT NOT NULL) WITHOUT ROWID;
"""


class SoldParcel(BaseModel):
    """One package of a sold shipment; `weight` in pounds."""

    model_config = ConfigDict(frozen=True)

    tracking_number: str
    weight: Decimal
    voided_at: datetime | None = None


class Sale(BaseModel):
    """What is known of a shipment before it has numbers; `cost` in US dollars.

    Until `visible_at`, look-ups answer as `early_answer` says.
    """

    model_config = ConfigDict(frozen=True)

    shipper_number: str
    service: str
    references: tuple[str, ...]
    recipient_city: str
    recipient_state: str
    recipient_postal_code: str
    recipient_country: str
    cost: Decimal
    created_at: datetime
    visible_at: datetime
    early_answer: EarlyAnswer = "not_found"


class SoldShipment(Sale):
    """A shipment as sold."""

    shipment_id: str
    parcels: tuple[SoldParcel, ...]

    @property
    def voided(self) -> bool:
        """Whether every package of it is voided."""
        return all(parcel.voided_at is not None for parcel in self.parcels)


class Ledger:
    """The ledger's file; to be used from one thread."""

    def __init__(self, path: Path) -> None:
        """Open or create the file at `path`; raises OSError or sqlite3.Error."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("PRAGMA foreign_keys=ON")
        self._db.executescript(_SCHEMA)
        # Every new ledger starts elsewhere, so that two sandboxes do not sell the same tracking number.
        self._db.execute(
            "INSERT INTO serial SELECT ? WHERE NOT EXISTS (SELECT 1 FROM serial)", (secrets.randbelow(SERIALS),)
        )

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def sell(self, sale: Sale, weights: tuple[Decimal, ...]) -> SoldShipment:
        """Give each parcel (`weights` in pounds) its tracking number and record the shipment."""
        with _transaction(self._db):
            (after,) = self._db.execute("UPDATE serial SET next = next + ? RETURNING next", (len(weights),)).fetchone()
            first = after - len(weights)
            parcels = tuple(
                SoldParcel(
                    tracking_number=tracking_number(sale.shipper_number, sale.service, first + place), weight=weight
                )
                for place, weight in enumerate(weights)
            )
            # A UPS shipment goes by the number of its first package.
            sold = SoldShipment(**sale.__dict__, shipment_id=parcels[0].tracking_number, parcels=parcels)
            number = self._db.execute(
                "INSERT INTO shipments (shipment_id, document) VALUES (?, ?)",
                (sold.shipment_id, sold.model_dump_json()),
            ).lastrowid
            keys = [("tracking_number", parcel.tracking_number, number) for parcel in parcels]
            keys += [("reference", reference, number) for reference in sale.references]
            self._db.executemany("INSERT INTO lookups VALUES (?, ?, ?)", keys)
        return sold

    def void(self, shipment_id: str, tracking_numbers: frozenset[str], now: datetime) -> SoldShipment:
        """Void the named packages of a shipment; those voided before stay as they were."""
        with _transaction(self._db):
            sold = self._load("SELECT document FROM shipments WHERE shipment_id = ?", shipment_id)[0]
            parcels = tuple(
                parcel.model_copy(update={"voided_at": now})
                if parcel.tracking_number in tracking_numbers and parcel.voided_at is None
                else parcel
                for parcel in sold.parcels
            )
            voided = sold.model_copy(update={"parcels": parcels})
            self._db.execute(
                "UPDATE shipments SET document = ? WHERE shipment_id = ?", (voided.model_dump_json(), shipment_id)
            )
        return voided

    def by_tracking_number(self, number: str) -> list[SoldShipment]:
        """The shipment one of whose packages has this number."""
        return self._find("tracking_number", number)

    def by_reference(self, reference: str) -> list[SoldShipment]:
        """The shipments that carry this reference, oldest first."""
        return self._find("reference", reference)

    def shipments(self) -> list[SoldShipment]:
        """Every shipment ever sold, oldest first."""
        return self._load("SELECT document FROM shipments ORDER BY number")

    def keep_token(self, digest: str, expires_at: datetime) -> None:
        """Record a token that was issued."""
        self._db.execute("INSERT OR REPLACE INTO tokens VALUES (?, ?)", (digest, expires_at.isoformat()))

    def drop_token(self, digest: str) -> None:
        """Forget a token."""
        self._db.execute("DELETE FROM tokens WHERE digest = ?", (digest,))

    def drop_tokens(self) -> None:
        """Forget every token."""
        self._db.execute("DELETE FROM tokens")

    def tokens(self) -> dict[str, datetime]:
        """The tokens recorded, with the moment each expires."""
        rows = self._db.execute("SELECT digest, expires_at FROM tokens")
        return {digest: datetime.fromisoformat(expires_at) for digest, expires_at in rows}

    def _find(self, kind: str, value: str) -> list[SoldShipment]:
        return self._load(
            "SELECT document FROM shipments JOIN lookups ON shipment = number"
            " WHERE kind = ? AND value = ? ORDER BY number",
            kind,
            value,
        )

    def _load(self, query: str, *values: str) -> list[SoldShipment]:
        return [SoldShipment.model_validate_json(document) for (document,) in self._db.execute(query, values)]


class LedgerThread:
    """The ledger on a thread of its own, so that its commits never hold up the event loop."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")

    async def run(self, call: Callable[Concatenate[Ledger, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do `call` on the ledger; it has committed when this returns."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, partial(call, self._ledger, *args, **kwargs))

    def close(self) -> None:
        """Finish what is under way and close the file."""
        self._executor.shutdown()
        self._ledger.close()


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    """A write transaction: commit at the end, roll back on any exception."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
