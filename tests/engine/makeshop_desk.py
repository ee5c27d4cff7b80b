"""A person with a configuration file, and simulated MakeShop shops that its connections are proven at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar, cast

from inventory_sync.engine import catalogue
from inventory_sync.engine.lane import House, Lane
from inventory_sync.model.ambient import Ambient
from inventory_sync.sandbox.makeshop import MakeShopSimulator
from inventory_sync.sandbox.makeshop_classic import ClassicMakeShopSimulator
from inventory_sync.store import db
from inventory_sync.systems.errors import RetryLater
from inventory_sync.systems.makeshop import definition as MAKESHOP
from inventory_sync.systems.makeshop.settings import MakeShopSettings
from inventory_sync.systems.port import ClientContext, SettingsModel, SystemDefinition
from tests.engine.apply_support import SYSTEMS, Desk
from tests.systems.makeshop_classic.classic_support import Clock, Wire

T = TypeVar("T")

CLASSIC = """\
  cart:
    system: makeshop
    api: classic
    shop_id: exampleshop
    order_auth_code: order-code-0001
    product_auth_code: product-code-0001
    admin_id: shop-admin
    admin_password: secret-12345
"""


class _Patient:
    """A client's questions, asked again as long as the partner is only busy."""

    def __init__(self, client: Any, clock: Clock) -> None:
        self._client, self._clock = client, clock

    async def verify(self) -> Any:
        return await self._ask(self._client.verify)

    async def locations(self) -> Any:
        return await self._ask(self._client.locations)

    async def _ask(self, question: Callable[[], Awaitable[T]]) -> T:
        for _ in range(50):
            try:
                return await question()
            except RetryLater as error:
                self._clock.advance(error.after)
        raise AssertionError("no answer after 50 waits")


class MakeShopDesk(Desk):
    """The till's system is invented; MakeShop's is the real one, over its simulators."""

    def __init__(self, pool: db.Pool) -> None:
        super().__init__(pool, {**SYSTEMS, "makeshop": MAKESHOP})
        self.clock = Clock()
        self.house = House(pool, Ambient(now=self._later, new_id=self.house.ambient.new_id), "testhouse")
        self.classic = {"exampleshop": ClassicMakeShopSimulator(shop="exampleshop")}
        self.graphql = MakeShopSimulator()

    def _later(self) -> Any:
        self.clock.now += timedelta(milliseconds=1)
        return self.clock.now

    def makeshop(self, settings: SettingsModel) -> Any:
        """A client of one of the shops. An ID that no shop has is refused by all of them."""
        assert isinstance(settings, MakeShopSettings)
        shop: Any = self.graphql
        if settings.api == "classic":
            shop = self.classic.get(settings.shop_id or "", self.classic["exampleshop"])
        wire = Wire(cast(Any, shop), self.clock)
        return MAKESHOP.make_client(settings, ClientContext(wire, Ambient(now=self.clock), "testhouse"))

    def client(self, name: str, definition: SystemDefinition, settings: SettingsModel) -> Any:
        if definition is MAKESHOP:
            return _Patient(self.makeshop(settings), self.clock)
        return super().client(name, definition, settings)

    async def record(self, name: str) -> db.Record:
        found = await db.row(self.pool, "connection_by_name", name=name)
        assert found is not None
        return found

    async def import_catalogue(self, name: str, settings: SettingsModel) -> int:
        """What the daemon's lane does after an apply; says how many items came."""
        lane = Lane((await self.record(name))["id"], name, self.makeshop(settings), 1)
        for _ in range(200):
            progress = await catalogue.import_page(self.house, lane)
            if await db.row(self.pool, "running_run", kind="import", connection_id=lane.connection_id) is None:
                break
            if progress.due is not None and progress.due > self.clock.now:
                self.clock.now = progress.due
        found: int = await db.value(self.pool, "count_items", connection_id=lane.connection_id)
        return found
