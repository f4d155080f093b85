"""The register of audit trails: one chain over all jobs, which notices a trail that is gone as a whole or cut short.

A trail is entered when its job is made, whenever the job ends, and when it is purged: never for a row. Only then do
jobs wait for one another, and shortly.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, insert, select, text, update

from services.coordinator.database.tables import audit_register, audit_register_head
from services.coordinator.records.audit import GENESIS, RegisterEntry

Milestone = Literal["opened", "ended", "purged"]

_MAKE_HEAD = text(
    "INSERT INTO audit_register_head (head_id, seq, head) VALUES (1, 0, :genesis) ON CONFLICT (head_id) DO NOTHING"
)


def enter(connection: Connection, job_id: str, milestone: Milestone, seq: int, head: str, now: datetime) -> None:
    """Enter that the trail of a job had `seq` entries at a milestone, the last one with the hash `head`."""
    connection.execute(_MAKE_HEAD, {"genesis": GENESIS})
    last = connection.execute(select(audit_register_head.c.seq, audit_register_head.c.head).with_for_update()).one()
    entry = RegisterEntry(last.seq + 1, now, job_id, milestone, seq, head, last.head)
    connection.execute(
        insert(audit_register),
        {
            "seq": entry.seq,
            "at": entry.at,
            "job_id": entry.job_id,
            "milestone": entry.milestone,
            "job_seq": entry.job_seq,
            "job_head": entry.job_head,
            "previous_hash": entry.previous_hash,
            "hash": entry.hash,
        },
    )
    connection.execute(update(audit_register_head), {"seq": entry.seq, "head": entry.hash})
