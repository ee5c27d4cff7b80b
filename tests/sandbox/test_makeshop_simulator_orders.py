"""Orders at the simulated MakeShop: what they do to the stock, and how searchOrder tells of them."""

from __future__ import annotations

import random
from typing import Any

import pytest

from inventory_sync.sandbox.makeshop import MakeShopSimulator, MakeShopSwitches
from tests.sandbox.makeshop_support import ORDERS, START, Caller, after, by_system, moves, shop_with


def test_an_order_lowers_the_stock_at_once_and_is_listed() -> None:
    simulator = MakeShopSimulator()
    mug = simulator.add_product(START, code="MUG-01", jan="4900000000031", stock=5)
    shirt, _ = simulator.add_variations(START, ["TS-BK-M", "TS-BK-L"], stock=[4, 4], code="TSHIRT-01")
    number = simulator.place_order([(mug, 2), (shirt, 1)], after(5))
    assert number is not None
    assert (simulator.stock(mug), simulator.stock(shirt)) == (3, 3)
    assert moves(simulator) == [("outside", "sale", -2, 3), ("outside", "sale", -1, 3)]
    [order] = Caller(simulator).orders(after(6))
    assert order["systemOrderNumber"] == order["displayOrderNumber"] == number
    assert number.startswith("P")
    assert len(number) == 19
    assert (order["orderDate"], order["paymentStatusCode"]) == ("2026-08-17 12:00:35", "0004")
    [delivery] = order["deliveryInfos"]
    assert (delivery["deliveryStatus"], delivery["deliveryDate"]) == ("N", "")
    first, second = delivery["basketInfos"]
    assert (first["productCode"], first["productCustomCode"], first["variationCustomCode"]) == (mug, "MUG-01", "")
    assert (first["amount"], first["janCode"], first["variationName"]) == (2, "4900000000031", "")
    assert (second["productCode"], second["productCustomCode"]) == (shirt.partition("/")[0], "TSHIRT-01")
    assert (second["variationCustomCode"], second["amount"]) == ("TS-BK-M", 1)
    assert " : " in second["variationName"]


def test_an_order_beyond_the_stock_does_not_happen() -> None:
    simulator, [item] = shop_with(2)
    assert simulator.place_split_order([[(item, 1)], [(item, 2)]], after(1)) is None
    assert (simulator.stock(item), Caller(simulator).orders(after(2))) == (2, [])
    with pytest.raises(ValueError, match="above 0"):
        simulator.sell(item, 0, after(3))


def test_choices_of_an_option_group_come_with_the_line_and_move_no_stock() -> None:
    simulator = MakeShopSimulator()
    item = simulator.add_product(START, code="GIFT", stock=3, groups=[("のし", ("なし", "あり"))])
    simulator.sell(item, 1, after(1))
    [order] = Caller(simulator).orders(after(2))
    [line] = order["deliveryInfos"][0]["basketInfos"]
    assert line["customSelects"] == [{"customSelectName": "のし", "selectedItemName": "なし"}]
    assert simulator.stock(item) == 2


def test_an_order_to_two_addresses_is_shipped_cancelled_and_returned_by_delivery() -> None:
    simulator, [item] = shop_with(10)
    caller = Caller(simulator)
    number = simulator.place_split_order([[(item, 1)], [(item, 2)], [(item, 3)]], after(1))
    assert number is not None
    assert simulator.ship_order(number, after(2), delivery="1") == 1
    assert simulator.cancel_order(number, after(3), delivery="2") == 2
    assert simulator.stock(item) == 6
    [order] = caller.orders(after(4))
    assert [each["deliveryStatus"] for each in order["deliveryInfos"]] == ["Y", "C", "N"]
    assert order["paymentStatusCode"] == "0004", "not all of it is cancelled"
    assert simulator.take_back_order(number, after(5), restock=True) == 1
    assert simulator.stock(item) == 7
    for state, listed in (("N", 1), ("Y", 0), ("C", 1), ("R", 1)):
        assert len(caller.orders(after(6), deliveryStatus=state)) == listed
    assert [each.cause for each in simulator.log.changes] == ["sale", "sale", "sale", "cancellation", "return"]
    assert {each.reference for each in simulator.log.changes} == {number}


