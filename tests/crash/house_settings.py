"""What a rig's processes find in their environment: a house with its times cut short, so that a takeover takes seconds.

A carrier call counts as possibly sold for `LONGEST_COMMIT` seconds after its claim.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from shared.settings import SANDBOX_SHIP_FROM

ROOT = Path(__file__).parents[2]
SEND_WITHIN, CALL_TIMEOUT, TCP_USER_TIMEOUT, COMMIT_MARGIN = 1.5, 3.0, 1.0, 0.5
LONGEST_COMMIT = SEND_WITHIN + CALL_TIMEOUT + TCP_USER_TIMEOUT + COMMIT_MARGIN
SETTLE_TIME = 15.0
# A carrier whose look-ups lag behind its sales.
EVENTUAL = (("TALLY_CARRIER__CONSISTENCY", "eventual"), ("TALLY_CARRIER__SETTLE_TIME", "1"))


def settings(data_dir: Path, orders: Path) -> dict[str, str]:
    """The settings that all services of a rig share."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("TALLY_")}
    return own | {
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "TALLY_DATA_DIR": str(data_dir),
        "TALLY_SOURCE_ROOTS": str(orders),
        "TALLY_SHIP_FROM": SANDBOX_SHIP_FROM.model_dump_json(),
        "TALLY_CARRIER__CLIENT_ID": "sandbox",
        "TALLY_CARRIER__CLIENT_SECRET": "sandbox",
        "TALLY_CARRIER__ACCOUNT": "TALLY1",
        "TALLY_CARRIER__CONSISTENCY": "immediate",
        "TALLY_CARRIER__SEND_WITHIN": str(SEND_WITHIN),
        "TALLY_CARRIER__CALL_TIMEOUT": str(CALL_TIMEOUT),
        "TALLY_CARRIER__TCP_USER_TIMEOUT": str(TCP_USER_TIMEOUT),
        "TALLY_CARRIER__COMMIT_MARGIN": str(COMMIT_MARGIN),
        "TALLY_CARRIER__SETTLE_TIME": str(SETTLE_TIME),
        "TALLY_STUCK_AFTER": "6",
        "TALLY_WATCHDOG_INTERVAL": "1",
    }


def service(module: str) -> tuple[str, ...]:
    """The command of a Python module of ours."""
    return (sys.executable, "-P", "-m", module)
