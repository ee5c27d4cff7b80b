from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from inventory_sync.systems.errors import MalformedNotice, UnauthorizedNotice
from inventory_sync.systems.port import CellHint, Notice, NoticeKind
from inventory_sync.systems.shopify.notices import ShopifyNoticeParser, sign
from inventory_sync.systems.shopify.settings import ShopifySettings
from tests.systems.shopify.shopify_support import APP, ITEM, LEGACY, PLACE, cell

SECRET = "shpss_test_secret"
RECORDED = (
    rb'{"inventory_item_id":53214089609522,"location_id":106318430514,"available":5,'
    rb'"updated_at":"2026-11-21T14:03:12+09:00",'
    rb'"admin_graphql_api_id":"gid:\/\/shopify\/InventoryLevel\/143273001266?inventory_item_id=53214089609522"}'
)
SIGNATURE = "4A66mcjLbjXNBaM8L6Qgmlf+tkqtUvOCEVACdGOlouE="
HEADERS = {
    "x-shopify-topic": "inventory_levels/update",
    "x-shopify-hmac-sha256": SIGNATURE,
    "x-shopify-shop-domain": "demo-jp.myshopify.com",
    "x-shopify-webhook-id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
    "x-shopify-event-id": "98880550-7158-44d4-b7cd-2c97c8a091b5",
    "x-shopify-triggered-at": "2026-11-21T05:03:12.516267807Z",
}
HINT = CellHint(cell().item, cell().location, 5)
PARSER = ShopifyNoticeParser(ShopifySettings(**APP))


def parse(topic: str, payload: Any, **headers: str) -> Notice:
    body = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    signed = {"x-shopify-topic": topic, "x-shopify-hmac-sha256": sign(SECRET.encode(), body).decode()}
    return PARSER.parse({**signed, **headers}, body)


