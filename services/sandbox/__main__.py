"""The sandbox carrier as a process: `python -m services.sandbox`."""

from __future__ import annotations

import signal
import sys
from types import FrameType

from services.sandbox.server import serve
from shared.errors import TallyError
from shared.process import keep_files_to_oneself
from shared.settings import SandboxSettings, load
from shared.telemetry import configure


def main() -> int:
    """Serve until told to stop; 0 then, 1 where it could not start."""
    keep_files_to_oneself()
    # uvicorn raises the signal once more after it has stopped; this makes of it an ordinary end.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    try:
        settings = load(SandboxSettings)
        configure("sandbox", settings.log_level, settings.log_format)
        serve(settings)
    except TallyError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
