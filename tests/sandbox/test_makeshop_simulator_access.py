"""The simulated MakeShop lets in who may enter, and refuses the rest in the ways that clients recorded."""

from __future__ import annotations

from typing import Any

import pytest

from inventory_sync.sandbox.makeshop import ALL_SCOPES, MakeShopSimulator, MakeShopSwitches
from tests.sandbox.makeshop_support import (
    GET_SHOP,
    PRODUCTS,
    START,
    STOCK,
    WRITE_PRODUCTS,
    WRITE_VARIATIONS,
    Caller,
    after,
    by_system,
    shop_with,
)


def test_the_four_headers_open_the_api() -> None:
    simulator, _ = shop_with()
    shop = Caller(simulator).data(GET_SHOP)["shop"]
    assert shop["shopName"] == "Example Shop"
    assert shop["shopUrl"].startswith("https://")
    assert simulator.token.startswith("PAT.")
    assert len(simulator.token) == len("PAT.") + 64
    assert len(simulator.api_key) == 64


@pytest.mark.parametrize(
    "wrong",
    [
        {"authorization": None},
        {"authorization": "Bearer PAT.0"},
        {"authorization": "Basic x"},
        {"x-api-key": None},
        {"x-api-key": "0" * 64},
        {"x-timestamp": None},
        {"x-timestamp": "2026-08-17"},
        {"x-timestamp": str(int(START.timestamp()) - 3601)},
        {"x-timestamp": str(int(START.timestamp()) + 3700)},
    ],
    ids=str,
)
def test_a_call_without_good_headers_is_refused(wrong: dict[str, str | None]) -> None:
    simulator, [item] = shop_with(5)
    answer = Caller(simulator).ask(WRITE_PRODUCTS, {"productQuantities": [by_system(item, 9)]}, headers=wrong)
    assert (answer.status, answer.code, answer.body["data"]) == (401, "UNAUTHENTICATED", None)
    assert simulator.stock(item) == 5
    assert simulator.log.requests == {"unauthorized": 1}


def test_a_timestamp_is_good_for_one_hour() -> None:
    simulator, _ = shop_with()
    caller, headers = Caller(simulator), {"x-timestamp": str(int(START.timestamp()))}
    assert caller.ask(GET_SHOP, now=after(3600), headers=headers).status == 200
    assert caller.ask(GET_SHOP, now=after(3601), headers=headers).status == 401


@pytest.mark.parametrize("status", [200, 401, 403])
@pytest.mark.parametrize("code", ["UNAUTHENTICATED", "FORBIDDEN"])
def test_how_a_dead_token_is_refused_follows_the_switches(status: Any, code: Any) -> None:
    simulator, _ = shop_with(auth_status=status, auth_code=code)
    caller = Caller(simulator)
    simulator.revoke_token()
    answer = caller.ask(GET_SHOP)
    assert (answer.status, answer.code) == (status, code)


def test_the_code_may_stand_beside_the_message() -> None:
    simulator, _ = shop_with(code_place="error")
    simulator.remove_scope("getShop")
    [error] = Caller(simulator).ask(GET_SHOP).body["errors"]
    assert error["code"] == "FORBIDDEN"
    assert "extensions" not in error


@pytest.mark.parametrize("status", [200, 403])
def test_an_operation_that_was_not_approved_is_forbidden(status: Any) -> None:
    simulator = MakeShopSimulator(
        scopes=ALL_SCOPES - {"searchProduct"}, switches=MakeShopSwitches(forbidden_status=status)
    )
    caller = Caller(simulator)
    answer = caller.ask(PRODUCTS, {"page": 1})
    assert (answer.status, answer.code) == (status, "FORBIDDEN")
    assert answer.body["data"] == {"searchProduct": None}
    assert answer.body["errors"][0]["path"] == ["searchProduct"]
    assert caller.ask(STOCK, {"page": 1}).status == 200
    simulator.approve_scope("searchProduct")
    assert caller.products() == []


