"""What a source, a carrier or a person says is kept whole by every job database, however long it is."""

from __future__ import annotations

from services.coordinator.database import steps
from services.coordinator.database.engine import Database
from services.coordinator.database.new_rows import NewRow
from shared.contracts.source import CsvSource
from shared.contracts.states import JobStatus
from tests.contract.messages import SHIPMENT
from tests.integration.job_steps import NOW, job, record, row, shipped, started

LONG = "long " * 400


async def test_a_file_in_a_deep_folder_is_a_job(database: Database) -> None:
    job_id = await started(database, source=CsvSource(path=f"{'folder/' * 100}orders.csv"))
    assert (await job(database, job_id)).name.endswith("orders.csv")


async def test_a_row_with_a_long_key_is_shipped(database: Database) -> None:
    job_id = await started(database, batch=[NewRow(1, LONG, "sum", "print", SHIPMENT)])
    step = await record(database, shipped(job_id, 1))
    assert step.writeback is not None
    assert step.writeback.row_key == LONG


async def test_a_sale_is_recorded_whatever_the_carrier_calls_it(database: Database) -> None:
    job_id = await started(database)
    await record(database, shipped(job_id, 1).model_copy(update={"shipment_id": LONG, "label_key": LONG}))
    assert (await row(database, job_id, 1)).status == "shipped"


async def test_a_person_with_a_long_name_may_halt_a_job(database: Database) -> None:
    job_id = await started(database)
    await database.write(steps.halt, job_id, JobStatus.PAUSED, LONG, NOW)
    assert (await job(database, job_id)).status is JobStatus.PAUSED
