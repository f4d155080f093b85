"""Orders that their platform says are fulfilled or cancelled: which are left out, by which column, how it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.cli.rendering.settled import settled_lines
from services.coordinator.intake.settled import SettledCount
from services.coordinator.mapping.mapping import Mapping, parse_mapping
from services.coordinator.mapping.profiles import choose_mapping
from shared.errors import TallyError
from shared.sources.csv import open_csv

EXPORTS = Path(__file__).parents[2] / "samples" / "exports"
FIELDS = "fields:\n  recipient_name: '{{ name }}'\n  address_1: '{{ street }}'\n  city: '{{ city }}'\n"


def header(name: str) -> tuple[str, ...]:
    """The columns of a sample export."""
    with open_csv(EXPORTS / name) as snapshot:
        return snapshot.columns


def why(name: str, *said: dict[str, str], included: tuple[str, ...] = (), more: tuple[str, ...] = ()) -> str | None:
    """Why an order of an export is left out whose rows say this and nothing else; `more` are further columns."""
    columns = (*header(name), *more)
    mapping = choose_mapping("auto", columns, [])
    assert set().union(*said) <= set(columns)
    return mapping.why_left_out([dict.fromkeys(columns, "") | row for row in said], included)


@pytest.mark.parametrize(
    ("name", "column", "text", "reason"),
    [
        ("shopify.csv", "Fulfillment Status", "fulfilled", "fulfilled"),
        ("shopify.csv", "Fulfillment Status", "unfulfilled", None),
        ("shopify.csv", "Fulfillment Status", "partial", None),
        ("shopify.csv", "Cancelled at", "2026-11-20 09:12:44 -0600", "cancelled"),
        ("shopify.csv", "Financial Status", "refunded", "refunded"),
        ("shopify.csv", "Financial Status", "partially_refunded", None),
        ("shopify.csv", "Financial Status", "paid", None),
        ("woocommerce.csv", "Order Status", "Completed", "fulfilled"),
        ("woocommerce.csv", "Order Status", "wc-cancelled", "cancelled"),
        ("woocommerce.csv", "Order Status", "Refunded", "refunded"),
        ("woocommerce.csv", "Order Status", "failed", "failed"),
        ("woocommerce.csv", "Order Status", "Processing", None),
        ("woocommerce.csv", "Order Status", "On hold", None),
        ("amazon.txt", "quantity-to-ship", "0", "fulfilled"),
        ("amazon.txt", "quantity-to-ship", "10", None),
        ("ebay.csv", "Shipped On Date", "Nov-20-26", "fulfilled"),
        ("ebay.csv", "Shipped On Date", " ", None),
        ("etsy.csv", "Date Shipped", "11/20/2026", "fulfilled"),
    ],
)
def test_a_profile_leaves_out_what_its_platform_says_is_settled(
    name: str, column: str, text: str, reason: str | None
) -> None:
    assert why(name, {column: text}) == reason


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        ("Order - Status", "Shipped", "fulfilled"),
        ("Order Status", "cancelled", "cancelled"),
        ("Order Status", "awaiting_shipment", None),
        ("Date - Shipped Date", "11/20/2026 9:12:44 AM", "fulfilled"),
    ],
)
def test_shipstation_says_it_in_columns_that_a_person_chose(column: str, text: str, reason: str | None) -> None:
    assert why("shipstation.csv", {column: text}, more=(column,)) == reason


def test_an_order_is_settled_where_every_row_that_says_anything_says_so() -> None:
    assert why("shopify.csv", {"Fulfillment Status": "fulfilled"}, {}, {}) == "fulfilled"
    assert why("amazon.txt", {"quantity-to-ship": "0"}, {"quantity-to-ship": "0"}) == "fulfilled"
    assert why("amazon.txt", {"quantity-to-ship": "0"}, {"quantity-to-ship": "1"}) is None
    assert why("etsy.csv", {}, {}) is None


def test_what_is_included_ships_unless_another_reason_holds() -> None:
    fulfilled, cancelled = {"Fulfillment Status": "fulfilled"}, {"Cancelled at": "2026-11-20"}
    assert why("shopify.csv", fulfilled, included=("fulfilled",)) is None
    assert why("shopify.csv", fulfilled | cancelled, included=("fulfilled",)) == "cancelled"


def test_the_samples_are_to_be_shipped_whole() -> None:
    for name in ("shopify.csv", "woocommerce.csv", "amazon.txt", "ebay.csv", "etsy.csv", "shipstation.csv"):
        with open_csv(EXPORTS / name) as snapshot:
            mapping = choose_mapping("auto", snapshot.columns, [])
            orders = snapshot.orders(None, mapping.order_column(snapshot.columns))
            assert {mapping.why_left_out([row.values for row in rows], ()) for rows in orders} == {None}


def own(text: str) -> Mapping:
    return parse_mapping("own.yaml", (FIELDS + text).encode())


def test_a_mapping_of_ones_own_says_it_too_and_of_columns_that_are_there() -> None:
    mapping = own("leave_out:\n  on-hold:\n    State of order: [On hold, waiting]\n    Gone: '*'\n")
    columns = ("name", "street", "city", "STATE OF ORDER")
    assert mapping.leaves_out_by(columns) == {"on-hold": ("STATE OF ORDER",)}
    row = dict.fromkeys(columns, "")
    assert mapping.why_left_out([row | {"STATE OF ORDER": "Waiting"}], ()) == "on-hold"
    assert mapping.why_left_out([row | {"STATE OF ORDER": "-"}], ()) is None
    assert own("").why_left_out([row], ()) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("leave_out: [a]\n", "line 5: leave_out has reasons, and below each a line such as 'Status: shipped'"),
        ("leave_out:\n  done: shipped\n", "line 6: leave_out has reasons, and below each a line"),
        ("leave_out:\n  Done It:\n    a: b\n", "line 6: reason Done It in leave_out is not one lower-case word"),
        ("leave_out:\n  done:\n    a: []\n", "line 7: leave_out names no header"),
        ("leave_out:\n  done:\n    '--': b\n", "line 7: leave_out names a header or a text without letters or digits"),
        ("leave_out:\n  done:\n    a: '?'\n", "line 7: leave_out names a header or a text without letters or digits"),
        ("leave_out:\n  done:\n    a: {b: c}\n", "line 7: leave_out must be text"),
    ],
)
def test_rules_that_say_nothing_are_refused_with_their_line(text: str, reason: str) -> None:
    with pytest.raises(TallyError) as caught:
        own(text)
    assert caught.value.body.code == "E-2002"
    assert reason in caught.value.body.message


def test_what_is_left_out_is_told_by_reason_with_the_first_rows() -> None:
    count = SettledCount()
    assert settled_lines(count.orders) == []
    count.add("cancelled", 3)
    assert settled_lines(count.orders) == [
        "1 order is left out: 1 cancelled (row 3); --include cancelled ships it nevertheless."
    ]
    for row in range(4, 11):
        count.add("fulfilled", row)
    (told,) = settled_lines(count.orders)
    assert told == (
        "8 orders are left out: 1 cancelled (row 3), 7 fulfilled (rows 4, 5, 6, 7, 8, …); --include REASON ships them"
        " nevertheless."
    )


def test_the_shopify_sample_has_the_columns_that_the_profile_goes_by() -> None:
    columns = header("shopify.csv")
    assert choose_mapping("auto", columns, []).leaves_out_by(columns) == {
        "cancelled": ("Cancelled at",),
        "fulfilled": ("Fulfillment Status",),
        "refunded": ("Financial Status",),
    }
