"""A house's probes and figures, as those see them who keep its containers and watch it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.house import House, running_house
from tests.samples import write_orders

SERVICES = ("coordinator", "shipper", "writeback", "console")


def free_ports() -> int:
    """The first of as many free ports in a row as a house has services."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            first = taken.getsockname()[1]
        try:
            for port in range(first, first + len(SERVICES)):
                socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return first


@pytest.fixture(scope="module")
def first_port() -> int:
    return free_ports()


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("roots")


@pytest.fixture(scope="module")
def probed_house(tmp_path_factory: pytest.TempPathFactory, first_port: int, roots: Path) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    settings = {
        "TALLY_HTTP__PORT": str(first_port),
        "TALLY_SOURCE_ROOTS": str(roots),
        # A carrier that promises nothing of its look-ups, so that a lost answer leaves a row in doubt.
        "TALLY_CARRIER__CONSISTENCY": "none",
        "TALLY_CARRIER__SETTLE_TIME": "1",
    }
    with running_house(folder, **settings) as house:
        yield house


def readiness(first_port: int, service: str) -> tuple[int, dict[str, Any]]:
    answer = httpx.get(f"http://127.0.0.1:{first_port + SERVICES.index(service)}/readyz", timeout=10)
    body = answer.json()
    assert body["service"] == service
    return answer.status_code, body["lacking"]


def test_every_service_lives_and_is_ready(probed_house: House, first_port: int) -> None:
    for place, service in enumerate(SERVICES):
        assert httpx.get(f"http://127.0.0.1:{first_port + place}/livez").status_code == 200
        assert readiness(first_port, service) == (200, {})
        done = subprocess.run(
            [sys.executable, "-m", "shared.health", "--ready"],
            env={**probed_house.environment, "TALLY_HTTP__PORT": str(first_port + place)},
            cwd=probed_house.folder,
            check=False,
        )
        assert done.returncode == 0


Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scraped(first_port: int) -> dict[str, Figures]:
    """What each service tells, by name and labels."""
    told = {}
    for place, service in enumerate(SERVICES):
        text = httpx.get(f"http://127.0.0.1:{first_port + place}/metrics", timeout=10).text
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        told[service] = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
    return told


def figure(told: Figures, name: str, **labels: str) -> float:
    return told.get((name, frozenset(labels.items())), 0.0)


def shipped(house: House, path: Path, rows: int, seed: int) -> str:
    """The id of a job of so many rows, once it is at its end."""
    write_orders(path, rows, seed=seed)
    job_id = house.json("ship", str(path), "--mode", "auto", "--detach")["job_id"]
    house.finished(job_id)
    return job_id


def test_what_is_told_is_what_happened_and_no_series_is_of_a_job(
    probed_house: House, first_port: int, roots: Path
) -> None:
    house = probed_house
    shipped(house, roots / "well.csv", 4, 1)
    refusal = {"fault": "error", "status": 400, "code": "120207", "message": "No."}
    with house.faults({"match": {"nth": 2}, **refusal}):
        shipped(house, roots / "refused.csv", 2, 2)
    with house.faults({"match": {"nth": 2}, **refusal, "status": 503, "code": "10004"}):
        shipped(house, roots / "doubt.csv", 3, 3)

    def is_told(told: dict[str, Figures]) -> bool:
        return (
            figure(told["coordinator"], "tally_rows_open", status="in_doubt") == 1
            and figure(told["coordinator"], "tally_jobs", status="failed") == 2
            and figure(told["writeback"], "tally_write_backs_total", kind="csv", result="written") == 6
            and figure(told["coordinator"], "tally_write_backs_due") == 0
        )

    told = house.eventually(lambda: scraped(first_port), is_told)
    coordinator, shipper, writeback = told["coordinator"], told["shipper"], told["writeback"]
    outcomes = {
        name: figure(coordinator, "tally_rows_total", outcome=name) for name in ("shipped", "failed", "in_doubt")
    }
    assert outcomes == {"shipped": 6, "failed": 1, "in_doubt": 1}
    assert figure(coordinator, "tally_row_overhead_seconds_count") == 6
    assert figure(coordinator, "tally_jobs", status="completed") == 1
    assert figure(coordinator, "tally_jobs_entered_total", status="running") == 3
    assert figure(coordinator, "tally_ledger_created_timestamp_seconds") > 0
    assert figure(coordinator, "tally_job_progress_age_seconds") == 0
    calls = {
        name: figure(shipper, "tally_carrier_calls_total", operation="shipping", outcome=name)
        for name in ("ok", "refused", "error")
    }
    assert calls == {"ok": 6, "refused": 1, "error": 1}
    assert figure(shipper, "tally_carrier_call_seconds_count", operation="shipping") == 8
    assert figure(shipper, "tally_carrier_places", state="leased") > 0
    assert figure(shipper, "tally_messages_handled_total", consumer="shipper", result="done") == 8
    assert figure(writeback, "tally_flush_rows_sum", kind="csv") == 6
    assert figure(writeback, "tally_event_loop_lag_seconds_count") > 0

    before = {service: set(figures) for service, figures in told.items()}
    shipped(house, roots / "more.csv", 6, 4)
    after = {service: set(figures) for service, figures in scraped(first_port).items()}
    grown = {name for service in SERVICES for name, _ in after[service] - before[service]}
    # A busy machine may have a publish tried again meanwhile: one series for each stream, at most.
    assert grown <= {"tally_publish_retries_total"}


def test_a_bus_that_hangs_makes_every_service_live_and_unready(probed_house: House, first_port: int) -> None:
    pid = probed_house.pid("nats")
    os.kill(pid, signal.SIGSTOP)
    try:
        for place, service in enumerate(SERVICES):
            status, lacking = readiness(first_port, service)
            assert (status, set(lacking)) == (503, {"bus" if service == "console" else "consumers"})
            assert httpx.get(f"http://127.0.0.1:{first_port + place}/livez").status_code == 200
    finally:
        os.kill(pid, signal.SIGCONT)
    for service in SERVICES:
        probed_house.eventually(lambda: readiness(first_port, service), lambda answer: answer == (200, {}))  # noqa: B023


def test_sources_that_are_gone_make_their_readers_and_writers_unready(
    probed_house: House, first_port: int, roots: Path
) -> None:
    aside = roots.with_name("aside")
    roots.rename(aside)
    try:
        assert readiness(first_port, "coordinator") == (503, {"source_roots": f"no such folder: {roots}"})
        assert readiness(first_port, "writeback") == (503, {"source_roots": f"no such folder: {roots}"})
        assert readiness(first_port, "shipper") == (200, {})
    finally:
        aside.rename(roots)
    assert probed_house.status["services"]
