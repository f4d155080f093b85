"""`python -m tests.crash`: the whole crash matrix; prints its table and writes it to docs/crash-matrix.md.

Exits with 1 where a row was bought twice, a label was lost, a job got stuck or the books disagree.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.crash import special_runs
from tests.crash.cases import Result
from tests.crash.house_settings import ROOT
from tests.crash.matrix import cases
from tests.crash.schedule import EVENTUAL_ONE, Schedule
from tests.crash.shapes import ONE, SEVERAL
from tests.crash.table import by_fault, by_place, markdown, plain, table, total

PAGE = ROOT / "docs" / "crash-matrix.md"
_INTRODUCTION = """# The crash matrix

Written by `make crash`, which ships real jobs with real processes (NATS, coordinators, shippers, writebacks, the
sandbox carrier), lets a fault happen to one of them, and then compares the job database, the shipment ledger, the
source file and the carrier's own ledger number by number (tests/crash/checker.py). A few cases of each kind run with
`make test`.

*Duplicates*: rows with two live labels. *Lost*: rows whose label did not reach the job database and the source.
*Stuck*: jobs that did not get to their end. *Wrong*: jobs whose books disagreed in any other way. *Healed by*: what
was seen to mend it (on the bus, in the ledger, in the audit trail and in the logs), and in how many runs. *Recovered
in*: from the fault until the job moved again. Times are cut short here: a call counts as possibly sold for 6 s after
its claim, by default for 60 s.
"""


def main() -> int:
    """Run it; 0 where every promise was kept."""
    options = _options()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tally-crash-") as folder:
        results = asyncio.run(_run(options, Path(options.keep or folder)))
    minutes = (time.monotonic() - began) / 60
    lines = [*table(results, by_fault), total(results)]
    _say(plain(lines))
    for result in results:
        if not result.holds:
            _say(f"WRONG {result}")
    _say(f"{minutes:.1f} minutes")
    if not options.only:
        PAGE.write_text(_page(results, lines, minutes), encoding="utf-8")
    return 0 if results and all(result.holds for result in results) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description="The crash matrix.")
    parser.add_argument(
        "--only", default="", help="run the cases whose names this pattern is found in, and no special runs"
    )
    parser.add_argument("--special", action="store_true", help="with --only: special runs instead of cases")
    parser.add_argument("--seed", type=int, default=1, help="of the random kills")
    parser.add_argument("--kills", type=int, default=200, help="random kills in all")
    parser.add_argument("--keep", default="", help="keep the rigs' folders here")
    return parser.parse_args()


async def _run(options: argparse.Namespace, folder: Path) -> Sequence[Result]:
    chosen = [case for case in cases() if re.search(options.only, str(case))] if not options.special else []
    schedule = Schedule(chosen, folder, _say)
    special = special_runs.SpecialRuns(folder, _say, seed=options.seed, kills=options.kills)
    async with asyncio.TaskGroup() as rigs:
        rigs.create_task(schedule.work(SEVERAL, ONE))
        rigs.create_task(schedule.work(SEVERAL, ONE))
        rigs.create_task(schedule.work(SEVERAL, ONE))
        rigs.create_task(schedule.work(ONE, EVENTUAL_ONE, SEVERAL))
        if not options.only or options.special:
            rigs.create_task(special.run(options.only))
    return [*schedule.results, *special.results]


def _page(results: Sequence[Result], lines: Sequence[Sequence[str]], minutes: float) -> str:
    machine = f"{os.cpu_count()} processors, Python {platform.python_version()}"
    return "\n".join(
        (
            _INTRODUCTION,
            f"{sum(result.runs for result in results)} runs in {minutes:.0f} minutes on {machine}.\n",
            markdown(lines),
            "\n## By place\n",
            markdown(table(results, by_place)),
            "",
        )
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
