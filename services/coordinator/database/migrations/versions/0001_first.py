"""The first tables: installation, coordinators, jobs, rows, second labels, attempts, reservations, audit, register."""

import sqlalchemy as sa
from alembic import op

from services.coordinator.database.types import Amount, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "attempts",
        sa.Column("job_id", sa.String(length=40), nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=True),
        sa.Column("carrier_ms", sa.Integer(), nullable=True),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("evidence", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("job_id", "row_number", "attempt", name=op.f("pk_attempts")),
    )
    op.create_table(
        "audit",
        sa.Column("job_id", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "seq", name=op.f("pk_audit")),
    )
    op.create_table(
        "audit_register",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("job_id", sa.String(length=40), nullable=False),
        sa.Column("milestone", sa.String(length=12), nullable=False),
        sa.Column("job_seq", sa.Integer(), nullable=False),
        sa.Column("job_head", sa.String(length=64), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_register")),
    )
    op.create_table(
        "audit_register_head",
        sa.Column("head_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("head_id", name=op.f("pk_audit_register_head")),
    )
    op.create_table(
        "installation",
        sa.Column("installation_id", sa.String(length=16), nullable=False),
        sa.Column("ledger_epoch", sa.String(length=40), nullable=False),
        sa.Column("ledger_mark", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("installation_id", name=op.f("pk_installation")),
    )
    op.create_table(
        "coordinators",
        sa.Column("coordinator_id", sa.String(length=64), nullable=False),
        sa.Column("house_run", sa.String(length=64), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("coordinator_id", name=op.f("pk_coordinators")),
    )
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.String(length=40), nullable=False),
        sa.Column("request_id", sa.String(length=200), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("restart_of", sa.String(length=40), nullable=True),
        sa.Column("restarted_as", sa.String(length=40), nullable=True),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("on_interrupt", sa.String(length=8), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("source", sa.JSON(), nullable=True),
        sa.Column("source_hash", sa.String(length=16), nullable=False),
        sa.Column("source_checked", sa.Boolean(), nullable=False),
        sa.Column("intake", sa.String(length=32), nullable=False),
        sa.Column("intake_at", UtcDateTime(), nullable=True),
        sa.Column("rated_at", UtcDateTime(), nullable=True),
        sa.Column("source_told", sa.String(length=64), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("settled", sa.JSON(), nullable=True),
        sa.Column("notes", sa.JSON(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("cursor", sa.Integer(), nullable=False),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("purge_began_at", UtcDateTime(), nullable=True),
        sa.Column("purged_at", UtcDateTime(), nullable=True),
        sa.Column("audit_seq", sa.Integer(), nullable=False),
        sa.Column("audit_head", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("request_id", name=op.f("uq_jobs_request_id")),
    )
    op.create_index("ix_jobs_created_at", "jobs", ["created_at"], unique=False)
    op.create_index("ix_jobs_status", "jobs", ["status"], unique=False)
    op.create_table(
        "reservations",
        sa.Column("reservation_key", sa.String(length=64), nullable=False),
        sa.Column("job_id", sa.String(length=40), nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("reservation_key", name=op.f("pk_reservations")),
    )
    op.create_table(
        "rows",
        sa.Column("job_id", sa.String(length=40), nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=False),
        sa.Column("source_row", sa.Integer(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("checksum", sa.String(length=64), nullable=False),
        sa.Column("others", sa.JSON(), nullable=True),
        sa.Column("reservation_key", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.String(length=35), nullable=False),
        sa.Column("shipment", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.String(length=40), nullable=False),
        sa.Column("recover", sa.Boolean(), nullable=False),
        sa.Column("in_flight_at", UtcDateTime(), nullable=True),
        sa.Column("estimate_amount", Amount(), nullable=True),
        sa.Column("estimate_currency", sa.String(length=3), nullable=True),
        sa.Column("estimated", sa.Boolean(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("cost_amount", Amount(), nullable=True),
        sa.Column("cost_currency", sa.String(length=3), nullable=True),
        sa.Column("shipment_id", sa.Text(), nullable=True),
        sa.Column("tracking_numbers", sa.JSON(), nullable=True),
        sa.Column("label_key", sa.Text(), nullable=True),
        sa.Column("label_due", sa.Boolean(), nullable=False),
        sa.Column("label_keys", sa.JSON(), nullable=True),
        sa.Column("invoice_key", sa.Text(), nullable=True),
        sa.Column("shipped_at", UtcDateTime(), nullable=True),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("evidence", sa.JSON(), nullable=True),
        sa.Column("voiding_at", UtcDateTime(), nullable=True),
        sa.Column("shipped_before", sa.JSON(), nullable=True),
        sa.Column("warnings", sa.JSON(), nullable=True),
        sa.Column("order_mark", sa.String(length=32), nullable=True),
        sa.Column("contents_mark", sa.String(length=32), nullable=True),
        sa.Column("replaces", sa.JSON(), nullable=True),
        sa.Column("looked_again", sa.Boolean(), nullable=False),
        sa.Column("write_back", sa.String(length=8), nullable=False),
        sa.Column("write_back_version", sa.Integer(), nullable=False),
        sa.Column("write_back_error", sa.JSON(), nullable=True),
        sa.Column("write_back_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], name=op.f("fk_rows_job_id")),
        sa.PrimaryKeyConstraint("job_id", "row_number", name=op.f("pk_rows")),
    )
    op.create_index(
        "ix_rows_in_flight",
        "rows",
        ["status"],
        unique=False,
        sqlite_where=sa.text("status = 'in_flight'"),
        postgresql_where=sa.text("status = 'in_flight'"),
    )
    op.create_index("ix_rows_job_id_status", "rows", ["job_id", "status"], unique=False)
    counted = sa.text("status IN ('in_doubt', 'in_flight', 'shipped', 'voiding')")
    op.create_index("ix_rows_order_mark", "rows", ["order_mark"], sqlite_where=counted, postgresql_where=counted)
    op.create_index("ix_rows_contents_mark", "rows", ["contents_mark"], sqlite_where=counted, postgresql_where=counted)
    op.create_index(
        "ix_rows_voiding",
        "rows",
        ["status"],
        unique=False,
        sqlite_where=sa.text("status = 'voiding'"),
        postgresql_where=sa.text("status = 'voiding'"),
    )
    op.create_index(
        "ix_rows_to_look_up",
        "rows",
        ["status"],
        unique=False,
        sqlite_where=sa.text("status = 'in_doubt' OR label_due = 1"),
        postgresql_where=sa.text("status = 'in_doubt' OR label_due"),
    )
    op.create_index(
        "ix_rows_write_back_due",
        "rows",
        ["write_back"],
        unique=False,
        sqlite_where=sa.text("write_back = 'due'"),
        postgresql_where=sa.text("write_back = 'due'"),
    )

    op.create_table(
        "second_labels",
        sa.Column("job_id", sa.String(length=40), nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=False),
        sa.Column("shipment_id", sa.Text(), nullable=False),
        sa.Column("tracking_numbers", sa.JSON(), nullable=False),
        sa.Column("cost_amount", Amount(), nullable=True),
        sa.Column("cost_currency", sa.String(length=3), nullable=True),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("voiding_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("job_id", "row_number", "shipment_id", name=op.f("pk_second_labels")),
    )


def downgrade() -> None:
    op.drop_table("second_labels")
    op.drop_index(
        "ix_rows_write_back_due",
        table_name="rows",
        sqlite_where=sa.text("write_back = 'due'"),
        postgresql_where=sa.text("write_back = 'due'"),
    )
    op.drop_index(
        "ix_rows_voiding",
        table_name="rows",
        sqlite_where=sa.text("status = 'voiding'"),
        postgresql_where=sa.text("status = 'voiding'"),
    )
    op.drop_index(
        "ix_rows_to_look_up",
        table_name="rows",
        sqlite_where=sa.text("status = 'in_doubt' OR label_due = 1"),
        postgresql_where=sa.text("status = 'in_doubt' OR label_due"),
    )
    op.drop_index("ix_rows_contents_mark", table_name="rows")
    op.drop_index("ix_rows_order_mark", table_name="rows")
    op.drop_index("ix_rows_job_id_status", table_name="rows")
    op.drop_index(
        "ix_rows_in_flight",
        table_name="rows",
        sqlite_where=sa.text("status = 'in_flight'"),
        postgresql_where=sa.text("status = 'in_flight'"),
    )
    op.drop_table("rows")
    op.drop_table("reservations")
    op.drop_index("ix_jobs_status", table_name="jobs")
    op.drop_index("ix_jobs_created_at", table_name="jobs")
    op.drop_table("jobs")
    op.drop_table("coordinators")
    op.drop_table("installation")
    op.drop_table("audit_register_head")
    op.drop_table("audit_register")
    op.drop_table("audit")
    op.drop_table("attempts")
