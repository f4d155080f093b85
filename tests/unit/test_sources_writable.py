"""A file that could not be written back to is refused before anything is bought."""

import os
from pathlib import Path

import pytest

from shared.contracts.source import CsvSource
from shared.errors import TallyError
from shared.sources import check_writable

NOBODY = 65534


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text("name\n")
    return path


def refusal_as_a_person_without_rights(path: Path) -> str:
    """The code that check_writable ends with in a process that root's rights do not help."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setuid(NOBODY)
            check_writable(CsvSource(path=str(path)))
        except TallyError as error:
            os.write(writing, error.body.code.encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        return answer.read()


def test_a_file_that_can_be_replaced_is_fine(orders: Path) -> None:
    check_writable(CsvSource(path=str(orders)))


def test_a_read_only_file_is_refused(orders: Path) -> None:
    orders.chmod(0o444)
    assert refusal_as_a_person_without_rights(orders) == "E-1014"


def test_a_file_in_a_read_only_folder_is_refused(orders: Path) -> None:
    orders.chmod(0o666)
    orders.parent.chmod(0o555)
    try:
        assert refusal_as_a_person_without_rights(orders) == "E-1014"
    finally:
        orders.parent.chmod(0o755)
