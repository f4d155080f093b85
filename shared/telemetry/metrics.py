"""What every service counts, for Prometheus; what one service alone counts is in its own `metrics.py`.

No label is a job, a row or a path, so there are as many series after a million rows as after one. A consumer's lag is
told by every replica of its service, and is one figure: take its `max by (consumer)`, not its sum.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no annotation for it

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

BUILD = Gauge("tally_build_info", "1; which version of which service runs.", ("service", "version"), registry=REGISTRY)
PARKED = Counter(
    "tally_parked",
    "Deliveries of messages of a newer version, left to an upgraded process.",
    ("service",),
    registry=REGISTRY,
)
LOOP_LAG = Histogram(
    "tally_event_loop_lag_seconds",
    "How late the event loop woke a timer, four times a second.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    registry=REGISTRY,
)
HANDLED = Counter(
    "tally_messages_handled",
    "Messages handled, by durable consumer: done, failed (they come again), parked (of a newer version).",
    ("consumer", "result"),
    registry=REGISTRY,
)
REDELIVERED = Counter(
    "tally_redeliveries", "Messages delivered for a second time or more.", ("consumer",), registry=REGISTRY
)
REJECTED = Counter("tally_messages_rejected", "Messages that nobody can read, taken out of the way.", registry=REGISTRY)
PUBLISH_RETRIES = Counter(
    "tally_publish_retries", "Publishes that the bus did not confirm at the first try.", ("stream",), registry=REGISTRY
)
PENDING = Gauge(
    "tally_consumer_pending", "Messages that a durable consumer was not yet sent.", ("consumer",), registry=REGISTRY
)
ACK_PENDING = Gauge(
    "tally_consumer_ack_pending", "Messages sent and not yet acknowledged.", ("consumer",), registry=REGISTRY
)
