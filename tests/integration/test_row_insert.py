"""Rows are inserted whole and in their order, however many there are."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from services.coordinator.database.engine import Database
from services.coordinator.database.new_rows import NewRow, RefusedRow, stored_rows
from services.coordinator.database.row_insert import insert_rows
from services.coordinator.database.tables import rows
from shared.errors import ErrorBody
from tests.contract.messages import SHIPMENT
from tests.integration.job_steps import started

PROBLEM = ErrorBody(code="E-2011", message="It's missing.", row=2, field="postal_code")


@pytest.mark.parametrize("count", [1, 99, 100, 101, 250])
async def test_every_row_is_inserted_in_its_order_with_the_defaults_of_its_table(
    database: Database, count: int
) -> None:
    job_id = await started(database, rows=1)
    batch: list[NewRow | RefusedRow] = [
        NewRow(number, f"key '{number}", f"sum-{number}", "print", SHIPMENT)
        if number % 7
        else RefusedRow(number, f"key '{number}", f"sum-{number}", (PROBLEM,))
        for number in range(2, count + 2)
    ]
    expected = stored_rows(batch, "hash")
    await database.write(insert_rows, "INSTALL1", job_id, 2, expected.rows)
    chosen = select(rows).where(rows.c.job_id == job_id, rows.c.row_number > 1).order_by(rows.c.row_number)
    found = await database.read(lambda link: link.execute(chosen).all())
    assert [row.row_number for row in found] == [*range(2, count + 2)]
    assert [(row.source_row, row.row_key, row.checksum) for row in found] == [stored[:3] for stored in expected.rows]
    assert len({row.reference for row in found}) == count
    for column in rows.columns:
        if isinstance(column.default, ScalarElementColumnDefault):
            assert {getattr(row, column.name) for row in found} == {column.default.arg}


async def test_a_sqlite_that_takes_few_values_for_a_statement_gets_fewer_rows(database: Database) -> None:
    if database.kind != "sqlite":
        pytest.skip("only SQLite has such a limit")
    job_id = await started(database, rows=1)
    batch = stored_rows([NewRow(number, str(number), "sum", "print", SHIPMENT) for number in range(2, 122)], "hash")

    def insert_limited(connection: Connection) -> None:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
        insert_rows(connection, "INSTALL1", job_id, 2, batch.rows)

    await database.write(insert_limited)
    chosen = select(rows.c.row_number).where(rows.c.job_id == job_id).order_by(rows.c.row_number)
    assert list(await database.read(lambda link: link.execute(chosen).scalars().all())) == [*range(1, 122)]
