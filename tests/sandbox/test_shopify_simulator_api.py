"""The API of the Shopify simulator: versions, access, documents, costs, keys, pages and filters."""

from __future__ import annotations

import json
from typing import Any

import pytest

from inventory_sync.sandbox.kernel import Request
from inventory_sync.sandbox.shopify import RepeatAfterRefusal, ShopifySwitches, ShopStatus, ThrottleAnswer
from tests.sandbox.shopify_support import DOCUMENTS, NAMES, TOKEN, ShopUnderTest, document

ADJUST = """
mutation Adjust($input: InventoryAdjustQuantitiesInput!) {
    inventoryAdjustQuantities(input: $input) { inventoryAdjustmentGroup { id } userErrors { message } }
}"""


@pytest.fixture
def shop() -> ShopUnderTest:
    return ShopUnderTest()


def variables_for(shop: ShopUnderTest) -> dict[str, Any]:
    """Good variables for every document."""
    row = {"inventoryItemId": shop.item, "locationId": shop.location, "changeFromQuantity": None}
    base = {"name": "available", "reason": "correction"}
    level = shop.levels()[shop.location]["id"]
    subscription = shop.subscribe("LOCATIONS_UPDATE")["webhookSubscription"]
    bulk = "{ inventoryItems { edges { node { id } } } }"
    operation = shop.run("16", query=bulk)["data"]["bulkOperationRunQuery"]["bulkOperation"]["id"]
    return {
        "01": {},
        "02": {"first": 250},
        "03_compat": {"first": 250, "levels": 10, "names": NAMES},
        "03_list": {"first": 250, "levels": 10, "names": NAMES},
        "04": {"itemIds": [shop.item], "levels": 10, "names": NAMES},
        "05": {"levelIds": [level], "names": NAMES},
        "06": {"itemId": shop.item, "locationId": shop.location, "names": NAMES},
        "07": {"locationId": shop.location, "first": 250, "query": "updated_at:>='2026-11-01'", "names": NAMES},
        "08": {"key": "a", "input": base | {"changes": [row | {"delta": 1}]}},
        "09": {"key": "b", "input": base | {"quantities": [row | {"quantity": 7}]}},
        "10": {"inventoryItemId": shop.item, "locationId": shop.location, "key": "c"},
        "11": {"inventoryItemId": shop.item, "updates": [{"locationId": shop.location, "activate": True}]},
        "12": {"id": shop.item, "input": {"tracked": True}},
        "13": {"topic": "PRODUCTS_UPDATE", "sub": {"uri": "https://sync.example.jp/x", "format": "JSON"}},
        "14": {"first": 50},
        "15": {"id": subscription["id"]},
        "16": {"query": bulk},
        "17": {"id": operation},
        "19": {"id": operation},
        "21": {"query": "sku:'SKU-000001'", "first": 50},
        "22": {},
    }


#: Requested cost of each document as the documented rule and the recordings give it.
COSTS = {
    "01": 6,
    "02": 35,
    "03_list": 189,
    "04": 15,
    "05": 4,
    "06": 3,
    "07": 36,
    "08": 13,
    "09": 13,
    "10": 13,
    "11": 11,
    "12": 10,
    "13": 11,
    "14": 16,
    "15": 10,
    "16": 10,
    "17": 1,
    "19": 10,
    "21": 23,
    "22": 2,
}


@pytest.mark.parametrize("name", [path.stem for path in sorted(DOCUMENTS.iterdir())])
def test_every_document_we_use_runs_and_costs_what_it_should(shop: ShopUnderTest, name: str) -> None:
    variables = variables_for(shop)
    start = next(start for start in sorted(variables, key=len, reverse=True) if name.startswith(start))
    answer = shop.query(document(name), variables[start])
    assert "errors" not in answer
    assert all(value is not None for value in answer["data"].values())
    assert all(not (value.get("userErrors") if isinstance(value, dict) else None) for value in answer["data"].values())
    if start in COSTS:
        assert answer["extensions"]["cost"]["requestedQueryCost"] == COSTS[start]


