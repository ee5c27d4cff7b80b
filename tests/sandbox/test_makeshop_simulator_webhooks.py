"""Webhooks of the simulated MakeShop: install and uninstall at once, updates every two minutes, signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest

from inventory_sync.sandbox.kernel import Delivery
from inventory_sync.sandbox.makeshop import (
    ALL_SCOPES,
    JST,
    Event,
    MakeShopSimulator,
    MakeShopSwitches,
    WebhookSettings,
    sign,
)
from tests.sandbox.makeshop_support import GET_SHOP, PRODUCTS, START, Caller, after, by_system

URL = "https://sync.example/webhooks/makeshop/cart/token"
CYCLE_END = START.replace(minute=2, second=0)


def listening(**switches: Any) -> tuple[MakeShopSimulator, str]:
    """A shop with one item of 10 whose webhooks go to one address."""
    simulator = MakeShopSimulator(switches=MakeShopSwitches(**switches))
    [item] = simulator.seed_catalogue(1, START)
    simulator.configure_webhooks(URL)
    return simulator, item


def bodies(deliveries: list[Delivery]) -> list[Any]:
    return [json.loads(each.body) for each in deliveries]


def test_orders_of_two_minutes_are_told_in_one_notice() -> None:
    simulator, item = listening()
    first = simulator.sell(item, 1, after(1))
    second = simulator.sell(item, 1, after(50))
    assert first is not None
    simulator.cancel_order(first, after(60))
    assert simulator.next_due() == CYCLE_END
    assert simulator.advance(after(89.9)) == []
    [notice] = simulator.advance(after(90))
    assert (notice.url, notice.due) == (URL, CYCLE_END)
    assert bodies([notice]) == [
        {
            "shop_id": "exampleshop",
            "orders": [{"systemOrderNumber": each, "displayOrderNumber": each} for each in (first, second)],
        }
    ]
    assert simulator.advance(after(1000)) == []
    assert simulator.next_due() is None


def test_each_cycle_has_its_own_notice_even_if_nobody_looked() -> None:
    simulator, item = listening()
    numbers = [simulator.sell(item, 1, after(second)) for second in (1, 100, 130)]
    told = bodies(simulator.advance(after(600)))
    assert [[each["systemOrderNumber"] for each in body["orders"]] for body in told] == [numbers[:1], numbers[1:]]


def test_every_change_of_an_order_is_told() -> None:
    simulator, item = listening(vanish_notice=True)
    number = simulator.place_order([(item, 2)], after(0), provisional=True)
    other = simulator.place_order([(item, 2)], after(0), provisional=True)
    assert number is not None
    assert other is not None
    deeds = [
        lambda now: simulator.settle_order(number, now, paid=False),
        lambda now: simulator.pay_order(number, now),
        lambda now: simulator.edit_order(number, item, 1, now),
        lambda now: simulator.ship_order(number, now),
        lambda now: simulator.take_back_order(number, now, restock=False),
        lambda now: simulator.vanish_order(other, now),
    ]
    simulator.advance(after(119))
    for cycle, deed in enumerate(deeds, 1):
        deed(after(120 * cycle))
        [body] = bodies(simulator.advance(after(120 * cycle + 119)))
        assert [each["systemOrderNumber"] for each in body["orders"]] == [other if deed is deeds[-1] else number]


@pytest.mark.parametrize("over", ["timestamp_body", "body", "timestamp"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_notices_are_signed_by_the_recipe_of_the_switches(over: str, encoding: str) -> None:
    simulator, item = listening(signature_over=over, signature_encoding=encoding)
    simulator.sell(item, 1, after(1))
    [notice] = simulator.advance(after(90))
    told = notice.headers["x-makeshop-request-timestamp"]
    assert told == str(int(after(90).timestamp()))
    signed = {"timestamp_body": told.encode() + notice.body, "body": notice.body, "timestamp": told.encode()}[over]
    digest = hmac.new(simulator.secret.encode(), signed, hashlib.sha256).digest()
    expected = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
    assert notice.headers["x-makeshop-signature"] == expected
    assert sign(simulator.secret, told, notice.body, simulator.switches) == expected
    assert notice.headers["content-type"] == "application/json"


def test_update_notices_have_other_bodies() -> None:
    simulator, item = listening(update_body="single", event_named=True)
    numbers = [simulator.sell(item, 1, after(second)) for second in (1, 2)]
    notices = simulator.advance(after(90))
    assert bodies(notices) == [
        {"shop_id": "exampleshop", "event": "order", "systemOrderNumber": each, "displayOrderNumber": each}
        for each in numbers
    ]
    assert len({each.id for each in notices}) == 2
    simulator.switches = MakeShopSwitches(update_body="bare")
    simulator.sell(item, 1, after(200))
    assert bodies(simulator.advance(after(400))) == [{"shop_id": "exampleshop"}]


def test_product_notices_tell_of_the_catalogue_and_of_people_at_the_stock() -> None:
    for reading, told in (("catalogue", [1, 0, 0, 0]), ("edits", [1, 1, 0, 0]), ("all", [1, 1, 1, 1])):
        simulator, item = listening(product_notice=reading)
        simulator.configure_webhooks(WebhookSettings({Event.PRODUCT: URL}))
        caller = Caller(simulator)
        deeds = [
            lambda now, shop=simulator, item=item: shop.change_code(item, "NEW", now),
            lambda now, shop=simulator, item=item: shop.set_stock(item, 5, now),
            lambda now, shop=simulator, item=item: shop.sell(item, 1, now),
            lambda now, caller=caller, item=item: caller.write(by_system(item, 9), now=now),
        ]
        seen = []
        for cycle, deed in enumerate(deeds):
            deed(after(120 * cycle))
            found = bodies(simulator.advance(after(120 * cycle + 119)))
            assert found in ([], [{"shop_id": "exampleshop", "products": [{"systemCode": item}]}])
            seen.append(len(found))
        assert seen == told


def test_product_notices_may_come_at_once() -> None:
    simulator, item = listening(product_cycle=0.0)
    simulator.show_product(item, after(5), displayed=False)
    assert simulator.next_due() == after(5)
    assert len(simulator.advance(after(5))) == 1


def test_an_install_brings_a_token_and_fails_unless_answered_200() -> None:
    simulator, _ = listening()
    for status, works in ((200, True), (500, False), (None, False), (200, True)):
        token = simulator.install(after(1))
        [notice] = simulator.advance(after(1))
        [body] = bodies([notice])
        assert body == {
            "app_id": 100,
            "plan_id": 1,
            "app_name": "inventory-sync",
            "shop_id": "exampleshop",
            "token": token,
        }
        caller = Caller(simulator, token)
        assert caller.ask(GET_SHOP).status == 200, "it works while the install is under way"
        simulator.delivered(notice, status, after(2))
        assert (caller.ask(GET_SHOP).status == 200) is works
        assert simulator.installed is works
    assert simulator.log.requests["webhook.none"] == 1


def test_an_uninstall_kills_the_token_and_what_was_not_told_yet() -> None:
    simulator, item = listening()
    old, caller = simulator.token, Caller(simulator)
    simulator.sell(item, 1, after(1))
    simulator.uninstall(after(2))
    assert caller.ask(GET_SHOP, now=after(3)).status == 401
    simulator.sell(item, 1, after(4))
    [notice] = simulator.advance(after(1000))
    assert bodies([notice]) == [{"app_id": 100, "app_name": "inventory-sync", "shop_id": "exampleshop"}]
    new = simulator.install(after(1001))
    assert new != old
    assert Caller(simulator, new).ask(GET_SHOP, now=after(1002)).status == 200
    assert caller.ask(GET_SHOP, now=after(1002)).status == 401, "the old token stays dead"


def test_a_shop_consents_again_to_what_the_app_added() -> None:
    simulator = MakeShopSimulator(scopes=ALL_SCOPES - {"searchProduct"})
    simulator.configure_webhooks(URL)
    caller = Caller(simulator)
    assert caller.ask(PRODUCTS, {"page": 1}).code == "FORBIDDEN"
    simulator.consent_again({"searchProduct"}, after(1))
    [notice] = simulator.advance(after(1))
    assert bodies([notice])[0]["shop_id"] == "exampleshop"
    assert caller.products(after(2)) == []


def test_events_go_to_their_own_addresses_and_nowhere_else() -> None:
    simulator, item = listening()
    simulator.configure_webhooks(WebhookSettings({Event.ORDER: f"{URL}?event=order"}))
    simulator.sell(item, 1, after(1))
    simulator.set_stock(item, 3, after(2))
    simulator.uninstall(after(500))
    assert [each.url for each in simulator.advance(after(499))] == []
    simulator.install(after(501))
    simulator.sell(item, 1, after(600))
    assert [each.url for each in simulator.advance(after(1000))] == [f"{URL}?event=order"]


def test_addresses_may_name_their_event() -> None:
    simulator, item = listening()
    simulator.configure_webhooks(WebhookSettings.told_apart(URL))
    simulator.install(after(1))
    simulator.consent_again(ALL_SCOPES, after(2))
    simulator.sell(item, 1, after(3))
    simulator.set_stock(item, 3, after(4))
    events = [each.url.removeprefix(f"{URL}?event=") for each in simulator.advance(after(100))]
    simulator.uninstall(after(101))
    events += [each.url.removeprefix(f"{URL}?event=") for each in simulator.advance(after(101))]
    assert events == ["install", "consent", "order", "product", "uninstall"]


def test_a_shop_of_its_own_use_sends_nothing() -> None:
    simulator = MakeShopSimulator()
    [item] = simulator.seed_catalogue(1, START)
    simulator.sell(item, 1, after(1))
    simulator.uninstall(after(2))
    assert simulator.next_due() is None
    assert simulator.advance(after(1000)) == []


@pytest.mark.parametrize("retries", [0, 2])
def test_a_notice_that_was_not_answered_is_lost_or_tried_again(retries: int) -> None:
    simulator, item = listening(webhook_retries=retries, webhook_retry_seconds=30.0)
    simulator.sell(item, 1, after(1))
    seen, now = [], after(90)
    for status in (None, 500, 503):
        for notice in simulator.advance(now):
            seen.append(notice)
            simulator.delivered(notice, status, now)
        now += timedelta(seconds=30)
    assert len(seen) == retries + 1
    assert len({(each.id, each.body) for each in seen}) == 1
    assert len({each.headers["x-makeshop-request-timestamp"] for each in seen}) == retries + 1
    assert simulator.next_due() is None


def test_nothing_depends_on_chance_or_on_a_clock_of_ours() -> None:
    def story() -> list[Any]:
        simulator, item = listening()
        simulator.sell(item, 1, after(1))
        simulator.set_stock(item, 4, after(2))
        sent = simulator.advance(after(90))
        return [simulator.token, simulator.api_key, simulator.secret, *((each.id, each.headers) for each in sent)]

    assert story() == story()
    assert START.tzinfo is JST
