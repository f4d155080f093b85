"""What is said of a statement that failed, in a log say, tells nothing of a recipient."""

import pytest
from pydantic import ValidationError
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from services.coordinator.database.engine import Database
from shared.contracts.commands import ShipCommand


def fail(connection: Connection) -> None:
    connection.execute(text("INSERT INTO no_such_table VALUES (:recipient)"), {"recipient": "Ann Example"})


@pytest.mark.parametrize("way", ["read", "write"])
async def test_a_statement_that_fails_does_not_tell_its_parameters(database: Database, way: str) -> None:
    with pytest.raises(SQLAlchemyError) as failure:
        await getattr(database, way)(fail)
    assert "no_such_table" in str(failure.value)
    assert "Ann Example" not in str(failure.value)


def test_a_message_that_cannot_be_read_is_not_quoted() -> None:
    with pytest.raises(ValidationError) as failure:
        ShipCommand.model_validate_json('{"job_id": "j", "shipment": {"recipient": "Ann Example"}}')
    assert "Ann Example" not in str(failure.value)