# -- versions and access ---


@pytest.mark.parametrize("version", ["2027-01", "2026-03", "latest"])
def test_an_unknown_version_is_not_found(shop: ShopUnderTest, version: str) -> None:
    answer = shop.send(b"{}", path=f"/admin/api/{version}/graphql.json")
    assert (answer.status, answer.body) == (404, b'{"errors":"Not Found"}')


def test_another_shop_is_not_found(shop: ShopUnderTest) -> None:
    assert shop.send(b"{}", host="other.myshopify.com").status == 404
    assert shop.send(b'{"query":"{ shop { id } }"}', host="demo-jp.myshopify.com").status == 200


def test_a_retired_version_falls_forward_and_says_so(shop: ShopUnderTest) -> None:
    answer = shop.send(b'{"query":"{ shop { id } }"}', path="/admin/api/2024-07/graphql.json")
    assert (answer.status, answer.headers["x-shopify-api-version"]) == (200, "2026-04")


def test_a_wrong_token_is_refused_in_recorded_words(shop: ShopUnderTest) -> None:
    answer = shop.send(b"{}", x_shopify_access_token="wrong")
    text = "[API] Invalid API key or access token (unrecognized login or wrong password)"
    assert (answer.status, json.loads(answer.body)) == (401, {"errors": text})


def grant(shop: ShopUnderTest, secret: str, *, as_json: bool = False) -> tuple[int, dict[str, Any]]:
    asked = {"grant_type": "client_credentials", "client_id": "sandbox-client", "client_secret": secret}
    form = "&".join(f"{name}={value}" for name, value in asked.items())
    content_type = "application/json" if as_json else "application/x-www-form-urlencoded"
    body = json.dumps(asked) if as_json else form
    answer = shop.send(body.encode(), path="/admin/oauth/access_token", content_type=content_type)
    return answer.status, json.loads(answer.body)


@pytest.mark.parametrize("as_json", [False, True])
def test_client_credentials_give_a_token_that_ends(shop: ShopUnderTest, as_json: bool) -> None:
    status, granted = grant(shop, "shpss_sandbox_secret", as_json=as_json)
    assert (status, granted["expires_in"]) == (200, 86399)
    assert granted["scope"] == "read_products,write_inventory,read_locations"
    query = b'{"query":"{ shop { id } }"}'
    assert shop.send(query, x_shopify_access_token=granted["access_token"]).status == 200
    shop.wait(86399)
    assert shop.send(query, x_shopify_access_token=granted["access_token"]).status == 401


def test_wrong_credentials_and_a_foreign_shop_give_no_token(shop: ShopUnderTest) -> None:
    assert grant(shop, "wrong")[1]["error"] == "invalid_client"
    shop.simulator.access.same_organization = False
    status, refusal = grant(shop, "shpss_sandbox_secret")
    assert (status, refusal["error"]) == (400, "shop_not_permitted")


def test_tokens_die_with_the_secret_that_minted_them(shop: ShopUnderTest) -> None:
    _, old = grant(shop, "shpss_sandbox_secret")
    shop.simulator.access.rotate_secret("new")
    _, new = grant(shop, "new")
    shop.simulator.access.revoke_oldest_secret(shop.now)
    query = b'{"query":"{ shop { id } }"}'
    assert shop.send(query, x_shopify_access_token=old["access_token"]).status == 401
    assert shop.send(query, x_shopify_access_token=new["access_token"]).status == 200


def test_a_missing_scope_is_named_and_nulls_only_its_part() -> None:
    shop = ShopUnderTest(scopes=("write_inventory",))
    answer = shop.run("04", itemIds=[shop.item], levels=10, names=NAMES)
    [error, *_] = answer["errors"]
    assert error["message"] == "Access denied for location field. Required access: `read_locations` access scope."
    assert error["extensions"]["code"] == "ACCESS_DENIED"
    assert error["extensions"]["requiredAccess"] == "`read_locations` access scope."
    assert answer["data"]["nodes"] == [None]


