"""What the simulated MakeShop says of products and stock, and how it cuts pages without a word."""

from __future__ import annotations

from typing import Any

import pytest

from inventory_sync.sandbox.makeshop import MakeShopSimulator, MakeShopSwitches
from tests.sandbox.makeshop_support import PRODUCTS, START, STOCK, Caller, after, by_system, shop_with


def test_products_come_with_their_codes_and_numbers() -> None:
    simulator = MakeShopSimulator()
    simulator.add_product(START, code="MUG-01", jan="4900000000031", stock=None, name="マグ")
    items = simulator.add_variations(START, ["4900000000017", "4900000000024"], stock=[5, 3], code="TSHIRT-01")
    mug, shirt = Caller(simulator).products(page=1, limit=200)
    assert (mug["systemCode"], mug["customCode"], mug["janCode"]) == ("000000000084", "MUG-01", "4900000000031")
    assert (mug["quantity"], mug["variationShowType"], mug["variations"]) == (None, 0, [])
    assert (mug["display"], mug["updatedAt"]) == ("Y", "2026-08-17 12:00:30")
    assert (shirt["customCode"], shirt["quantity"]) == ("TSHIRT-01", 8)
    assert shirt["variationShowType"] != 0
    assert [each["variationCustomCode"] for each in shirt["variations"]] == ["4900000000017", "4900000000024"]
    assert {each["productSystemCode"] for each in shirt["variations"]} == {shirt["systemCode"]}
    assert items == [f"{shirt['systemCode']}/4900000000017", f"{shirt['systemCode']}/4900000000024"]
    assert simulator.find(shirt["systemCode"], "4900000000024") == items[1]


def test_stock_is_null_where_it_is_unlimited_and_stands_at_variations_where_there_are_some() -> None:
    simulator = MakeShopSimulator()
    simulator.add_product(START, code="MUG-01", stock=None)
    simulator.add_product(START, code="MUG-02", stock=0)
    simulator.add_variations(START, ["A", "B"], stock=[5, None], code="TSHIRT-01")
    endless, sold_out, shirt = Caller(simulator).stock(page=1, limit=200)
    assert (endless["quantity"], sold_out["quantity"], shirt["quantity"]) == (None, 0, None)
    assert endless["variationQuantities"] == []
    assert shirt["variationQuantities"] == [
        {"variationQuantity": 5, "variationCustomCode": "A"},
        {"variationQuantity": None, "variationCustomCode": "B"},
    ]


def test_the_number_of_a_product_with_variations_may_mean_nothing() -> None:
    simulator = MakeShopSimulator(switches=MakeShopSwitches(parent_quantity="own"))
    simulator.add_variations(START, ["A", "B"], stock=[5, 3])
    assert [each["quantity"] for each in Caller(simulator).stock(page=1)] == [0]


def test_a_page_holds_two_hundred_rows_although_a_thousand_were_asked_for() -> None:
    simulator, items = shop_with(*range(450))
    caller = Caller(simulator)
    for document, rows in ((PRODUCTS, "products"), (STOCK, "productQuantities")):
        seen: list[str] = []
        sizes = []
        for page in range(1, 5):
            answer = caller.data(document, {"page": page, "limit": 1000})
            assert (answer["page"], answer["limit"]) == (page, 1000)
            assert answer.get("searchedCount", 450) == 450
            sizes.append(len(answer[rows]))
            seen += [each["systemCode"] for each in answer[rows]]
        assert sizes == [200, 200, 50, 0]
        assert seen == items


def test_other_ways_to_cut_a_page() -> None:
    simulator, items = shop_with(*range(7), limit_told="used", past_end="last_page", stock_page_cap=3, page_default=2)
    caller = Caller(simulator)
    answer = caller.data(STOCK, {"page": 9, "limit": 1000})
    assert answer["limit"] == 3
    assert [each["systemCode"] for each in answer["productQuantities"]] == items[6:]
    assert len(caller.stock()) == 2
    assert len(caller.products(limit=1000)) == 7


@pytest.mark.parametrize("asked", [{"page": 0}, {"limit": 0}, {"limit": 1001}], ids=str)
def test_a_page_that_makes_no_sense_is_refused(asked: dict[str, Any]) -> None:
    simulator, _ = shop_with(1)
    answer = Caller(simulator).ask(STOCK, asked)
    assert answer.body["data"] == {"searchProductQuantity": None}
    assert answer.body["errors"][0]["path"] == ["searchProductQuantity"]


