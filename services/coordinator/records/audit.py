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
        return _hash(
            self.job_id,
            self.seq,
            self.at.isoformat(),
            self.actor,
            self.action,
            self.row_number,
            self.detail,
            self.previous_hash,
        )


@dataclass(frozen=True)
class RegisterEntry:
    """One entry of the register of trails: at a milestone a job's trail had `job_seq` entries and this head."""

    seq: int
    at: datetime
    job_id: str
    milestone: str
    job_seq: int
    job_head: str
    previous_hash: str

    @property
    def hash(self) -> str:
        """SHA-256 over the entry and its predecessor's hash."""
        return _hash(
            self.seq, self.at.isoformat(), self.job_id, self.milestone, self.job_seq, self.job_head, self.previous_hash
        )


def _hash(*body: object) -> str:
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