@pytest.mark.parametrize("restock", [True, False])
def test_a_cancel_gives_the_stock_back_or_not_and_looks_the_same(restock: bool) -> None:
    simulator, [item] = shop_with(10)
    number = simulator.sell(item, 4, after(1))
    assert number is not None
    assert simulator.cancel_order(number, after(2), restock=restock) == 4
    assert simulator.stock(item) == (10 if restock else 6)
    [order] = Caller(simulator).orders(after(3))
    assert order["paymentStatusCode"] == "0003"
    assert order["deliveryInfos"][0]["deliveryStatus"] == "C"
    assert simulator.cancel_order(number, after(4)) == 0, "only once"
    assert simulator.stock(item) == (10 if restock else 6)


def test_a_cancel_may_show_in_one_place_only() -> None:
    shown: dict[str, Any] = {}
    for reading in ("both", "delivery", "payment"):
        simulator, [item] = shop_with(10, cancel_shows=reading)
        number = simulator.sell(item, 4, after(1))
        assert number is not None
        simulator.cancel_order(number, after(2))
        [order] = Caller(simulator).orders(after(3))
        shown[reading] = (order["deliveryInfos"][0]["deliveryStatus"], order["paymentStatusCode"])
        assert len(Caller(simulator).orders(after(3), deliveryStatus="C")) == (reading != "payment")
    assert shown == {"both": ("C", "0003"), "delivery": ("C", "0004"), "payment": ("N", "0003")}


@pytest.mark.parametrize("restock", [True, False])
def test_the_app_may_cancel_an_order_itself(restock: bool) -> None:
    simulator, [item] = shop_with(10)
    caller = Caller(simulator)
    number = simulator.sell(item, 4, after(1))
    assert number is not None
    result = caller.cancel(number, after(2), restock=restock)
    assert result == {"displayOrderNumber": number, "deliveryId": None, "message": None}
    assert moves(simulator)[1:] == ([("client", "cancellation", 4, 10)] if restock else [])
    assert caller.cancel(number, after(3), restock=True)["message"] == "この注文はキャンセルできません"
    assert caller.cancel("P0", after(4), restock=True)["message"] == "該当する注文が存在しません"
    assert caller.cancel(number, after(4), restock=True, delivery="9")["message"] == "該当する配送先が存在しません"


@pytest.mark.parametrize("holds", [True, False])
def test_a_provisional_order_vanishes_without_a_trace(holds: bool) -> None:
    simulator, [item] = shop_with(10, provisional_holds=holds, provisional_code="0009")
    caller = Caller(simulator)
    number = simulator.place_order([(item, 3)], after(1), provisional=True)
    assert number is not None
    assert simulator.stock(item) == (7 if holds else 10)
    [order] = caller.orders(after(2))
    assert (order["systemOrderNumber"], order["paymentStatusCode"]) == (number, "0009")
    assert simulator.provisional_orders() == [number]
    simulator.vanish_order(number, after(3))
    assert simulator.stock(item) == 10
    assert caller.orders(after(4)) == []
    assert [each.cause for each in simulator.log.changes] == (["sale", "vanished"] if holds else [])


@pytest.mark.parametrize("holds", [True, False])
def test_a_provisional_order_becomes_a_normal_one(holds: bool) -> None:
    simulator, [item] = shop_with(10, provisional_holds=holds, provisional_listed=False)
    caller = Caller(simulator)
    number = simulator.place_order([(item, 3)], after(1), provisional=True)
    assert number is not None
    assert caller.orders(after(2)) == []
    simulator.settle_order(number, after(3))
    assert simulator.stock(item) == 7
    assert [each["paymentStatusCode"] for each in caller.orders(after(4))] == ["0004"]
    assert [(each.at, each.cause) for each in simulator.log.changes] == [(after(1 if holds else 3), "sale")]
    with pytest.raises(ValueError, match="settled"):
        simulator.vanish_order(number, after(5))


def test_payment_states_of_an_order() -> None:
    simulator, [item] = shop_with(10, unpaid_code="0005")
    caller = Caller(simulator)
    transfer = simulator.place_order([(item, 1)], after(1), paid=False)
    simulator.place_order([(item, 1)], after(2), on_delivery=True)
    codes = [each["paymentStatusCode"] for each in caller.orders(after(3), sortOrder="ASC")]
    assert codes == ["0005", "0000"]
    assert transfer is not None
    simulator.pay_order(transfer, after(60))
    [paid] = caller.orders(after(61), startPaymentDate="20260817120130", endPaymentDate="20260817120130")
    assert (paid["systemOrderNumber"], paid["paymentStatusCode"]) == (transfer, "0004")


