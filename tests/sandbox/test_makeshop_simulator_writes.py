"""Writes to the simulated MakeShop's stock: both readings of the codes, row by row, logged as the delta they made."""

from __future__ import annotations

from typing import Any

import pytest

from inventory_sync.sandbox.makeshop import LOCATION, MakeShopSimulator, MakeShopSwitches
from tests.sandbox.makeshop_support import (
    ADD,
    SET,
    START,
    WRITE_PRODUCTS,
    Caller,
    after,
    by_own,
    by_system,
    detail,
    moves,
    shop_with,
)


@pytest.mark.parametrize(
    ("reading", "kind", "quantity", "result"),
    [
        ("absolute_first", 0, 7, 7),
        ("absolute_first", 1, -3, 7),
        ("absolute_first", 1, 0, 10),
        ("relative_first", 0, 7, 17),
        ("relative_first", 0, -3, 7),
        ("relative_first", 1, 0, 0),
        ("relative_first", 1, 7, 7),
    ],
)
def test_the_calculation_type_sets_or_adds_as_the_switch_reads_it(
    reading: Any, kind: int, quantity: int, result: int
) -> None:
    simulator, [item] = shop_with(10, calculation=reading)
    assert Caller(simulator).write(by_system(item, quantity, kind)) == []
    assert simulator.stock(item) == result
    assert moves(simulator) == ([("client", "api", result - 10, result)] if result != 10 else [])


def test_a_write_is_logged_as_the_difference_it_made() -> None:
    simulator, [item] = shop_with(10)
    caller = Caller(simulator)
    caller.write(by_system(item, 8), now=after(1))
    order = simulator.sell(item, 3, after(2))
    caller.write(by_system(item, 8), now=after(3))
    caller.write(by_system(item, 8), now=after(4))
    assert moves(simulator) == [("client", "api", -2, 8), ("outside", "sale", -3, 5), ("client", "api", 3, 8)]
    assert [each.reference for each in simulator.log.changes] == ["", order, ""]
    assert {each.location for each in simulator.log.changes} == {LOCATION}
    assert [each.at for each in simulator.log.changes] == [after(1), after(2), after(3)]


def test_products_are_written_by_system_code_or_own_code() -> None:
    simulator = MakeShopSimulator()
    item = simulator.add_product(START, code="MUG-01", stock=4)
    caller = Caller(simulator)
    assert caller.write(by_system(item, 5), by_own("MUG-01", 2, ADD)) == []
    assert simulator.stock(item) == 7
    assert len(caller.write(by_own("MUG-01 ", 1), by_own("mug-01", 1), by_own("", 1))) == 3
    assert simulator.stock(item) == 7


def test_a_row_that_fails_leaves_the_others_alone() -> None:
    simulator, [first, second] = shop_with(1, 2)
    failed = Caller(simulator).write(by_system(first, 5), by_system("000000009999", 6), by_system(second, 7))
    assert failed == [{"systemCode": "000000009999", "customCode": None, "message": "該当する商品が存在しません"}]
    assert simulator.levels() == {first: 5, second: 7}


@pytest.mark.parametrize(
    "row",
    [
        {"productKeyType": 2, "systemCode": "000000000084", "quantityCalculationType": 0, "quantity": 1},
        {"productKeyType": 0, "customCode": "DEMO-000001", "quantityCalculationType": 0, "quantity": 1},
        {"productKeyType": 1, "systemCode": "000000000084", "quantityCalculationType": 0, "quantity": 1},
        {"productKeyType": 0, "systemCode": "000000000084", "quantityCalculationType": 2, "quantity": 1},
        {"productKeyType": 0, "systemCode": "000000000084", "quantityCalculationType": 0},
        {"productKeyType": 0, "systemCode": "000000000084", "quantityCalculationType": 0, "quantity": -1},
        {"productKeyType": 0, "systemCode": "000000000084", "quantityCalculationType": 0, "quantity": 1_000_000_000},
        {"productKeyType": 0, "systemCode": "000000000084", "quantityCalculationType": 1, "quantity": 999_999_999},
    ],
    ids=str,
)
def test_a_row_that_makes_no_sense_fails(row: dict[str, Any]) -> None:
    simulator, [item] = shop_with(10)
    [failed] = Caller(simulator).write(row)
    assert failed["message"]
    assert simulator.stock(item) == 10
    assert simulator.log.changes == []


