"""Opening a house: `tally up` from settings to a running supervisor."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from services.cli.house.announcing import Announcer
from services.cli.house.console import furnish_console
from services.cli.house.environment import (
    UserSettings,
    bus_environment,
    house_environment,
    http_environment,
    require_carrier,
    sandbox_environment,
    user_settings,
)
from services.cli.house.leftovers import end_leftovers
from services.cli.house.lock import process_lock, supervisor_lock
from services.cli.house.nats_server import choose_port, configuration, find_server
from services.cli.house.record import HouseRecord, read_record
from services.cli.house.specs import (
    ProcessSpec,
    accepts_connections,
    answers_status,
    module,
    prints_listening,
)
from services.cli.house.supervisor import Supervisor
from services.cli.rendering.interruption import interruptions
from shared.bus.connecting import BusAccess, bus_access
from shared.client import TallyClient
from shared.errors import TallyError
from shared.settings import ClientSettings, SandboxSettings, load

SERVICES = ("coordinator", "shipper", "writeback")
_LEFTOVER_GRACE = 5.0
_MOST_NAMED = 5
_LONGEST_LOG = 16 * 1024 * 1024


def open_house(data_dir: Path | None, announcer: Announcer, *, sandbox: bool) -> None:
    """Run a house in the foreground until it is told to stop.

    Raises E-5001 without a carrier, E-5005 where the data directory has a supervisor, E-5006 without a NATS server,
    E-4001 where the bus of the settings cannot be reached, E-5002 where the console cannot listen where it is told to.
    """
    user = user_settings()
    require_carrier(user, sandbox=sandbox)
    typed = data_dir
    data_dir = (data_dir or user.data_dir).expanduser().absolute()
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with supervisor_lock(data_dir):
        former = read_record(data_dir)
        if former is not None and (ended := end_leftovers(former, _LEFTOVER_GRACE)):
            announcer.ended_leftovers(ended)
        with process_lock(data_dir, former.supervisor_pid if former else None) as inherited:
            _put_aside_long_logs(data_dir / "logs")
            supervisor = _furnish(
                user, former, data_dir, inherited, announcer, partial(_interruptions, typed), sandbox=sandbox
            )
            asyncio.run(supervisor.run())


def _furnish(
    user: UserSettings,
    former: HouseRecord | None,
    data_dir: Path,
    inherited: int,
    announcer: Announcer,
    interruptions_told: Callable[[BusAccess], Awaitable[list[str]]],
    *,
    sandbox: bool,
) -> Supervisor:
    """A supervisor with everything it is to run."""
    nats_port = choose_port(former.nats_url if former else None)
    nats_url = user.nats_url or f"nats://127.0.0.1:{nats_port}"
    carrier_port = load(SandboxSettings).port or choose_port(former.carrier_url if former else None, taken=nats_port)
    sandbox_url = f"http://127.0.0.1:{carrier_port}" if sandbox else None
    environment = house_environment(
        os.environ, user, nats_url=nats_url, sandbox_url=sandbox_url, data_dir=data_dir, working_dir=Path.cwd()
    )
    bus = bus_access(load(ClientSettings), nats_url) if user.nats_url else BusAccess(nats_url)
    layers: list[tuple[ProcessSpec, ...]] = []
    if user.nats_url is None:
        layers.append((_nats_server(nats_port, nats_url, data_dir),))
    else:
        asyncio.run(_reach(bus))
    if sandbox:
        own = sandbox_environment(environment, carrier_port)
        layers.append((ProcessSpec("sandbox", module("sandbox"), own, prints_listening()),))
    ready = answers_status(bus)
    console = furnish_console(data_dir, former.console_url if former else None)
    layers.append(
        (
            *(
                ProcessSpec(name, module(name), http_environment(environment, user.http_port, place), ready)
                for place, name in enumerate(SERVICES)
            ),
            console.spec(http_environment(environment, user.http_port, len(SERVICES))),
        )
    )
    return Supervisor(
        layers=tuple(layers),
        data_dir=data_dir,
        nats_url=nats_url,
        carrier_url=sandbox_url or user.carrier_url,
        console=console,
        inherited=inherited,
        announcer=announcer,
        notices=partial(interruptions_told, bus),
    )


def _nats_server(port: int, url: str, data_dir: Path) -> ProcessSpec:
    config = data_dir / "nats.conf"
    config.write_text(configuration(port, data_dir), encoding="utf-8")
    return ProcessSpec(
        "nats", (find_server(), "-c", str(config)), bus_environment(os.environ), accepts_connections(BusAccess(url))
    )


async def _interruptions(typed: Path | None, bus: BusAccess) -> list[str]:
    """What there is to say of interrupted jobs, or why nobody can say it; `typed` is the data directory, if any was."""
    try:
        async with await TallyClient.connect(bus) as client:
            return [one.told(typed) for one in await interruptions(client, _MOST_NAMED)]
    except TallyError as error:
        return [f"Interrupted jobs, if any, are not known: {error}"]


async def _reach(bus: BusAccess) -> None:
    async with await TallyClient.connect(bus):
        pass


def _put_aside_long_logs(logs: Path) -> None:
    """Begin a new log file where one has grown long; one former file is kept of each."""
    for log in logs.glob("*.log"):
        if log.stat().st_size > _LONGEST_LOG:
            log.replace(log.with_suffix(".log.1"))