@pytest.mark.parametrize(("amount", "left"), [(1, 9), (5, 5), (0, 10)])
def test_an_edit_moves_the_stock_by_the_difference(amount: int, left: int) -> None:
    simulator, [item] = shop_with(10)
    number = simulator.sell(item, 3, after(1))
    assert number is not None
    assert simulator.edit_order(number, item, amount, after(2))
    assert simulator.stock(item) == left
    [order] = Caller(simulator).orders(after(3))
    assert [each["amount"] for each in order["deliveryInfos"][0]["basketInfos"]] == ([amount] if amount else [])
    assert moves(simulator)[1:] == [("outside", "edit", left - 7, left)]


def test_other_readings_of_an_edit() -> None:
    simulator, [item] = shop_with(10, edit_moves_stock=False, edit_to_zero="kept")
    number = simulator.sell(item, 3, after(1))
    assert number is not None
    assert simulator.edit_order(number, item, 0, after(2))
    assert simulator.stock(item) == 7
    [order] = Caller(simulator).orders(after(3))
    assert [each["amount"] for each in order["deliveryInfos"][0]["basketInfos"]] == [0]


def test_an_edit_beyond_the_stock_or_of_what_is_not_open_does_not_happen() -> None:
    simulator, [item, other] = shop_with(3, 3)
    number = simulator.sell(item, 2, after(1))
    assert number is not None
    assert not simulator.edit_order(number, item, 4, after(2))
    assert simulator.stock(item) == 1
    with pytest.raises(KeyError):
        simulator.edit_order(number, other, 1, after(3))
    simulator.ship_order(number, after(4))
    with pytest.raises(KeyError):
        simulator.edit_order(number, item, 1, after(5))


def test_orders_are_found_by_the_second_both_ends_included() -> None:
    simulator, [item] = shop_with(50)
    caller = Caller(simulator)
    numbers = [simulator.sell(item, 1, after(second)) for second in range(5)]
    found = caller.orders(after(9), startOrderDate="20260817120031", endOrderDate="20260817120033", sortOrder="ASC")
    assert [each["systemOrderNumber"] for each in found] == numbers[1:4]
    newest = caller.orders(after(9), startOrderDate="20260817120033")
    assert [each["systemOrderNumber"] for each in newest] == [numbers[4], numbers[3]]
    answer = caller.data(ORDERS, {"page": 2, "limit": 2, "sortOrder": "DESC"}, after(9))
    assert ([each["systemOrderNumber"] for each in answer["orders"]], answer["searchedCount"]) == (
        [numbers[2], numbers[1]],
        5,
    )
    assert caller.data(ORDERS, {"page": 4, "limit": 2}, after(9))["orders"] == []


@pytest.mark.parametrize(
    "asked",
    [
        {"startOrderDate": "2026-08-17"},
        {"endOrderDate": "20261317000000"},
        {"deliveryStatus": "X"},
        {"sortOrder": "asc"},
    ],
    ids=str,
)
def test_a_search_that_makes_no_sense_is_refused(asked: dict[str, str]) -> None:
    simulator, _ = shop_with(1)
    answer = Caller(simulator).ask(ORDERS, asked)
    assert answer.body["data"] == {"searchOrder": None}
    assert answer.body["errors"]


def test_cancelled_orders_may_be_left_out_unless_asked_for() -> None:
    simulator, [item] = shop_with(9, states_default="without_cancelled", sort_default="ASC")
    caller = Caller(simulator)
    numbers = [simulator.sell(item, 1, after(second)) for second in range(3)]
    assert numbers[1] is not None
    simulator.cancel_order(numbers[1], after(5))
    assert [each["systemOrderNumber"] for each in caller.orders(after(6))] == [numbers[0], numbers[2]]
    assert len(caller.orders(after(6), deliveryStatus="C")) == 1


def test_a_page_of_orders_is_capped_and_a_new_order_may_be_listed_late() -> None:
    simulator, [item] = shop_with(500, order_page_cap=3, order_lag=2.0)
    caller = Caller(simulator)
    for _ in range(5):
        simulator.sell(item, 1, after(1))
    assert simulator.stock(item) == 495
    assert caller.orders(after(2.9), limit=1000) == []
    assert len(caller.orders(after(3), limit=1000)) == 3


