"""What the job database's steps put into the audit trail: every transition, every call, every write-back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, text

from services.coordinator.database import audits, intake, restores, steps, voids
from services.coordinator.database.engine import Database
from services.coordinator.database.new_rows import NewRow
from services.coordinator.database.steps import Finding
from services.coordinator.database.voids import VoidOrder
from services.coordinator.identity import job_id_for, request_hash
from shared.contracts.audit import AuditRecord
from shared.contracts.lookups import LabelRecovered, ShipmentSought
from shared.contracts.requests import JobRequest
from shared.contracts.restoring import Restoration
from shared.contracts.source import CsvSource
from shared.contracts.states import JobMode
from shared.contracts.voiding import VoidOutcome
from shared.errors import RESERVED, ErrorBody
from tests.contract.messages import CALL, SHIPMENT
from tests.integration.job_steps import (
    ERROR,
    INSTALLATION,
    ISSUE,
    NOW,
    checked,
    failed,
    in_doubt,
    record,
    shipped,
    started,
    written,
)

# The entries that tell that a row came into a state.
TELLING = {
    "in_flight": {"row.in_flight"},
    "shipped": {"row.shipped", "row.resolved", "row.void_refused"},
    "failed": {"row.failed", "row.resolved"},
    "in_doubt": {"row.in_doubt"},
    "skipped": {"row.skipped"},
    "voiding": {"row.voiding"},
    "voided": {"row.voided"},
}
WATCH = {
    "sqlite": (
        "CREATE TABLE moves (place INTEGER PRIMARY KEY, job_id TEXT, row_number INTEGER, now TEXT)",
        """CREATE TRIGGER rows_move AFTER UPDATE OF status ON rows WHEN OLD.status <> NEW.status BEGIN
        INSERT INTO moves (job_id, row_number, now) VALUES (NEW.job_id, NEW.row_number, NEW.status); END""",
        """CREATE TRIGGER jobs_move AFTER UPDATE OF status ON jobs WHEN OLD.status <> NEW.status BEGIN
        INSERT INTO moves (job_id, row_number, now) VALUES (NEW.job_id, NULL, NEW.status); END""",
    ),
    "postgresql": (
        "CREATE TABLE moves (place SERIAL PRIMARY KEY, job_id TEXT, row_number INTEGER, now TEXT)",
        """CREATE FUNCTION move() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO moves (job_id, row_number, now)
        VALUES (NEW.job_id, (to_jsonb(NEW) ->> 'row_number')::integer, NEW.status); RETURN NULL; END $$""",
        """CREATE TRIGGER rows_move AFTER UPDATE OF status ON rows FOR EACH ROW
        WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION move()""",
        """CREATE TRIGGER jobs_move AFTER UPDATE OF status ON jobs FOR EACH ROW
        WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION move()""",
    ),
}


def void_outcome(job_id: str, row: int, status: Any) -> VoidOutcome:
    error = None if status == "voided" else ERROR
    return VoidOutcome(
        job_id=job_id, row_number=row, shipment_id=f"1Z{row:016d}", status=status, at=NOW, error=error, calls=(CALL,)
    )


async def trail(database: Database, job_id: str, row: int | None = None) -> Sequence[AuditRecord]:
    return await database.read(audits.list_entries, job_id, row, 0, 500)


async def actions(database: Database, job_id: str, row: int) -> list[str]:
    return [entry.action for entry in await trail(database, job_id, row)]


async def test_every_transition_of_a_job_and_of_a_row_is_told(database: Database) -> None:
    for statement in WATCH[database.kind]:
        await database.write(lambda connection, what: connection.exec_driver_sql(what), statement)
    job_id = await started(database, rows=4)
    await record(database, shipped(job_id, 1))
    await record(database, failed(job_id, 2))
    await database.write(steps.resume, job_id, "ann", NOW, ISSUE)
    await record(database, shipped(job_id, 2, attempt=2))
    await record(database, in_doubt(job_id, 3))
    await database.write(steps.resolve, job_id, 3, Finding(None, "ann", ""), NOW)
    await database.write(steps.resume, job_id, "ann", NOW, ISSUE)
    await record(database, shipped(job_id, 3, attempt=2))
    await record(database, shipped(job_id, 4))
    for number in (1, 2, 3, 4):
        await written(database, job_id, number)
    await checked(database, job_id)
    await database.write(voids.order_voids, job_id, VoidOrder((1, 2), "ann"), NOW)
    await database.write(voids.record_void, void_outcome(job_id, 1, "voided"), NOW)
    await database.write(voids.record_void, void_outcome(job_id, 2, "refused"), NOW)

    def moves(connection: Connection) -> list[tuple[int | None, str]]:
        found = connection.execute(text("SELECT row_number, now FROM moves ORDER BY place"))
        return [(move.row_number, move.now) for move in found]

    untold = [(entry.row_number, entry.action) for entry in await trail(database, job_id)]
    for row, status in await database.read(moves):
        telling = {f"job.{status}"} if row is None else TELLING[status]
        told = next((one for one in untold if one[0] == row and one[1] in telling), None)
        assert told is not None, (row, status)
        untold.remove(told)


async def test_the_calls_of_an_outcome_come_before_what_came_of_them(database: Database) -> None:
    job_id = await started(database)
    again = CALL.model_copy(update={"kind": "recover", "status": None, "sent": False})
    await record(database, shipped(job_id, 1).model_copy(update={"calls": (CALL, again)}))
    assert await actions(database, job_id, 1) == ["row.in_flight", "carrier.ship", "carrier.recover", "row.shipped"]
    told = (await trail(database, job_id, 1))[1].detail
    assert told == {
        "called_at": "2026-11-21T10:15:30.000+00:00",
        "request_id": CALL.request_id,
        "carrier_id": "a1b2c3",
        "status": 200,
        "sent": True,
        "ms": 151,
    }


async def test_an_outcome_that_is_told_again_adds_nothing(database: Database) -> None:
    job_id = await started(database)
    sold = shipped(job_id, 1).model_copy(update={"calls": (CALL,)})
    await record(database, sold)
    before = await trail(database, job_id)
    await record(database, sold)
    assert await trail(database, job_id) == before


async def test_a_void_that_had_no_answer_is_told_and_decides_nothing(database: Database) -> None:
    job_id = await started(database)
    await record(database, shipped(job_id, 1))
    await database.write(voids.order_voids, job_id, VoidOrder((1,), "ann"), NOW)
    await database.write(voids.record_void, void_outcome(job_id, 1, "unanswered"), NOW)
    await database.write(voids.record_void, void_outcome(job_id, 1, "voided"), NOW)
    await written(database, job_id, 1, version=2)
    assert (await actions(database, job_id, 1))[-5:] == [
        "row.voiding",
        "carrier.ship",
        "carrier.ship",
        "row.voided",
        "write_back.cleared",
    ]


async def test_look_ups_after_the_fact_are_told_whatever_they_found(database: Database) -> None:
    job_id = await started(database)
    await record(database, in_doubt(job_id, 1))
    await database.write(steps.record_look_up, job_id, 1, 1, ShipmentSought(calls=(CALL,)), NOW)
    await database.write(steps.record_label, job_id, 1, LabelRecovered(error=ERROR, calls=(CALL,)), NOW)
    assert (await actions(database, job_id, 1))[-3:] == ["carrier.ship", "row.looked_up", "carrier.ship"]


async def test_a_write_back_names_its_target_without_its_folder(database: Database) -> None:
    job_id = await started(database)
    await record(database, shipped(job_id, 1))
    await written(database, job_id, 1, error=ERROR)
    entry = (await trail(database, job_id, 1))[-1]
    assert (entry.actor, entry.action) == ("writeback", "write_back.failed")
    assert entry.detail == {"target": "orders.csv", "error": "E-3001"}


async def test_what_a_person_typed_is_kept_without_the_recipient(database: Database) -> None:
    job_id = await started(database)
    await record(database, in_doubt(job_id, 1))
    to = SHIPMENT.recipient
    why = f"{to.name} of {to.address.lines[0]} said so, call 512-555-0199 or joe@shop.example"
    await database.write(steps.resolve, job_id, 1, Finding("1ZFOUND", "ann", why), NOW)
    entry = next(entry for entry in await trail(database, job_id, 1) if entry.action == "row.resolved")
    assert (entry.actor, entry.detail["reason"]) == ("ann", "[…] of […] said so, call […] or […]")


async def test_a_restored_source_is_told_by_the_names_of_its_copies(database: Database) -> None:
    job_id = await started(database)
    done = Restoration(
        job_id=job_id,
        path="/home/ann/orders.csv",
        backup="/home/ann/.tally-backups/orders.old.csv",
        taken_at=NOW,
        digest="0" * 64,
        kept_as="/home/ann/.tally-backups/orders.new.csv",
        restored=True,
    )
    await database.write(restores.record_restored, job_id, done, NOW)
    entry = (await trail(database, job_id))[-1]
    assert (entry.detail["backup"], entry.detail["kept_as"]) == ("orders.old.csv", "orders.new.csv")
    assert "/home/ann" not in str(entry.detail)


@pytest.mark.parametrize("words", ["Ann's number 1Z1 stands there", ""])
async def test_a_row_that_is_skipped_at_intake_is_told_by_its_reasons_code(words: str, database: Database) -> None:
    request = JobRequest(request_id="skips", source=CsvSource(path="orders.csv"), mode=JobMode.AUTO)
    job_id = job_id_for(INSTALLATION, "skips")
    await database.write(intake.admit, job_id, request, request_hash(request), NOW)
    await database.write(intake.begin_intake, job_id, "intake", request.source, NOW)
    why = ErrorBody(code=RESERVED.code, message=words)
    batch = [NewRow(1, "1", "sum", "print", SHIPMENT, skipped=why), NewRow(2, "2", "sum", "print-2", SHIPMENT)]
    await database.write(intake.add_rows, job_id, "intake", INSTALLATION, 1, batch, NOW)
    told = [(entry.action, entry.row_number, entry.detail["error"]) for entry in await trail(database, job_id, 1)]
    assert told == [("row.skipped", 1, RESERVED.code)]
    assert await trail(database, job_id, 2) == []
