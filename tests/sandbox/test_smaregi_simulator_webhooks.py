"""The simulated Smaregi sends webhooks as Smaregi would: once, with a secret header, and not for the older API."""

from __future__ import annotations

import json
import random
import uuid
from typing import Any

from inventory_sync.sandbox.kernel import Delivery
from inventory_sync.sandbox.smaregi import OfflineSale, SmaregiSimulator, SmaregiSwitches
from tests.sandbox.smaregi_support import START, Caller, after, contract_with

FAR = after(3600)


def told(simulator: SmaregiSimulator) -> list[Any]:
    return [json.loads(delivery.body) for delivery in simulator.advance(FAR)]


def listening(*levels: int, stores: tuple[str, ...] = ("1",), **switches: Any) -> tuple[SmaregiSimulator, list[str]]:
    simulator, ids = contract_with(*levels, stores=stores, **switches)
    simulator.configure_webhook("http://127.0.0.1:9/hook", header="X-Shared-Secret", secret="s3cret")
    return simulator, ids


def test_a_stock_webhook_names_history_row_product_and_store_and_no_number() -> None:
    simulator, [product] = listening(5)
    identity = simulator.sell(product, "1", 1, after(1))
    [delivery] = simulator.advance(FAR)
    assert json.loads(delivery.body) == {
        "contractId": "sb_abc123d4",
        "event": "pos:stock",
        "action": "edited",
        "ids": [{"id": identity, "productId": product, "storeId": "1"}],
    }
    assert delivery.url == "http://127.0.0.1:9/hook"
    assert delivery.headers["content-type"] == "application/json"
    assert delivery.headers["smaregi-contract-id"] == "sb_abc123d4"
    assert delivery.headers["smaregi-event"] == "pos:stock"
    assert delivery.headers["x-shared-secret"] == "s3cret"
    assert delivery.headers["user-agent"].startswith("Smaregi-Platform-Api-Webhook/")
    assert uuid.UUID(delivery.headers["smaregi-event-id"])


def test_event_ids_differ_and_may_be_missing() -> None:
    simulator, [product] = listening(5)
    simulator.sell(product, "1", 1, after(1))
    simulator.sell(product, "1", 1, after(2))
    assert len({delivery.headers["smaregi-event-id"] for delivery in simulator.advance(FAR)}) == 2
    simulator, [product] = listening(5, webhook_event_id=False)
    simulator.sell(product, "1", 1, after(1))
    [delivery] = simulator.advance(FAR)
    assert "smaregi-event-id" not in delivery.headers


def test_the_older_body_has_products_and_stores_only() -> None:
    simulator, [product] = listening(5, webhook_older_body=True)
    simulator.sell(product, "1", 1, after(1))
    [body] = told(simulator)
    assert (body["storeIds"], body["productIds"], "ids" in body) == (["1"], [product], False)


def test_our_own_write_comes_back_unless_the_switch_says_otherwise() -> None:
    simulator, [product] = listening(5)
    identity = Caller(simulator).add(product, -1, after(1)).body["stockHistory"]["id"]
    [body] = told(simulator)
    assert body["ids"] == [{"id": identity, "productId": product, "storeId": "1"}]

    simulator, [product] = listening(5, webhook_echoes_own=False)
    simulator.register_client("other-app", "other-secret")
    Caller(simulator).add(product, -1, after(1))
    Caller(simulator, client="other-app", secret="other-secret").add(product, -1, after(2))
    simulator.foreign_api_change(product, "1", -1, after(3), memo="other:1")
    assert len(told(simulator)) == 2


def test_a_refused_or_ignored_write_is_not_told() -> None:
    simulator, [product] = listening(5, unmanaged_write="ignored")
    Caller(simulator).add(product, 1, after(1), store="9")
    simulator.set_stock_control(product, False, after(2))
    simulator.advance(FAR)
    Caller(simulator).add(product, 1, after(3))
    assert told(simulator) == []


def test_the_older_api_is_silent_unless_the_switch_says_otherwise() -> None:
    for noisy, count in ((False, 0), (True, 1)):
        simulator, [product] = listening(5, webhook_for_legacy=noisy)
        simulator.legacy_change(product, "1", -2, after(1), memo="older")
        assert len(told(simulator)) == count
        [row] = Caller(simulator).stock(after(2))
        assert (row["stockAmount"], row["updDateTime"]) == ("3", "2026-01-10T12:00:01+09:00")
        [entry] = Caller(simulator).history(product, after(2))
        assert (entry["stockDivision"], entry["amount"], entry["memo"]) == ("15", "-2", "older")


