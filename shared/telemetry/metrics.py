"""What a process counts, for Prometheus. No label is a job, a row or a path: the series stay as many as they are."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

BUILD = Gauge("tally_build_info", "1; which version of which service runs.", ("service", "version"), registry=REGISTRY)
PARKED = Counter(
    "tally_parked",
    "Deliveries of messages of a newer version, left to an upgraded process.",
    ("service",),
    registry=REGISTRY,
)