def test_what_failed_may_be_told_in_other_forms() -> None:
    rows: dict[str, Any] = {}
    for form in ("failed_only", "all_rows", "null_when_good"):
        simulator, [item] = shop_with(1, fail_result=form)
        rows[form] = Caller(simulator).write(by_system(item, 5))
        [*_, bad] = Caller(simulator).write(by_system(item, 6), by_system("x", 1))
        assert bad["message"] is not None
    assert rows["failed_only"] == []
    assert [each["message"] for each in rows["all_rows"]] == [None]
    assert rows["null_when_good"] is None


def test_a_product_with_variations_is_not_written_as_a_whole() -> None:
    simulator = MakeShopSimulator()
    items = simulator.add_variations(START, ["A", "B"], stock=[5, 3], code="TSHIRT-01")
    system = items[0].partition("/")[0]
    for row in (by_system(system, 1), by_own("TSHIRT-01", 1)):
        [failed] = Caller(simulator).write(row)
        assert failed["message"] == "バリエーションが設定された商品の数量は更新できません"
    assert simulator.levels() == dict(zip(items, [5, 3], strict=True))


def test_variations_are_written_by_own_code_each_for_itself() -> None:
    simulator = MakeShopSimulator()
    items = simulator.add_variations(START, ["A ", "B"], stock=[5, 3], code="TSHIRT-01")
    system = items[0].partition("/")[0]
    caller = Caller(simulator)
    details = [detail("A ", 9), detail("A", 1), detail("B", -1, ADD)]
    [failed] = caller.write_variations(details, systemCode=system)
    assert failed == {
        "systemCode": system,
        "customCode": None,
        "variation1ItemId": None,
        "variation2ItemId": None,
        "variationCustomCode": "A",
        "message": "該当するバリエーションが存在しません",
    }
    assert simulator.levels() == dict(zip(items, [9, 2], strict=True))
    assert caller.write_variations(detail("B", 7), productKeyType=1, customCode="TSHIRT-01") == []
    assert simulator.stock(items[1]) == 7
    assert {each.item for each in simulator.log.changes} == set(items)


def test_a_product_without_variations_has_none_to_write() -> None:
    simulator, [item] = shop_with(5)
    [failed] = Caller(simulator).write_variations([detail("DEMO-000001", 1)], systemCode=item)
    assert failed["message"]
    [unknown] = Caller(simulator).write_variations([detail("A", 1)], systemCode="x")
    assert unknown["message"] == "該当する商品が存在しません"
    assert simulator.stock(item) == 5


@pytest.mark.parametrize(("reading", "kind"), [("items_first", 0), ("code_first", 1)])
def test_variations_may_be_named_by_their_two_item_ids(reading: Any, kind: int) -> None:
    simulator = MakeShopSimulator(switches=MakeShopSwitches(variation_keys=reading, unproven_fields=True))
    items = simulator.add_variations(START, ["", ""], stock=[5, 3])
    system = items[0].partition("/")[0]
    row = {"variationKeyType": kind, "quantityCalculationType": SET, "quantity": 8}
    ids = {"variation1ItemId": 2, "variation2ItemId": 1}
    assert Caller(simulator).write_variations([row | ids], systemCode=system) == []
    assert [simulator.stock(item) for item in items] == [5, 8]
    [failed] = Caller(simulator).write_variations([row | {"variationKeyType": 2}], systemCode=system)
    assert failed["message"]


def test_an_own_code_that_occurs_twice_is_written_as_the_switch_says() -> None:
    results: dict[str, Any] = {}
    for reading in ("first", "all", "refused"):
        simulator = MakeShopSimulator(switches=MakeShopSwitches(duplicate_code=reading))  # type: ignore[arg-type]
        items = [simulator.add_product(START, code="TWICE", stock=stock) for stock in (4, 5)]
        failed = Caller(simulator).write(by_own("TWICE", 9))
        results[reading] = ([simulator.stock(item) for item in items], len(failed))
    assert results == {"first": ([9, 5], 0), "all": ([9, 9], 0), "refused": ([4, 5], 1)}


