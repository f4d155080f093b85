"""Every command in a real terminal, 80 columns wide at the system's shell and 200 in `tally shell`.

What stands on the screen is kept in `transcripts/`. After a change that is meant, `TALLY_UPDATE_TRANSCRIPTS=1` writes
them anew; the diff is then reviewed.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.contract.cli_documents import PRINTED
from tests.integration.house import TALLY, House, running_house
from tests.integration.screens import Answer, Screen, screen

TRANSCRIPTS = Path(__file__).parent / "transcripts"
REFUSAL = {"fault": "error", "status": 400, "code": "120207", "message": "The ship-to postal code is invalid."}
SHIP = {"path": "/ship"}
APPROVAL = "[y/N"

# Some forty commands are typed, each a process of its own, which takes minutes where others keep the machine busy.
pytestmark = [
    pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux"),
    pytest.mark.timeout(400),
]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder whose name is as long wherever the tests run: what is shown around it stays in its place."""
    with tempfile.TemporaryDirectory(prefix="tally-", dir="/tmp") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def house(folder: Path) -> Iterator[House]:
    with running_house(folder) as house:
        program = folder / "bin" / "tally"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m services.cli "$@"\n')
        program.chmod(0o755)
        yield house


@pytest.fixture(params=[80, 200])
def told(house: House, request: pytest.FixtureRequest) -> Iterator[Teller]:
    """A terminal; a wide one is in a session."""
    environment = {name: value for name, value in house.environment.items() if name not in {"NO_COLOR", "COLUMNS"}}
    environment |= {"PATH": f"{house.folder / 'bin'}:{os.environ['PATH']}", "LOGNAME": "ann", "TZ": "UTC"}
    with screen(house.folder, request.param, environment) as terminal:
        teller = Teller(house, terminal, request.param)
        if teller.in_session:
            terminal.prompt = "tally (confirm)>"
            terminal.type("tally shell")
            terminal.ready()
        yield teller


class Teller:
    """Runs commands on a terminal and compares what they put there with what is kept."""

    def __init__(self, house: House, terminal: Screen, width: int) -> None:
        self.house = house
        self.terminal = terminal
        self.width = width
        self.in_session = width > 100

    def tell(self, chapter: str, *lines: str | tuple[str, *tuple[Answer, ...]]) -> None:
        """Run the lines of a chapter."""
        said = []
        for line in lines:
            typed, *answers = (line,) if isinstance(line, str) else line
            said.append(self._normal(typed, self.run(typed, *answers)))
        kept = TRANSCRIPTS / f"{chapter}.{self.width}.txt"
        text = "\n".join(said)
        if os.environ.get("TALLY_UPDATE_TRANSCRIPTS"):
            kept.parent.mkdir(exist_ok=True)
            kept.write_text(text, encoding="utf-8")
        assert text == kept.read_text(encoding="utf-8")

    def run(self, line: str, *answers: Answer) -> str:
        """What a command puts on the terminal."""
        return self.terminal.run(line if self.in_session else f"tally {line}", *answers)

    def _normal(self, line: str, said: str) -> str:
        """What was said without what differs from one run to the next; of the same length where it can be."""
        # A terminal breaks a long line wherever it ends.
        broken = "\\n?".join(map(re.escape, str(self.house.folder)))
        text = re.sub(broken, "/tmp/tally-of-today", said)
        for pattern, form in _PASSING:
            text = re.sub(pattern, form, text)
        if line.startswith(("status", "up")):
            text = re.sub(r"(?<!E-)\b\d{2,7}\b", "0000", re.sub(r" {2,}", "  ", text))
        if line.startswith("report"):
            text = re.sub(r"^ +\d+  +1 +\d+$", "  n        1            10", text, flags=re.MULTILINE)
        if line.startswith("audit"):
            first, _, rest = text.partition("\n")
            rest = " ".join(re.sub(r"^ *\d+ ", "  n ", rest, flags=re.MULTILINE).split())
            rest = re.sub(r"\b[0-9a-f]{16,}( [0-9a-f]+\b)?", "0" * 16, rest)
            text = f"{first}\n{textwrap.fill(re.sub(r'[0-9]+ entries', 'n entries', rest), 100)}\n"
        return text


_PASSING = (
    (r"\b1Z[0-9A-Z]{16}\b", "1Z9999999999999999"),
    (r"\bT[A-Z2-7]{20}(\d*)", r"TREFERENCE00000000000\1"),
    (r"\b[a-z2-7]{16}\b", "jobjobjobjobjob1"),
    (r"\b\d{4}-\d\d-\d\d\b", "2026-11-21"),
    (r"\b\d{4}-\d\d-\d\dT\d{6}Z", "2026-11-21T000000Z"),
    (r"\b\d\d:\d\d:\d\d\b", "00:00:00"),
    (r"-\d{8}-\d{6}-[0-9a-f]{6}\b", "-20261121-000000-000000"),
    (r"\d+(\.\d+)? s \([\d.]+ rows/s\)", "0.0 s (0.0 rows/s)"),
    (r"\b\d+ ms\b", "10 ms"),
)


