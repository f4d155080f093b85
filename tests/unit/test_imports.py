"""What the start of a command loads: a person waits for it each time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Each of these is for a service, or for the few commands that load it themselves.
HEAVY = {
    "alembic",
    "duckdb",
    "faststream",
    "httpx",
    "obstore",
    "openpyxl",
    "opentelemetry",
    "PIL",
    "prometheus_client",
    "pypdf",
    "sqlalchemy",
    "structlog",
    "uvloop",
}


@pytest.mark.parametrize(
    "module", ["shared.client", "services.cli.main", "services.cli.commands.jobs", "services.cli.commands.shipping"]
)
def test_what_every_command_loads_has_nothing_that_only_services_need(module: str) -> None:
    code = f"import sys, {module}; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert module.partition(".")[0] in loaded
    assert not HEAVY & loaded
