from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from inventory_sync.model.ids import OpId
from inventory_sync.systems.errors import Broken, BrokenKind, Bug, Doubt, RetryLater, Unreadable
from inventory_sync.systems.http import HttpRequest, HttpResponse, NoAnswer, NotSent
from inventory_sync.systems.port import Applied, Condition, EvidenceKind, Role
from inventory_sync.systems.shopify import definition
from tests.systems.shopify.shopify_support import (
    ANNEX,
    ITEM,
    NOW,
    OTHER,
    PLACE,
    Bench,
    answer,
    bench,
    cell,
    cost,
    data,
    item_node,
    level,
    op,
    page,
    place,
    refusal,
    variant,
)

SCOPES = ["read_products", "write_inventory", "read_locations"]


def shop(domain: str = "demo-jp.myshopify.com", scopes: list[str] | None = None) -> dict[str, Any]:
    return {
        "shop": {"id": "gid://shopify/Shop/1", "name": "Demo", "myshopifyDomain": domain},
        "currentAppInstallation": {"accessScopes": [{"handle": each} for each in (scopes or SCOPES)]},
    }


def grant(token: str = "f8563253", scope: str = ",".join(SCOPES), life: object = 86399) -> HttpResponse:
    return answer({"access_token": token, "scope": scope, "expires_in": life})


def success(*rows: tuple[str, int]) -> HttpResponse:
    changes = [
        {"name": "available", "delta": delta, "item": {"id": item}, "location": {"id": PLACE}} for item, delta in rows
    ]
    group = {"id": "gid://shopify/InventoryAdjustmentGroup/1", "createdAt": "2026-11-21T05:00:00Z", "changes": changes}
    return data({"inventoryAdjustQuantities": {"inventoryAdjustmentGroup": group, "userErrors": []}})


def pass_through_write(it: Bench) -> Any:
    ops = [op("a", 5)]
    return it.client.send(it.client.compose(ops, "k1"), ops)


def test_the_definition_declares_what_shopify_can_do() -> None:
    able = definition.capabilities
    assert (definition.name, able.roles) == ("shopify", frozenset({Role.LEDGER, Role.CHANNEL}))
    assert (able.match_fields, able.read_batch, able.write_batch, able.concurrent_writes) == (
        ("sku", "barcode"),
        250,
        250,
        2,
    )
    assert (able.evidence, able.key_lifetime) == (EvidenceKind.KEY, timedelta(hours=20))
    assert (able.activates, able.absent_is_zero) == (True, False)


def test_settings_may_replace_what_is_not_published() -> None:
    able = bench(read_lag_seconds=1.5, late_effect_seconds=90, request_timeout_seconds=20).client.capabilities
    assert (able.read_lag, able.late_effect, able.request_timeout) == (
        timedelta(seconds=1.5),
        timedelta(seconds=90),
        timedelta(seconds=20),
    )
    assert bench().client.capabilities == definition.capabilities


@pytest.mark.row("S1-49", "S2-12")
async def test_verify_proves_shop_and_scopes() -> None:
    it = bench(data(shop()))
    found = await it.client.verify()
    assert (found.identity, found.name, found.warnings) == ("gid://shopify/Shop/1", "Demo", ())
    assert found.scopes == tuple(sorted(SCOPES))
    request = it.partner.requests[0]
    assert request.url == "https://demo-jp.myshopify.com/admin/api/2026-10/graphql.json"
    assert request.headers["X-Shopify-Access-Token"] == "shpat_token"


@pytest.mark.row("S1-49")
async def test_credentials_of_another_shop_are_refused() -> None:
    with pytest.raises(Broken) as caught:
        await bench(data(shop("other.myshopify.com"))).client.verify()
    assert (caught.value.kind, caught.value.code) == (BrokenKind.IDENTITY, "IS-SHP-020")
    assert "other.myshopify.com, not demo-jp.myshopify.com" in caught.value.message


@pytest.mark.row("S2-12", "S2-17")
@pytest.mark.parametrize(
    ("scopes", "missing"),
    [
        (["read_products", "read_locations"], "read_inventory, write_inventory"),
        (["read_products", "read_locations", "read_inventory"], "write_inventory"),
        (["write_inventory", "read_locations"], "read_products"),
        (["write_inventory", "write_products"], "read_locations"),
    ],
)
async def test_a_missing_scope_is_named(scopes: list[str], missing: str) -> None:
    with pytest.raises(Broken) as caught:
        await bench(data(shop(scopes=scopes))).client.verify()
    assert caught.value.kind is BrokenKind.SCOPE
    assert caught.value.message.endswith(": " + missing)
    assert missing in caught.value.remedy


