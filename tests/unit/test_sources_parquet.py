"""Parquet files as snapshots."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from shared.errors import TallyError
from shared.sources.parquet import open_parquet

ORDERS = """
    SELECT 'A1' AS "order", 'Ada "the first"' AS name, '01002' AS zip, 5.0::DOUBLE AS weight, DATE '2026-11-21' AS due,
           TIMESTAMP '2026-11-21 10:15:30' AS at, 12.50::DECIMAL(8, 2) AS price, true AS gift
    UNION ALL SELECT 'A2', 'Ben', '10001', 0.25, NULL, NULL, NULL, NULL
"""


def parquet(path: Path, query: str = ORDERS) -> Path:
    duckdb.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(TallyError) as caught:
        open_parquet(path, label="orders.parquet")
    return str(caught.value)


def test_every_column_is_text_as_in_any_other_source(tmp_path: Path) -> None:
    with open_parquet(parquet(tmp_path / "orders [1]*.parquet")) as snapshot:
        assert snapshot.columns == ("order", "name", "zip", "weight", "due", "at", "price", "gift")
        first, second = (tuple(row.values.values()) for row in snapshot.rows())
    assert first == ("A1", 'Ada "the first"', "01002", "5", "2026-11-21", "2026-11-21T10:15:30", "12.50", "true")
    assert second == ("A2", "Ben", "10001", "0.25", "", "", "", "")


def test_conditions_and_the_order_of_rows_are_those_of_every_source(tmp_path: Path) -> None:
    path = parquet(tmp_path / "orders.parquet", "SELECT range AS n, range % 7 AS rest FROM range(100000)")
    with open_parquet(path) as snapshot:
        path.unlink()
        assert snapshot.count("rest = 3 AND n < 20") == 3
        assert [(row.number, row.key, row.values["n"]) for row in snapshot.rows("n > 99997")] == [
            (99999, "99999", "99998"),
            (100000, "100000", "99999"),
        ]


def test_what_is_no_parquet_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    for content in (b"", b"order,name\n", b"PAR1 and no more", b"PAR1" + bytes(1000) + b"PAR1"):
        path.write_bytes(content)
        assert refusal(path).startswith("E-1026: orders.parquet is not a Parquet file")
    path.unlink()
    assert refusal(path).startswith("E-1002")


def test_one_endless_cell_is_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path / "orders.parquet", "SELECT 'A1' AS name, repeat('x', 1 << 20) AS note")
    assert refusal(path).startswith("E-1027: orders.parquet is refused: a row in it has more than 1048576 characters.")


def test_a_small_file_of_texts_that_repeat_beyond_any_disk_is_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path / "orders.parquet", "SELECT repeat('x', 100_000) AS name FROM range(20_000)")
    assert path.stat().st_size < 1 << 20
    assert refusal(path).startswith("E-1027: orders.parquet is refused: it unpacks to 300 times its size")


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    assert refusal(parquet(tmp_path / "orders.parquet", "SELECT 1 AS n WHERE false")).startswith("E-1003")
