"""What the audit tables are asked: pages of a trail, the ends of trails, the register."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from services.coordinator.database.tables import audit, audit_register, audit_register_head, jobs
from services.coordinator.records.audit import GENESIS, AuditEntry, RegisterEntry
from services.coordinator.records.chain import Stored
from shared.contracts.audit import AuditRecord
from shared.errors import JOB_NOT_FOUND, TallyError


@dataclass(frozen=True)
class End:
    """Where a chain ends by its own account: `last` is the greatest entry that there is."""

    seq: int
    head: str
    last: int


def list_entries(
    connection: Connection, job_id: str, row_number: int | None, after: int, limit: int
) -> list[AuditRecord]:
    """A page of a job's trail; raises E-4003."""
    if connection.execute(select(jobs.c.job_id).where(jobs.c.job_id == job_id)).first() is None:
        raise TallyError(JOB_NOT_FOUND, job_id=job_id)
    query = select(audit).where(audit.c.job_id == job_id, audit.c.seq > after).order_by(audit.c.seq).limit(limit)
    if row_number is not None:
        query = query.where(audit.c.row_number == row_number)
    return [AuditRecord.model_validate(dict(found._mapping)) for found in connection.execute(query)]  # noqa: SLF001 - the row's public way to a mapping


def trail_page(connection: Connection, job_id: str, after: int, limit: int) -> list[Stored]:
    """A page of a job's trail as it is stored."""
    query = select(audit).where(audit.c.job_id == job_id, audit.c.seq > after).order_by(audit.c.seq).limit(limit)
    return [
        Stored(
            AuditEntry(
                found.job_id,
                found.seq,
                found.at,
                found.actor,
                found.action,
                found.row_number,
                found.detail,
                found.previous_hash,
            ),
            found.hash,
        )
        for found in connection.execute(query)
    ]


def trail_end(connection: Connection, job_id: str) -> End:
    """Where a job's trail ends; raises E-4003."""
    last = select(func.max(audit.c.seq)).where(audit.c.job_id == job_id).scalar_subquery()
    query = select(jobs.c.audit_seq, jobs.c.audit_head, func.coalesce(last, 0)).where(jobs.c.job_id == job_id)
    found = connection.execute(query).one_or_none()
    if found is None:
        raise TallyError(JOB_NOT_FOUND, job_id=job_id)
    return End(*found)


def register_page(connection: Connection, after: int, limit: int) -> list[Stored]:
    """A page of the register as it is stored."""
    query = select(audit_register).where(audit_register.c.seq > after).order_by(audit_register.c.seq).limit(limit)
    return [
        Stored(
            RegisterEntry(
                found.seq,
                found.at,
                found.job_id,
                found.milestone,
                found.job_seq,
                found.job_head,
                found.previous_hash,
            ),
            found.hash,
        )
        for found in connection.execute(query)
    ]


def register_end(connection: Connection) -> End:
    """Where the register ends."""
    last = select(func.coalesce(func.max(audit_register.c.seq), 0)).scalar_subquery()
    found = connection.execute(select(audit_register_head.c.seq, audit_register_head.c.head, last)).one_or_none()
    return End(*found) if found is not None else End(0, GENESIS, connection.execute(select(last)).scalar_one())


def has_head(connection: Connection, head: str) -> bool:
    """Whether the register has an entry with that hash, or is as empty as that head says."""
    found = connection.execute(select(audit_register.c.seq).where(audit_register.c.hash == head).limit(1)).first()
    return found is not None or head == GENESIS


def anchors_of(connection: Connection, job_id: str) -> dict[int, str]:
    """What the register knows of a job's trail: the hash of its entry at each milestone."""
    query = select(audit_register.c.job_seq, audit_register.c.job_head).where(audit_register.c.job_id == job_id)
    return {found.job_seq: found.job_head for found in connection.execute(query)}


def job_ids(connection: Connection, after: str, limit: int) -> list[str]:
    """A page of all jobs' ids, in order."""
    query = select(jobs.c.job_id).where(jobs.c.job_id > after).order_by(jobs.c.job_id).limit(limit)
    return list(connection.execute(query).scalars())


def jobs_gone(connection: Connection, limit: int) -> Sequence[tuple[str, int]]:
    """The jobs that the register knows and that are not there, each with the place of its first entry there."""
    query = (
        select(audit_register.c.job_id, func.min(audit_register.c.seq))
        .where(audit_register.c.job_id.not_in(select(jobs.c.job_id)))
        .group_by(audit_register.c.job_id)
        .order_by(func.min(audit_register.c.seq))
        .limit(limit)
    )
    return [(found[0], found[1]) for found in connection.execute(query)]
