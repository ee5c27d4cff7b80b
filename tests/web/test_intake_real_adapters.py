"""Notices as Shopify and Smaregi send them: through the real parsers into the real inbox, up to the cell's mark."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from inventory_sync.engine.intake import intake
from inventory_sync.engine.lane import House
from inventory_sync.store.db import Pool
from inventory_sync.systems import shopify, smaregi
from inventory_sync.web.collector import NoticeCollector
from inventory_sync.web.directory import Door
from inventory_sync.web.public import public_app
from inventory_sync.web.readiness import Readiness
from inventory_sync.web.serving import Listener
from tests.web.web_support import inbox, make_connection

DEFINITIONS = {definition.name: definition for definition in (shopify.definition, smaregi.definition)}

SHOP_SECRET = "shpss_test_secret"
SHOP_BODY = (
    rb'{"inventory_item_id":53214089609522,"location_id":106318430514,"available":5,'
    rb'"updated_at":"2026-11-21T14:03:12+09:00",'
    rb'"admin_graphql_api_id":"gid:\/\/shopify\/InventoryLevel\/143273001266?inventory_item_id=53214089609522"}'
)
SHOP_SIGNATURE = "4A66mcjLbjXNBaM8L6Qgmlf+tkqtUvOCEVACdGOlouE="
SHOP_HEADERS = {
    "Content-Type": "application/json",
    "X-Shopify-Topic": "inventory_levels/update",
    "X-Shopify-Hmac-Sha256": SHOP_SIGNATURE,
    "X-Shopify-Shop-Domain": "demo-jp.myshopify.com",
    "X-Shopify-API-Version": "2026-10",
    "X-Shopify-Webhook-Id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
    "X-Shopify-Triggered-At": "2026-11-21T05:03:12.516267807Z",
}
ITEM = "gid://shopify/InventoryItem/53214089609522"
LOCATION = "gid://shopify/Location/106318430514"

POS_SECRET = "0123456789abcdef0123"
POS_CONTRACT = "sb_abc123d4"
POS_HEADERS = {
    "Content-Type": "application/json",
    "X-Inventory-Sync-Secret": POS_SECRET,
    "Smaregi-Contract-Id": POS_CONTRACT,
    "Smaregi-Event": "pos:stock",
    "Smaregi-Event-Id": "5b1f0c9e-1111-4a2b-8c3d-000000000001",
}
POS_BODY = json.dumps(
    {
        "contractId": POS_CONTRACT,
        "event": "pos:stock",
        "action": "edited",
        "ids": [{"id": "10235", "productId": "8000001", "storeId": "1"}],
    }
).encode()


class Directory:
    """The two connections `shop` and `pos`, with the secrets they have now."""

    def __init__(self, shop: int, pos: int) -> None:
        self._shop, self._pos = shop, pos
        self.shop_secrets: dict[str, str] = {"client_secret": SHOP_SECRET}

    def find(self, system: str, name: str) -> Door | None:
        if (system, name) == ("shopify", "shop"):
            settings = {"shop": "demo-jp", "client_id": "abc", **self.shop_secrets}
            return self._door(self._shop, name, system, settings)
        return self._pos_door() if (system, name) == ("smaregi", "pos") else None

    def find_by_contract(self, system: str, headers: Mapping[str, str]) -> Door | None:
        named = headers.get("smaregi-contract-id")
        return self._pos_door() if (system, named) == ("smaregi", POS_CONTRACT) else None

    def _pos_door(self) -> Door:
        settings = {
            "contract_id": POS_CONTRACT,
            "client_id": "abc",
            "client_secret": "def",
            "webhook_secret": POS_SECRET,
        }
        return self._door(self._pos, "pos", "smaregi", settings)

    @staticmethod
    def _door(id_: int, name: str, system: str, settings: Mapping[str, object]) -> Door:
        definition = DEFINITIONS[system]
        assert definition.make_notice_parser is not None
        parser = definition.make_notice_parser(definition.settings.model_validate(settings))
        return Door(id_, name, parser, definition.notice_response_empty)


@dataclass
class Partners:
    """Posts to the public port as the partners do."""

    url: str
    directory: Directory
    session: aiohttp.ClientSession
    house: House

    async def post(self, path: str, data: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        async with self.session.post(self.url + path, data=data, headers=headers) as response:
            return response.status, await response.read()

    async def shopify(self, data: bytes = SHOP_BODY, **changes: str | None) -> int:
        return (await self.post("/webhooks/shopify/shop", data, changed(SHOP_HEADERS, changes)))[0]

    async def smaregi(self, path: str = "/webhooks/smaregi/pos", **changes: str | None) -> tuple[int, bytes]:
        return await self.post(path, POS_BODY, changed(POS_HEADERS, changes))


def changed(headers: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    """Headers with some of them replaced, or (None) missing; names with _ for -."""
    given = {name.lower(): value for name, value in headers.items()}
    merged: dict[str, Any] = given | {name.lower().replace("_", "-"): value for name, value in changes.items()}
    return {name: value for name, value in merged.items() if value is not None}


@pytest.fixture
async def partners(pool: Pool, house: House) -> AsyncIterator[Partners]:
    shop, pos = (
        await make_connection(pool, house, "shop", "shopify"),
        await make_connection(pool, house, "pos", "smaregi"),
    )
    await make_cell(pool, shop, ITEM, LOCATION)
    await make_cell(pool, pos, "8000001", "1")
    directory = Directory(shop, pos)
    collector = NoticeCollector(house)
    await collector.start()
    readiness = Readiness(pool, draining=lambda: False)
    listener = Listener(public_app(house, collector, directory, readiness), "127.0.0.1", 0)
    port = await listener.start()
    async with aiohttp.ClientSession() as session:
        yield Partners(f"http://127.0.0.1:{port}", directory, session, house)
    await listener.stop()
    await collector.stop()


async def make_cell(pool: Pool, connection: int, item: str, location: str) -> None:
    """A cell known to hold 3, not to be read."""
    await pool.execute(
        """with i as (
             insert into items (connection_id, key, codes, name, tracked, bundle, import_id)
             values ($1, $2, '{}', 'item', true, false, 1) returning id),
           l as (
             insert into locations (connection_id, key, name, active) values ($1, $3, 'place', true) returning id)
           insert into cells (connection_id, item_id, location_id, known, condition)
           select $1, i.id, l.id, 3, 'active' from i, l""",
        connection,
        item,
        location,
    )


async def marked(pool: Pool) -> list[str]:
    """The systems whose cell is to be read."""
    rows = await pool.fetch(
        """select n.system from cells c join connections n on n.id = c.connection_id
           where c.marked_at is not null and c.read_due is not null order by n.system"""
    )
    return [row["system"] for row in rows]


def signed(secret: str, body: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


async def test_a_signed_level_notice_of_shopify_marks_its_cell(partners: Partners, pool: Pool) -> None:
    assert len(SHOP_BODY) == 222
    assert await partners.shopify() == 200
    assert await inbox(pool) == [SHOP_HEADERS["X-Shopify-Webhook-Id"]]
    await intake(partners.house)
    assert await marked(pool) == ["shopify"]


async def test_the_known_number_in_a_notice_only_postpones_the_read(partners: Partners, pool: Pool) -> None:
    await pool.execute("update cells set known = 5 where known = 3")
    assert await partners.shopify() == 200
    await intake(partners.house)
    assert await marked(pool) == []
    assert await pool.fetchval("select count(*) from cells where read_due is not null") == 1


async def test_a_changed_byte_is_refused(partners: Partners, pool: Pool) -> None:
    assert await partners.shopify(SHOP_BODY.replace(b'"available":5', b'"available":6')) == 401
    assert await inbox(pool) == []


async def test_the_same_json_in_other_bytes_is_refused(partners: Partners, pool: Pool) -> None:
    assert await partners.shopify(SHOP_BODY.replace(rb"\/", b"/")) == 401
    assert await inbox(pool) == []


@pytest.mark.parametrize("signature", [None, "", "not base64 at all", SHOP_SIGNATURE[:-1], "é"])
async def test_a_missing_or_mangled_signature_is_refused(partners: Partners, pool: Pool, signature: str | None) -> None:
    assert await partners.shopify(X_Shopify_Hmac_Sha256=signature) == 401
    assert await inbox(pool) == []


async def test_another_shops_notice_is_refused(partners: Partners, pool: Pool) -> None:
    assert await partners.shopify(X_Shopify_Shop_Domain="other.myshopify.com") == 401
    assert await inbox(pool) == []


async def test_both_secrets_work_during_a_rotation_and_the_old_one_never_after(partners: Partners, pool: Pool) -> None:
    new = "shpss_next_secret"
    partners.directory.shop_secrets = {"client_secret": new, "previous_client_secret": SHOP_SECRET}
    assert await partners.shopify(X_Shopify_Webhook_Id="old") == 200
    assert await partners.shopify(X_Shopify_Webhook_Id="new", X_Shopify_Hmac_Sha256=signed(new, SHOP_BODY)) == 200
    partners.directory.shop_secrets = {"client_secret": new}
    assert await partners.shopify(X_Shopify_Webhook_Id="late") == 401
    assert await inbox(pool) == ["old", "new"]


async def test_a_delivery_that_shopify_repeats_is_stored_once(partners: Partners, pool: Pool) -> None:
    assert [await partners.shopify() for _ in range(3)] == [200, 200, 200]
    assert await inbox(pool) == [SHOP_HEADERS["X-Shopify-Webhook-Id"]]


async def test_a_signed_body_that_is_no_level_is_malformed(partners: Partners, pool: Pool) -> None:
    assert await partners.shopify(b"[]", X_Shopify_Hmac_Sha256=signed(SHOP_SECRET, b"[]")) == 400
    assert await inbox(pool) == []


@pytest.mark.parametrize("path", ["/webhooks/smaregi/pos", "/webhooks/smaregi"])
async def test_a_stock_notice_of_smaregi_is_answered_empty_and_marks_its_cell(
    partners: Partners, pool: Pool, path: str
) -> None:
    assert await partners.smaregi(path) == (200, b"")
    assert await inbox(pool) == [POS_HEADERS["Smaregi-Event-Id"]]
    await intake(partners.house)
    assert await marked(pool) == ["smaregi"]


@pytest.mark.parametrize("secret", [None, "", POS_SECRET[:-1], POS_SECRET + "0", "é"])
@pytest.mark.parametrize("path", ["/webhooks/smaregi/pos", "/webhooks/smaregi"])
async def test_a_missing_or_wrong_shared_secret_is_refused(
    partners: Partners, pool: Pool, path: str, secret: str | None
) -> None:
    status, _ = await partners.smaregi(path, X_Inventory_Sync_Secret=secret)
    assert status == 401
    assert await inbox(pool) == []


@pytest.mark.parametrize("contract", [None, "", "sb_other"])
async def test_a_notice_that_names_no_contract_of_ours_finds_no_connection(
    partners: Partners, pool: Pool, contract: str | None
) -> None:
    stranger = await partners.post("/webhooks/smaregi/nobody", POS_BODY, POS_HEADERS)
    assert await partners.smaregi("/webhooks/smaregi", Smaregi_Contract_Id=contract) == stranger
    assert stranger[0] == 401
    assert await inbox(pool) == []


async def test_an_event_that_smaregi_repeats_is_stored_once(partners: Partners, pool: Pool) -> None:
    answers = [await partners.smaregi(), await partners.smaregi("/webhooks/smaregi"), await partners.smaregi()]
    assert answers == [(200, b"")] * 3
    assert await inbox(pool) == [POS_HEADERS["Smaregi-Event-Id"]]