def test_a_write_without_its_scope_is_refused_whole() -> None:
    shop = ShopUnderTest(scopes=("read_inventory", "read_locations"))
    given = variables_for(shop)["08"]
    answer = shop.run("08", **given)
    assert answer["data"] == {"inventoryAdjustQuantities": None}
    assert answer["errors"][0]["extensions"]["requiredAccess"] == "`write_inventory` access scope."
    assert shop.shown() == 10


@pytest.mark.parametrize(
    ("status", "code"), [(ShopStatus.FROZEN, 402), (ShopStatus.LOCKED, 423), (ShopStatus.FORBIDDEN, 403)]
)
def test_a_closed_shop_answers_with_its_status(shop: ShopUnderTest, status: ShopStatus, code: int) -> None:
    shop.simulator.status = status
    assert shop.send(b'{"query":"{ shop { id } }"}').status == code


def test_a_write_after_the_app_was_removed_is_a_violation(shop: ShopUnderTest) -> None:
    shop.simulator.uninstall(shop.now)
    body = json.dumps({"query": document("08"), "variables": {}}).encode()
    assert shop.send(body).status == 401
    assert [each.rule for each in shop.simulator.log.violations] == ["write_after_uninstall"]


# -- the two rules of 2026-04 ---


@pytest.mark.parametrize("version", ["2026-04", "2026-07", "2026-10"])
def test_a_mutation_without_the_directive_is_refused_as_recorded(shop: ShopUnderTest, version: str) -> None:
    change = {"inventoryItemId": shop.item, "locationId": shop.location, "delta": 1, "changeFromQuantity": None}
    given = {"input": {"name": "available", "reason": "correction", "changes": [change]}}
    answer = shop.query(ADJUST, given, path=f"/admin/api/{version}/graphql.json")
    assert answer["errors"] == [
        {
            "message": "The @idempotent directive is required for this mutation but was not provided.",
            "locations": [{"line": 3, "column": 5}],
            "extensions": {"code": "BAD_REQUEST"},
            "path": ["inventoryAdjustQuantities"],
        }
    ]
    assert answer["data"] == {"inventoryAdjustQuantities": None}
    assert answer["extensions"]["cost"]["actualQueryCost"] == 10
    assert [each.rule for each in shop.simulator.log.violations] == ["idempotency_key_missing"]


def test_a_row_without_the_compare_key_is_refused_before_the_directive_is_missed(shop: ShopUnderTest) -> None:
    change = {"inventoryItemId": shop.item, "locationId": shop.location, "delta": 1}
    given = {"input": {"name": "available", "reason": "correction", "changes": [change]}}
    [error] = shop.query(ADJUST, given)["errors"]
    assert error == {
        "message": "InventoryChangeInput must include the following argument: changeFromQuantity.",
        "locations": [{"line": 3, "column": 5}, {"line": 2, "column": 17}],
        "extensions": {"code": "INVALID_FIELD_ARGUMENTS"},
        "path": ["inventoryAdjustQuantities"],
    }


def test_a_set_without_the_compare_key_names_its_own_row_type(shop: ShopUnderTest) -> None:
    row = {"inventoryItemId": shop.item, "locationId": shop.location, "quantity": 1}
    given = {"name": "available", "reason": "correction", "quantities": [row]}
    [error] = shop.run("09", input=given, key="k")["errors"]
    assert error["message"] == "InventoryQuantityInput must include the following argument: changeFromQuantity."


def test_a_field_that_was_removed_is_refused_as_recorded(shop: ShopUnderTest) -> None:
    given = {"name": "available", "reason": "correction", "ignoreCompareQuantity": True, "quantities": []}
    answer = shop.run("09", input=given, key="k")
    [error] = answer["errors"]
    assert "data" not in answer
    assert error["message"] == (
        "Variable $input of type InventorySetQuantitiesInput! was provided invalid value for ignoreCompareQuantity "
        "(Field is not defined on InventorySetQuantitiesInput)"
    )
    assert error["extensions"]["code"] == "INVALID_VARIABLE"
    assert error["extensions"]["value"] == given
    problem = {"path": ["ignoreCompareQuantity"], "explanation": "Field is not defined on InventorySetQuantitiesInput"}
    assert error["extensions"]["problems"] == [problem]


