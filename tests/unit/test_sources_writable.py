"""A file that could not be written back to is refused before anything is bought."""

import os
from pathlib import Path

import pytest

from shared.contracts.source import CsvSource, ExcelSource, ParquetSource
from shared.errors import TallyError
from shared.sources import check_writable
from tests.unit.excel_files import plain, with_parts

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


def test_a_workbook_that_writing_could_harm_is_refused_unless_numbers_go_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "orders.xlsx"
    path.write_bytes(with_parts(plain(), {"_xmlsignatures/sig1.xml": "<x/>"}))
    with pytest.raises(TallyError, match=r"E-1025: .*digitally signed.* go into orders\.tracking\.csv beside it"):
        check_writable(ExcelSource(path=str(path)))
    check_writable(ExcelSource(path=str(path), write_back="sidecar"))
    path.write_bytes(plain())
    check_writable(ExcelSource(path=str(path)))


def test_a_file_that_is_only_read_needs_a_place_beside_it(tmp_path: Path) -> None:
    check_writable(ParquetSource(path=str(tmp_path / "orders.parquet")))
    with pytest.raises(TallyError, match=r"E-1014: .*gone/orders\.tracking\.csv or its folder cannot be written to"):
        check_writable(ParquetSource(path=str(tmp_path / "gone" / "orders.parquet")))


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
