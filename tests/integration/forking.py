"""The one fork server of a test process: what its children need is imported once, and each is forked in milliseconds.

Python has one fork server for a process, and what it imports beforehand is settled when the first child starts.
"""

from __future__ import annotations

import multiprocessing

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        "tests.integration.tally_commands",
        "tests.integration.test_database_kills",
        "tests.integration.test_orders_beside_kills",
    ]
)
