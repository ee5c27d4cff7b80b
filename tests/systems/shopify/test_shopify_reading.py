from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest

from inventory_sync.systems.errors import RetryLater
from inventory_sync.systems.http import HttpRequest, HttpResponse
from inventory_sync.systems.port import Condition, LevelReading
from tests.systems.shopify.shopify_support import (
    ANNEX,
    ITEM,
    NOW,
    OTHER,
    answer,
    bench,
    cell,
    cost,
    data,
    item_node,
    level,
    page,
    place,
    variant,
)

CUT_ITEM = "gid://shopify/InventoryItem/77"


def answer_in_order(nodes: dict[str, dict[str, Any]]) -> Any:
    def reply(request: HttpRequest) -> HttpResponse:
        ids = orjson.loads(request.body)["variables"]["itemIds"]
        return data({"nodes": [nodes.get(each) for each in ids]})

    return reply


async def test_cells_are_read_by_item_in_one_request() -> None:
    nodes = {ITEM: item_node(ITEM, [level(5), level(7, ANNEX)])}
    it = bench(answer_in_order(nodes))
    found = await it.client.read([cell(), cell(location=ANNEX), cell(), cell(OTHER)], changed_since=NOW)
    assert [(each.cell, each.condition, each.quantity) for each in found] == [
        (cell(), Condition.ACTIVE, 5),
        (cell(location=ANNEX), Condition.ACTIVE, 7),
        (cell(OTHER), Condition.GONE, None),
    ]
    assert it.partner.variables()["itemIds"] == [ITEM, OTHER]


async def test_reading_nothing_asks_nothing() -> None:
    it = bench()
    assert await it.client.read([], changed_since=None) == []
    assert it.partner.requests == []


def item_page(levels: list[dict[str, Any]], after: str | None = None) -> HttpResponse:
    return data({"inventoryItem": item_node(CUT_ITEM, levels, after)})


async def test_a_cut_list_is_read_to_its_end_before_a_cell_is_called_absent() -> None:
    far, never = "gid://shopify/Location/900", "gid://shopify/Location/901"
    it = bench(
        answer_in_order({CUT_ITEM: item_node(CUT_ITEM, [level(1)], "p10"), ITEM: item_node(ITEM, [level(5)], "p")}),
        answer_in_order({CUT_ITEM: item_node(CUT_ITEM, [level(2), level(3, ANNEX)], "p250")}),
        item_page([level(0, "gid://shopify/Location/3")], "p500"),
        item_page([level(4, far)]),
    )
    cells = [cell(CUT_ITEM), cell(CUT_ITEM, ANNEX), cell(CUT_ITEM, far), cell(CUT_ITEM, never), cell()]
    found = {each.cell: each for each in await it.client.read(cells, changed_since=None)}
    assert [found[each].quantity for each in cells] == [2, 3, 4, None, 5]
    assert found[cells[3]].condition is Condition.ABSENT
    assert [it.partner.variables(n).get("after") for n in (2, 3)] == ["p250", "p500"]
    assert it.partner.variables(1)["levels"] == 250
    assert it.partner.variables(1)["itemIds"] == [CUT_ITEM]


async def test_an_item_deleted_while_its_list_is_read_is_gone() -> None:
    it = bench(
        answer_in_order({CUT_ITEM: item_node(CUT_ITEM, [], "p10")}),
        answer_in_order({CUT_ITEM: item_node(CUT_ITEM, [], "p250")}),
        data({"inventoryItem": None}),
    )
    found = await it.client.read([cell(CUT_ITEM)], changed_since=None)
    assert [each.condition for each in found] == [Condition.GONE]


async def test_where_the_budget_ends_midway_the_cells_read_so_far_are_given() -> None:
    nodes = {CUT_ITEM: item_node(CUT_ITEM, [level(1)], "p10"), ITEM: item_node(ITEM, [level(5)])}
    empty = answer({"data": {"nodes": [nodes[ITEM], nodes[CUT_ITEM]]}, "extensions": cost(15, 0)})
    it = bench(empty)
    found = await it.client.read([cell(), cell(CUT_ITEM, ANNEX)], changed_since=None)
    assert [each.cell for each in found] == [cell()]