def test_data_and_errors_come_together_where_only_one_of_two_is_approved() -> None:
    simulator, _ = shop_with(1)
    simulator.remove_scope("searchProduct")
    document = "{ getShop { shop { shopName } } searchProduct(input: {page: 1}) { searchedCount } }"
    answer = Caller(simulator).ask(document)
    assert answer.body["data"] == {"getShop": {"shop": {"shopName": "Example Shop"}}, "searchProduct": None}
    assert answer.code == "FORBIDDEN"


def test_scopes_belong_to_a_token() -> None:
    simulator, [item] = shop_with(5)
    other = Caller(simulator, simulator.register_app({"updateProductQuantity"}))
    assert other.ask(GET_SHOP).code == "FORBIDDEN"
    assert other.write(by_system(item, 8)) == []
    assert [(each.actor, each.delta) for each in simulator.log.changes] == [("outside", 3)]
    with pytest.raises(ValueError, match="deleteShop"):
        simulator.register_app({"deleteShop"})


@pytest.mark.parametrize(
    "document",
    [
        "{ __schema { types { name } } }",
        '{ __type(name: "Query") { name } }',
        "{ ...F } fragment F on Query { __schema { types { name } } }",
    ],
)
def test_introspection_is_forbidden(document: str) -> None:
    simulator, _ = shop_with()
    answer = Caller(simulator).ask(document)
    assert (answer.status, answer.code, answer.body["data"]) == (200, "FORBIDDEN", None)


def test_the_name_of_a_type_may_be_asked() -> None:
    simulator, _ = shop_with()
    assert Caller(simulator).ask("{ __typename }").body == {"data": {"__typename": "Query"}}