def test_an_order_says_what_the_item_was_when_it_was_placed() -> None:
    simulator = MakeShopSimulator()
    item = simulator.add_product(START, code="OLD", stock=5)
    number = simulator.sell(item, 1, after(1))
    simulator.change_code(item, "NEW", after(2))
    simulator.remove_product(item, after(3))
    [order] = Caller(simulator).orders(after(4))
    assert order["deliveryInfos"][0]["basketInfos"][0]["productCustomCode"] == "OLD"
    assert number is not None
    assert simulator.cancel_order(number, after(5)) == 1, "there is no stock left to give it back to"


def test_an_order_falls_exactly_between_a_read_and_a_write() -> None:
    simulator, [item] = shop_with(10)
    caller = Caller(simulator)
    simulator.on_next("searchProductQuantity", lambda now: simulator.sell(item, 2, now))
    [row] = caller.stock(after(1))
    assert (row["quantity"], simulator.stock(item)) == (10, 8)
    caller.write(by_system(item, 9), now=after(2))
    assert moves(simulator) == [("outside", "sale", -2, 8), ("client", "api", 1, 9)]
    assert caller.stock(after(3))[0]["quantity"] == 9, "the hook holds for one operation"


def test_an_order_falls_exactly_before_the_write_is_carried_out() -> None:
    simulator, [item] = shop_with(10)
    caller = Caller(simulator)
    simulator.on_next("updateProductQuantity", lambda now: simulator.sell(item, 2, now), before=True)
    assert caller.stock(after(1))[0]["quantity"] == 10
    caller.write(by_system(item, 9), now=after(2))
    assert [(each.at, each.cause) for each in simulator.log.changes] == [(after(2), "sale"), (after(2), "api")]


def test_a_forbidden_operation_calls_nobody() -> None:
    simulator, [item] = shop_with(10)
    simulator.remove_scope("searchProductQuantity")
    simulator.on_next("searchProductQuantity", lambda now: simulator.sell(item, 2, now))
    caller = Caller(simulator)
    assert caller.ask("{ searchProductQuantity(input: {page: 1}) { page } }").code == "FORBIDDEN"
    assert simulator.stock(item) == 10
    simulator.approve_scope("searchProductQuantity")
    caller.stock(after(1))
    assert simulator.stock(item) == 8


def test_people_change_the_stock_by_hand() -> None:
    simulator, [item] = shop_with(10)
    assert simulator.set_stock(item, 4, after(1)) == -6
    assert simulator.adjust(item, -9, after(2)) == -4
    assert simulator.foreign_change(item, 3, after(3)) == 3
    assert moves(simulator) == [
        ("outside", "count", -6, 4),
        ("outside", "adjustment", -4, 0),
        ("outside", "api", 3, 3),
    ]
    with pytest.raises(ValueError, match="below 0"):
        simulator.set_stock(item, -1, after(4))


def test_the_log_adds_up_to_the_stock() -> None:
    simulator = MakeShopSimulator(switches=MakeShopSwitches(below_zero="negative"), chance=random.Random(3))
    items = simulator.seed_catalogue(6, START, variations_every=2)
    start, chance, caller = simulator.levels(), simulator.chance, Caller(simulator)
    for step in range(400):
        item, now = chance.choice(items), after(step)
        kind = chance.randrange(9)
        open_orders, provisional = simulator.open_orders(), simulator.provisional_orders()
        if kind < 3:
            simulator.place_order([(item, 1), (chance.choice(items), 2)], now, provisional=kind == 0)
        elif kind == 3 and provisional:
            chance.choice((simulator.vanish_order, simulator.settle_order))(provisional[0], now)
        elif kind == 4 and open_orders:
            simulator.cancel_order(open_orders[0], now, restock=chance.random() < 0.5)
        elif kind == 5 and open_orders:
            simulator.ship_order(open_orders[0], now)
        elif kind == 6:
            simulator.set_stock(item, chance.choice((None, 0, 12)), now)
        elif kind == 7:
            simulator.adjust(item, chance.randint(-4, 6), now)
        elif "/" not in item:
            caller.write(by_system(item, chance.randint(-2, 9), chance.randrange(2)), now=now)
    for change in simulator.log.changes:
        start[change.item] += change.delta
        assert start[change.item] == change.after
    assert {item: start[item] for item in simulator.levels()} == simulator.levels()
    assert {each.cause for each in simulator.log.changes} >= {"sale", "vanished", "cancellation", "count", "api"}
