"""A bench with a MakeShop cart over its classic API: its catalogue comes as two files that a person hands in."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from inventory_sync.engine import catalogue, files, routes
from inventory_sync.engine.files import HandedIn
from inventory_sync.engine.lane import Lane, take_lease
from inventory_sync.sandbox.makeshop_classic import ClassicMakeShopSimulator
from inventory_sync.store import db
from inventory_sync.store.db import Pool
from inventory_sync.systems.makeshop import definition as MAKESHOP
from inventory_sync.systems.port import FileCatalogue, NamedFile
from tests.engine.bench import Bench
from tests.engine.bench_cart import CartBench
from tests.engine.bench_house import TIMEOUT, Setup
from tests.simulation.world import Partner

NOTIFY = "an-address-that-nobody-can-guess"
GIVEN = {
    "api": "classic",
    "shop_id": "exampleshop",
    "order_auth_code": "order-code-0001",
    "product_auth_code": "product-code-0001",
    "admin_id": "shop-admin",
    "admin_password": "secret-12345",
    "notify_token": NOTIFY,
    "request_timeout_seconds": TIMEOUT,
}


@dataclass
class ClassicBench(CartBench):
    """A ledger and a cart whose person downloads product CSV and option CSV."""

    shop_simulator: ClassicMakeShopSimulator = field(
        default_factory=lambda: ClassicMakeShopSimulator(shop="exampleshop", chance=random.Random(1))
    )

    def _partners(self) -> dict[str, Partner]:
        made = Bench._partners(self)
        made["cart"] = self._partner("cart", self.shop_simulator, MAKESHOP, MAKESHOP.settings(**GIVEN))
        return made

    async def _bring_in(self, name: str) -> None:
        if name != "cart":
            await super()._bring_in(name)
            return
        partner = self.partners[name]
        held = await take_lease(self.house, partner.connection_id, owner=self.owner, owner_key=0)
        assert held is not None
        lane = Lane(partner.connection_id, name, self.client(partner), held.token)
        await self._greet(lane)
        await self.patiently(lambda: catalogue.import_locations(self.house, lane))

    # -- what people do ---

    def downloads(self) -> tuple[NamedFile, NamedFile]:
        """Product CSV and option CSV as the shop is now."""
        product, option = self.shop_simulator.export(self.agenda.now)
        return NamedFile(product.name, product.content), NamedFile(option.name, option.content)

    async def hand_in(self, *given: NamedFile) -> HandedIn:
        """A person hands files in, all in one go."""
        record = await db.row(self.pool, "connection_by_name", name="cart")
        assert record is not None
        done = await files.hand_in(self.house, record, self._reader(), given, confirm=False, actor="person")
        self.wake()
        return done

    async def preview(self, shop: str = "cart") -> routes.Preview:
        """Once every base reading is in, the preview of the route; products are read one by one, a second apart."""
        route = await routes.route_named(self.pool, f"pos-{shop}")

        async def read() -> bool:
            return not await db.value(self.pool, "count_unread", route_id=route["id"])

        await self.until(read, seconds=600)
        return await routes.make_preview(self.house, f"pos-{shop}")

    def _reader(self) -> FileCatalogue:
        assert MAKESHOP.file_catalogue is not None
        found = MAKESHOP.file_catalogue(self.partners["cart"].settings)
        assert found is not None
        return found

    def sells(self, code: str, *, ledger: int, cart: int) -> None:
        """Ledger and shop both take a new product into their range."""
        now = self.agenda.now
        self.products[code] = self.pos.add_product(code, now)
        self.pos.receive(self.products[code], "1", ledger, now)
        self.items["cart"][code] = self.shop_simulator.add_product(now, code=code, stock=cart)
        self.heard("pos")

    async def learnt(self, code: str) -> None:
        """Wait until the ledger's new product is in the catalogue."""
        await self.until(lambda: self.rows("select 1 from items where key = $1", self.products[code]))

    # -- what is counted ---

    async def known(self) -> set[str]:
        """Own codes of the cart's items, as the catalogue in force has them."""
        found = await self.rows(
            "select i.codes ->> 'custom_code' as code from items i join connections n on n.id = i.connection_id "
            "where n.name = 'cart' and not i.gone"
        )
        return {row["code"] for row in found}

    def written(self) -> dict[str, int]:
        """The last number that we wrote at the cart, by code, since the story began."""
        codes = {item: code for code, item in self.items["cart"].items()}
        return {codes[change.item]: change.after for change in self.ours("cart")}


async def furnish_classic(pool: Pool, setup: Setup | None = None) -> ClassicBench:
    """A bench with everything moved in; no file was handed in yet, and the route is stopped."""
    bench = ClassicBench(7, pool, budget_full=True, setup=setup or Setup(shops=()))
    await bench.move_in()
    bench.begin()
    return bench
