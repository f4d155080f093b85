"""Publishes what a step asks for: ship and write-back commands, each into its one slot."""

from __future__ import annotations

import asyncio

from pydantic import ValidationError

from services.coordinator.database.queries import InFlightRow
from services.coordinator.database.step import Step
from shared.bus.publishing import Publisher, SubjectOccupiedError, fresh_id
from shared.contracts import subjects
from shared.contracts.commands import ShipCommand, VoidCommand, WritebackCommand
from shared.contracts.requests import JobRequest
from shared.contracts.source import source_hash
from shared.failpoints import failpoint
from shared.telemetry import logger, tracing

log = logger("dispatch")

_AT_ONCE = 50
_ACK_PAUSES = (0.002, 0.005, 0.02, 0.1)


class Dispatcher:
    """Publishes commands; every publish is confirmed, and publishing the same command twice does no harm."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def dispatch(self, step: Step) -> None:
        """Publish what `step` asks for. Raises TallyError E-4013 where the bus confirms nothing in time."""
        if step.ship is not None and step.writeback is not None:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.ship(step.ship))
                group.create_task(self.write_back(step.writeback))
        elif step.ship is not None:
            await self.ship(step.ship)
        elif step.writeback is not None:
            await self.write_back(step.writeback)
        with tracing.apart():  # as many rows as a job may have
            await self._dispatch_many(step)
        if step.request is not None:
            await self.request(step.request)

    async def _dispatch_many(self, step: Step) -> None:
        for start in range(0, len(step.writebacks), _AT_ONCE):
            async with asyncio.TaskGroup() as group:
                for again in step.writebacks[start : start + _AT_ONCE]:
                    group.create_task(self.write_back(again))
        for command in step.voids:
            await self.void(command)

    async def ship(self, command: ShipCommand) -> None:
        """Publish a ship command into its job's slot.

        Its message id is fresh: a work queue swallows the id of a command that was consumed, and its answer would
        never come. What a second command for a row may do is decided by the ledger.
        """
        with tracing.in_row(tracing.RowAttempt(command.job_id, command.row_number, command.attempt)):
            await self._ship(command)

    async def _ship(self, command: ShipCommand) -> None:
        failpoint("coordinator.before_ship_publish")
        message_id = fresh_id()
        subject = subjects.ship_command(command.job_id)
        for pause in (*_ACK_PAUSES, None):
            try:
                await self._publisher.publish(subjects.COMMANDS, subject, command, message_id=message_id)
            except SubjectOccupiedError:
                if pause is not None:
                    # The row before was settled a moment ago; its acknowledgement is on its way.
                    await asyncio.sleep(pause)
                elif not await self._displaced(subject, command):
                    return
            else:
                failpoint("coordinator.after_ship_publish")
                return
        await self._publisher.publish(subjects.COMMANDS, subject, command, message_id=message_id)

    async def write_back(self, command: WritebackCommand) -> None:
        """Publish a write-back command into its row's slot; where one waits there already, that one will do.

        Writeback applies the greatest version it knows, and the watchdog publishes what is still due.
        """
        failpoint("coordinator.before_writeback_publish")
        await self._into_slot(_writeback_slot(command), command)
        failpoint("coordinator.after_writeback_publish")

    async def void(self, command: VoidCommand) -> None:
        """Publish a void command into its row's slot; where one waits there already, the watchdog comes back to it."""
        await self._into_slot(_void_slot(command), command)

    async def request(self, request: JobRequest) -> None:
        """Publish the request of a job that is made already and is still to be taken in."""
        await self._publisher.publish(subjects.REQUESTS, subjects.SUBMIT, request, message_id=fresh_id())

    async def waiting(self, job_id: str) -> ShipCommand | None:
        """The ship command in a job's slot."""
        stored = await self._publisher.last(subjects.COMMANDS, subjects.ship_command(job_id))
        return None if stored is None else ShipCommand.model_validate_json(stored.data)

    async def take_out(self, row: InFlightRow) -> None:
        """Take the ship command of a row out of its slot, so that it is not delivered again."""
        stored = await self._publisher.last(subjects.COMMANDS, subjects.ship_command(row.job_id))
        if stored is None:
            return
        waiting = ShipCommand.model_validate_json(stored.data)
        if (waiting.row_number, waiting.attempt) == (row.row_number, row.attempt):
            await self._publisher.delete(subjects.COMMANDS, stored.sequence)

    async def write_back_waits(self, command: WritebackCommand) -> bool:
        """Whether a write-back command is in its row's slot."""
        return await self._publisher.last(subjects.COMMANDS, _writeback_slot(command)) is not None

    async def void_waits(self, command: VoidCommand) -> bool:
        """Whether a void command is in its row's slot."""
        return await self._publisher.last(subjects.COMMANDS, _void_slot(command)) is not None

    async def _into_slot(self, slot: str, command: WritebackCommand | VoidCommand) -> None:
        """Publish a command where none waits in its slot."""
        try:
            await self._publisher.publish(subjects.COMMANDS, slot, command, message_id=fresh_id())
        except SubjectOccupiedError:
            log.info("a command waits already", slot=slot)

    async def _displaced(self, subject: str, command: ShipCommand) -> bool:
        """Free the slot of a command that is older than `command`; False where `command` need not be published.

        A row is put in flight only after the outcome of the one before was recorded, so an older occupant is settled:
        its shipper died between outcome and acknowledgement.
        """
        occupant = await self._publisher.last(subjects.COMMANDS, subject)
        if occupant is None:
            return True
        try:
            waiting = ShipCommand.model_validate_json(occupant.data)
        except ValidationError:
            log.error("an unreadable command was in the slot; it is taken out", subject=subject)
        else:
            if (waiting.row_number, waiting.attempt) > (command.row_number, command.attempt):
                return False
            same = (waiting.row_number, waiting.attempt, waiting.epoch)
            # A command that asks for a look-up is never replaced by one that does not.
            if same == (command.row_number, command.attempt, command.epoch) and waiting.recover >= command.recover:
                return False
        await self._publisher.delete(subjects.COMMANDS, occupant.sequence)
        return True


def _writeback_slot(command: WritebackCommand) -> str:
    return subjects.writeback_command(source_hash(command.source), command.job_id, command.row_number)


def _void_slot(command: VoidCommand) -> str:
    return subjects.void_command(command.job_id, command.row_number)
