"""`python -m services.coordinator.intake.judging_process`: judges orders for a coordinator that takes many in.

It is told the judge and then blocks of orders on its standard input, and answers each on its standard output. It ends
with its input, and so with its coordinator, however that one ends. It opens no file, no connection and no database.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from types import TracebackType

from services.coordinator.database.new_rows import STORED
from services.coordinator.intake.frames import receive, send
from services.coordinator.intake.judging import StoringJudge
from shared.version import VERSION

# What tells a coordinator that it makes the rows which that one stores: the code on disk may have been replaced since
# the coordinator started.
READY = ("ready", VERSION, STORED)
_COLLECTED_EVERY = 100_000  # objects made; what a row leaves behind is in no cycle


def main() -> None:
    """Judge until the input ends."""
    # A Ctrl-C in a terminal is for the coordinator, which ends this process when it is done with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Whatever prints goes to the log, never among the answers.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    sys.excepthook = _tell
    judge = receive(questions)
    if not isinstance(judge, StoringJudge):
        return
    gc.freeze()
    gc.set_threshold(_COLLECTED_EVERY)
    try:
        send(answers, READY)
        while (found := receive(questions)) is not None:
            send(answers, judge.judged(found))
    except BrokenPipeError:
        # Nobody waits for the answer any more.
        os._exit(0)


def _tell(kind: type[BaseException], _error: BaseException, _trace: TracebackType | None) -> None:
    """Say what ended the process and no more: an error's words may quote an order. Its coordinator meets it, too."""
    sys.stderr.write(f"a judging process ended: {kind.__name__}\n")


if __name__ == "__main__":
    main()
