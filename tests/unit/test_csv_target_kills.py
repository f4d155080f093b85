"""Kill -9 at any instant of writing a CSV file, a hundred times: the old file or the new one, whole, never torn."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

from csv_changes import change, changes, codes, write

ROWS = 2000
KILLS = 100
# Forks a child that writes without end for each line it is sent, so that a hundred writers take one start of Python.
WRITERS = """
import os, sys
from pathlib import Path
from csv_changes import change, changes, target
from services.writeback.targets.target import RowChange
from shared.contracts.source import CsvSource
path = Path(sys.argv[1])
plain = changes(path, {number: None for number in range(1, int(sys.argv[2]) + 1)})
both = ("old", "new")
def flush(csv, text):
    wanted = [change(each.row_number, each.checksum, text, replaces=both) for each in plain]
    csv.apply(CsvSource(path=path.name), wanted)
print("ready", flush=True)
for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        csv = target(path.parent, timeout=30.0)
        flush(csv, "old")
        print(os.getpid(), flush=True)
        while True:
            flush(csv, "new")
            flush(csv, "old")
    os.waitpid(child, 0)
    print("dead", flush=True)
"""


def lines(content: bytes) -> tuple[list[bytes], set[bytes]]:
    """Every line without its tracking number, and the numbers that there are."""
    header, *rows = content.split(b"\r\n")
    split = [row.rsplit(b";", 2) for row in rows if row]
    return [header, *(row[0] for row in split)], {row[1] for row in split}


def test_a_hundred_kills_leave_the_old_or_the_new_file(tmp_path: Path) -> None:
    orders = tmp_path / "orders.csv"
    rows = (f'José {row};"x; ""y""\n";\x80{row};;' for row in range(1, ROWS + 1))
    text = "\r\n".join(["name;note;price;tracking_number;shipped_at", *rows, ""]).replace("\x80", "€")
    orders.write_bytes(text.encode("cp1252"))
    before, none = lines(orders.read_bytes())
    assert none == {b""}
    here = Path(__file__).parent
    writers = subprocess.Popen(
        [sys.executable, "-c", WRITERS, str(orders), str(ROWS)],
        env={**os.environ, "PYTHONPATH": f"{here}:{here.parent.parent}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writers.stdin is not None
    assert writers.stdout is not None
    assert writers.stdout.readline() == "ready\n"
    seen = set()
    instants = random.Random(4)
    for _ in range(KILLS):
        writers.stdin.write("go\n")
        writers.stdin.flush()
        child = int(writers.stdout.readline())
        # Not awaiting anything: the kill is to come at a random instant of the child's work.
        with subprocess.Popen(["sleep", f"{instants.uniform(0, 0.1):.4f}"]) as pause:
            pause.wait(30)
        os.kill(child, 9)
        assert writers.stdout.readline() == "dead\n"
        content, numbers = lines(orders.read_bytes())
        assert content == before
        assert numbers in ({b"old"}, {b"new"})
        seen |= numbers
    writers.stdin.close()
    assert writers.wait(30) == 0
    assert seen == {b"old", b"new"}
    wanted = [
        change(each.row_number, each.checksum, "last", replaces=("old", "new"))
        for each in changes(orders, dict.fromkeys(range(1, ROWS + 1), "last"))
    ]
    assert set(codes(write(orders, wanted))) == {None}
    assert not [file.name for file in tmp_path.iterdir() if file.suffix == ".tally-tmp"]
