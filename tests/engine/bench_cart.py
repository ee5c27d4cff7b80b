"""A bench with a MakeShop cart: one ledger, one shop that takes one request at a time, one daemon."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from inventory_sync.engine import catalogue, routes
from inventory_sync.engine.lane import Lane, Progress
from inventory_sync.engine.orders import orders
from inventory_sync.sandbox.makeshop import LOCATION, MakeShopSimulator, MakeShopSwitches
from inventory_sync.store import db
from inventory_sync.store.db import Pool
from inventory_sync.systems.makeshop import definition as MAKESHOP
from inventory_sync.systems.port import Client, ClientContext
from tests.engine.bench import Bench
from tests.engine.bench_house import TIMEOUT, Setup, _Recording
from tests.simulation.net import Network
from tests.simulation.world import INSTALLATION, Partner

PROVEN = {"absolute_type": "0", "relative_type": "1", "variation_details": "list", "below_zero": "cut_off"}
"""What a calibration finds at a shop that plays the likeliest reading."""

SWITCHES = MakeShopSwitches(provisional_code="9001")


@dataclass
class CartBench(Bench):
    """A ledger and a cart. `calibration`: what is known of the cart; `settings`: of its connection."""

    cart_switches: MakeShopSwitches = SWITCHES
    calibration: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)

    def _partners(self) -> dict[str, Partner]:
        made = super()._partners()
        simulator = MakeShopSimulator(switches=self.cart_switches, chance=random.Random(1))
        settings = MAKESHOP.settings(
            **{
                "access_token": simulator.token,
                "api_key": simulator.api_key,
                "webhook_secret": simulator.secret,
                "request_timeout_seconds": TIMEOUT,
                "provisional_payment_codes": ["9001"],
                **self.settings,
            }
        )
        made["cart"] = self._partner("cart", simulator, MAKESHOP, settings)
        return made

    def client(self, partner: Partner) -> Client:
        if partner.name != "cart":
            return super().client(partner)
        carried = Network(self.agenda, self.tasks, self.late).transport(
            partner.simulator, partner.faults, lambda: self._collect(partner)
        )
        context = ClientContext(
            _Recording(self, partner.name, carried),
            self.house.ambient,
            INSTALLATION,
            calibration=self.calibration,
        )
        return MAKESHOP.make_client(partner.settings, context)

    def _steps(self, name: str) -> dict[str, Callable[[], Coroutine[Any, Any, Progress]]]:
        lane = self.lanes[name]
        return super()._steps(name) | {"orders": lambda: orders(self.house, lane)}

    @property
    def cart(self) -> MakeShopSimulator:
        found: MakeShopSimulator = self.partners["cart"].simulator
        return found

    def _seed(self) -> None:
        super()._seed()
        numbers = self.setup.ledger if self.setup.channel is None else self.setup.channel
        assert isinstance(numbers, int)
        made = self.cart.seed_catalogue(
            len(self.setup.codes),
            self.agenda.now,
            codes=list(self.setup.codes),
            initial=lambda number: numbers,
            variations_every=0,
        )
        self.items["cart"] = dict(zip(self.setup.codes, made, strict=True))
        self.cart.log.changes.clear()

    async def move_in(self) -> None:
        await super().move_in()
        ids = {"ledger_id": self.partners["pos"].connection_id, "channel_id": self.partners["cart"].connection_id}
        async with db.transaction(self.pool) as conn:
            given = {
                "direction": "two_way",
                "sales": "post",
                "ledger_field": "product_code",
                "channel_fields": ["jan_code", "custom_code"],
                "buffer": 0,
                "percent": 100,
                "maximum": None,
                "align": "ledger_wins",
                **self.setup.route,
            }
            await db.value(conn, "insert_route", name="pos-cart", **ids, **given)
            route = await routes.route_named(conn, "pos-cart")
            await db.value(
                conn,
                "insert_location_pair",
                route_id=route["id"],
                ledger_key=self.setup.stores[0],
                channel_key=LOCATION,
                **ids,
            )
            await catalogue.match_route(self.house, conn, route)

    async def _greet(self, lane: Lane) -> Progress:
        """A connection test takes several requests, a second apart."""
        while True:
            progress = await super()._greet(lane)
            record = await db.row(self.pool, "connection_by_name", name=lane.name)
            if lane.name != "cart" or (record is not None and record["state"] == "linked"):
                return progress
            await self.pause(1.0)

    async def align(self) -> None:
        """Preview and start every route, and let it come to rest; what is counted begins here."""
        for name in (*self.setup.shops, "cart"):
            await self.start(name, (await self.preview(name)).id)
        await self.rest(seconds=300)
        self.begin()

    async def rest(self, *, seconds: float = 120) -> None:
        await self.run(6.0)  # orders are asked for every three seconds
        await self.until(self._calm, seconds=seconds)

    async def _calm(self) -> bool:
        return await self._resting() and not await self.pool.fetchval(
            "select exists (select 1 from cells where residual is not null or cardinality(loose) > 0 or rewrite)"
        )

    def stock(self, code: str = "A-1") -> int:
        found = self.cart.stock(self.items["cart"][code])
        assert found is not None
        return found

    def order(self, units: int, code: str = "A-1", **how: Any) -> str:
        number = self.cart.place_order([(self.items["cart"][code], units)], self.agenda.now, **how)
        assert number is not None
        return number

    async def journal(self, partner: str = "cart", code: str = "A-1") -> list[tuple[int, str]]:
        """What was journalled at a cell: units and kind, oldest first."""
        key = self.products[code] if partner == "pos" else f"P:{self.items[partner][code]}"
        cell = await self.pool.fetchval(
            "select c.id from cells c join items i on i.id = c.item_id where i.key = $1 and c.connection_id = $2",
            key,
            self.partners[partner].connection_id,
        )
        found = await self.rows("select delta, kind from movements where cell_id = $1 order by id", cell)
        return [(r["delta"], r["kind"]) for r in found]


async def furnish_cart(pool: Pool, **options: Any) -> CartBench:
    """A bench with a cart, everything moved in and aligned."""
    setup = options.pop("setup", Setup(shops=()))
    bench = CartBench(7, pool, budget_full=True, setup=setup, **options)
    await bench.move_in()
    await bench.align()
    return bench
