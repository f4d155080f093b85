"""A house as a person runs it: `tally up --sandbox` with real processes, and `tally` to drive it."""

from __future__ import annotations

import csv
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx
import psutil

from tests.integration.tally_process import printing_tally, run_tally
from tests.samples import write_orders

TALLY = (sys.executable, "-m", "services.cli")
PATIENCE = 90.0


@dataclass
class House:
    """A running house; `folder` is where its orders are."""

    folder: Path
    data_dir: Path
    environment: dict[str, str]

    def run(self, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run `tally …` to its end."""
        return run_tally(
            *arguments, cwd=self.folder, environment=self.environment | (environment or {}), timeout=PATIENCE
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `tally …`; its output is for `communicate`."""
        return subprocess.Popen(
            [*TALLY, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def json(self, *arguments: str) -> Any:
        """Run `tally … --json`; the document it prints."""
        return json.loads(self.run(*arguments, "--json").stdout)

    @property
    def status(self) -> dict[str, Any]:
        """`tally status --json`."""
        return self.json("status")

    def pid(self, name: str) -> int:
        """A service's process id."""
        return next(service["pid"] for service in self.status["services"] if service["name"] == name)

    def kill(self, name: str) -> None:
        """Kill -9 a service."""
        os.kill(self.pid(name), signal.SIGKILL)

    def until_restarted(self, name: str, former: int) -> None:
        """Wait until a service runs again under another process id."""

        def runs_again(services: list[dict[str, Any]]) -> bool:
            its = next(service for service in services if service["name"] == name)
            return its["pid"] not in {None, former} and its["state"] == "running"

        self.eventually(lambda: self.status["services"], runs_again)

    def orders(self, name: str, count: int, *, seed: int = 1) -> Path:
        """A fresh file of `count` orders."""
        path = self.folder / name
        write_orders(path, count, seed=seed)
        return path

    def shipments(self) -> list[dict[str, Any]]:
        """Every shipment the carrier ever sold."""
        return self.carrier("GET", "shipments").json()

    def sold(self, job_id: str) -> Counter[str]:
        """How many live shipments the carrier holds for each reference of a job."""
        mine = {row["reference"] for row in self.json("rows", job_id)}
        live = [sold["reference"] for sold in self.shipments() if not sold["voided"]]
        return Counter(reference for reference in live if reference in mine)

    def carrier(self, method: str, path: str, **body: Any) -> httpx.Response:
        """Call one of the sandbox's own endpoints."""
        return httpx.request(method, f"{self.status['carrier_url']}/_sandbox/{path}", timeout=10, **body)

    def calls(self) -> dict[str, int]:
        """How often the carrier was called, by path."""
        return self.carrier("GET", "calls").json()

    @contextmanager
    def faults(self, *faults: dict[str, Any]) -> Iterator[None]:
        """Have the carrier misbehave within the block."""
        self.carrier("PUT", "faults", json=list(faults)).raise_for_status()
        try:
            yield
        finally:
            self.carrier("DELETE", "faults")

    @contextmanager
    def watching(self, job_id: str) -> Iterator[Watch]:
        """Follow a job's events from the first."""
        command = ("watch", job_id, "--json")
        with printing_tally(*command, cwd=self.folder, environment=self.environment) as lines:
            yield Watch(lines)

    def submit(self, path: Path, *arguments: str) -> str:
        """Have a file shipped without waiting for its end; the job's id."""
        done = self.run("ship", str(path), "--mode", "auto", "--detach", "--json", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)["job_id"]

    def eventually(self, ask: Callable[[], Any], holds: Callable[[Any], bool]) -> Any:
        """What `ask` answers, once `holds` is true of it."""
        deadline = time.monotonic() + PATIENCE
        while not holds(answer := ask()):
            assert time.monotonic() < deadline, answer
        return answer

    def finished(self, job_id: str) -> dict[str, Any]:
        """The job, once it is at an end."""
        with self.watching(job_id) as watch:
            watch.until_end()
        return self.json("show", job_id)


class Watch:
    """A job's events as `tally watch --json` prints them."""

    def __init__(self, lines: IO[str]) -> None:
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, args=(lines,), daemon=True).start()

    def _read(self, lines: IO[str]) -> None:
        with lines:
            for line in lines:
                self._lines.put(line)

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first event that is wanted."""
        deadline = time.monotonic() + PATIENCE
        while True:
            event = json.loads(self._lines.get(timeout=deadline - time.monotonic()))
            if wanted(event):
                return event

    def until_end(self) -> dict[str, Any]:
        """The event that says the job is at its end."""
        return self.until(
            lambda event: event["type"] in {"completed", "completed_with_warnings", "failed", "cancelled"}
        )

    def until_row(self, number: int) -> dict[str, Any]:
        """The first event that says the cursor is at `number` or behind it."""
        return self.until(lambda event: event["job"] is not None and event["job"]["cursor"] >= number)


def tracking_numbers(path: Path) -> list[str]:
    """The tracking_number column of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return [row["tracking_number"] for row in csv.DictReader(file)]


@contextmanager
def running_house(folder: Path, *arguments: str, **settings: str) -> Iterator[House]:
    """A house with its data under `folder`, stopped at the end with everything it started."""
    data_dir = folder / "data"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TALLY_")}
    environment |= {"TALLY_DATA_DIR": str(data_dir), "HOME": str(folder), "NO_COLOR": "1", "COLUMNS": "120", **settings}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    log = folder / "up.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*TALLY, "up", "--sandbox", *arguments],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    house = House(folder, data_dir, environment)
    try:
        wait_until_up(house, process, log)
        yield house
    finally:
        stop(process)


def wait_until_up(house: House, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until every service says that it runs."""
    deadline = time.monotonic() + PATIENCE
    ready = threading.Event()
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        record = house.data_dir / "house.json"
        if record.exists():
            states = {service["state"] for service in json.loads(record.read_text())["services"]}
            if states == {"running"}:
                return
        ready.wait(0.1)  # there is no event to wait for: the record is the house's own sign


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a house as Ctrl-C does; nothing it started is left behind."""
    children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.send_signal(signal.SIGINT)
    try:
        process.wait(40)
    except subprocess.TimeoutExpired:
        process.kill()
    for child in children:
        if child.is_running():
            child.kill()
