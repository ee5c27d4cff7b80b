from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.systems.errors import Bug, RetryLater
from inventory_sync.systems.http import HttpRequest, HttpResponse, NoAnswer
from inventory_sync.systems.shopify.subscriptions import TOPICS, name_of
from tests.systems.shopify.shopify_support import HOOK, Bench, answer, bench, cost, data, page

ELSEWHERE = "https://old.example.jp/webhooks/shopify/7"


def listed(number: int, topic: str, uri: str = HOOK, name: str | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/WebhookSubscription/{number}",
        "topic": topic,
        "uri": uri,
        "format": "JSON",
        "name": name_of("demo", topic) if name is None else name,
        "filter": None,
        "includeFields": [],
    } | changes


class Shop:
    """Keeps subscriptions as Shopify does, as far as these tests look."""

    def __init__(self, *existing: dict[str, Any]) -> None:
        self.subscriptions = list(existing)
        self.deleted: list[str] = []

    def __call__(self, request: HttpRequest) -> HttpResponse:
        body = orjson.loads(request.body)
        variables = body["variables"]
        match body["operationName"]:
            case "WebhookList":
                start = int(variables["after"] or 0)
                rest = len(self.subscriptions) > start + 50
                shown = self.subscriptions[start : start + 50]
                return data({"webhookSubscriptions": page(shown, str(start + 50) if rest else None)})
            case "WebhookDelete":
                self.deleted.append(variables["id"])
                self.subscriptions = [each for each in self.subscriptions if each["id"] != variables["id"]]
                gone = {"deletedWebhookSubscriptionId": variables["id"], "userErrors": []}
                return data({"webhookSubscriptionDelete": gone})
            case _:
                sub = variables["sub"]
                made = listed(len(self.subscriptions) + 900, variables["topic"], sub["uri"], sub["name"])
                self.subscriptions.append(made)
                return data({"webhookSubscriptionCreate": {"webhookSubscription": made, "userErrors": []}})


def right() -> list[dict[str, Any]]:
    return [listed(number, topic) for number, topic in enumerate(TOPICS)]


def at(shop: Shop, calls: int = 60) -> Bench:
    return bench(*[shop] * calls)


async def test_a_new_shop_gets_every_topic_once_at_our_address() -> None:
    shop = Shop()
    it = at(shop)
    report = await it.client.ensure_subscriptions(HOOK)
    assert (report.present, report.created, report.removed, report.gap) == ((), TOPICS, (), True)
    assert sorted(each["topic"] for each in shop.subscriptions) == sorted(TOPICS)
    assert {each["uri"] for each in shop.subscriptions} == {HOOK}
    sent = it.partner.variables(1)
    assert sent["sub"] == {"uri": HOOK, "format": "JSON", "name": name_of("demo", TOPICS[0])}
    again = await it.client.ensure_subscriptions(HOOK)
    assert (again.present, again.created, again.gap) == (TOPICS, (), False)


async def test_a_subscription_that_shopify_dropped_is_made_again_and_is_a_gap() -> None:
    shop = Shop(*right()[1:])
    report = await at(shop).client.ensure_subscriptions(HOOK)
    assert (report.created, report.gap) == ((TOPICS[0],), True)
    assert len(shop.subscriptions) == len(TOPICS)


async def test_one_of_ours_with_another_address_is_replaced() -> None:
    shop = Shop(*right()[1:], listed(70, TOPICS[0], ELSEWHERE))
    report = await at(shop).client.ensure_subscriptions(HOOK)
    assert (report.created, report.removed, report.gap) == ((TOPICS[0],), (TOPICS[0],), True)
    assert shop.deleted == ["gid://shopify/WebhookSubscription/70"]


@pytest.mark.parametrize(
    "changes",
    [{"format": "XML"}, {"filter": "id:1"}, {"includeFields": ["updated_at"]}],
    ids=lambda each: next(iter(each)),
)
async def test_one_of_ours_that_shows_less_is_replaced(changes: dict[str, Any]) -> None:
    shop = Shop(*right()[1:], listed(70, TOPICS[0], **changes))
    report = await at(shop).client.ensure_subscriptions(HOOK)
    assert (report.created, report.removed) == ((TOPICS[0],), (TOPICS[0],))


async def test_duplicates_and_topics_no_longer_needed_are_removed_without_a_gap() -> None:
    shop = Shop(*right(), listed(70, TOPICS[0], name=""), listed(71, "ORDERS_CREATE"))
    report = await at(shop).client.ensure_subscriptions(HOOK)
    assert (report.created, report.removed, report.gap) == ((), (TOPICS[0], "ORDERS_CREATE"), False)


async def test_subscriptions_of_others_stay_untouched() -> None:
    others = [
        listed(80, TOPICS[0], ELSEWHERE, "is-other-inventory-levels-update"),
        listed(81, "ORDERS_CREATE", ELSEWHERE, ""),
        *[listed(100 + n, "ORDERS_PAID", f"https://x.example.jp/{n}", "") for n in range(60)],
    ]
    shop = Shop(*others, *right())
    report = await at(shop).client.ensure_subscriptions(HOOK)
    assert (report.created, report.removed) == ((), ())
    assert shop.deleted == []


async def test_an_address_already_taken_counts_as_subscribed() -> None:
    taken = {
        "field": ["webhookSubscription", "callbackUrl"],
        "message": "Address for this topic has already been taken",
    }
    shop = Shop(*right()[1:])
    created = data({"webhookSubscriptionCreate": {"webhookSubscription": None, "userErrors": [taken]}})
    report = await bench(shop, created).client.ensure_subscriptions(HOOK)
    assert report.created == (TOPICS[0],)


async def test_an_address_shopify_refuses_says_what_would_be_right() -> None:
    refused = {"field": ["webhookSubscription", "callbackUrl"], "message": "Address protocol http:// is not supported"}
    created = data({"webhookSubscriptionCreate": {"webhookSubscription": None, "userErrors": [refused]}})
    with pytest.raises(Bug, match="http:// is not supported") as caught:
        await bench(Shop(), created).client.ensure_subscriptions("http://10.0.0.1/x")
    assert caught.value.code == "IS-SHP-035"


async def test_a_gap_is_reported_even_if_the_call_that_found_it_failed() -> None:
    shop = Shop(*right()[1:])

    def made_and_lost(request: HttpRequest) -> HttpResponse:
        shop(request)
        raise NoAnswer("time-out")

    it = bench(shop, made_and_lost, shop)
    with pytest.raises(RetryLater):
        await it.client.ensure_subscriptions(HOOK)
    report = await it.client.ensure_subscriptions(HOOK)
    assert (report.created, report.gap) == ((), True)


async def test_a_budget_too_small_for_all_waits_for_the_whole_errand() -> None:
    empty = answer({"data": {"webhookSubscriptions": page([])}, "extensions": cost(9, 5)})
    with pytest.raises(RetryLater) as caught:
        await bench(empty).client.ensure_subscriptions(HOOK)
    assert caught.value.after == pytest.approx((9 + 10 - 5) / 100)


@given(st.from_regex(r"[0-9a-z]{1,16}", fullmatch=True))
def test_every_name_is_unique_and_of_the_allowed_form(installation: str) -> None:
    names = [name_of(installation, topic) for topic in TOPICS]
    assert len(set(names)) == len(TOPICS)
    assert all(len(name) <= 50 and name.replace("-", "").isalnum() for name in names)
