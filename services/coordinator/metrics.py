"""What a coordinator counts, and what it reads from the job database.

The figures read from the database are of the whole house, whichever coordinator tells them: with several of them take
`max by (…)`, never a sum. What is counted (`_total`, histograms) is of one process, and is summed.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from shared.telemetry.metrics import REGISTRY

ROWS = Counter(
    "tally_rows", "Rows that came to an outcome: shipped, failed, in_doubt.", ("outcome",), registry=REGISTRY
)
OVERHEAD = Histogram(
    "tally_row_overhead_seconds",
    "A shipped row's time from being put in flight to its recorded sale, less the carrier's call.",
    buckets=(0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    registry=REGISTRY,
)
SOLD_TWICE = Counter(
    "tally_rows_sold_twice", "Orders for which a second label was found to be sold.", registry=REGISTRY
)
JOBS_ENTERED = Counter("tally_jobs_entered", "Jobs that entered a state.", ("status",), registry=REGISTRY)

JOBS = Gauge("tally_jobs", "Jobs by state (from the database).", ("status",), registry=REGISTRY)
ROWS_OPEN = Gauge(
    "tally_rows_open",
    "Rows that wait for the carrier or a person: in_flight, in_doubt, voiding (from the database).",
    ("status",),
    registry=REGISTRY,
)
LABELS_DUE = Gauge(
    "tally_labels_due", "Labels that are sold and still to be fetched (from the database).", registry=REGISTRY
)
WRITE_BACKS_DUE = Gauge("tally_write_backs_due", "Write-backs still to be made (from the database).", registry=REGISTRY)
WRITE_BACK_AGE = Gauge(
    "tally_write_back_age_seconds", "How long the oldest of them has been due (from the database).", registry=REGISTRY
)
PROGRESS_AGE = Gauge(
    "tally_job_progress_age_seconds",
    "Since when no row of the running job that stands longest was settled (from the database).",
    registry=REGISTRY,
)
READ_AT = Gauge(
    "tally_database_read_timestamp_seconds", "When the figures from the database were last read.", registry=REGISTRY
)
LEDGER_CREATED = Gauge(
    "tally_ledger_created_timestamp_seconds",
    "When the ledger's stream was made; another moment is another epoch.",
    registry=REGISTRY,
)