def rename(path: Path, row: int, name: str) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    rows[row - 1]["name"] = name
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def test_a_batch_from_its_file_to_its_numbers(told: Teller) -> None:
    file = f"orders{told.width}.csv"
    told.house.orders(file, 4, seed=700 + told.width)
    told.tell("house", "status", "up --sandbox", "explain E-3012", "explain nothing")
    told.tell("before", f"inspect {file}", f"preview {file}")
    told.tell("ship", (f"ship {file}", Answer(APPROVAL, "y")))
    told.tell("jobs", "jobs --limit 1", "show last", "rows last", "show last 2", "watch last", "verify last")
    told.tell("labels", f"labels last -o labels{told.width}.pdf", f"labels last --row 2 -o label{told.width}")
    told.tell("report", "report last", f"report last --out report{told.width}.xlsx")
    told.tell("records", "audit last --row 2", "audit verify last", "purge --older-than 90d --dry-run")
    told.tell("settled", "resolve last 1 --not-shipped", "pause last", "rows none")
    told.tell("restart", ("restart last", Answer(APPROVAL, "n")))
    told.tell("void", ("void last 2", Answer(APPROVAL, "y")), "rows last")
    told.tell("restore", ("restore last", Answer(APPROVAL, "n")))


def test_a_preview_that_is_approved_later_or_never(told: Teller) -> None:
    house = told.house
    file = f"later{told.width}.csv"
    path = house.orders(file, 2, seed=800 + told.width)
    with house.faults({"match": SHIP | {"nth": 1}, "fault": "latency", "ms": 2000}):
        told.tell("later", (f"ship {file}", Answer(APPROVAL, None)), "approve last")
    house.finished(house.json("show", "last")["job_id"])
    never = f"never{told.width}.csv"
    path = house.orders(never, 2, seed=900 + told.width)
    told.tell("never", (f"ship {never}", Answer(APPROVAL, None)), "reject last")
    edit = Answer(APPROVAL, "y", partial(rename, path, 1, "Somebody Else"))
    told.tell("changed", (f"ship {never}", edit, Answer(APPROVAL, "n")))


def test_a_row_that_the_carrier_refuses(told: Teller) -> None:
    file = f"refused{told.width}.csv"
    rename(told.house.orders(file, 3, seed=1000 + told.width), 2, "Refused Recipient")
    with told.house.faults({"match": {"recipient": "Refused Recipient"} | SHIP, **REFUSAL}):
        told.tell("refused", (f"ship {file}", Answer(APPROVAL, "y")), "show last 2")
    told.tell("resume", "resume last")


def test_a_job_that_is_paused_and_cancelled(told: Teller) -> None:
    house = told.house
    file = f"slow{told.width}.csv"
    house.orders(file, 4, seed=1100 + told.width)
    slow = {"match": SHIP | {"nth": 2}, "fault": "latency", "ms": 10_000}
    with house.faults(slow), house.watching(house.submit(house.folder / file)) as watch:
        watch.until_row(1)
        told.tell("pause", "pause last")
        watch.until_row(2)
    told.tell("cancel", ("cancel last", Answer(APPROVAL, "n")))


def test_the_demo_kills_a_shipper_and_ships_each_row_once(told: Teller) -> None:
    # How fast it goes differs from one run to the next, and with it what it says: no transcript is kept of it.
    said = " ".join(told.run(f"demo --data demo{told.width}").split())
    assert "30 rows to ship" in said
    # News of a row travels a few times a second: the job may be some rows further when it comes.
    half_way = re.search(r"Half-way, at row (\d+): kill -9 \d+, the shipper", said)
    assert half_way is not None
    assert 15 <= int(half_way[1]) < 30
    assert "30 of 30 shipped" in said
    assert "exactly one live shipment for each of the 30 rows." in said
    assert ("rows last" if told.in_session else "tally rows last") in said


def test_the_doctor_says_what_is_wrong_and_what_to_do(told: Teller) -> None:
    assert "The carrier answers and takes the credentials." in told.run("doctor")
    frozen = told.house.pid("writeback")
    os.kill(frozen, signal.SIGSTOP)
    try:
        said = " ".join(told.run("doctor").split())
    finally:
        os.kill(frozen, signal.SIGCONT)
    assert "problem writeback No writeback answers. → Start a writeback;" in said
    assert "ok shipper 1 running, release" in said


def test_every_document_is_what_its_schema_says(house: House) -> None:
    house.orders("json.csv", 3, seed=12)
    house.orders("json-rejected.csv", 1, seed=13)
    lines = [
        "status",
        "doctor",
        "inspect json.csv",
        "preview json.csv",
        "ship json.csv",
        "approve last",
        "resume last",
        "jobs",
        "show last",
        "show last 1",
        "rows last",
        "verify last",
        "labels last -o labels.pdf",
        "report last",
        "audit last",
        "audit verify last",
        "audit last -o trail.csv",
        "purge --older-than 90d --dry-run",
        "void last 1",
        "restore last",
        "restart last",
        "cancel last",
        "explain E-3012",
        "set mode auto",
    ]
    done = subprocess.run(
        [*TALLY, "shell", "--json"],
        input="\n".join(lines),
        cwd=house.folder,
        env=house.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    text, decoder = done.stdout, json.JSONDecoder()
    for line in lines:
        document, end = decoder.raw_decode(text)
        text = text[end:].lstrip()
        name = "shell" if line.startswith("set ") else line.partition(" ")[0]
        PRINTED["error" if "error" in document and len(document) == 1 else name].check(json.dumps(document))
    assert text == ""
    PRINTED["watch"].check(house.run("watch", "last", "--json").stdout)
    PRINTED["error"].check(house.run("show", "nothing", "--json").stdout)
