"""The Helm chart as helm renders it; helm is taken from PATH, else from build/tools (`make tools`)."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "tallyman"
NEEDED = {"carrier": {"account": "A1B2C3"}}
EVERYTHING: dict[str, Any] = NEEDED | {
    "nats": {"passwords": {"secret": "nats"}, "tls": {"secret": "nats-tls", "clientCertificate": True}},
    "database": {"tls": {"secret": "database-tls"}},
    "connections": {"web_shop": {"secret": "shop", "key": "url"}},
    "orders": {"existingClaim": "orders"},
    "labels": {"environmentSecret": "bucket"},
    "shipFrom": {"name": "Warehouse"},
    "shipper": {"autoscaling": {"enabled": True}},
    "console": {"ingress": {"enabled": True, "host": "tallyman.example", "className": "nginx", "tlsSecret": "web"}},
    "telemetry": {"otlpEndpoint": "http://collector:4318"},
    "metrics": {"podMonitor": True, "rules": True},
    "networkPolicy": {
        "consoleFrom": [{"namespaceSelector": {}}],
        "sourceEgress": [{"ports": [{"port": 3306}]}],
        "shipperEgress": [{"ports": [{"port": 9000}]}],
    },
}


def helm() -> str:
    """Where helm is, or a skip that says why."""
    found = shutil.which("helm") or shutil.which("helm", path=str(ROOT / "build" / "tools"))
    if found is None:
        pytest.skip("no helm on PATH nor in build/tools; `make tools` gets one where npm can be had")
    return found


def run_helm(command: str, *arguments: str, values: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Run `helm COMMAND` on the chart; JSON is YAML, so the values go in as they are."""
    return subprocess.run(
        [helm(), command, *arguments, str(CHART), "--values", "-"],
        input=json.dumps(values),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@dataclass(frozen=True)
class Rendered:
    """What the chart makes of some values."""

    values: dict[str, Any]

    @cached_property
    def text(self) -> str:
        done = run_helm("template", "shop", values=self.values)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @cached_property
    def manifests(self) -> list[dict[str, Any]]:
        return [manifest for manifest in yaml.safe_load_all(self.text) if manifest]

    def of_kind(self, *kinds: str) -> list[dict[str, Any]]:
        return [manifest for manifest in self.manifests if manifest["kind"] in kinds]

    def named(self, kind: str, service: str) -> dict[str, Any]:
        return next(each for each in self.of_kind(kind) if each["metadata"]["name"].endswith(f"-{service}"))

    @property
    def pods(self) -> dict[str, dict[str, Any]]:
        """Each workload's pod template by its service."""
        workloads = self.of_kind("Deployment", "StatefulSet", "Job")
        return {
            each["metadata"]["labels"]["app.kubernetes.io/component"]: each["spec"]["template"] for each in workloads
        }

    def environment(self, service: str) -> dict[str, str]:
        """What a service's container finds in its environment of the chart."""
        container = self.pods[service]["spec"]["containers"][0]
        given = {each["name"]: each["value"] for each in container["env"]}
        return given | (self.named("ConfigMap", "settings")["data"] if "envFrom" in container else {})
