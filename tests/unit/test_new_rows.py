"""Rows on their way into the job database: as models, and as the plain values that are inserted."""

import json
from typing import Any

import pytest

from services.coordinator.database.new_rows import (
    STORED,
    Finding,
    NewRow,
    RefusedRow,
    StoredRow,
    stored,
    stored_rows,
    with_finding,
)
from services.coordinator.database.tables import rows
from services.coordinator.intake.marks import Marks
from shared.contracts.documents import ShippedBefore
from shared.contracts.warning import RowWarning, WarningCode
from shared.errors import ErrorBody
from tests.contract.messages import SHIPMENT

BEFORE = ShippedBefore(job_id="k3v9", row_number=7, tracking_numbers=("1Z1",))
WHY = ErrorBody(code="E-2020", message="Already shipped by job k3v9, row 7: 1Z1.", row=3)
PHONE = RowWarning(code=WarningCode.PHONE_UNUSUAL, message="Nobody has such a number.", field="phone")
TWICE = RowWarning(code=WarningCode.POSSIBLE_DUPLICATE, message="Row 1 has the same order number.")


def row(**others: Any) -> NewRow:
    return NewRow(3, "3", "0" * 64, "f" * 64, SHIPMENT, marks=Marks("a", "b"), **others)


def named(values: StoredRow) -> dict[str, Any]:
    return dict(zip(STORED, values, strict=True))


@pytest.mark.parametrize(
    "finding",
    [
        Finding(),
        Finding(warnings=(TWICE,)),
        Finding(BEFORE, replaces=("1Z1", "1Z2"), warnings=(TWICE,)),
        Finding(BEFORE, skipped=WHY),
    ],
)
@pytest.mark.parametrize("warned", [(), (PHONE,)])
def test_a_stored_row_takes_a_finding_as_the_row_itself_does(finding: Finding, warned: tuple[RowWarning, ...]) -> None:
    new = row(warnings=warned)
    assert with_finding(stored(new, "key"), finding) == stored(new.with_finding(finding), "key")


def test_every_value_of_a_stored_row_has_its_column() -> None:
    assert set(STORED) < {column.name for column in rows.columns}
    values = named(stored(row(warnings=(PHONE,)), "key"))
    assert (values["source_row"], values["reservation_key"], values["status"]) == (3, "key", "pending")
    assert json.loads(values["warnings"]) == [PHONE.model_dump(mode="json")]
    assert values["shipment"] == SHIPMENT.model_dump_json(exclude_defaults=True)


def test_rows_that_do_not_ship_are_told_with_their_reasons() -> None:
    refused = RefusedRow(4, "4", "1" * 64, (WHY,))
    taken = stored_rows([row(), refused, row().with_finding(Finding(BEFORE, skipped=WHY))], "hash")
    assert taken.skipped == {1: (refused.skipped, None), 2: (WHY, BEFORE)}
    assert [named(values)["status"] for values in taken.rows] == ["pending", "skipped", "skipped"]
    assert (named(taken.rows[1])["reservation_key"], named(taken.rows[1])["shipment"]) == ("", "{}")