def test_products_are_chosen_by_system_code_and_unknown_ones_left_out() -> None:
    simulator, items = shop_with(1, 2, 3)
    caller = Caller(simulator)
    found = caller.stock(systemCodes=[items[2], "000000009999", items[0], items[0]])
    assert [(each["systemCode"], each["quantity"]) for each in found] == [(items[0], 1), (items[2], 3)]
    assert [each["systemCode"] for each in caller.stock(systemCodes=items[1])] == [items[1]], "one makes a list"
    assert caller.stock(systemCodes=[]) == []
    assert [each["systemCode"] for each in caller.products(systemCodes=[items[1]])] == [items[1]]


def test_codes_are_told_to_the_blank() -> None:
    simulator = MakeShopSimulator()
    why = simulator.seed_oddities(START)
    rows = Caller(simulator).products(page=1, limit=200)
    codes = [each["customCode"] for each in rows]
    assert {"ODD-BLANK ", "#ODD-HASH", " ", ""} <= set(codes)
    assert codes.count("ODD-TWICE") == 2
    variations = [each["variationCustomCode"] for row in rows for each in row["variations"]]
    assert {"4900000000017 ", "#4900000000024", ""} <= set(variations)
    assert variations.count("4900000000048") == 2
    assert [each["display"] for each in rows].count("N") == 1
    assert {row["variationShowType"] for row in rows if row["customCode"] == "ODD-OPTIONS"} == {0}
    assert why.keys() == simulator.cells.keys()
    assert [item for item, each in why.items() if each == "unlimited"] == [
        item for item in simulator.cells if simulator.stock(item) is None
    ]


def test_a_code_that_was_never_set_is_empty_or_null() -> None:
    for missing, told in (("empty", ""), ("null", None)):
        simulator = MakeShopSimulator(switches=MakeShopSwitches(missing_code=missing))  # type: ignore[arg-type]
        simulator.add_product(START, stock=1)
        simulator.add_product(START, code=" ", stock=1)
        assert [each["customCode"] for each in Caller(simulator).stock(page=1)] == [told, " "]


def test_a_lagging_read_shows_what_was() -> None:
    simulator, [item] = shop_with(10, stock_lag=2.0)
    caller = Caller(simulator)
    assert caller.write(by_system(item, 7), now=after(10)) == []
    simulator.sell(item, 1, after(11))
    shown = [caller.stock(after(second))[0]["quantity"] for second in (10, 11.9, 12, 12.9, 13)]
    assert shown == [10, 10, 7, 7, 6]
    assert simulator.stock(item) == 6


def test_products_change_and_go() -> None:
    simulator, [first, second] = shop_with(1, 2)
    simulator.change_code(first, "NEW ", after(5))
    simulator.show_product(first, after(6), displayed=False)
    simulator.remove_product(second, after(7))
    [left] = Caller(simulator).products(after(8))
    assert (left["systemCode"], left["customCode"], left["display"]) == (first, "NEW ", "N")
    assert left["updatedAt"] == "2026-08-17 12:00:36"
    assert simulator.levels() == {first: 1}


def test_a_change_of_stock_moves_the_update_time_or_not() -> None:
    for moves, told in ((False, "2026-08-17 12:00:30"), (True, "2026-08-17 12:01:30")):
        simulator, [item] = shop_with(5, stock_moves_updated_at=moves)
        simulator.sell(item, 1, after(60))
        assert Caller(simulator).products(after(61))[0]["updatedAt"] == told


def test_a_seeded_catalogue_mixes_products_and_variations_in_the_order_of_their_codes() -> None:
    simulator = MakeShopSimulator()
    items = simulator.seed_catalogue(7, START, initial=lambda number: number, variations_every=2)
    assert [simulator.stock(item) for item in items] == list(range(7))
    rows = Caller(simulator).products(page=1)
    assert [len(row["variations"]) for row in rows] == [0, 2, 0, 2, 0]
    codes = [each["variationCustomCode"] for row in rows for each in row["variations"]]
    assert codes == ["DEMO-000002", "DEMO-000003", "DEMO-000005", "DEMO-000006"]
