from __future__ import annotations

import json

import pytest
from graphql import build_schema, parse, validate

from inventory_sync.systems.errors import Bug, Doubt
from inventory_sync.systems.makeshop import documents, protocol, writing
from inventory_sync.systems.makeshop.classify import Answer
from inventory_sync.systems.makeshop.documents import UPDATE_PRODUCT, UPDATE_VARIATION, Document
from inventory_sync.systems.makeshop.shapes import UnexpectedAnswer
from inventory_sync.systems.makeshop.writing import Calculation
from inventory_sync.systems.port import Applied, NotApplied, PreparedRequest, Rejected, WriteMode
from tests.systems.makeshop.makeshop_scripted import API_KEY, MUG, SHIRT, START, TOKEN, op, settings

ABSOLUTE = Calculation(WriteMode.ABSOLUTE, 0)
RELATIVE = Calculation(WriteMode.RELATIVE, 1)

# Fields and operations as seen in other clients' requests and answers; nothing else may be asked for.
SCHEMA = build_schema("""
scalar Int64
type Query {
  getShop: GetShopResponse
  searchProduct(input: SearchProductRequest!): SearchProductResponse
  searchProductQuantity(input: SearchProductQuantityRequest!): SearchProductQuantityResponse
  searchOrder(input: SearchOrderRequest!): SearchOrderResponse
}
type GetShopResponse { shop: Shop }
type Shop { shopName: String shopUrl: String settingOriginalDomain: String openCondition: String }
input SearchProductRequest { page: Int limit: Int systemCodes: [String!] }
type SearchProductResponse { products: [SearchedProduct!] searchedCount: Int page: Int limit: Int }
type SearchedProduct {
  systemCode: String customCode: String janCode: String productName: String display: String quantity: Int64
  variationShowType: Int variations: [SearchedVariation!]
}
type SearchedVariation {
  variation1ItemName: String variation2ItemName: String variationCustomCode: String janCode: String
}
input SearchProductQuantityRequest { page: Int limit: Int systemCodes: [String!] }
type SearchProductQuantityResponse { productQuantities: [ProductQuantity!] page: Int limit: Int }
type ProductQuantity {
  systemCode: String customCode: String productName: String quantity: Int64
  variationQuantities: [VariationQuantity!]
}
type VariationQuantity { variationQuantity: Int64 variationCustomCode: String }
input SearchOrderRequest {
  startOrderDate: String endOrderDate: String deliveryStatus: String sortOrder: String page: Int limit: Int
}
type SearchOrderResponse { searchedCount: Int page: Int orders: [Order!] }
type Order { systemOrderNumber: String orderDate: String paymentStatusCode: String deliveryInfos: [DeliveryInfo!] }
type DeliveryInfo { deliveryId: String deliveryStatus: String basketInfos: [BasketInfo!] }
type BasketInfo {
  productCode: String productCustomCode: String variationCustomCode: String variationName: String amount: Int
}
type Mutation {
  updateProductQuantity(input: UpdateProductQuantityRequest!): UpdateProductQuantityResponse
  updateVariationQuantity(input: UpdateVariationQuantityRequest!): UpdateVariationQuantityResponse
}
input UpdateProductQuantityRequest { productQuantities: [Int] }
input UpdateVariationQuantityRequest { variationQuantities: [Int] }
type UpdateProductQuantityResponse { failResult: [FailedProduct!] }
type FailedProduct { systemCode: String customCode: String message: String }
type UpdateVariationQuantityResponse { failResult: [FailedVariation!] }
type FailedVariation {
  systemCode: String customCode: String variation1ItemId: String variation2ItemId: String
  variationCustomCode: String message: String
}
""")


@pytest.mark.parametrize(
    "document",
    [
        documents.SHOP,
        documents.PRODUCTS,
        documents.QUANTITIES,
        documents.orders(protocol.order_names("each")),
        documents.orders(protocol.order_names("none")),
        documents.orders(protocol.order_names("both")),
        documents.stock(products=True, variations=False),
        documents.stock(products=False, variations=True),
        documents.stock(products=True, variations=True),
    ],
    ids=lambda document: f"{document.name}-{len(document.roots)}",
)
def test_every_document_asks_only_for_what_is_known_to_exist(document: Document) -> None:
    assert validate(SCHEMA, parse(document.text)) == []


def test_no_document_asks_for_anything_of_a_customer() -> None:
    text = documents.orders(protocol.order_names("both")).text
    for word in ("member", "sender", "receiver", "mail", "address", "Tel", "message", "sumPrice"):
        assert word not in text