async def test_where_nothing_was_read_the_whole_errand_is_waited_for() -> None:
    empty = answer({"data": {"nodes": [item_node(CUT_ITEM, [level(1)], "p10")]}, "extensions": cost(15, 0)})
    it = bench(empty)
    with pytest.raises(RetryLater) as caught:
        await it.client.read([cell(CUT_ITEM, ANNEX)], changed_since=None)
    assert caught.value.after == pytest.approx((15 + 36) / 100)


@pytest.mark.parametrize("payload", [{}, {"nodes": []}, {"nodes": [{"id": OTHER}]}, {"nodes": [{"id": ITEM}]}])
async def test_a_read_in_another_shape_comes_again(payload: dict[str, Any]) -> None:
    with pytest.raises(RetryLater) as caught:
        await bench(data(payload)).client.read([cell()], changed_since=None)
    assert caught.value.code == "IS-SHP-004"


async def test_a_page_of_levels_without_its_item_comes_again() -> None:
    cut = answer_in_order({CUT_ITEM: item_node(CUT_ITEM, [], "p")})
    with pytest.raises(RetryLater):
        await bench(cut, cut, data({})).client.read([cell(CUT_ITEM)], changed_since=None)


async def test_changes_are_asked_location_by_location() -> None:
    changed = {**level(3), "item": {"id": ITEM, "tracked": True}}
    nodes = [place(1), place(2), place(3, isActive=False), place(4, isFulfillmentService=True)]
    it = bench(
        data({"locations": page(nodes)}),
        data({"location": {"id": "gid://shopify/Location/1", "inventoryLevels": page([changed], "c1")}}),
        data({"location": {"id": "gid://shopify/Location/1", "inventoryLevels": page([])}}),
        data({"location": None}),
    )
    since = NOW - timedelta(minutes=2)
    found: list[LevelReading] = []
    cursor, calls = None, 0
    while calls == 0 or cursor is not None:
        got = await it.client.changed_levels(since, NOW, cursor)
        found += got.levels
        cursor = got.cursor
        calls += 1
    assert calls == 4
    assert [(each.cell, each.quantity) for each in found] == [(cell(location="gid://shopify/Location/1"), 3)]
    asked = [it.partner.variables(n) for n in (1, 2, 3)]
    assert [(each["locationId"][-1], each["after"]) for each in asked] == [("1", None), ("1", "c1"), ("2", None)]
    assert {each["query"] for each in asked} == {"updated_at:>='2026-11-21T04:58:00Z'"}


async def test_a_shop_without_a_location_to_pair_has_no_changes() -> None:
    it = bench(data({"locations": page([place(3, isActive=False)])}))
    assert (await it.client.changed_levels(NOW, NOW, None)).cursor is None


async def test_changes_too_many_for_a_list_become_a_walk() -> None:
    walked = {"inventoryItems": page([item_node(ITEM, [level(5)])], "w1")}
    it = bench(data(walked), data({"inventoryItems": page([])}))
    cursor = orjson.dumps({"locations": [], "after": None, "pages": 0, "walk": {"after": None}}).decode()
    one = await it.client.changed_levels(NOW, NOW, cursor)
    assert [each.quantity for each in one.levels] == [5]
    assert (await it.client.changed_levels(NOW, NOW, one.cursor)).cursor is None
    assert it.partner.operations == ["WalkItems", "WalkItems"]


