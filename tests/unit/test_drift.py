"""What changed in a source between its preview and its approval."""

from collections.abc import Iterable

import pytest

from services.coordinator.preview.drift import Comparison, Drift, Order, unreadable
from shared.sources.rows import SourceRow


def order(*checksums: str) -> Order:
    return tuple(SourceRow(1, "1", {}, checksum) for checksum in checksums)


def drift(then: Iterable[str], now: Iterable[str], *, would_ship: bool = True, page: int = 2) -> Drift:
    """Orders are letters; each letter is the checksum of one row."""
    comparison = Comparison([order(*letters.split("+")) for letters in now], lambda _: would_ship)
    read = [tuple(letters.split("+")) for letters in then]
    for start in range(0, len(read), page):
        comparison.take(read[start : start + page])
    return comparison.finish()


@pytest.mark.parametrize("now", ["abcde", "edcba", "bcdea"])
def test_orders_that_only_moved_are_no_change(now: str) -> None:
    assert drift("abcde", now) == Drift()


@pytest.mark.parametrize(
    ("now", "gone", "new", "told"),
    [
        ("abXde", 1, 1, "1 order is not as it was read and 1 order is new or edited"),
        ("bcde", 1, 0, "1 order is not as it was read"),
        ("ab", 3, 0, "3 orders are not as they were read"),
        ("abcdefg", 0, 2, "2 orders are new or edited"),
        ("abbcde", 0, 1, "1 order is new or edited"),
        ("", 5, 0, "5 orders are not as they were read"),
    ],
)
def test_a_change_is_told_by_orders(now: str, gone: int, new: int, told: str) -> None:
    found = drift("abcde", now)
    assert (found.gone, found.new, str(found)) == (gone, new, told)


def test_a_new_row_that_would_not_ship_is_no_change() -> None:
    assert drift("abc", "abXc", would_ship=False) == Drift()


def test_an_order_of_several_rows_changed_where_one_of_them_did() -> None:
    assert drift(["a+b", "c"], ["a+b", "c"]) == Drift()
    assert (drift(["a+b", "c"], ["a+x", "c"]).gone, drift(["a+b", "c"], ["a", "c"]).gone) == (1, 1)


def test_the_same_change_has_the_same_digest_and_another_one_another() -> None:
    assert drift("abc", "abX").digest == drift("abc", "Xab").digest
    assert (
        len({drift("abc", now).digest for now in ("abc", "abX", "abY", "ab", "abcX")} | {unreadable("E-1001").digest})
        == 6
    )
