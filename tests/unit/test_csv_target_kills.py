"""Kill -9 at any instant of writing a CSV file, a hundred times: the old file or the new one, whole, never torn."""

from __future__ import annotations

from pathlib import Path

from tests.unit.killed_writers import after_each_kill

ROWS = 2000


def lines(content: bytes) -> tuple[list[bytes], set[bytes]]:
    """Every line without its tracking number, and the numbers that there are."""
    header, *rows = content.split(b"\r\n")
    split = [row.rsplit(b";", 2) for row in rows if row]
    return [header, *(row[0] for row in split)], {row[1] for row in split}


def test_a_hundred_kills_leave_the_old_or_the_new_file(tmp_path: Path) -> None:
    orders = tmp_path / "orders.csv"
    rows = (f'José {row};"x; ""y""\n";\x80{row};;' for row in range(1, ROWS + 1))
    text = "\r\n".join(["name;note;price;tracking_number;shipped_at", *rows, ""]).replace("\x80", "€")
    orders.write_bytes(text.encode("cp1252"))
    before, none = lines(orders.read_bytes())
    assert none == {b""}
    seen = set()
    for _ in after_each_kill("csv", orders, ROWS, within=0.1):
        content, numbers = lines(orders.read_bytes())
        assert content == before
        assert numbers in ({b"old"}, {b"new"})
        seen |= numbers
    assert seen == {b"old", b"new"}
    assert lines(orders.read_bytes()) == (before, {b"last"})