@pytest.mark.parametrize(("reading", "left", "failures"), [("cut_off", 0, 0), ("refused", 2, 1), ("negative", -3, 0)])
def test_a_relative_write_below_zero_follows_its_switch(reading: Any, left: int, failures: int) -> None:
    simulator, [item] = shop_with(2, below_zero=reading)
    assert len(Caller(simulator).write(by_system(item, -5, ADD))) == failures
    assert simulator.stock(item) == left
    assert sum(each.delta for each in simulator.log.changes) == left - 2


@pytest.mark.parametrize(
    ("reading", "left", "failures"), [("refused", 2, 1), ("unlimited", None, 0), ("negative", -1, 0)]
)
def test_an_absolute_write_below_zero_follows_its_switch(reading: Any, left: int | None, failures: int) -> None:
    simulator, [item] = shop_with(2, negative_set=reading)
    assert len(Caller(simulator).write(by_system(item, -1))) == failures
    assert simulator.stock(item) == left


@pytest.mark.parametrize(
    ("reading", "left", "failures"), [("refused", 2, 1), ("unlimited", None, 0), ("ignored", 2, 0)]
)
def test_a_write_of_null_follows_its_switch(reading: Any, left: int | None, failures: int) -> None:
    simulator, [item] = shop_with(2, null_set=reading)
    assert len(Caller(simulator).write(by_system(item, None))) == failures
    assert simulator.stock(item) == left


@pytest.mark.parametrize(
    ("switches", "kind", "left", "failures"),
    [
        ({"unlimited_set": "accepted"}, SET, 3, 0),
        ({"unlimited_set": "refused"}, SET, None, 1),
        ({"unlimited_set": "ignored"}, SET, None, 0),
        ({"unlimited_add": "ignored"}, ADD, None, 0),
        ({"unlimited_add": "refused"}, ADD, None, 1),
        ({"unlimited_add": "from_zero"}, ADD, 3, 0),
    ],
    ids=str,
)
def test_a_write_to_unlimited_stock_follows_its_switch(
    switches: dict[str, Any], kind: int, left: int | None, failures: int
) -> None:
    simulator = MakeShopSimulator(switches=MakeShopSwitches(**switches))
    item = simulator.add_product(START, code="ENDLESS", stock=None)
    assert len(Caller(simulator).write(by_system(item, 3, kind))) == failures
    assert simulator.stock(item) == left


def test_a_batch_may_have_a_limit_that_refuses_it_whole() -> None:
    simulator, [first, second] = shop_with(1, 2, batch_max=1)
    rows = {"productQuantities": [by_system(first, 9), by_system(second, 9)]}
    answer = Caller(simulator).ask(WRITE_PRODUCTS, rows)
    assert answer.body["data"] == {"updateProductQuantity": None}
    assert answer.body["errors"]
    assert simulator.levels() == {first: 1, second: 2}


def test_two_writes_in_one_document_are_carried_out_in_order() -> None:
    simulator, [item] = shop_with(1)
    row = f'{{productKeyType: 0, systemCode: "{item}", quantityCalculationType: %d, quantity: %d}}'
    write = "%s: updateProductQuantity(input: {productQuantities: [%s]}) { failResult { message } }"
    document = f"mutation {{ {write % ('a', row % (0, 10))} {write % ('b', row % (1, -4))} }}"
    answer = Caller(simulator).ask(document)
    assert answer.body["data"] == {"a": {"failResult": []}, "b": {"failResult": []}}
    assert moves(simulator) == [("client", "api", 9, 10), ("client", "api", -4, 6)]


def test_unlimited_stock_keeps_its_number_for_the_log() -> None:
    simulator, [item] = shop_with(5)
    simulator.set_stock(item, None, after(1))
    assert simulator.sell(item, 100, after(2)) is not None
    simulator.set_stock(item, 8, after(3))
    assert moves(simulator) == [("outside", "count", 3, 8)]
    assert 5 + sum(each.delta for each in simulator.log.changes) == simulator.stock(item)