@pytest.mark.row("S1-55", "S1-56")
async def test_verify_warns_of_excess_scopes_and_of_a_version_that_retires() -> None:
    served = answer(
        {"data": shop(scopes=[*SCOPES, "read_orders"])},
        headers={"x-shopify-api-version": "2026-07", "x-shopify-api-deprecated-reason": "https://x"},
    )
    it = bench(served, api_version="2026-04")
    it.clock.pass_(100 * 86_400)
    found = await it.client.verify()
    assert len(found.warnings) == 4
    assert "2026-04 may stop being served on 2027-04-01" in found.warnings[0]
    assert "served API version 2026-07 instead of 2026-04" in found.warnings[1]
    assert "deprecated" in found.warnings[2]
    assert found.warnings[3].endswith("read_orders")


async def test_verify_of_an_app_takes_a_fresh_token_each_time() -> None:
    it = bench(grant("t1"), data(shop()), grant("t2"), data(shop()), client_id="8a5f")
    await it.client.verify()
    await it.client.verify()
    assert [each.headers.get("X-Shopify-Access-Token") for each in it.partner.requests] == [None, "t1", None, "t2"]


async def test_a_refused_token_is_renewed_once_and_the_call_repeated_once() -> None:
    refused = answer({"errors": "[API] Invalid API key or access token"}, 401)
    it = bench(grant("old"), refused, grant("new"), success((ITEM, 5)), client_id="8a5f")
    assert isinstance((await pass_through_write(it))[OpId("a")], Applied)
    first, second = it.partner.requests[1], it.partner.requests[3]
    assert first.body == second.body
    assert (first.headers["X-Shopify-Access-Token"], second.headers["X-Shopify-Access-Token"]) == ("old", "new")


async def test_a_fresh_token_that_is_refused_too_breaks_the_connection() -> None:
    refused = answer({"errors": "x"}, 401)
    it = bench(grant("old"), refused, grant("new"), refused, client_id="8a5f")
    with pytest.raises(Broken) as caught:
        await it.client.read([cell()], changed_since=None)
    assert caught.value.kind is BrokenKind.CREDENTIAL
    assert it.partner.answers == []


async def test_a_refused_static_token_breaks_the_connection_at_once() -> None:
    it = bench(answer({"errors": "x"}, 401))
    with pytest.raises(Broken) as caught:
        await it.client.locations()
    assert (caught.value.kind, len(it.partner.requests)) == (BrokenKind.CREDENTIAL, 1)
    assert "shpat_token" not in str(caught.value) + caught.value.remedy


async def test_locations_come_page_by_page_with_the_inactive_ones() -> None:
    it = bench(data({"locations": page([place(1)], "c1")}), data({"locations": page([place(2, isActive=False)])}))
    found = await it.client.locations()
    assert [(each.key, each.active) for each in found] == [
        ("gid://shopify/Location/1", True),
        ("gid://shopify/Location/2", False),
    ]
    assert it.partner.variables() == {"first": 250, "after": "c1"}


async def test_the_catalogue_comes_in_pages_with_levels_as_hints() -> None:
    first, second = item_node(ITEM, [level(5)], "cut"), item_node(OTHER, [level(1, ANNEX, active=False)])
    it = bench(
        data({"productVariantsCount": {"count": 2}}),
        data({"productVariants": page([variant(first, 1)], "c1")}),
        data({"productVariants": page([variant(second, 2)])}),
    )
    one = await it.client.catalogue_page(None)
    two = await it.client.catalogue_page(one.cursor)
    assert [each.key for each in (*one.items, *two.items)] == [ITEM, OTHER]
    assert [(each.condition, each.quantity) for each in (*one.levels, *two.levels)] == [
        (Condition.ACTIVE, 5),
        (Condition.INACTIVE, None),
    ]
    assert two.cursor is None
    names = ["available", "committed"]
    assert it.partner.variables(1) == {"first": 250, "after": None, "query": None, "levels": 10, "names": names}
    assert it.partner.variables(2)["after"] == "c1"


async def test_a_stored_request_is_sent_to_the_byte() -> None:
    it = bench(success((ITEM, 5)), api_version="2026-07")
    ops = [op("a", 5)]
    prepared = it.client.compose(ops, "k1")
    assert await it.client.send(prepared, ops) == {OpId("a"): Applied("gid://shopify/InventoryAdjustmentGroup/1", NOW)}
    assert it.partner.requests[0].body == prepared.body
    assert it.partner.requests[0].url.endswith("/admin/api/2026-07/graphql.json")


