"""`tally demo` as a person runs it: real processes, a killed shipper, and every row sold once."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest


@pytest.mark.timeout(150)
def test_the_demo_kills_the_shipper_and_sells_every_row_once_and_leaves_nothing_running(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TALLY_")}
    # What is set up for real work must not reach the demo.
    environment |= {"PYTHONPATH": str(Path(__file__).parents[2]), "TALLY_CARRIER__URL": "http://127.0.0.1:1"}
    done = subprocess.run(
        [sys.executable, "-m", "services.cli", "demo", "--data", str(tmp_path), "--json"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=140,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["job"]["status"] == "completed"
    assert document["ledger"] == {"rows": 30, "once": 30, "never": [], "twice": [], "holds": True}
    assert document["killed_pid"] != document["restarted_pid"]
    assert document["restarted_pid"] is not None
    with Path(document["orders"]).open(encoding="utf-8", newline="") as file:
        assert all(row["tracking_number"] and row["shipped_at"] for row in csv.DictReader(file))
    record = json.loads((tmp_path / "house.json").read_text())
    assert {service["state"] for service in record["services"]} == {"stopped"}
    assert not [
        process for process in psutil.process_iter(["cmdline"]) if str(tmp_path) in str(process.info["cmdline"])
    ]
