"""A shop with the classic API, the adapter on it, and a clock that only the story moves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest

from inventory_sync.model.ambient import Ambient
from inventory_sync.model.ids import OpId
from inventory_sync.sandbox.kernel import Request
from inventory_sync.sandbox.makeshop.switches import JST
from inventory_sync.sandbox.makeshop_classic import ClassicMakeShopSimulator
from inventory_sync.sandbox.makeshop_classic import ClassicSwitches as ShopSwitches
from inventory_sync.systems.errors import PartnerError, RetryLater
from inventory_sync.systems.http import HttpRequest, HttpResponse
from inventory_sync.systems.makeshop.classic import ClassicClient, ClassicSwitches, make_classic_client
from inventory_sync.systems.makeshop.keys import Item
from inventory_sync.systems.makeshop.settings import MakeShopSettings
from inventory_sync.systems.port import CellRef, ClientContext, OrderLine, PlannedOp
from tests.systems.clock import MovedClock

T = TypeVar("T")
START = datetime(2026, 1, 10, 12, 0, 0, tzinfo=JST)
PROMPT = ClassicSwitches(order_end_lag=timedelta(0))
SECRETS = ("order-code-0001", "product-code-0001", "shop-admin", "secret-12345", "notify-token-abcdefghijklmnop")


class Clock(MovedClock):
    def __init__(self) -> None:
        super().__init__(START)


def settings(**changes: Any) -> MakeShopSettings:
    order, product, admin, password, token = SECRETS
    given: dict[str, Any] = {
        "api": "classic",
        "shop_id": "exampleshop",
        "order_auth_code": order,
        "product_auth_code": product,
        "admin_id": admin,
        "admin_password": password,
        "notify_token": token,
        **changes,
    }
    return MakeShopSettings(**given)


Step = Callable[[HttpRequest], HttpResponse] | Exception


@dataclass
class Wire:
    """A transport to the simulator, each request taking `latency` seconds each way; `steps` come before it."""

    shop: ClassicMakeShopSimulator
    clock: Clock
    latency: float = 0.05
    steps: list[Step | None] = field(default_factory=list)
    sent: list[HttpRequest] = field(default_factory=list)

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.sent.append(request)
        self.clock.advance(self.latency)
        step = self.steps.pop(0) if self.steps else None
        try:
            if isinstance(step, Exception):
                raise step
            return step(request) if step else self.carry_out(request)
        finally:
            self.clock.advance(self.latency)

    def carry_out(self, request: HttpRequest) -> HttpResponse:
        parts = urlsplit(request.url)
        headers = {name.lower(): value for name, value in request.headers.items()}
        reply = self.shop.handle(
            Request(request.method, parts.path, parts.query, headers, request.body), self.clock.now
        )
        return HttpResponse(reply.status, reply.headers, reply.body)


@dataclass
class Story:
    shop: ClassicMakeShopSimulator
    wire: Wire
    client: ClassicClient
    clock: Clock

    async def patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What a caller gets who waits as long as told, and never longer."""
        for _ in range(300):
            try:
                return await ask()
            except RetryLater as error:
                if error.after <= 0:
                    raise AssertionError("no time to wait") from error
                self.clock.advance(error.after)
        raise AssertionError("no answer after 300 waits")

    async def all_orders(self, since: datetime, until: datetime) -> list[OrderLine]:
        lines: list[OrderLine] = []
        cursor: str | None = None
        for _ in range(500):
            page = await self.patiently(lambda at=cursor: self.client.orders(since, until, at))  # type: ignore[misc]
            lines += page.lines
            cursor = page.cursor
            if cursor is None:
                return lines
        raise AssertionError("the list of orders never ends")

    async def write(self, *values: tuple[CellRef, int]) -> Any:
        ops = [planned(cell, value, number) for number, (cell, value) in enumerate(values)]
        prepared = self.client.compose(ops, "batch-1")
        return await self.patiently(lambda: self.client.send(prepared, ops))

    def violations(self) -> list[str]:
        return [f"{each.rule}: {each.detail}" for each in self.shop.log.violations]


def story(
    *,
    adapter: ClassicSwitches = PROMPT,
    changes: Mapping[str, Any] | None = None,
    calibration: Mapping[str, str] | None = None,
    columns: Mapping[str, Any] | None = None,
    **switches: Any,
) -> Story:
    clock = Clock()
    shop = ClassicMakeShopSimulator(classic=ShopSwitches(**switches), **(columns or {}))
    wire = Wire(shop, clock)
    context = ClientContext(wire, Ambient(now=clock), "shop1", calibration=calibration or {})
    return Story(shop, wire, make_classic_client(settings(**(changes or {})), context, adapter), clock)


def product(code: str) -> CellRef:
    return Item(code).cell


def option(code: str, own: str) -> CellRef:
    return Item(code, own).cell


def cell_of(item: str) -> CellRef:
    """The adapter's cell of a simulator's item."""
    code, _, own = item.partition("/")
    return Item(code, own or None).cell


def planned(cell: CellRef, value: int, number: int = 0) -> PlannedOp:
    return PlannedOp(OpId(f"op-{number}"), cell, 1, value)


def answering(status: int, body: bytes = b"", **headers: str) -> Callable[[HttpRequest], HttpResponse]:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: HttpResponse(status, given, body)


async def fails(told: Story, kind: type[PartnerError], ask: Any) -> Any:
    with pytest.raises(kind) as caught:
        await told.patiently(ask)
    assert all(secret not in caught.value.message for secret in SECRETS)
    return caught.value
