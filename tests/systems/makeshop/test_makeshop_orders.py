from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from inventory_sync.systems.makeshop.orders import Search, read_cursor, read_orders, turn, write_cursor
from inventory_sync.systems.makeshop.shapes import UnexpectedAnswer
from inventory_sync.systems.port import OrderLine, OrderState, Payment
from tests.systems.makeshop.makeshop_scripted import MUG, SHIRT, basket, cell, found_orders, order


def lines(*rows: dict[str, Any], provisional: tuple[str, ...] = ()) -> tuple[OrderLine, ...]:
    return read_orders(rows, provisional)


def test_a_line_names_order_cell_number_state_and_time_and_nothing_else() -> None:
    row = order("P186897473805218880", "0004", "N", basket(SHIRT, "4900000000017", 2, "カラー : ブラック"))
    row |= {"memberId": "260514000001", "senderName": "someone"}
    (line,) = lines(row)
    assert line == OrderLine(
        "P186897473805218880",
        f"1/V:{SHIRT}:4900000000017",
        cell(f"V:{SHIRT}:4900000000017"),
        2,
        OrderState.PLACED,
        datetime(2026, 8, 17, 2, 59, 58, tzinfo=UTC),
        Payment.PAID,
    )


def test_cells_have_the_keys_of_the_catalogue() -> None:
    plain, varied = lines(order("P1", "0004", "N", basket(MUG), basket(SHIRT, "A:1 ")))
    assert (plain.cell, varied.cell) == (cell(f"P:{MUG}"), cell(f"V:{SHIRT}:A:1 "))


def test_a_variation_without_own_code_is_never_taken_for_the_product() -> None:
    (line,) = lines(order("P1", "0004", "N", basket(SHIRT, "", 1, "カラー : ブラック")))
    assert line.cell.item == f"N:{SHIRT}:"


@pytest.mark.parametrize(
    ("payment", "delivery", "state"),
    [
        ("0004", "N", OrderState.PLACED),
        ("0000", "N", OrderState.PLACED),
        ("9999", "N", OrderState.PLACED),
        ("0004", "Y", OrderState.SHIPPED),
        ("0004", "C", OrderState.CANCELLED),
        ("0004", "R", OrderState.RETURNED),
        ("0003", "N", OrderState.CANCELLED),
        ("0003", "R", OrderState.RETURNED),
        ("0004", "D", OrderState.PLACED),
        ("7777", "N", OrderState.PROVISIONAL),
        ("7777", "C", OrderState.CANCELLED),
    ],
)
def test_the_state_follows_delivery_and_payment(payment: str, delivery: str, state: OrderState) -> None:
    (line,) = lines(order("P1", payment, delivery), provisional=("7777",))
    assert line.state is state


@pytest.mark.row("S3-30")
@pytest.mark.parametrize(
    ("code", "payment"),
    [
        *((code, Payment.PAID) for code in ("0000", "0001", "0002", "0004", "1002")),
        ("0003", Payment.REFUNDED),
        ("9999", Payment.UNPAID),
        ("", Payment.UNPAID),
        ("7777", Payment.UNPAID),
    ],
)
def test_a_payment_code_says_whether_an_order_is_paid(code: str, payment: Payment) -> None:
    (line,) = lines(order("P1", code, "N"), provisional=("7777",))
    assert line.payment is payment


def test_which_codes_are_paid_is_a_setting() -> None:
    [line] = read_orders([order("P1", "9999", "N")], (), ("9999",))
    assert line.payment is Payment.PAID


def test_several_deliveries_are_lines_of_their_own() -> None:
    row = order("P1", "0004", "Y", basket(SHIRT, "A", 1))
    row["deliveryInfos"].append({"deliveryId": "2", "deliveryStatus": "N", "basketInfos": [basket(SHIRT, "A", 3)]})
    assert [(line.line, line.quantity, line.state) for line in lines(row)] == [
        (f"1/V:{SHIRT}:A", 1, OrderState.SHIPPED),
        (f"2/V:{SHIRT}:A", 3, OrderState.PLACED),
    ]


def test_two_rows_of_one_item_in_a_delivery_are_one_line_whatever_their_order() -> None:
    one, other = basket(SHIRT, "A", 1), basket(SHIRT, "A", 2)
    between = basket(MUG, "", 1)
    expected = {f"1/V:{SHIRT}:A": 3, f"1/P:{MUG}": 1}
    for rows in ((one, other, between), (between, other, one)):
        assert {line.line: line.quantity for line in lines(order("P1", "0004", "N", *rows))} == expected


def test_a_row_that_is_no_product_is_left_out() -> None:
    assert [line.cell for line in lines(order("P1", "0004", "N", basket(None), basket(MUG)))] == [cell(f"P:{MUG}")]


def test_an_order_that_changed_between_two_searches_counts_once_in_its_later_state() -> None:
    shown = (order("P1", "0004", "N"), order("P1", "0004", "C"))
    for rows in (shown, shown[::-1]):
        (line,) = lines(*rows)
        assert (line.state, line.quantity) == (OrderState.CANCELLED, 1)


@pytest.mark.parametrize(
    "row",
    [
        order("", "0004"),
        {**order(), "orderDate": "2026-08-17"},
        {**order(), "orderDate": None},
        order("P1", "0004", "N", basket(amount=None)),
        order("P1", "0004", "N", basket(amount=-1)),
        order("P1", "0004", "N", basket(amount="two")),
        {**order(), "deliveryInfos": "x"},
    ],
)
def test_an_order_that_cannot_be_read_is_not_guessed(row: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedAnswer):
        lines(row)


# -- pages ---


def test_a_search_goes_on_until_as_many_orders_were_seen_as_there_are() -> None:
    data = {"notYet": found_orders(order("P1"), order("P2"), count=3)}
    rows, following = turn(Search("notYet"), data, trust_count=True)
    assert (len(rows), following) == (2, Search("notYet", 2, 2, "P1"))
    assert following is not None
    rows, end = turn(following, {"notYet": found_orders(order("P3"), count=3)}, trust_count=True)
    assert (len(rows), end) == (1, None)


def test_a_search_whose_count_is_not_trusted_ends_only_at_an_empty_page() -> None:
    _, following = turn(Search("any"), {"any": found_orders(order("P1"))}, trust_count=False)
    assert following is not None
    assert turn(following, {"any": found_orders()}, trust_count=False) == ([], None)
    without = {"any": {"orders": [order("P1")]}}
    assert turn(Search("any"), without, trust_count=True)[1] is not None


def test_a_search_ends_at_a_page_that_repeats_the_one_before() -> None:
    data = {"any": found_orders(order("P1"), count=100)}
    assert turn(Search("any", 2, 1, "P1"), data, trust_count=True) == ([], None)


def test_a_cursor_keeps_every_search_that_goes_on() -> None:
    searches = [Search("notYet", 2, 200, "P1"), Search("cancelled", 3, 400, "P9")]
    assert read_cursor(write_cursor(searches), ()) == searches
    assert write_cursor([]) is None
    assert read_cursor(None, ("any",)) == [Search("any")]
