"""Pages and search filters of the Shopify simulator."""

from __future__ import annotations

from typing import Any

import pytest

from inventory_sync.sandbox.shopify import ShopifySwitches
from tests.sandbox.shopify_support import NAMES, ShopUnderTest


@pytest.fixture
def shop() -> ShopUnderTest:
    return ShopUnderTest()


def test_pages_join_up_to_the_whole_catalogue(shop: ShopUnderTest) -> None:
    seen: list[str] = []
    after = None
    while True:
        answer = shop.run("03_list", first=3, after=after, levels=10, names=NAMES)
        connection = answer["data"]["productVariants"]
        seen += [node["inventoryItem"]["id"] for node in connection["nodes"]]
        if not connection["pageInfo"]["hasNextPage"]:
            break
        after = connection["pageInfo"]["endCursor"]
        shop.simulator.delete_item(seen[-1], shop.now)
    assert seen == shop.items


@pytest.mark.parametrize(
    ("window", "message"), [("", "you must provide one of first or last"), ("(first: 251)", "first")]
)
def test_a_window_that_is_missing_or_too_wide_is_refused(shop: ShopUnderTest, window: str, message: str) -> None:
    answer = shop.query(f"{{ productVariants{window} {{ nodes {{ id }} }} }}")
    assert answer["errors"][0]["message"].startswith(message)
    assert answer["errors"][0]["extensions"] == {"code": "BAD_REQUEST"}


def changed_since(shop: ShopUnderTest, query: str) -> dict[str, Any]:
    return shop.run("07", locationId=shop.location, first=250, query=query, names=NAMES)


def test_changed_levels_are_found_by_their_time(shop: ShopUnderTest) -> None:
    shop.simulator.adjust_by_person(shop.items[3], shop.location, 1, shop.now)
    answer = changed_since(shop, "updated_at:>='2026-11-21T05:00:00Z'")
    nodes = answer["data"]["location"]["inventoryLevels"]["nodes"]
    assert [node["item"]["id"] for node in nodes] == [shop.items[3]]
    assert "search" not in answer["extensions"]


def test_the_search_index_can_lag(shop: ShopUnderTest) -> None:
    shop.simulator.switches = ShopifySwitches(search_lag=5.0)
    shop.simulator.adjust_by_person(shop.items[3], shop.location, 1, shop.now)
    query = "updated_at:>='2026-11-21T05:00:00Z'"
    assert changed_since(shop, query)["data"]["location"]["inventoryLevels"]["nodes"] == []
    shop.wait(5)
    assert len(changed_since(shop, query)["data"]["location"]["inventoryLevels"]["nodes"]) == 1


def test_a_bad_filter_is_ignored_and_reported_as_recorded(shop: ShopUnderTest) -> None:
    answer = changed_since(shop, "location_id:113884266802")
    assert len(answer["data"]["location"]["inventoryLevels"]["nodes"]) == 10
    assert answer["extensions"]["search"] == [
        {
            "path": ["location", "inventoryLevels"],
            "query": "location_id:113884266802",
            "parsed": {"field": "location_id", "match_all": "113884266802"},
            "warnings": [
                {
                    "field": "location_id",
                    "message": "Invalid search field for this query.",
                    "code": "invalid_field",
                }
            ],
        }
    ]


def test_a_search_by_sku_finds_more_than_the_exact_value(shop: ShopUnderTest) -> None:
    shop.simulator.add_product("Shirts", ["TS-RED-M", "ts-red-m", "RED", "TS-REDDISH"], shop.now)
    nodes = shop.run("21", query="sku:red", first=50)["data"]["productVariants"]["nodes"]
    assert [node["sku"] for node in nodes] == ["TS-RED-M", "ts-red-m", "RED"]


def test_duplicate_skus_are_counted(shop: ShopUnderTest) -> None:
    shop.simulator.change_sku(shop.items[1], "SKU-000001", shop.now)
    nodes = shop.run("03_list", first=3, levels=1, names=NAMES)["data"]["productVariants"]["nodes"]
    assert [node["inventoryItem"]["duplicateSkuCount"] for node in nodes] == [1, 1, 0]


def test_locations_hide_closed_and_foreign_ones_unless_asked(shop: ShopUnderTest) -> None:
    shop.simulator.add_location("3PL", shop.now, fulfillment_service="Quick Ship")
    shop.simulator.set_location_active(shop.locations[1], False, shop.now)
    listed = shop.query("{ locations(first: 10) { nodes { name } } }")["data"]["locations"]["nodes"]
    assert [node["name"] for node in listed] == ["Shop location"]
    everything = shop.run("02", first=250)["data"]["locations"]["nodes"]
    assert [(node["name"], node["isActive"], node["isFulfillmentService"]) for node in everything] == [
        ("Shop location", True, False),
        ("My Custom Location", False, False),
        ("3PL", True, True),
    ]
