"""What writeback counts: its flushes, by the kind of source."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

from shared.telemetry.metrics import REGISTRY

WRITE_BACKS = Counter(
    "tally_write_backs",
    "Rows applied to their source: written, or failed for good.",
    ("kind", "result"),
    registry=REGISTRY,
)
FLUSH_ROWS = Histogram(
    "tally_flush_rows",
    "Commands that one flush of a source took together.",
    ("kind",),
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
    registry=REGISTRY,
)
FLUSH_SECONDS = Histogram(
    "tally_flush_seconds",
    "How long a flush of a source took, its report included.",
    ("kind",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)
FLUSHES_FAILED = Counter(
    "tally_flushes_failed", "Flushes that came to no report: their commands come again.", ("kind",), registry=REGISTRY
)
