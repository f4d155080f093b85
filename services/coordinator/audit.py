"""The audit trail: append-only entries, chained by hash per job, the chain's head in the job's row."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

GENESIS = "0" * 64


@dataclass(frozen=True)
class AuditEntry:
    """One entry: who did what to which row, when; `detail` holds no personal data."""

    job_id: str
    seq: int
    at: datetime
    actor: str
    action: str
    row_number: int | None
    detail: dict[str, Any]
    previous_hash: str

    @property
    def hash(self) -> str:
        """SHA-256 over the entry and its predecessor's hash."""
        body = [
            self.job_id,
            self.seq,
            self.at.isoformat(),
            self.actor,
            self.action,
            self.row_number,
            self.detail,
            self.previous_hash,
        ]
        return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass
class AuditTrail:
    """A job's chain as one transaction goes on with it; `head` and `seq` go back into the job's row."""

    job_id: str
    seq: int
    head: str
    at: datetime
    entries: list[AuditEntry] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)

    def add(self, action: str, *, actor: str = "coordinator", row: int | None = None, **detail: Any) -> None:
        """Append an entry."""
        self.seq += 1
        entry = AuditEntry(self.job_id, self.seq, self.at, actor, action, row, detail, self.head)
        self.head = entry.hash
        self.entries.append(entry)
        self.hashes.append(self.head)