def test_the_recorded_delivery_is_genuine_and_names_its_cell() -> None:
    assert len(RECORDED) == 222
    assert PARSER.parse(HEADERS, RECORDED) == Notice(
        "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
        "inventory_levels/update",
        NoticeKind.LEVELS,
        (HINT,),
        sent_at=datetime(2026, 11, 21, 5, 3, 12, 516267, tzinfo=UTC),
    )
    assert (HINT.item, HINT.location) == (ITEM, PLACE)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (HEADERS, RECORDED.replace(b'"available":5', b'"available":6')),
        (HEADERS, RECORDED + b"\n"),
        ({**HEADERS, "x-shopify-hmac-sha256": SIGNATURE.swapcase()}, RECORDED),
        ({**HEADERS, "x-shopify-hmac-sha256": ""}, RECORDED),
        ({**HEADERS, "x-shopify-hmac-sha256": "é"}, RECORDED),
        ({name: value for name, value in HEADERS.items() if name != "x-shopify-hmac-sha256"}, RECORDED),
        ({**HEADERS, "x-shopify-shop-domain": "other.myshopify.com"}, RECORDED),
    ],
    ids=["a changed byte", "an added byte", "another signature", "empty", "not ascii", "missing", "another shop"],
)
def test_a_delivery_that_proves_nothing_is_refused(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(UnauthorizedNotice):
        PARSER.parse(headers, body)


def test_while_a_secret_is_changed_both_are_good_and_afterwards_only_the_new_one() -> None:
    during = ShopifyNoticeParser(
        ShopifySettings(**{**APP, "client_secret": "shpss_new", "previous_client_secret": SECRET})
    )
    assert during.parse(HEADERS, RECORDED).cells == (HINT,)
    renewed = {**HEADERS, "x-shopify-hmac-sha256": sign(b"shpss_new", RECORDED).decode()}
    assert during.parse(renewed, RECORDED).cells == (HINT,)
    afterwards = ShopifyNoticeParser(ShopifySettings(**{**APP, "client_secret": "shpss_new"}))
    assert afterwards.parse(renewed, RECORDED).cells == (HINT,)
    with pytest.raises(UnauthorizedNotice):
        afterwards.parse(HEADERS, RECORDED)


def test_an_older_custom_app_signs_with_its_api_secret() -> None:
    assert ShopifyNoticeParser(ShopifySettings(**LEGACY)).parse(HEADERS, RECORDED).cells == (HINT,)


def test_without_a_shop_header_the_address_alone_binds_the_shop() -> None:
    headers = {name: value for name, value in HEADERS.items() if name != "x-shopify-shop-domain"}
    assert PARSER.parse(headers, RECORDED).cells == (HINT,)


LEVEL = {"inventory_item_id": 53214089609522, "location_id": 106318430514}


def test_only_an_update_carries_a_number_and_only_where_there_is_one() -> None:
    assert parse("inventory_levels/update", {**LEVEL, "available": -2}).cells[0].quantity == -2
    for topic, available in (("update", None), ("update", "5"), ("update", True), ("connect", 10), ("disconnect", 1)):
        found = parse(f"inventory_levels/{topic}", {**LEVEL, "available": available})
        assert found.kind is NoticeKind.LEVELS
        assert found.cells == (CellHint(cell().item, cell().location),)


@pytest.mark.parametrize("event", ["create", "update", "delete"])
def test_items_and_products_name_what_to_look_up(event: str) -> None:
    item = parse(f"inventory_items/{event}", {"id": 53214089609522, "sku": "TS-RED-M"})
    assert (item.kind, item.catalogue) == (NoticeKind.CATALOGUE, (ITEM,))
    product = parse(f"products/{event}", {"id": 10173439443250})
    assert (product.kind, product.catalogue) == (NoticeKind.CATALOGUE, ("gid://shopify/Product/10173439443250",))


@pytest.mark.parametrize(
    ("topic", "kind"),
    [
        ("locations/create", NoticeKind.LOCATIONS),
        ("locations/update", NoticeKind.LOCATIONS),
        ("locations/activate", NoticeKind.LOCATIONS),
        ("locations/deactivate", NoticeKind.LOCATIONS),
        ("locations/delete", NoticeKind.LOCATIONS),
        ("app/uninstalled", NoticeKind.UNINSTALLED),
        ("app/scopes_update", NoticeKind.ACCESS),
        ("shop/update", NoticeKind.OTHER),
        ("products/translated", NoticeKind.OTHER),
        ("inventory_levels/audited", NoticeKind.OTHER),
    ],
)
def test_other_topics_say_what_they_are_about(topic: str, kind: NoticeKind) -> None:
    found = parse(topic, {"id": 1})
    assert (found.kind, found.cells, found.catalogue) == (kind, (), ())


def test_nothing_of_an_order_or_a_customer_is_kept() -> None:
    found = parse("orders/create", {"id": 1, "email": "hanako@example.jp", "customer": {"phone": "03-0000-0000"}})
    assert found.kind is NoticeKind.OTHER
    assert "hanako" not in repr(found)


def test_a_delivery_without_a_usable_id_is_known_by_its_content() -> None:
    one, same = parse("products/delete", {"id": 1}), parse("products/delete", {"id": 1})
    other, another = parse("products/delete", {"id": 2}), parse("products/update", {"id": 1})
    long = parse("products/delete", {"id": 1}, **{"x-shopify-webhook-id": "x" * 201})
    assert one.id == same.id
    assert len({one.id, other.id, another.id, long.id}) == 4
    assert all(len(each.id) == 64 for each in (one, other, long))


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("inventory_levels/update", b"{"),
        ("inventory_levels/update", []),
        ("inventory_levels/update", {"location_id": 1}),
        ("inventory_levels/update", {"inventory_item_id": 1, "location_id": "x"}),
        ("products/update", {"id": None}),
        ("", {"id": 1}),
    ],
)
def test_a_genuine_delivery_that_cannot_be_read_says_so(topic: str, payload: Any) -> None:
    with pytest.raises(MalformedNotice):
        parse(topic, payload)