def test_a_field_the_schema_does_not_have_is_refused_as_recorded(shop: ShopUnderTest) -> None:
    text = document("10").replace("userErrors { field message }", "userErrors { field message code }")
    [error] = shop.query(text, variables_for(shop)["10"])["errors"]
    assert error["message"] == "Field 'code' doesn't exist on type 'UserError'"
    assert error["path"] == ["mutation ActivateAtLocation", "inventoryActivate", "userErrors", "code"]
    assert error["extensions"] == {"code": "undefinedField", "typeName": "UserError", "fieldName": "code"}


@pytest.mark.parametrize("text", ["query {", "query A { shop { id } } query B { shop { id } }"])
def test_a_document_that_cannot_be_run_has_no_data(shop: ShopUnderTest, text: str) -> None:
    answer = shop.query(text)
    assert answer["errors"]
    assert "data" not in answer


def test_a_field_that_is_not_played_says_so_and_leaves_the_rest(shop: ShopUnderTest) -> None:
    answer = shop.query("{ shop { id } ordersCount { count } }")
    assert answer["data"]["shop"]["id"] == "gid://shopify/Shop/548380009"
    assert answer["errors"][0]["extensions"]["code"] == "SANDBOX_UNSUPPORTED"


# -- idempotency ---


def test_a_repeated_key_is_answered_and_not_carried_out_again(shop: ShopUnderTest) -> None:
    first = shop.adjust(3, key="k")
    assert shop.adjust(3, key="k") == first
    assert shop.shown() == 13
    assert [(each.delta, each.actor, each.reference) for each in shop.simulator.log.changes] == [(3, "client", "k")]


def test_a_key_with_other_variables_is_refused_and_a_violation(shop: ShopUnderTest) -> None:
    shop.adjust(3, key="k")
    [error] = shop.adjust(4, key="k")["userErrors"]
    assert error == {
        "field": None,
        "code": "IDEMPOTENCY_KEY_PARAMETER_MISMATCH",
        "message": "The same idempotency key cannot be used with different operation parameters.",
    }
    assert [each.rule for each in shop.simulator.log.violations] == ["idempotency_key_reused"]


def test_a_key_is_forgotten_after_a_day(shop: ShopUnderTest) -> None:
    shop.adjust(3, key="k")
    shop.wait(24 * 3600)
    shop.adjust(3, key="k")
    assert shop.shown() == 16


def test_a_repeat_while_the_first_use_runs_is_told_to_wait() -> None:
    shop = ShopUnderTest(ShopifySwitches(mutation_seconds=0.5))
    first = shop.adjust(3, key="k")
    shop.wait(0.4)
    assert shop.adjust(3, key="k")["userErrors"][0]["code"] == "IDEMPOTENCY_CONCURRENT_REQUEST"
    shop.wait(0.1)
    assert shop.adjust(3, key="k") == first


def test_a_failed_attempt_did_nothing_and_its_key_stays_failed(shop: ShopUnderTest) -> None:
    shop.simulator.fail_next_mutations()
    given = variables_for(shop)["08"]
    answer = shop.run("08", **given)
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    payload = shop.run("08", **given)["data"]["inventoryAdjustQuantities"]
    assert payload["userErrors"][0]["code"] == "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"
    assert shop.shown() == 10


