"""How a service's process ends when it cannot start: one line for the person who reads its log, no traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable

from shared.errors import TallyError


def run_or_explain(main: Callable[[], None]) -> None:
    """Run a service; where it fails with an E-code, print that and exit with 1."""
    try:
        main()
    except TallyError as error:
        sys.stderr.write(f"{error.body}\n")
        raise SystemExit(1) from error
