"""What a shipper counts: its calls to the carrier."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

from shared.telemetry.metrics import REGISTRY

CALLS = Counter(
    "tally_carrier_calls",
    "Exchanges with the carrier by operation and what came: ok, refused (4xx), limited (429), error (5xx), "
    "not_sent (no byte went), lost (no whole answer after one went).",
    ("operation", "outcome"),
    registry=REGISTRY,
)
CALL_SECONDS = Histogram(
    "tally_carrier_call_seconds",
    "How long an exchange with the carrier took, whatever came of it.",
    ("operation",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    registry=REGISTRY,
)
