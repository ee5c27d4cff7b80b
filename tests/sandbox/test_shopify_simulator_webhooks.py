"""Webhooks of the Shopify simulator: subscriptions, signatures, late payloads, retries."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from inventory_sync.sandbox.kernel import Delivery
from inventory_sync.sandbox.shopify import ShopifySwitches
from inventory_sync.sandbox.shopify.access import sign
from tests.sandbox.shopify_support import ShopUnderTest

LEVELS = "INVENTORY_LEVELS_UPDATE"
VECTOR_BODY = (
    rb'{"inventory_item_id":53214089609522,"location_id":106318430514,"available":5,'
    rb'"updated_at":"2026-11-21T14:03:12+09:00",'
    rb'"admin_graphql_api_id":"gid:\/\/shopify\/InventoryLevel\/143273001266?inventory_item_id=53214089609522"}'
)


@pytest.fixture
def shop() -> ShopUnderTest:
    return ShopUnderTest()


def body(delivery: Delivery) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(delivery.body)
    return parsed


def topics(deliveries: list[Delivery]) -> list[str]:
    return [each.headers["X-Shopify-Topic"] for each in deliveries]


def test_the_signature_matches_the_known_vector() -> None:
    assert len(VECTOR_BODY) == 222
    assert sign("shpss_test_secret", VECTOR_BODY) == "4A66mcjLbjXNBaM8L6Qgmlf+tkqtUvOCEVACdGOlouE="


def test_a_level_webhook_is_byte_for_byte_the_known_vector() -> None:
    shop = ShopUnderTest(client_secret="shpss_test_secret")
    shop.subscribe(LEVELS)
    shop.simulator.adjust_by_person(shop.item, shop.location, -5, shop.now)
    [delivery] = shop.webhooks()
    assert delivery.body == VECTOR_BODY
    assert delivery.headers["X-Shopify-Hmac-Sha256"] == "4A66mcjLbjXNBaM8L6Qgmlf+tkqtUvOCEVACdGOlouE="


def test_a_delivery_carries_the_documented_headers(shop: ShopUnderTest) -> None:
    shop.subscribe(LEVELS, name="inv-level")
    shop.now = datetime(2026, 11, 21, 5, 3, 12, 516267, tzinfo=UTC)
    shop.simulator.adjust_by_person(shop.item, shop.location, -5, shop.now)
    [delivery] = shop.webhooks()
    headers = dict(delivery.headers)
    ids = {headers.pop("X-Shopify-Webhook-Id"), headers.pop("X-Shopify-Event-Id")}
    assert len(ids) == 2
    digest = hmac.new(b"shpss_sandbox_secret", delivery.body, hashlib.sha256).digest()
    assert headers == {
        "Content-Type": "application/json",
        "User-Agent": "Shopify-Captain-Hook",
        "X-Shopify-Topic": "inventory_levels/update",
        "X-Shopify-Hmac-Sha256": base64.b64encode(digest).decode(),
        "X-Shopify-Shop-Domain": "demo-jp.myshopify.com",
        "X-Shopify-API-Version": "2026-10",
        "X-Shopify-Triggered-At": "2026-11-21T05:03:12.516267000Z",
        "X-Shopify-Name": "inv-level",
    }
    assert delivery.url == "https://sync.example.jp/hooks/7c1f"


def test_two_quick_changes_show_the_same_number_and_their_own_times() -> None:
    shop = ShopUnderTest(ShopifySwitches(webhook_delay=3.0))
    shop.subscribe(LEVELS)
    shop.simulator.sell(shop.item, shop.location, 1, shop.now)
    shop.wait(1)
    shop.simulator.sell(shop.item, shop.location, 1, shop.now)
    shop.wait(3)
    first, second = map(body, shop.webhooks())
    assert (first["available"], second["available"]) == (8, 8)
    assert first["updated_at"] == "2026-11-21T14:03:12+09:00"
    assert second["updated_at"] == "2026-11-21T14:03:13+09:00"


def test_our_own_writes_come_back(shop: ShopUnderTest) -> None:
    shop.subscribe(LEVELS)
    shop.adjust(3)
    assert [body(each)["available"] for each in shop.webhooks()] == [13]


def test_a_batch_shares_one_event_id_and_each_delivery_has_its_own_id(shop: ShopUnderTest) -> None:
    shop.subscribe(LEVELS)
    shop.set(*({"inventoryItemId": item, "quantity": 3} for item in shop.items))
    deliveries = shop.webhooks()
    assert len({each.headers["X-Shopify-Webhook-Id"] for each in deliveries}) == 10
    assert len({each.headers["X-Shopify-Event-Id"] for each in deliveries}) == 1


def test_a_batch_can_be_played_with_an_event_for_each_level() -> None:
    shop = ShopUnderTest(ShopifySwitches(one_event_per_action=False))
    shop.subscribe(LEVELS)
    shop.set(*({"inventoryItemId": item, "quantity": 3} for item in shop.items))
    assert len({each.headers["X-Shopify-Event-Id"] for each in shop.webhooks()}) == 10


def test_an_untracked_item_shows_no_number(shop: ShopUnderTest) -> None:
    shop.simulator.set_tracked(shop.item, False, shop.now)
    shop.subscribe(LEVELS)
    shop.adjust(1)
    assert body(shop.webhooks()[0])["available"] is None


@pytest.mark.parametrize(("told", "count"), [(False, 0), (True, 1)])
def test_a_shipment_alone_tells_only_if_switched_so(told: bool, count: int) -> None:
    shop = ShopUnderTest(ShopifySwitches(other_states_send_webhook=told))
    order = shop.simulator.sell(shop.item, shop.location, 2, shop.now)
    shop.subscribe(LEVELS)
    assert order is not None
    shop.simulator.fulfil(order, shop.now)
    assert len(shop.webhooks()) == count


def test_connect_and_disconnect_are_told(shop: ShopUnderTest) -> None:
    shop.subscribe("INVENTORY_LEVELS_CONNECT")
    shop.subscribe("INVENTORY_LEVELS_DISCONNECT")
    shop.simulator.deactivate_level(shop.item, shop.location, shop.now)
    shop.simulator.activate_level_by_person(shop.item, shop.location, shop.now)
    disconnect, connect = shop.webhooks()
    assert topics([disconnect, connect]) == ["inventory_levels/disconnect", "inventory_levels/connect"]
    assert set(body(disconnect)) == {"inventory_item_id", "location_id"}
    assert body(connect)["available"] == 10


def test_the_catalogue_tells_what_people_do_to_it(shop: ShopUnderTest) -> None:
    for topic in ("INVENTORY_ITEMS", "PRODUCTS"):
        for action in ("CREATE", "UPDATE", "DELETE"):
            shop.subscribe(f"{topic}_{action}")
    [item] = shop.simulator.add_product("Shirt", ["TS-RED-M"], shop.now)
    shop.simulator.change_sku(item, "TS-RED-L", shop.now)
    created, product, updated, product_updated = shop.webhooks()
    assert topics([created, product]) == ["inventory_items/create", "products/create"]
    assert topics([updated, product_updated]) == ["inventory_items/update", "products/update"]
    assert body(updated)["sku"] == "TS-RED-L"
    assert body(product_updated)["variants"][0]["sku"] == "TS-RED-L"
    assert body(product_updated)["variants"][0]["inventory_item_id"] == body(updated)["id"]
    shop.simulator.delete_item(item, shop.now)
    deleted, product_deleted = shop.webhooks()
    assert topics([deleted, product_deleted]) == ["inventory_items/delete", "products/delete"]
    assert body(product_deleted) == {"id": body(product)["id"]}


def test_an_order_tells_the_product_too(shop: ShopUnderTest) -> None:
    shop.subscribe("PRODUCTS_UPDATE")
    shop.simulator.sell(shop.item, shop.location, 1, shop.now)
    assert topics(shop.webhooks()) == ["products/update"]


def test_locations_tell_what_becomes_of_them(shop: ShopUnderTest) -> None:
    for action in ("CREATE", "UPDATE", "ACTIVATE", "DEACTIVATE", "DELETE"):
        shop.subscribe(f"LOCATIONS_{action}")
    location = shop.simulator.add_location("Osaka", shop.now)
    shop.simulator.rename_location(location, "Kyoto", shop.now)
    shop.simulator.set_location_active(location, False, shop.now)
    shop.simulator.set_location_active(location, True, shop.now)
    shop.simulator.delete_location(location, shop.now)
    deliveries = shop.webhooks()
    actions = ["create", "update", "deactivate", "activate", "delete"]
    assert topics(deliveries) == [f"locations/{action}" for action in actions]
    assert set(body(deliveries[-1])) == {"id"}


def test_removing_the_app_is_the_last_thing_told(shop: ShopUnderTest) -> None:
    shop.subscribe("APP_UNINSTALLED")
    shop.subscribe(LEVELS)
    shop.simulator.adjust_by_person(shop.item, shop.location, 1, shop.now)
    shop.simulator.uninstall(shop.now)
    shop.simulator.adjust_by_person(shop.item, shop.location, 1, shop.now)
    [delivery] = shop.webhooks()
    assert delivery.headers["X-Shopify-Topic"] == "app/uninstalled"
    assert body(delivery)["myshopify_domain"] == "demo-jp.myshopify.com"
    assert shop.simulator.subscription_topics() == []


def test_changed_scopes_are_told(shop: ShopUnderTest) -> None:
    shop.subscribe("APP_SCOPES_UPDATE")
    shop.simulator.grant_scopes(["read_products"], shop.now)
    told = body(shop.webhooks()[0])
    assert told["previous"] == ["read_products", "write_inventory", "read_locations"]
    assert told["current"] == ["read_products"]


# -- failures ---


def test_a_failed_delivery_comes_again_eight_times_and_then_the_subscription_is_gone(shop: ShopUnderTest) -> None:
    shop.subscribe(LEVELS)
    shop.simulator.adjust_by_person(shop.item, shop.location, 1, shop.now)
    begun, times, seen = shop.now, [], set()
    while True:
        [delivery] = shop.webhooks()
        times.append(shop.now - begun)
        seen.add((delivery.id, delivery.headers["X-Shopify-Webhook-Id"], delivery.body))
        shop.simulator.delivered(delivery, 500 if len(times) % 2 else None, shop.now)
        due = shop.simulator.next_due()
        if due is None:
            break
        shop.now = due
    steps = [later - earlier for earlier, later in pairwise(times)]
    assert len(steps) == 8
    assert steps == sorted(steps)
    assert timedelta(hours=3) < times[-1] <= timedelta(hours=4)
    assert len(seen) == 1
    assert shop.simulator.subscription_topics() == []


def test_an_accepted_delivery_never_comes_again(shop: ShopUnderTest) -> None:
    shop.subscribe(LEVELS)
    shop.simulator.adjust_by_person(shop.item, shop.location, 1, shop.now)
    [delivery] = shop.webhooks()
    shop.simulator.delivered(delivery, 200, shop.now)
    assert shop.simulator.next_due() is None
    assert shop.simulator.subscription_topics() == [LEVELS]


def test_retries_can_be_played_with_new_ids() -> None:
    shop = ShopUnderTest(ShopifySwitches(webhook_id_stable=False))
    shop.subscribe(LEVELS)
    shop.simulator.adjust_by_person(shop.item, shop.location, 1, shop.now)
    [first] = shop.webhooks()
    shop.simulator.delivered(first, 503, shop.now)
    shop.wait(3600)
    [second] = shop.webhooks()
    assert first.headers["X-Shopify-Webhook-Id"] != second.headers["X-Shopify-Webhook-Id"]
    assert first.body == second.body


def test_during_a_rotation_the_oldest_secret_signs(shop: ShopUnderTest) -> None:
    def signed_with(secret: str) -> bool:
        shop.simulator.adjust_by_person(shop.item, shop.location, 1, shop.now)
        [delivery] = shop.webhooks()
        return delivery.headers["X-Shopify-Hmac-Sha256"] == sign(secret, delivery.body)

    shop.simulator.switches = ShopifySwitches(signing_switch_delay=60.0)
    shop.subscribe(LEVELS)
    shop.simulator.access.rotate_secret("new")
    assert signed_with("shpss_sandbox_secret")
    shop.simulator.access.revoke_oldest_secret(shop.now)
    assert signed_with("shpss_sandbox_secret")
    shop.wait(60)
    assert signed_with("new")


# -- subscriptions ---


def test_a_subscription_is_answered_as_recorded(shop: ShopUnderTest) -> None:
    subscription = shop.subscribe(LEVELS, name="inv-level")["webhookSubscription"]
    assert subscription == {
        "id": "gid://shopify/WebhookSubscription/1929113141554",
        "topic": LEVELS,
        "uri": "https://sync.example.jp/hooks/7c1f",
        "format": "JSON",
        "name": "inv-level",
        "filter": None,
        "includeFields": [],
        "apiVersion": {"handle": "2026-10", "supported": True},
        "createdAt": "2026-11-21T05:03:12Z",
    }


@pytest.mark.parametrize(
    ("given", "field", "message"),
    [
        ({}, "callbackUrl", "Address for this topic has already been taken"),
        ({"uri": "ftp://x.example.jp"}, "callbackUrl", "Address protocol ftp:// is not supported"),
        ({"uri": "http://x.example.jp"}, "callbackUrl", "Address protocol http:// is not supported"),
        ({"uri": "nonsense"}, "callbackUrl", "Address is invalid"),
        ({"uri": "  "}, "callbackUrl", "Address can't be blank"),
        (
            {"uri": "https://x.example.jp", "name": "a b"},
            "name",
            "Name name field can only contain alphanumeric characters, underscores, and hyphens",
        ),
        (
            {"uri": "https://x.example.jp", "name": "INV-LEVEL"},
            "name",
            "Name already exists, no duplicate allowed",
        ),
    ],
)
def test_a_refused_subscription_is_told_as_recorded(
    shop: ShopUnderTest, given: dict[str, str], field: str, message: str
) -> None:
    shop.subscribe(LEVELS, name="inv-level")
    refused = shop.subscribe(LEVELS, **given)
    expected = [{"field": ["webhookSubscription", field], "message": message}]
    assert refused == {"webhookSubscription": None, "userErrors": expected}


def test_a_filter_without_a_field_is_refused_and_one_with_a_field_filters(shop: ShopUnderTest) -> None:
    [error] = shop.subscribe(LEVELS, filter="5")["userErrors"]
    assert error["message"] == (
        "The specified filter is invalid, please ensure you specify the field(s) you wish to filter on."
    )
    shop.subscribe(LEVELS, filter="available:>=11")
    for delta in (-1, 5):
        shop.simulator.adjust_by_person(shop.item, shop.location, delta, shop.now)
        shop.now += timedelta(seconds=1)
        assert len(shop.webhooks()) == (delta == 5)


def test_a_topic_needs_its_scope() -> None:
    shop = ShopUnderTest(scopes=("read_products",))
    shop.subscribe("PRODUCTS_UPDATE")
    given = {"uri": "https://sync.example.jp/x", "format": "JSON"}
    answer = shop.run("13", topic=LEVELS, sub=given)
    assert answer["data"] == {"webhookSubscriptionCreate": None}
    assert answer["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"
    assert shop.simulator.subscription_topics() == ["PRODUCTS_UPDATE"]


def test_subscriptions_are_listed_and_deleted(shop: ShopUnderTest) -> None:
    kept = shop.subscribe(LEVELS)["webhookSubscription"]
    gone = shop.subscribe("PRODUCTS_UPDATE", uri="https://sync.example.jp/other")["webhookSubscription"]
    answer = shop.run("14", first=50, uri="https://sync.example.jp/other")
    assert [node["id"] for node in answer["data"]["webhookSubscriptions"]["nodes"]] == [gone["id"]]
    deleted = shop.run("15", id=gone["id"])["data"]["webhookSubscriptionDelete"]
    assert deleted == {"deletedWebhookSubscriptionId": gone["id"], "userErrors": []}
    again = shop.run("15", id=gone["id"])["data"]["webhookSubscriptionDelete"]
    assert again["userErrors"] == [{"field": ["id"], "message": "Webhook subscription does not exist"}]
    nodes = shop.run("14", first=50)["data"]["webhookSubscriptions"]["nodes"]
    assert [node["id"] for node in nodes] == [kept["id"]]