def test_several_rows_may_share_one_webhook() -> None:
    simulator, [first, second] = listening(5, 5)
    simulator.offline_burst([OfflineSale(first, "1", 1, START), OfflineSale(first, "1", 1, START)], after(1))
    simulator.bulk_change([(first, "1", 1), (second, "1", 1)], after(2))
    burst, bulk = told(simulator)
    assert (burst["action"], [each["productId"] for each in burst["ids"]]) == ("edited", [first, first])
    assert (bulk["action"], [each["productId"] for each in bulk["ids"]]) == ("bulk-update", [first, second])


def test_catalogue_and_stores_are_told_of() -> None:
    simulator, [product] = listening(5)
    new = simulator.add_product("NEW", after(1))
    simulator.change_code(product, "OTHER", after(2))
    simulator.set_stock_control(product, False, after(3))
    simulator.remove_product(product, after(4))
    simulator.add_store("2", "Second", after(5))
    simulator.pause_store("2", after(6))
    bodies = told(simulator)
    assert [(body["event"], body["action"]) for body in bodies] == [
        ("pos:products", "created"),
        ("pos:products", "edited"),
        ("pos:products", "edited"),
        ("pos:products", "deleted"),
        ("pos:stores", "created"),
        ("pos:stores", "edited"),
    ]
    assert [body.get("productIds", body.get("storeIds")) for body in bodies] == [
        [new],
        [product],
        [product],
        [product],
        ["2"],
        ["2"],
    ]


def test_only_events_asked_for_are_sent() -> None:
    simulator, [product] = contract_with(5)
    simulator.sell(product, "1", 1, after(1))
    simulator.configure_webhook("http://127.0.0.1:9", header="X-S", secret="s", events=frozenset({"pos:products"}))
    simulator.sell(product, "1", 1, after(2))
    simulator.rename_product(product, "Shirt", after(3))
    assert [body["event"] for body in told(simulator)] == ["pos:products"]


def test_what_happens_while_the_app_is_stopped_is_never_sent() -> None:
    simulator, [product] = listening(5)
    simulator.stop_app()
    simulator.sell(product, "1", 1, after(1))
    simulator.resume_app()
    simulator.sell(product, "1", 2, after(2))
    [body] = told(simulator)
    [sale] = [change for change in simulator.log.changes if change.at == after(2)]
    assert (sale.delta, len(body["ids"])) == (-2, 1)


def test_webhooks_are_due_after_their_delay_and_handed_out_once() -> None:
    simulator, [product] = listening(5)
    simulator.outbox.delay = 2.0
    simulator.sell(product, "1", 1, after(1))
    assert simulator.next_due() == after(3)
    assert simulator.advance(after(2.9)) == []
    [delivery] = simulator.advance(after(3))
    assert delivery.due == after(3)
    assert simulator.advance(FAR) == []
    assert simulator.next_due() is None


def test_delays_drawn_by_chance_change_the_order_and_repeat_from_the_seed() -> None:
    def order(seed: int) -> list[str]:
        simulator = SmaregiSimulator(
            switches=SmaregiSwitches(), chance=random.Random(seed), notice_delay=lambda chance: chance.uniform(0, 30)
        )
        ids = simulator.seed_catalogue(8, START)
        simulator.configure_webhook("http://127.0.0.1:9", header="X-S", secret="s")
        for place, product in enumerate(ids):
            simulator.sell(product, "1", 1, after(place))
        return [body["ids"][0]["productId"] for body in told(simulator)]

    assert order(1) == order(1)
    assert order(1) != sorted(order(1))
    assert sorted(order(1)) == sorted(order(2))


def test_an_unanswered_webhook_is_not_sent_again() -> None:
    simulator, [product] = listening(5)
    simulator.sell(product, "1", 1, after(1))
    [delivery] = simulator.advance(FAR)
    assert isinstance(delivery, Delivery)
    simulator.delivered(delivery, None, FAR)
    simulator.delivered(delivery, 200, FAR)
    assert simulator.advance(after(7200)) == []
    assert (simulator.log.requests["webhook.none"], simulator.log.requests["webhook.200"]) == (1, 1)
