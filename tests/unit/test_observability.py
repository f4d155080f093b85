"""What watches a house names only what the house tells, and the guide tells all of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import CollectorRegistry

import services.coordinator.metrics
import services.shipper.metrics
import services.writeback.metrics
from shared.bus import topology
from shared.telemetry.metrics import REGISTRY

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guides" / "observability.md"
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yaml"
DASHBOARD = ROOT / "deploy" / "grafana" / "tallyman.json"
MODULES = (services.coordinator.metrics, services.shipper.metrics, services.writeback.metrics)
# What Prometheus itself knows of what it asks.
OF_PROMETHEUS = {"up"}
# What a label may be; none of them is a job, a row, a path or a tracking number.
LABELS = {"service", "version", "consumer", "stream", "result", "outcome", "status", "operation", "kind", "state", "le"}
# How a metric of a kind is written where it is asked for.
ENDINGS = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def registered(registry: CollectorRegistry = REGISTRY) -> dict[str, str]:
    """Every name that can be asked for, and the metric it is of, as the guide names it."""
    names: dict[str, str] = {}
    for metric in registry.collect():
        told = f"{metric.name}_total" if metric.type == "counter" else metric.name
        names |= {f"{metric.name}{ending}": told for ending in ENDINGS[metric.type]}
    return names


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in rules())
    dashboard = json.loads(DASHBOARD.read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    asked += [annotation["expr"] for annotation in dashboard["annotations"]["list"]]
    yield from (expression.replace("$__rate_interval", "1m") for expression in asked)


def selectors(expression: Any) -> Iterator[Any]:
    """Every selector within a parsed expression."""
    if isinstance(expression, promql_parser.VectorSelector):
        yield expression
    elif isinstance(expression, promql_parser.MatrixSelector):
        yield expression.vector_selector
    for part in ("expr", "lhs", "rhs", "param"):
        if (below := getattr(expression, part, None)) is not None:
            yield from selectors(below)
    for argument in getattr(expression, "args", None) or ():
        yield from selectors(argument)


@pytest.mark.parametrize("expression", list(expressions()))
def test_what_is_asked_can_be_read_and_is_told(expression: str) -> None:
    found = list(selectors(promql_parser.parse(expression)))
    assert found
    assert {selector.name for selector in found} <= registered().keys() | OF_PROMETHEUS


def test_every_alert_says_what_is_wrong_how_bad_it_is_and_where_to_read_on() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
        assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{rule['alert'].lower()}"


def test_the_guide_tells_of_every_metric_and_of_no_other() -> None:
    told = re.findall(r"^\| `((?:tally|process)_\w+)`", GUIDE.read_text(), re.MULTILINE)
    assert sorted(told) == sorted(set(registered().values()))


def test_the_guide_tells_of_every_alert() -> None:
    told = set(re.findall(r"`(Tally[A-Z]\w+)`", GUIDE.read_text()))
    assert told == {rule["alert"] for rule in rules()}


def test_no_metric_has_a_label_that_grows_with_the_work() -> None:
    for metric in [value for module in (*MODULES, topology) for value in vars(module).values()]:
        for label in getattr(metric, "_labelnames", ()):
            assert label in LABELS, metric


def test_the_dashboard_asks_the_source_that_is_chosen() -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    assert {panel["datasource"]["uid"] for panel in panels} == {"${source}"}
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in panels:
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24


def test_the_alerts_are_raised_when_they_should_be() -> None:
    promtool = os.environ.get("PROMTOOL") or shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool (of the package prometheus) is not installed")
    for arguments in (("check", "config", "prometheus.yml"), ("test", "rules", "alerts.test.yaml")):
        done = subprocess.run(
            [promtool, *arguments], cwd=ALERTS.parent, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_and_grafana_can_be_put_beside_the_services() -> None:
    compose = shutil.which("docker-compose")
    if compose is None:
        pytest.skip("docker-compose is not installed")
    files = ("-f", "docker-compose.yml", "-f", "deploy/compose.observability.yml")
    needed = dict.fromkeys(("TALLY_UID", "TALLY_GID", "TALLY_SHIP_FROM", "TALLY_CARRIER__URL"), "1")
    done = subprocess.run(
        [compose, *files, "config"], cwd=ROOT, env={**os.environ, **needed}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    composed = yaml.safe_load(done.stdout)["services"]
    assert {"prometheus", "grafana", "coordinator", "shipper", "writeback", "console"} <= composed.keys()
    sources = [volume.split(":")[0] for name in ("prometheus", "grafana") for volume in composed[name]["volumes"]]
    assert all(Path(source).exists() for source in sources if source.startswith("/"))