def test_a_request_carries_the_four_headers_with_a_fresh_timestamp_and_goes_to_the_address_to_the_letter() -> None:
    body = protocol.encode(documents.SHOP, {})
    request = protocol.request(settings(request_timeout_seconds=7), body, "", START)
    assert (request.method, request.url) == ("POST", "https://app-api.makeshop.jp/v1/graphql")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["x-api-key"] == API_KEY
    assert request.headers["x-timestamp"] == str(int(START.timestamp()))
    assert request.timeout == 7
    assert json.loads(request.body) == {"query": documents.SHOP.text, "variables": {}, "operationName": "shop"}


def test_a_window_of_orders_is_written_in_japans_time_for_each_delivery_state() -> None:
    inputs = [protocol.orders_page(name, START, START, 3, 50) for name in protocol.order_names("both")]
    assert [each.get("deliveryStatus") for each in inputs] == [None, "N", "Y", "C", "R"]
    assert inputs[0] == {
        "startOrderDate": "20260817120000",
        "endOrderDate": "20260817120000",
        "sortOrder": "ASC",
        "page": 3,
        "limit": 50,
    }


# -- writes ---


def rows(prepared: PreparedRequest) -> dict:
    return json.loads(prepared.body)["variables"]


def test_an_absolute_write_sets_the_value_and_a_relative_one_adds_the_difference() -> None:
    ops = [op(f"P:{SHIRT}", -2, 5)]
    assert rows(writing.compose(ops, "k", ABSOLUTE)) == {
        "products": {
            "productQuantities": [
                {"productKeyType": 0, "systemCode": SHIRT, "quantityCalculationType": 0, "quantity": 5}
            ]
        }
    }
    (row,) = rows(writing.compose(ops, "k", RELATIVE))["products"]["productQuantities"]
    assert (row["quantityCalculationType"], row["quantity"]) == (1, -2)


def test_variations_of_one_product_are_written_together_by_their_own_codes_to_the_character() -> None:
    ops = [op(f"V:{SHIRT}:A:1 ", -1, 4, 1), op(f"V:{MUG}:B", -1, 2, 2), op(f"V:{SHIRT}:C", -1, 3, 3)]
    entries = rows(writing.compose(ops, "k", RELATIVE))["variations"]["variationQuantities"]
    assert [(each["productKeyType"], each["systemCode"]) for each in entries] == [(0, SHIRT), (0, MUG)]
    assert entries[0]["variationQuantityDetails"] == [
        {"variationKeyType": 1, "variationCustomCode": "A:1 ", "quantityCalculationType": 1, "quantity": -1},
        {"variationKeyType": 1, "variationCustomCode": "C", "quantityCalculationType": 1, "quantity": -1},
    ]


def test_where_details_are_a_single_object_every_variation_is_an_entry_of_its_own() -> None:
    ops = [op(f"V:{SHIRT}:A", -1, 4, 1), op(f"V:{SHIRT}:B", -1, 3, 2)]
    how = Calculation(WriteMode.RELATIVE, 1, "object")
    entries = rows(writing.compose(ops, "k", how))["variations"]["variationQuantities"]
    assert [each["variationQuantityDetails"]["variationCustomCode"] for each in entries] == ["A", "B"]


def test_a_batch_of_products_and_variations_is_one_request_with_both_operations() -> None:
    ops = [op(f"P:{MUG}", -1, 4, 1), op(f"V:{SHIRT}:A", -1, 3, 2)]
    prepared = writing.compose(ops, "key", RELATIVE)
    assert (prepared.method, prepared.path, prepared.key) == ("POST", "", "key")
    assert set(rows(prepared)) == {"products", "variations"}
    query = json.loads(prepared.body)["query"]
    assert query.index(UPDATE_PRODUCT) < query.index(UPDATE_VARIATION)
    assert TOKEN.encode() not in prepared.body
    assert API_KEY.encode() not in prepared.body


def test_the_same_ops_give_the_same_bytes() -> None:
    ops = [op(f"P:{MUG}", -1, 4, 1), op(f"V:{SHIRT}:A", -1, 3, 2)]
    assert writing.compose(ops, "key", ABSOLUTE) == writing.compose(list(ops), "key", ABSOLUTE)


