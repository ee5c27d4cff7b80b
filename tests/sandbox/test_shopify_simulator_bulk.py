"""Bulk operations of the simulated shop: their life, their files, and what is refused."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from inventory_sync.sandbox.kernel import Request, Response
from inventory_sync.sandbox.shopify import ShopifySwitches
from tests.sandbox.shopify_support import ShopUnderTest

QUERIES = Path(__file__).parent / "shopify_bulk_queries"
VARIANTS = (QUERIES / "18_bulk_inner_all_variants_and_levels.graphql").read_text("utf-8")
ITEMS = (QUERIES / "18b_bulk_inner_inventory_items_and_levels.graphql").read_text("utf-8")


def begun(shop: ShopUnderTest, query: str = ITEMS, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = shop.run("16", query=query, **more)["data"]["bulkOperationRunQuery"]
    return answer


def looked_at(shop: ShopUnderTest, operation: str) -> dict[str, Any]:
    found: dict[str, Any] = shop.run("17", id=operation)["data"]["bulkOperation"]
    return found


def fetched(shop: ShopUnderTest, url: str, **headers: str) -> Response:
    path, _, query = url.split("://", 1)[1].partition("/")[2].partition("?")
    return shop.simulator.handle(Request("GET", "/" + path, query, headers, b""), shop.now)


def lines_of(response: Response) -> list[dict[str, Any]]:
    return [json.loads(line) for line in response.body.splitlines()]


def finished(shop: ShopUnderTest, query: str = ITEMS) -> dict[str, Any]:
    operation = begun(shop, query)["bulkOperation"]
    shop.now += timedelta(seconds=5)
    return looked_at(shop, operation["id"])


def refusal(payload: dict[str, Any]) -> tuple[Any, str, str]:
    assert payload["bulkOperation"] is None
    [error] = payload["userErrors"]
    return error["field"], error["code"], error["message"]


def test_an_operation_is_created_runs_and_is_complete_with_a_file() -> None:
    shop = ShopUnderTest()
    operation = begun(shop)["bulkOperation"]
    assert (operation["status"], operation["type"]) == ("CREATED", "QUERY")
    shop.now += timedelta(seconds=1)
    running = looked_at(shop, operation["id"])
    assert (running["status"], running["url"], running["completedAt"]) == ("RUNNING", None, None)
    shop.now += timedelta(seconds=1)
    done = looked_at(shop, operation["id"])
    assert (done["status"], done["errorCode"], done["partialDataUrl"]) == ("COMPLETED", None, None)
    assert (done["rootObjectCount"], done["objectCount"]) == ("10", "30")
    body = fetched(shop, done["url"]).body
    assert done["fileSize"] == str(len(body)), "numbers that may be long are texts"


def test_each_object_of_a_connection_is_a_line_and_names_the_one_above_it() -> None:
    shop = ShopUnderTest()
    response = fetched(shop, finished(shop)["url"])
    assert response.headers["content-type"] == "application/jsonl"
    found = lines_of(response)
    items = [line for line in found if "__parentId" not in line]
    levels = [line for line in found if "__parentId" in line]
    assert {line["id"] for line in items} == set(shop.items)
    assert all("inventoryLevels" not in line for line in items)
    assert {(line["__parentId"], line["location"]["id"]) for line in levels} == {
        (item, place) for item in shop.items for place in shop.locations
    }
    assert all(line["quantities"][0]["quantity"] == 10 for line in levels)


def test_below_a_plain_object_the_parent_is_the_object_of_the_connection() -> None:
    shop = ShopUnderTest()
    found = lines_of(fetched(shop, finished(shop, VARIANTS)["url"]))
    variants = {line["id"] for line in found if "__parentId" not in line}
    assert {line["__parentId"] for line in found if "__parentId" in line} == variants
    assert all(line["inventoryItem"]["tracked"] for line in found if "__parentId" not in line)


def test_lines_come_in_no_order_unless_they_are_grouped() -> None:
    loose, grouped = ShopUnderTest(), ShopUnderTest(ShopifySwitches(bulk_lines_shuffled=False))

    def children_first(shop: ShopUnderTest) -> int:
        seen: set[str] = set()
        early = 0
        for line in lines_of(fetched(shop, finished(shop)["url"])):
            early += "__parentId" in line and line["__parentId"] not in seen
            seen.add(line["id"])
        return early

    assert children_first(loose) > 0
    assert children_first(grouped) == 0


def test_an_unfinished_operation_beyond_the_fifth_is_refused() -> None:
    shop = ShopUnderTest()
    ids = [begun(shop)["bulkOperation"]["id"] for _ in range(5)]
    field, code, message = refusal(begun(shop))
    assert (field, code) == (None, "OPERATION_IN_PROGRESS")
    assert all(each in message for each in ids)
    shop.now += timedelta(seconds=5)
    assert begun(shop)["bulkOperation"] is not None


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("{ shop { id } }", "at least one connection"),
        ("{ productVariants { nodes { id } } }", "Selecting via 'nodes' is not supported"),
        ('{ nodes(ids: ["gid://shopify/InventoryItem/1"]) { id } }', "top level `node` or `nodes`"),
        (
            "{ inventoryItems { edges { node { sku inventoryLevels { edges { node { id } } } } } } }",
            "must select the 'id' field",
        ),
        (
            "{ locations { edges { node { id inventoryLevels { edges { node { id item { id inventoryLevels { edges "
            "{ node { id } } } } } } } } } } }",
            "nesting depth",
        ),
        (
            " ".join(
                ["{", *(f"a{n}: inventoryItems {{ edges {{ node {{ id }} }} }}" for n in range(6)), "}"],
            ),
            "more than 5 connections",
        ),
        (
            'mutation { webhookSubscriptionDelete(id: "x") { deletedWebhookSubscriptionId } }',
            "cannot contain mutations",
        ),
        ("{ productVariants { edges { node { nonsense } } } }", "nonsense"),
    ],
)
def test_a_query_that_breaks_a_rule_is_refused(query: str, words: str) -> None:
    field, code, message = refusal(begun(ShopUnderTest(), query))
    assert (field, code) == (["query"], "INVALID")
    assert words in message


def test_an_operation_that_failed_has_a_part_of_its_file() -> None:
    shop = ShopUnderTest()
    shop.simulator.bulk.failures.append("TIMEOUT")
    failed = finished(shop)
    assert (failed["status"], failed["errorCode"], failed["url"]) == ("FAILED", "TIMEOUT", None)
    assert 0 < len(lines_of(fetched(shop, failed["partialDataUrl"]))) < 30


def test_an_operation_without_the_scope_for_what_it_asks_fails() -> None:
    shop = ShopUnderTest(scopes=("read_products",))
    failed = finished(shop)
    assert (failed["status"], failed["errorCode"]) == ("FAILED", "ACCESS_DENIED")


def test_a_cancelled_operation_ends_without_a_file() -> None:
    shop = ShopUnderTest()
    operation = begun(shop)["bulkOperation"]["id"]
    shop.now += timedelta(seconds=1)
    payload = shop.run("19", id=operation)["data"]["bulkOperationCancel"]
    assert (payload["bulkOperation"]["status"], payload["userErrors"]) == ("CANCELING", [])
    ended = looked_at(shop, operation)
    assert (ended["status"], ended["url"]) == ("CANCELED", None)
    again = shop.run("19", id=operation)["data"]["bulkOperationCancel"]
    assert "canceled" in again["userErrors"][0]["message"]


def test_an_empty_result_has_no_file() -> None:
    shop = ShopUnderTest()
    done = finished(shop, "{ inventoryItems(query: \"sku:'none of these'\") { edges { node { id } } } }")
    assert (done["status"], done["url"], done["objectCount"]) == ("COMPLETED", None, "0")


def test_a_file_goes_after_a_week_and_is_only_had_under_its_own_address() -> None:
    shop = ShopUnderTest()
    done = finished(shop)
    assert fetched(shop, done["url"].partition("?")[0]).status == 403
    assert fetched(shop, done["url"]).status == 200
    shop.now += timedelta(days=7)
    assert fetched(shop, done["url"]).status == 403
    gone = looked_at(shop, done["id"])
    assert (gone["status"], gone["url"]) == ("EXPIRED", None)


def test_a_token_sent_to_the_storage_is_a_violation() -> None:
    shop = ShopUnderTest()
    url = finished(shop)["url"]
    fetched(shop, url, **{"x-shopify-access-token": "shpat_sandbox"})
    assert [each.rule for each in shop.simulator.log.violations] == ["token_at_storage"]


def test_the_end_of_an_operation_is_told_to_who_subscribed() -> None:
    shop = ShopUnderTest()
    shop.run("13", topic="BULK_OPERATIONS_FINISH", sub={"uri": "https://sync.example.jp/x", "format": "JSON"})
    operation = begun(shop)["bulkOperation"]["id"]
    assert shop.simulator.advance(shop.now) == []
    due = shop.simulator.next_due()
    assert due is not None
    [told] = shop.simulator.advance(due)
    payload = json.loads(told.body)
    assert told.headers["X-Shopify-Topic"] == "bulk_operations/finish"
    assert (payload["admin_graphql_api_id"], payload["status"], payload["error_code"]) == (operation, "completed", None)


def test_a_count_says_where_it_stopped_counting() -> None:
    shop = ShopUnderTest()
    counted = "query Count($limit: Int) { productVariantsCount(limit: $limit) { count precision } }"
    few, all_ = shop.query(counted, {"limit": 4}), shop.query(counted, {"limit": 10})
    assert few["data"]["productVariantsCount"] == {"count": 4, "precision": "AT_LEAST"}
    assert all_["data"]["productVariantsCount"] == {"count": 10, "precision": "EXACT"}
