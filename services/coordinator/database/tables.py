"""The tables. Alembic's migrations make them; a test holds the two together."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

from services.coordinator.database.types import Amount, UtcDateTime

# What comes from outside (a source, a carrier, a person) has no length here: PostgreSQL would refuse what SQLite takes.

# Python's None is SQL's NULL, not the JSON document null.
Json = JSON(none_as_null=True)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

installation = Table(
    "installation",
    metadata,
    Column("installation_id", String(16), primary_key=True),
    Column("ledger_epoch", String(40), nullable=False, default=""),
    Column("ledger_mark", BigInteger, nullable=False, default=0),
)

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", String(40), primary_key=True),
    Column("request_id", String(200), nullable=False, unique=True),
    Column("request_hash", String(64), nullable=False),
    Column("restart_of", String(40)),
    Column("restarted_as", String(40)),
    Column("request", Json, nullable=False),
    Column("name", Text, nullable=False),
    Column("status", String(24), nullable=False),
    Column("mode", String(8), nullable=False),
    Column("on_interrupt", String(8), nullable=False),
    Column("requested_by", Text, nullable=False, default=""),
    Column("source", Json),
    Column("source_hash", String(16), nullable=False, default=""),
    Column("source_checked", Boolean, nullable=False, default=False),
    Column("intake", String(32), nullable=False, default=""),
    Column("intake_at", UtcDateTime),
    Column("rated_at", UtcDateTime),
    Column("source_told", String(64), nullable=False, default=""),
    Column("mapping", Text, nullable=False, default=""),
    Column("settled", Json),
    Column("notes", Json),
    Column("total", Integer, nullable=False, default=0),
    Column("refused", Integer, nullable=False, default=0),
    Column("cursor", Integer, nullable=False, default=0),
    Column("error", Json),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("purge_began_at", UtcDateTime),
    Column("purged_at", UtcDateTime),
    Column("audit_seq", Integer, nullable=False, default=0),
    Column("audit_head", String(64), nullable=False),
)
Index("ix_jobs_status", jobs.c.status)
Index("ix_jobs_created_at", jobs.c.created_at)

rows = Table(
    "rows",
    metadata,
    Column("job_id", String(40), ForeignKey(jobs.c.job_id), primary_key=True),
    Column("row_number", Integer, primary_key=True),
    Column("source_row", Integer, nullable=False),
    Column("row_key", Text, nullable=False),
    Column("checksum", String(64), nullable=False),
    Column("others", Json),
    Column("reservation_key", String(64), nullable=False),
    Column("reference", String(35), nullable=False),
    Column("shipment", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("destination", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("status", String(12), nullable=False),
    Column("attempt", Integer, nullable=False, default=0),
    Column("epoch", String(40), nullable=False, default=""),
    Column("recover", Boolean, nullable=False, default=False),
    Column("in_flight_at", UtcDateTime),
    Column("estimate_amount", Amount),
    Column("estimate_currency", String(3)),
    Column("estimated", Boolean, nullable=False, default=False),
    Column("zone", Text, nullable=False, default=""),
    Column("cost_amount", Amount),
    Column("cost_currency", String(3)),
    Column("shipment_id", Text),
    Column("tracking_numbers", Json),
    Column("label_key", Text),
    Column("label_due", Boolean, nullable=False, default=False),
    Column("label_keys", Json),
    Column("invoice_key", Text),
    Column("shipped_at", UtcDateTime),
    Column("error", Json),
    Column("evidence", Json),
    Column("voiding_at", UtcDateTime),
    Column("shipped_before", Json),
    Column("warnings", Json),
    Column("order_mark", String(32)),
    Column("contents_mark", String(32)),
    Column("replaces", Json),
    Column("looked_again", Boolean, nullable=False, default=False),
    Column("write_back", String(8), nullable=False, default="none"),
    Column("write_back_version", Integer, nullable=False, default=0),
    Column("write_back_error", Json),
    Column("write_back_at", UtcDateTime),
)
Index("ix_rows_job_id_status", rows.c.job_id, rows.c.status)
# Marks are as good as random: an index over every row would cost a write all over the file for each row taken in, and
# only these are ever looked for. Whoever asks has to name the states in these very words.
COUNTED_AS_SIMILAR = ("in_doubt", "in_flight", "shipped", "voiding")
_COUNTED = rows.c.status.in_(COUNTED_AS_SIMILAR)
Index("ix_rows_order_mark", rows.c.order_mark, sqlite_where=_COUNTED, postgresql_where=_COUNTED)
Index("ix_rows_contents_mark", rows.c.contents_mark, sqlite_where=_COUNTED, postgresql_where=_COUNTED)
# The watchdog asks for these over all jobs; nearly every row is in neither state.
Index(
    "ix_rows_in_flight",
    rows.c.status,
    sqlite_where=rows.c.status == "in_flight",
    postgresql_where=rows.c.status == "in_flight",
)
Index(
    "ix_rows_voiding",
    rows.c.status,
    sqlite_where=rows.c.status == "voiding",
    postgresql_where=rows.c.status == "voiding",
)
Index(
    "ix_rows_to_look_up",
    rows.c.status,
    sqlite_where=(rows.c.status == "in_doubt") | rows.c.label_due,
    postgresql_where=(rows.c.status == "in_doubt") | rows.c.label_due,
)
Index(
    "ix_rows_write_back_due",
    rows.c.write_back,
    sqlite_where=rows.c.write_back == "due",
    postgresql_where=rows.c.write_back == "due",
)

coordinators = Table(
    "coordinators",
    metadata,
    Column("coordinator_id", String(64), primary_key=True),
    Column("house_run", String(64), nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)

# Labels that the carrier sold for a row besides the recorded one, each with a state of its own: shipped until voided.
second_labels = Table(
    "second_labels",
    metadata,
    Column("job_id", String(40), primary_key=True),
    Column("row_number", Integer, primary_key=True),
    Column("shipment_id", Text, primary_key=True),
    Column("tracking_numbers", Json, nullable=False),
    Column("cost_amount", Amount),
    Column("cost_currency", String(3)),
    Column("status", String(12), nullable=False),
    Column("voiding_at", UtcDateTime),
)

attempts = Table(
    "attempts",
    metadata,
    Column("job_id", String(40), primary_key=True),
    Column("row_number", Integer, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("outcome", String(12)),
    Column("carrier_ms", Integer),
    Column("error", Json),
    Column("evidence", Json),
)

reservations = Table(
    "reservations",
    metadata,
    Column("reservation_key", String(64), primary_key=True),
    Column("job_id", String(40), nullable=False),
    Column("row_number", Integer, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("job_id", String(40), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", String(60), nullable=False),
    Column("row_number", Integer),
    Column("detail", Json, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

# One chain over all jobs' audit trails (database/register.py), its head in a table of one row.
audit_register = Table(
    "audit_register",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("job_id", String(40), nullable=False),
    Column("milestone", String(12), nullable=False),
    Column("job_seq", Integer, nullable=False),
    Column("job_head", String(64), nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

audit_register_head = Table(
    "audit_register_head",
    metadata,
    Column("head_id", Integer, primary_key=True, autoincrement=False),
    Column("seq", Integer, nullable=False),
    Column("head", String(64), nullable=False),
)