def test_an_unknown_field_is_answered_422_in_the_recorded_words() -> None:
    simulator, _ = shop_with(1)
    answer = Caller(simulator).ask("{ getShop { shop { shopId } } }")
    assert answer.status == 422
    assert answer.body["data"] is None
    [error] = answer.body["errors"]
    assert error["message"].startswith('Cannot query field "shopId" on type "Shop".')
    assert error["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}
    assert error["locations"] == [{"line": 1, "column": 20}]


@pytest.mark.parametrize(
    ("document", "given", "message", "path"),
    [
        (STOCK, {"page": 1, "customCodes": ["A"]}, "unknown field", ["variable", "input", "customCodes"]),
        (STOCK, {"page": "1"}, "cannot use string as Int", ["variable", "input", "page"]),
        (STOCK, {"page": True}, "cannot use bool as Int", ["variable", "input", "page"]),
        (STOCK, {"systemCodes": [7]}, "cannot use int as String", ["variable", "input", "systemCodes", 0]),
        (STOCK, {"systemCodes": [None]}, "cannot be null", ["variable", "input", "systemCodes", 0]),
        (STOCK, "x", "must be a SearchProductQuantityRequest", ["variable", "input"]),
        (STOCK, None, "must be defined", ["variable", "input"]),
        (WRITE_PRODUCTS, {}, "must be defined", ["variable", "input", "productQuantities"]),
        (
            WRITE_PRODUCTS,
            {"productQuantities": [{"productKeyType": 0, "quantityCalculationType": 0, "quantity": 1.5}]},
            "cannot use float64 as Int64",
            ["variable", "input", "productQuantities", 0, "quantity"],
        ),
        (
            WRITE_PRODUCTS,
            {"productQuantities": [{"productKeyType": 0, "quantityCalculationType": 0, "quantity": 2**63}]},
            "cannot use int as Int64",
            ["variable", "input", "productQuantities", 0, "quantity"],
        ),
    ],
)
def test_a_bad_variable_is_answered_422_with_the_way_to_it(
    document: str, given: Any, message: str, path: list[str | int]
) -> None:
    simulator, _ = shop_with(1)
    answer = Caller(simulator).ask(document, given)
    assert answer.status == 422
    [error] = answer.body["errors"]
    assert (error["message"], error["path"]) == (message, path)
    assert simulator.log.changes == []


def test_a_document_that_does_not_parse_or_names_no_operation_is_answered_422() -> None:
    simulator, _ = shop_with()
    caller = Caller(simulator)
    broken = caller.ask("query {")
    assert (broken.status, broken.code) == (422, "GRAPHQL_PARSE_FAILED")
    two = "query A { getShop { shop { shopName } } } query B { getShop { shop { shopUrl } } }"
    assert caller.ask(two).status == 422
    chosen = caller.send(b'{"query": "%s", "operationName": "B"}' % two.encode())
    assert b"shopUrl" in chosen.body


def test_a_number_written_into_the_document_is_checked_as_well() -> None:
    simulator, [item] = shop_with(5)
    row = f'{{productKeyType: 0, systemCode: "{item}", quantityCalculationType: 0, quantity: %s}}'
    document = (
        f"mutation {{ updateProductQuantity(input: {{productQuantities: [{row}]}}) {{ failResult {{ message }} }} }}"
    )
    caller = Caller(simulator)
    assert caller.ask(document % '"9"').status == 422
    assert simulator.stock(item) == 5
    assert caller.ask(document % "9").status == 200
    assert simulator.stock(item) == 9


@pytest.mark.parametrize("path", ["/v1/graphql/", "/graphql", "/v2/graphql", "/"])
def test_another_path_is_a_web_page(path: str) -> None:
    simulator, _ = shop_with()
    response = Caller(simulator).send(b"{}", path=path)
    assert response.status == 404
    assert response.headers["content-type"].startswith("text/html")
    assert response.body.startswith(b"<!DOCTYPE html>")


def test_only_json_posts_under_five_megabytes_are_taken() -> None:
    simulator, _ = shop_with()
    caller = Caller(simulator)
    assert caller.send(b"", method="GET").status == 400
    assert caller.send(b"{}", headers={"content-type": "text/plain"}).status == 400
    assert caller.send(b"no json").status == 400
    assert caller.send(b"[]").status == 400
    assert caller.send(b" " * (5 * 1024 * 1024)).status == 413
    assert [each.rule for each in simulator.log.violations if each.rule != "rate"] == ["body_size"]


def test_unproven_names_exist_only_where_the_switch_says_so() -> None:
    document = """query($input: SearchProductQuantityRequest!) { searchProductQuantity(input: $input) {
        searchedCount productQuantities { variationQuantities { variation1ItemId variation2ItemId } } } }"""
    strict, _ = shop_with(1)
    assert Caller(strict).ask(document, {"page": 1}).status == 422
    generous, _ = shop_with(1, unproven_fields=True)
    assert Caller(generous).data(document, {"page": 1})["searchedCount"] == 1


def test_details_may_be_a_single_object_that_refuses_a_list() -> None:
    for form, taken in (("list", 200), ("object", 422)):
        simulator = MakeShopSimulator(switches=MakeShopSwitches(details=form))  # type: ignore[arg-type]
        [item] = simulator.add_variations(START, ["TS-BK-M"], stock=[3])
        one = {"variationKeyType": 1, "variationCustomCode": "TS-BK-M", "quantityCalculationType": 0, "quantity": 9}
        row = {"productKeyType": 0, "systemCode": item.partition("/")[0], "variationQuantityDetails": [one]}
        caller = Caller(simulator)
        assert caller.ask(WRITE_VARIATIONS, {"variationQuantities": [row]}).status == taken
        single = {"variationQuantities": [{**row, "variationQuantityDetails": one}]}
        assert caller.ask(WRITE_VARIATIONS, single).status == 200
        assert simulator.stock(item) == 9


def test_a_document_may_be_held_to_so_many_operations() -> None:
    document = "{ a: getShop { shop { shopName } } b: getShop { shop { shopName } } }"
    for most, status in ((None, 200), (2, 200), (1, 422)):
        simulator, _ = shop_with(operations_max=most)
        assert Caller(simulator).ask(document).status == status
        assert simulator.log.requests == ({"getShop": 2} if status == 200 else {"invalid": 1})
