"""A scripted partner for the Shopify adapter's tests: it answers from a list and remembers what it was sent."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from inventory_sync.model.ambient import Ambient
from inventory_sync.model.ids import ItemKey, LocationKey, OpId
from inventory_sync.systems.http import HttpRequest, HttpResponse
from inventory_sync.systems.port import CellRef, ClientContext, PlannedOp
from inventory_sync.systems.shopify.client import ShopifyClient
from inventory_sync.systems.shopify.settings import ShopifySettings

NOW = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)
ITEM = "gid://shopify/InventoryItem/53214089609522"
OTHER = "gid://shopify/InventoryItem/53469430055218"
PLACE = "gid://shopify/Location/106318430514"
ANNEX = "gid://shopify/Location/106318463282"
HOOK = "https://sync.example.jp/webhooks/shopify/7"
THROTTLE = {"maximumAvailable": 2000, "currentlyAvailable": 1986, "restoreRate": 100}


def cell(item: str = ITEM, location: str = PLACE) -> CellRef:
    return CellRef(ItemKey(item), LocationKey(location))


def op(name: str, delta: int, item: str = ITEM, location: str = PLACE) -> PlannedOp:
    return PlannedOp(OpId(name), cell(item, location), delta)


def cost(requested: float = 13, available: float = 1986) -> dict[str, Any]:
    status = {**THROTTLE, "currentlyAvailable": available}
    return {"cost": {"requestedQueryCost": requested, "actualQueryCost": requested, "throttleStatus": status}}


def answer(payload: object, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    return HttpResponse(status, headers or {}, orjson.dumps(payload))


def data(content: Mapping[str, Any], **extensions: Any) -> HttpResponse:
    return answer({"data": content, "extensions": {**cost(), **extensions}})


def refusal(code: str | None, message: str = "no", **extensions: Any) -> HttpResponse:
    inner = extensions if code is None else {"code": code, **extensions}
    return answer({"errors": [{"message": message, "extensions": inner}]})


def page(nodes: list[Any], after: str | None = None) -> dict[str, Any]:
    return {"nodes": nodes, "pageInfo": {"hasNextPage": after is not None, "endCursor": after or "end"}}


def level(
    quantity: int | None, location: str = PLACE, *, active: bool = True, at: str | None = "2026-11-21T05:03:12Z"
) -> dict[str, Any]:
    numbers = [] if quantity is None else [{"name": "available", "quantity": quantity, "updatedAt": at}]
    return {
        "id": "gid://shopify/InventoryLevel/143273001266?inventory_item_id=53214089609522",
        "isActive": active,
        "updatedAt": "2026-11-21T05:04:00Z",
        "location": {"id": location},
        "quantities": numbers,
    }


def item_node(
    item: str, levels: list[dict[str, Any]], after: str | None = None, *, tracked: bool = True
) -> dict[str, Any]:
    return {
        "__typename": "InventoryItem",
        "id": item,
        "legacyResourceId": item.rsplit("/", 1)[1],
        "sku": "TS-RED-M",
        "tracked": tracked,
        "inventoryLevels": page(levels, after),
    }


def variant(item: Mapping[str, Any], number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/ProductVariant/{number}",
        "legacyResourceId": str(number),
        "sku": item.get("sku"),
        "barcode": "4901234567894",
        "title": "M",
        "requiresComponents": False,
        "product": {"id": "gid://shopify/Product/9", "title": "Red shirt", "status": "ACTIVE", "isGiftCard": False},
        "inventoryItem": item,
        **changes,
    }


def place(number: int, **changes: object) -> dict[str, object]:
    return {
        "id": f"gid://shopify/Location/{number}",
        "name": f"Shop {number}",
        "isActive": True,
        "isFulfillmentService": False,
        "fulfillmentService": None,
    } | changes


Script = HttpResponse | Exception | Callable[[HttpRequest], HttpResponse]


@dataclass
class ScriptedTransport:
    """Gives its answers in turn, and keeps every request."""

    answers: list[Script] = field(default_factory=list)
    requests: list[HttpRequest] = field(default_factory=list)

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        given = self.answers.pop(0)
        if isinstance(given, Exception):
            raise given
        return given if isinstance(given, HttpResponse) else given(request)

    def variables(self, index: int = -1) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(self.requests[index].body)["variables"]
        return found

    @property
    def operations(self) -> list[str]:
        return [orjson.loads(each.body)["operationName"] for each in self.requests if each.body[:1] == b"{"]


@dataclass
class Clock:
    now: datetime = NOW

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


LEGACY = {"shop": "demo-jp", "access_token": "shpat_token", "api_secret": "shpss_test_secret"}
APP = {"shop": "demo-jp", "client_id": "8a5f", "client_secret": "shpss_test_secret"}


@dataclass
class Bench:
    """A client with its scripted partner and its clock."""

    client: ShopifyClient
    partner: ScriptedTransport
    clock: Clock

    def will_answer(self, *answers: Script) -> None:
        self.partner.answers.extend(answers)


def bench(*answers: Script, full: bool = True, **settings: Any) -> Bench:
    clock = Clock()
    partner = ScriptedTransport(list(answers))
    ambient = Ambient(now=lambda: clock.now, new_id=lambda: "0" * 32, chance=random.Random(1))
    context = ClientContext(partner, ambient, "demo", budget_full=full)
    chosen = {**(APP if "client_id" in settings else LEGACY), **settings}
    return Bench(ShopifyClient(ShopifySettings(**chosen), context), partner, clock)