async def test_an_activation_is_sent_by_the_same_door() -> None:
    level_id = "gid://shopify/InventoryLevel/1?inventory_item_id=1"
    it = bench(data({"inventoryActivate": {"inventoryLevel": {"id": level_id, "isActive": True}, "userErrors": []}}))
    ops = [op("a", 5)]
    assert await it.client.send(it.client.compose_activation(cell(), "k2"), ops) == {OpId("a"): Applied(level_id)}


async def test_a_write_that_got_no_answer_is_in_doubt_and_one_that_never_left_is_not() -> None:
    with pytest.raises(Doubt):
        await pass_through_write(bench(NoAnswer("time-out")))
    with pytest.raises(RetryLater) as caught:
        await pass_through_write(bench(NotSent("no route")))
    assert caught.value.executed is False


async def test_a_write_answered_in_another_shape_is_in_doubt() -> None:
    with pytest.raises(Doubt):
        await pass_through_write(bench(data({"inventoryAdjustQuantities": None})))


async def test_a_third_write_at_once_is_refused_unsent() -> None:
    it = bench()
    release = asyncio.Event()
    started: asyncio.Queue[HttpRequest] = asyncio.Queue()

    async def slow(request: HttpRequest) -> HttpResponse:
        started.put_nowait(request)
        await release.wait()
        return success((ITEM, 5))

    it.partner.send = slow  # type: ignore[method-assign]
    running = [asyncio.create_task(pass_through_write(it)) for _ in range(2)]
    await started.get()
    await started.get()
    with pytest.raises(RetryLater) as caught:
        await pass_through_write(it)
    assert caught.value.executed is False
    release.set()
    await asyncio.gather(*running)
    assert isinstance((await pass_through_write(it))[OpId("a")], Applied)


async def test_a_cancelled_request_does_not_hold_its_points_for_ever() -> None:
    it = bench()

    async def never(request: HttpRequest) -> HttpResponse:
        raise asyncio.CancelledError

    it.partner.send = never  # type: ignore[method-assign]
    with pytest.raises(asyncio.CancelledError):
        await pass_through_write(it)
    before = it.client.budget.available(NOW)
    it.client.budget.reserve(10, NOW)
    it.client.budget.release(10, NOW)
    assert it.client.budget.available(NOW) == before == 2000 - 13


async def test_after_a_start_the_budget_is_empty_and_nothing_is_sent() -> None:
    it = bench(data(shop()), full=False)
    assert it.client.budget.wait("read", NOW) == pytest.approx(0.15)
    assert it.client.budget.wait("write", NOW) == pytest.approx(0.13)
    with pytest.raises(RetryLater) as caught:
        await it.client.verify()
    assert (caught.value.executed, caught.value.after) == (False, pytest.approx(0.06))
    assert it.partner.requests == []
    it.clock.pass_(0.06)
    await it.client.verify()
    assert it.client.budget.available(it.clock.now) == 1986


async def test_a_dearer_document_than_we_thought_is_remembered_at_shopifys_price() -> None:
    dear = answer({"data": shop(), "extensions": cost(50, 40)})
    it = bench(dear)
    await it.client.verify()
    with pytest.raises(RetryLater) as caught:
        await it.client.verify()
    assert caught.value.after == pytest.approx(0.1)


async def test_a_throttled_answer_teaches_the_bucket_and_waits() -> None:
    throttled = answer({"errors": [{"extensions": {"code": "THROTTLED"}}], "extensions": cost(15, -100)})
    it = bench(throttled)
    with pytest.raises(RetryLater) as caught:
        await it.client.read([cell()], changed_since=None)
    assert caught.value.after == pytest.approx(1.15)
    assert it.client.budget.wait("read", NOW) == pytest.approx(1.15)


async def test_too_many_requests_pauses_the_whole_connection() -> None:
    it = bench(answer({}, 429, {"retry-after": "4"}))
    with pytest.raises(RetryLater):
        await it.client.locations()
    assert it.client.budget.wait("write", NOW) == pytest.approx(4)


async def test_there_is_no_history_to_read() -> None:
    with pytest.raises(Unreadable):
        await bench().client.history(cell(), NOW)


async def test_a_refused_access_while_reading_names_the_scope() -> None:
    with pytest.raises(Broken, match="read_locations"):
        await bench(refusal("ACCESS_DENIED", requiredAccess="`read_locations`")).client.locations()


async def test_a_foreign_stored_request_is_never_sent() -> None:
    it = bench()
    prepared = it.client.compose([op("a", 1)], "k")
    odd = type(prepared)(prepared.method, prepared.path, b"{}", "k", "2026-10")
    with pytest.raises(Bug):
        await it.client.send(odd, [op("a", 1)])
    assert it.partner.requests == []