@pytest.mark.parametrize(
    ("reading", "code", "number"),
    [
        (RepeatAfterRefusal.REPLAY, "CHANGE_FROM_QUANTITY_STALE", 4),
        (RepeatAfterRefusal.PREVIOUS_FAILED, "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", 4),
        (RepeatAfterRefusal.EXECUTE, None, 5),
    ],
)
def test_what_a_repeat_after_a_refusal_means(reading: RepeatAfterRefusal, code: str | None, number: int) -> None:
    shop = ShopUnderTest(ShopifySwitches(repeat_after_refusal=reading))
    shop.adjust(1, key="k", changeFromQuantity=4)
    shop.simulator.adjust_by_person(shop.item, shop.location, -6, shop.now)
    errors = shop.adjust(1, key="k", changeFromQuantity=4)["userErrors"]
    assert [error["code"] for error in errors] == ([code] if code else [])
    assert shop.shown() == number


# -- limits ---


def test_the_bucket_refuses_what_it_cannot_hold_and_fills_again() -> None:
    shop = ShopUnderTest(ShopifySwitches(bucket_size=20, restore_rate=10))
    shop.adjust(1)
    answer = shop.run("08", **variables_for_cheap(shop))
    assert "data" not in answer
    [error] = answer["errors"]
    assert (error["message"], error["extensions"]["code"]) == ("Throttled", "THROTTLED")
    cost = answer["extensions"]["cost"]
    status = {"maximumAvailable": 20, "currentlyAvailable": 7, "restoreRate": 10}
    assert cost == {"requestedQueryCost": 13, "actualQueryCost": None, "throttleStatus": status}
    assert [each.rule for each in shop.simulator.log.violations] == ["throttled"]
    shop.wait(0.6)
    assert "errors" not in shop.run("08", **variables_for_cheap(shop))


def variables_for_cheap(shop: ShopUnderTest) -> dict[str, Any]:
    change = {"inventoryItemId": shop.item, "locationId": shop.location, "delta": 1, "changeFromQuantity": None}
    return {"key": "t", "input": {"name": "available", "reason": "correction", "changes": [change]}}


def test_a_query_over_a_thousand_points_is_not_carried_out(shop: ShopUnderTest) -> None:
    levels = "inventoryLevels(first: 250) { nodes { location { id } } }"
    variants = f"variants(first: 250) {{ nodes {{ inventoryItem {{ {levels} }} }} }}"
    text = f"{{ productVariants(first: 250) {{ nodes {{ product {{ {variants} }} }} }} }}"
    [error] = shop.query(text)["errors"]
    assert error["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert error["extensions"]["maxCost"] == 1000
    assert error["extensions"]["cost"] > 1000


def test_251_rows_are_refused_as_recorded(shop: ShopUnderTest) -> None:
    change = {"inventoryItemId": shop.item, "locationId": shop.location, "delta": 1, "changeFromQuantity": None}
    given = {"name": "available", "reason": "correction", "changes": [change] * 251}
    answer = shop.run("08", input=given, key="k")
    assert "data" not in answer
    [error] = answer["errors"]
    assert error["message"] == "The input array size of 251 is greater than the maximum allowed of 250."
    assert error["path"] == ["inventoryAdjustQuantities", "input", "changes"]
    assert error["extensions"] == {"code": "MAX_INPUT_SIZE_EXCEEDED"}


def test_an_edge_throttle_answers_429_with_the_seconds_to_wait(shop: ShopUnderTest) -> None:
    request = Request("POST", "/admin/api/2026-10/graphql.json", "", {"x-shopify-access-token": TOKEN}, b"{}")
    answer = shop.simulator.throttled(request, shop.now)
    assert (answer.status, answer.headers["retry-after"]) == (429, "2.0")
    shop.simulator.switches = ShopifySwitches(throttle_answer=ThrottleAnswer.GRAPHQL)
    answer = shop.simulator.throttled(request, shop.now)
    assert (answer.status, json.loads(answer.body)["errors"][0]["extensions"]["code"]) == (200, "THROTTLED")


def test_more_mutations_at_once_than_allowed_are_a_violation(shop: ShopUnderTest) -> None:
    shop.simulator.report_concurrency(2, shop.now)
    assert shop.simulator.log.violations == []
    shop.simulator.report_concurrency(3, shop.now)
    assert [each.rule for each in shop.simulator.log.violations] == ["too_many_concurrent_mutations"]
