"""`tally up` and `tally status`."""

from __future__ import annotations

import asyncio
from pathlib import Path

from services.cli.documents import ServiceDocument, StatusDocument
from services.cli.finding import House, find_house
from services.cli.house.announcing import JsonAnnouncer, TextAnnouncer, up_block
from services.cli.house.leftovers import is_ours
from services.cli.house.opening import open_house
from services.cli.house.record import HouseRecord, ProcessRecord, ProcessState
from services.cli.outcomes import ExitCode, print_json
from services.cli.rendering.jobs import services_table
from services.cli.terminal import command, output
from shared.client import TallyClient


def up(data: Path | None, *, sandbox: bool, as_json: bool) -> int:
    """Run a house until it is told to stop."""
    if as_json:
        open_house(data, JsonAnnouncer(_say), sandbox=sandbox)
    else:

        def next_steps(house: HouseRecord) -> str:
            words = (("preview", "orders.csv"), ("ship", "orders.csv"), ("status",))
            return up_block(house, sandbox=sandbox, steps=[command(*step, data=data) for step in words])

        open_house(data, TextAnnouncer(_say, next_steps), sandbox=sandbox)
    return ExitCode.DONE


def status(data: Path | None, *, as_json: bool) -> int:
    """Show which services run and where the house's bus, carrier, console and data are."""
    house = find_house(data)
    answering = asyncio.run(_answering(house))
    document = status_document(house, answering)
    if as_json:
        print_json(document.model_dump(mode="json"))
    else:
        output().print(services_table(document))
    return ExitCode.DONE


def status_document(house: House, answering: list[ServiceDocument]) -> StatusDocument:
    """`tally status --json`: what the supervisor wrote down where there is one, else who answers on the bus."""
    record = house.record
    recorded = [_as_it_is(service) for service in record.services] if record is not None else []
    return StatusDocument(
        services=(
            *(ServiceDocument(name=service.name, pid=service.pid, state=service.state) for service in recorded),
            *answering,
        ),
        nats_url=house.bus.shown,
        carrier_url=record.carrier_url if record is not None else None,
        console_url=record.console_url if record is not None else None,
        data_dir=str(house.data_dir),
    )


def _as_it_is(service: ProcessRecord) -> ProcessRecord:
    """The process as recorded, or stopped where its supervisor was killed and could not write down its end."""
    if service.pid is None or is_ours(service):
        return service
    return ProcessRecord(name=service.name, state=ProcessState.STOPPED)


async def _answering(house: House) -> list[ServiceDocument]:
    """Who answers on the bus, where nobody wrote down what runs; raises E-4001 where there is no bus."""
    async with await TallyClient.connect(house.bus, house.timeout) as client:
        if house.record is not None:
            return []
        return [
            ServiceDocument(name=service.name, pid=service.pid, state=ProcessState.RUNNING, host=service.host or None)
            for service in await client.services()
        ]


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command line's output
