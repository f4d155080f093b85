"""What a shipper counts: its calls to the carrier, and its places among the account's."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from services.shipper.carriers.leases import Limited
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
PLACES = Gauge(
    "tally_carrier_places",
    "Calls that this shipper may make at once: leased of the account's limit, and in use.",
    ("state",),
    registry=REGISTRY,
)


def tell_places(account: Limited) -> None:
    """Tell how many places `account` has and uses whenever anybody asks."""
    PLACES.labels("leased").set_function(lambda: account.places)
    PLACES.labels("in_use").set_function(lambda: account.in_use)
