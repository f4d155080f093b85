"""Rows of several parcels, and rows that went abroad, in the job database."""

import pytest

from services.coordinator.database import queries, steps
from services.coordinator.database.engine import Database
from services.coordinator.database.new_rows import NewRow
from shared.contracts.lookups import LabelRecovered
from shared.contracts.warning import RowWarning, WarningCode
from tests.contract.messages import SHIPMENT, SHIPMENT_ABROAD
from tests.integration.job_steps import NOW, in_doubt, record, row, shipped, started

ABROAD = [NewRow(1, "1", "sum", "print-1", SHIPMENT_ABROAD), NewRow(2, "2", "sum", "print-2", SHIPMENT)]
HOUSE = RowWarning(code=WarningCode.RESIDENTIAL, message="The address is a residence.")


async def test_every_parcels_label_and_the_invoice_are_kept_with_the_row(database: Database) -> None:
    job_id = await started(database, batch=ABROAD)
    numbers, keys = ("1ZFIRST", "1ZSECOND"), ("job/1-1ZFIRST.gif", "job/1-1ZSECOND.gif")
    sale = shipped(job_id, 1, number="1ZFIRST").model_copy(
        update={
            "tracking_numbers": numbers,
            "label_keys": keys,
            "label_key": keys[0],
            "invoice_key": "job/1-invoice.pdf",
        }
    )
    await record(database, sale)
    await record(database, shipped(job_id, 2))
    sold, single = await row(database, job_id, 1), await row(database, job_id, 2)
    assert sold.label is not None
    assert (sold.tracking_numbers, sold.label.keys, sold.label.invoice) == (numbers, keys, "job/1-invoice.pdf")
    assert sold.warnings == ()
    assert single.label is not None
    assert (single.label.keys, single.label.invoice, single.warnings) == (("label",), None, ())


@pytest.mark.parametrize("warned", [False, True])
async def test_a_row_that_went_abroad_without_its_invoice_kept_says_so_beside_its_other_warnings(
    database: Database, warned: bool
) -> None:
    first = ABROAD[0]._replace(warnings=(HOUSE,) if warned else ())
    job_id = await started(database, batch=[first])
    await record(database, shipped(job_id, 1))
    codes = [warning.code for warning in (await row(database, job_id, 1)).warnings]
    assert codes == [WarningCode.RESIDENTIAL] * warned + [WarningCode.INVOICE_MISSING]


async def test_the_parcels_that_a_person_did_not_name_are_looked_up_with_the_labels(database: Database) -> None:
    job_id = await started(database, batch=ABROAD)
    await record(database, in_doubt(job_id, 1))
    await database.write(steps.resolve, job_id, 1, steps.Finding("1ZSECOND", "ann", "invoice"), NOW)
    (due,) = await database.read(queries.labels_due, job_id)
    assert (due.tracking_numbers, due.parcels) == (("1ZSECOND",), 2)
    assert due.reference == (await row(database, job_id, 1)).reference
    found = LabelRecovered(
        label_key="b",
        label_keys=("b", "a"),
        shipment_id="1ZFIRST",
        tracking_numbers=("1ZSECOND", "1ZFIRST"),
    )
    await database.write(steps.record_label, job_id, 1, found, NOW)
    sold = await row(database, job_id, 1)
    assert sold.label is not None
    assert (sold.tracking_numbers, sold.label.keys) == (("1ZSECOND", "1ZFIRST"), ("b", "a"))
    assert not await database.read(queries.labels_due, job_id)


async def test_other_parcels_than_the_rows_own_are_not_taken_for_it(database: Database) -> None:
    job_id = await started(database, batch=ABROAD)
    await record(database, shipped(job_id, 1, number="1ZOWN").model_copy(update={"label_due": True, "label_key": None}))
    found = LabelRecovered(label_key="b", shipment_id="1ZOTHER", tracking_numbers=("1ZOTHER",))
    await database.write(steps.record_label, job_id, 1, found, NOW)
    assert (await row(database, job_id, 1)).tracking_numbers == ("1ZOWN",)
