"""What `tally up` says: lines for a person, or JSON lines for a program."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from services.cli.house.process import Death
from services.cli.house.record import HouseRecord, ProcessRecord
from shared.addresses import without_credentials
from shared.clock import Clock, utc_now

Say = Callable[[str], None]


class Announcer(Protocol):
    """Who tells the person, or the program, that started the house."""

    def ended_leftovers(self, names: Sequence[str]) -> None:
        """Processes of an earlier house, whose supervisor was killed, were ended."""

    def ready(self, house: HouseRecord) -> None:
        """Every process serves."""

    def noticed(self, text: str) -> None:
        """There is something that a person should know of the house."""

    def died(self, death: Death) -> None:
        """A process ended unasked and is started again later."""

    def runs_again(self, process: ProcessRecord) -> None:
        """A process that had died serves again."""

    def stopping(self) -> None:
        """The house was told to stop."""

    def stopped(self) -> None:
        """Nothing of the house runs any more."""


class TextAnnouncer:
    """Says it in a line each, with the local time."""

    def __init__(self, say: Say, next_steps: Callable[[HouseRecord], str], clock: Clock = utc_now) -> None:
        self._say = say
        self._next_steps = next_steps
        self._clock = clock

    def ended_leftovers(self, names: Sequence[str]) -> None:
        self._line(f"ended what an earlier tally up left running: {', '.join(names)}")

    def ready(self, house: HouseRecord) -> None:
        self._say(self._next_steps(house))

    def noticed(self, text: str) -> None:
        self._say(f"{text}\n")

    def died(self, death: Death) -> None:
        self._line(f"{death_in_words(death.name, death.pid, death.how, death.restart_in)}; see logs/{death.log.name}")

    def runs_again(self, process: ProcessRecord) -> None:
        self._line(f"{process.name} (pid {process.pid}) runs again")

    def stopping(self) -> None:
        self._line("stopping; Ctrl-C again kills at once")

    def stopped(self) -> None:
        self._line("stopped")

    def _line(self, text: str) -> None:
        now: datetime = self._clock().astimezone()
        self._say(f"{now:%H:%M:%S} {text}")


class JsonAnnouncer:
    """Says it in a JSON document a line each; `event` tells them apart."""

    def __init__(self, say: Say, clock: Clock = utc_now) -> None:
        self._say = say
        self._clock = clock

    def ended_leftovers(self, names: Sequence[str]) -> None:
        self._line("ended_leftovers", names=list(names))

    def ready(self, house: HouseRecord) -> None:
        self._line("ready", **house.model_dump(mode="json"))

    def noticed(self, text: str) -> None:
        self._line("noticed", text=text)

    def died(self, death: Death) -> None:
        self._line(
            "died",
            name=death.name,
            pid=death.pid,
            how=death.how,
            restart_in=round(death.restart_in, 1),
            log=str(death.log),
        )

    def runs_again(self, process: ProcessRecord) -> None:
        self._line("runs_again", name=process.name, pid=process.pid)

    def stopping(self) -> None:
        self._line("stopping")

    def stopped(self) -> None:
        self._line("stopped")

    def _line(self, event: str, **values: Any) -> None:
        self._say(json.dumps({"event": event, "at": self._clock().isoformat(), **values}))


def death_in_words(name: str, pid: int | None, how: str, restart_in: float) -> str:
    """How a process ended, and when it is started again."""
    who = name if pid is None else f"{name} (pid {pid})"
    return f"{who} {how}; restart in {restart_in:.1f} s"


def up_block(house: HouseRecord, *, sandbox: bool, steps: Sequence[str]) -> str:
    """What a person needs once the house runs: addresses, the data directory, and what to type next."""
    carrier = f"{house.carrier_url}{' (sandbox: no real labels)' if sandbox else ''}"
    return "\n".join(
        (
            "Tallyman is up; Ctrl-C stops it.",
            "",
            f"  Bus      {without_credentials(house.nats_url)}",
            f"  Carrier  {carrier}",
            *_console(house),
            f"  Data     {house.data_dir}",
            f"  Logs     {Path(house.data_dir) / 'logs'}",
            "",
            "In another terminal:",
            *(f"  {step}" for step in steps),
            "",
        )
    )


def _console(house: HouseRecord) -> tuple[str, ...]:
    """Where the console is and how to get in; never the token itself."""
    if house.console_url is None:
        return ()
    where = "TALLY_CONSOLE__TOKEN" if house.console_token_file is None else f"the token in {house.console_token_file}"
    return f"  Console  {house.console_url}", f"           log in with {where}"
