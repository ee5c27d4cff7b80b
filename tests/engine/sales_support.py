"""Stories about sales that somebody else books: orders, an order importer, and what there truly was to sell."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from inventory_sync.engine import overdue
from inventory_sync.sandbox.shopify.trade import Order
from inventory_sync.store.db import Record
from tests.engine.bench import Bench, Setup
from tests.engine.conftest import Furnish

CODE = "A-1"
EXPECT = {"sales": "expect"}
NAMELESS = {"history": False}
"""Settings of a ledger whose history may not be read: it names nothing."""

WITHIN = 3
"""Minutes within which orders are booked, unless a story says otherwise."""


@dataclass
class Trading:
    """A bench with one item whose sales are not ours to book, and a book of what was sold and booked."""

    bench: Bench
    sold: list[tuple[datetime, int]] = field(default_factory=list)
    booked: list[tuple[datetime, int]] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return self.bench.agenda.now

    # -- what people and programs do ---

    def order(self, units: int = 1, shop: str = "shop") -> Order:
        """A customer orders at a shop."""
        bench = self.bench
        made: Order | None = bench.shop(shop).sell(bench.items[shop][CODE], bench.place(shop), units, self.now)
        assert made is not None
        self.sold.append((self.now, units))
        bench.heard(shop)
        return made

    def cancel(self, order: Order, shop: str = "shop") -> None:
        """The order is cancelled and its goods are put back."""
        units = self.bench.shop(shop).cancel(order, self.now)
        self.sold.append((self.now, -units))
        self.bench.heard(shop)

    def ship(self, order: Order, shop: str = "shop") -> None:
        """The shop marks the order as shipped."""
        self.bench.shop(shop).fulfil(order, self.now)
        self.bench.heard(shop)

    def book(self, units: int = 1, how: str = "program", *, counts: bool = True) -> None:
        """The importer books an order in the ledger: by `program`, by `shipment`, or as a sale at the `till`.

        `counts` False: the order was booked before, this is a mistake of the importer's.
        """
        pos, product = self.bench.pos, self.bench.products[CODE]
        match how:
            case "program":
                pos.foreign_api_change(product, "1", -units, self.now, memo="importer")
            case "shipment":
                pos.ship(product, "1", units, self.now)
            case "till":
                pos.sell(product, "1", units, self.now)
            case _:
                raise ValueError(how)
        if counts:
            self.booked.append((self.now, units))
        self.bench.heard("pos")

    def counter_sale(self, units: int = 1) -> None:
        """A customer in the store buys the same item."""
        self.bench.move_ledger(CODE, -units)

    # -- what is counted, from the simulators' own logs ---

    def to_sell(self, at: datetime | None = None) -> int:
        """What there truly was to sell at an instant: the ledger, less orders that it does not hold yet."""
        at = at or self.now
        log = self.bench.partners["pos"].simulator.log.changes
        began = self.bench.setup.ledger
        assert isinstance(began, int)
        ledger = began + sum(change.delta for change in log if change.at <= at)
        sold = sum(units for when, units in self.sold if when <= at)
        booked = sum(units for when, units in self.booked if when <= at)
        return ledger - (sold - booked)

    def assert_never_too_high(self) -> None:
        """No shop was ever raised above what there was to sell, and the ledger was never written by us."""
        for shop in self.bench.setup.shops:
            for change in self.bench.ours(shop):
                if change.delta > 0:
                    assert change.after <= self.to_sell(change.at), f"{shop} was told {change.after} at {change.at}"
        assert self.bench.ours("pos") == []

    async def rest(self) -> None:
        """Let everything that was heard be done with, causes learnt too."""
        await self.bench.rest(seconds=120)
        await self.bench.run(8)
        await self.bench.rest(seconds=120)

    async def later(self, **span: float) -> None:
        """Let that much time pass, and come to rest."""
        await self.bench.run(timedelta(**span).total_seconds())
        await self.bench.rest(seconds=120)

    async def expected(self) -> list[Record]:
        return await self.bench.rows("select units, open, state from expected order by movement_id")

    async def states(self) -> list[str]:
        return [row["state"] for row in await self.expected()]

    async def decide(self, *, booked: bool) -> None:
        """A person decides about what is overdue."""
        await overdue.settle_by_person(self.bench.house, "pos-shop", CODE, booked=booked, actor="person")
        self.bench.wake()

    async def held(self) -> int:
        """Units that are held out of the targets."""
        [row] = await self.bench.rows("select coalesce(sum(expected), 0)::int as units from components")
        return int(row["units"])


async def trading(
    furnished: Furnish, *, nameless: bool = False, within: float = WITHIN, basis: str = "stock", **setup: Any
) -> Trading:
    """A trade that runs, with everything at rest. `within`: minutes; `basis`: what the ledger's number means."""
    given = {"route": EXPECT, "pos": NAMELESS if nameless else {}} | setup
    bench = await furnished(Setup(**given))
    await bench.pool.execute("update routes set booked_within = $1, ledger_basis = $2", round(within * 60), basis)
    _release_too(bench)
    await bench.align()
    return Trading(bench)


def _release_too(bench: Bench) -> None:
    """The step that ends what is overdue turns in every lane."""
    steps = bench._steps
    bench._steps = lambda name: (
        steps(name)
        | {  # type: ignore[method-assign]
            "release": lambda: overdue.release(bench.house, bench.lanes[name])
        }
    )