@pytest.mark.parametrize(
    ("key", "delta", "value", "how"),
    [
        (f"P:{SHIRT}", -1, None, ABSOLUTE),
        (f"P:{SHIRT}", -1, -1, ABSOLUTE),
        (f"P:{SHIRT}", 0, 5, RELATIVE),
        (f"N:{SHIRT}:1", -1, 5, RELATIVE),
        ("8000001", -1, 5, RELATIVE),
    ],
)
def test_what_makeshop_has_no_words_for_is_a_bug_and_never_sent(
    key: str, delta: int, value: int | None, how: Calculation
) -> None:
    with pytest.raises(Bug) as told:
        writing.compose([op(key, delta, value)], "k", how)
    assert told.value.code == "IS-MKS-021"


def test_an_empty_batch_is_a_bug() -> None:
    with pytest.raises(Bug):
        writing.compose([], "k", RELATIVE)


# -- outcomes ---

PRODUCT_OP, RED_OP, BLUE_OP = op(f"P:{MUG}", -1, 4, 1), op(f"V:{SHIRT}:R", -1, 3, 2), op(f"V:{SHIRT}:B", -1, 3, 3)
OPS = [PRODUCT_OP, RED_OP, BLUE_OP]


def outcome(products: object = None, variations: object = None, ops: list = OPS, refused: frozenset = frozenset()):
    content = {
        UPDATE_PRODUCT: {"failResult": [] if products is None else products},
        UPDATE_VARIATION: {"failResult": [] if variations is None else variations},
    }
    return writing.outcomes(ops, Answer(content, refused))


def failure(system: object, own: object = None, message: object = "在庫数が不正です") -> dict:
    return {"systemCode": system, "customCode": None, "variationCustomCode": own, "message": message}


def test_rows_that_no_failure_names_were_carried_out() -> None:
    assert set(outcome().values()) == {Applied()}
    assert outcome(products=[failure(MUG, message=None)])[PRODUCT_OP.op] == Applied()
    content = {UPDATE_PRODUCT: {"failResult": None}, UPDATE_VARIATION: {"failResult": None}}
    assert set(writing.outcomes(OPS, Answer(content)).values()) == {Applied()}


def test_a_failed_row_is_rejected_with_makeshops_own_words_and_its_neighbours_stand() -> None:
    found = outcome(variations=[failure(SHIRT, "B", "該当するバリエーションが存在しません")])
    rejected = found[BLUE_OP.op]
    assert isinstance(rejected, Rejected)
    assert "該当するバリエーション" in rejected.reason
    assert rejected.code == "IS-MKS-020"
    assert (found[PRODUCT_OP.op], found[RED_OP.op]) == (Applied(), Applied())


def test_a_failure_that_names_only_the_product_is_of_all_its_variations() -> None:
    found = outcome(variations=[failure(SHIRT)])
    assert isinstance(found[RED_OP.op], Rejected)
    assert isinstance(found[BLUE_OP.op], Rejected)
    assert found[PRODUCT_OP.op] == Applied()


def test_a_failure_that_names_only_the_own_code_is_of_the_one_row_with_it() -> None:
    found = outcome(variations=[failure(None, "B")])
    assert isinstance(found[BLUE_OP.op], Rejected)
    assert found[RED_OP.op] == Applied()


def test_a_failure_without_a_name_is_of_the_only_row_there_was() -> None:
    found = outcome(products=[failure(None)], ops=[PRODUCT_OP])
    assert isinstance(found[PRODUCT_OP.op], Rejected)


def test_a_failure_that_nobody_can_place_leaves_doubt() -> None:
    with pytest.raises(Doubt):
        outcome(variations=[failure(None)])
    same_code = [op(f"V:{SHIRT}:X", -1, 3, 1), op(f"V:{MUG}:X", -1, 3, 2)]
    with pytest.raises(Doubt):
        outcome(variations=[failure(None, "X")], ops=same_code)


def test_the_part_of_a_batch_that_is_not_approved_did_nothing() -> None:
    found = outcome(refused=frozenset({UPDATE_VARIATION}))
    assert found[PRODUCT_OP.op] == Applied()
    assert isinstance(found[RED_OP.op], NotApplied)
    assert isinstance(found[BLUE_OP.op], NotApplied)


@pytest.mark.parametrize(
    "content", [{}, {UPDATE_PRODUCT: None}, {UPDATE_PRODUCT: {}}, {UPDATE_PRODUCT: {"failResult": 1}}]
)
def test_an_answer_of_another_shape_says_nothing_about_a_write(content: dict) -> None:
    with pytest.raises(UnexpectedAnswer):
        writing.outcomes([PRODUCT_OP], Answer(content))