async def test_a_walk_shows_all_levels_of_all_items_cut_lists_included() -> None:
    far = "gid://shopify/Location/900"
    third = "gid://shopify/InventoryItem/99999999999999"
    it = bench(
        data({"productVariantsCount": {"count": 3}}),
        data(
            {"inventoryItems": page([item_node(CUT_ITEM, [level(1)], "p10"), item_node(third, [level(9)], "q")], "w1")}
        ),
        answer_in_order({CUT_ITEM: item_node(CUT_ITEM, [level(2), level(3, ANNEX)], "p250")}),
        item_page([level(4, far)], "p500"),
        data({"inventoryItem": None}),
        data({"inventoryItems": page([item_node(OTHER, [])])}),
    )
    one = await it.client.walk_levels(None)
    assert {(each.cell, each.quantity) for each in one.levels} == {
        (cell(CUT_ITEM), 2),
        (cell(CUT_ITEM, ANNEX), 3),
        (cell(CUT_ITEM, far), 4),
        (cell(third), 9),
    }
    two = await it.client.walk_levels(one.cursor)
    assert (two.levels, two.cursor) == ((), None)


async def test_a_walk_reads_a_cut_list_to_its_end() -> None:
    it = bench(
        data({"productVariantsCount": {"count": 1}}),
        data({"inventoryItems": page([item_node(CUT_ITEM, [], "p10")])}),
        answer_in_order({CUT_ITEM: item_node(CUT_ITEM, [level(2)], "p250")}),
        item_page([level(4, ANNEX)]),
    )
    found = await it.client.walk_levels(None)
    assert [each.quantity for each in found.levels] == [2, 4]


PRODUCT = "gid://shopify/Product/9"


async def test_a_refresh_takes_items_products_and_bare_numbers_and_says_what_is_gone() -> None:
    item = {"id": ITEM, "sku": "A", "tracked": True}
    numbered = "gid://shopify/InventoryItem/5"
    lone = {"__typename": "InventoryItem", **item, "variants": page([variant(item)])}
    bare = {"__typename": "InventoryItem", "id": numbered, "sku": "B", "tracked": True, "variants": page([])}
    product = {"__typename": "Product", "id": PRODUCT, "variants": page([variant({**item, "id": OTHER})], "v1")}
    further = variant({**item, "id": CUT_ITEM})
    it = bench(
        data({"nodes": [lone, bare, None]}),
        data({"nodes": [product, None, None]}),
        data({"product": {"id": PRODUCT, "variants": page([further])}}),
    )
    found = await it.client.refresh([ITEM, PRODUCT, "5", "6", "sku:odd", ITEM])
    assert [each.key for each in found.items] == [ITEM, numbered, OTHER, CUT_ITEM]
    assert found.gone == ("6", "sku:odd")
    assert it.partner.variables(0)["ids"] == [ITEM, numbered, "gid://shopify/InventoryItem/6"]
    assert it.partner.variables(1)["ids"] == [PRODUCT, "gid://shopify/Product/5", "gid://shopify/Product/6"]
    assert it.partner.variables(2) == {"id": PRODUCT, "first": 250, "after": "v1"}


async def test_a_product_deleted_while_its_variants_are_read_keeps_what_was_seen() -> None:
    item = {"id": ITEM, "sku": "A", "tracked": True}
    product = {"id": PRODUCT, "variants": page([variant(item)], "v1")}
    found = await bench(data({"nodes": [product]}), data({"product": None})).client.refresh([PRODUCT])
    assert ([each.key for each in found.items], found.gone) == ([ITEM], ())


async def test_a_refresh_in_another_shape_comes_again() -> None:
    product = {"id": PRODUCT, "variants": page([], "v1")}
    with pytest.raises(RetryLater):
        await bench(data({"nodes": [product]}), data({})).client.refresh([PRODUCT])


async def test_many_keys_are_asked_in_parts() -> None:
    def all_gone(request: HttpRequest) -> HttpResponse:
        return data({"nodes": [None] * len(orjson.loads(request.body)["variables"]["ids"])})

    it = bench(*[all_gone] * 6)
    keys = [f"gid://shopify/InventoryItem/{n}" for n in range(250)] + [f"gid://shopify/Product/{n}" for n in range(25)]
    assert (await it.client.refresh(keys)).gone == tuple(keys)
    assert [len(it.partner.variables(n)["ids"]) for n in range(6)] == [100, 100, 50, 10, 10, 5]
