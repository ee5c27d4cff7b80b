"""What the rigs of both of MakeShop's APIs share: the shop behind them, its people and its customers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from inventory_sync.model.ids import ItemKey, LocationKey
from inventory_sync.sandbox.makeshop import LOCATION
from inventory_sync.sandbox.makeshop.trade import MakeShopTrade
from inventory_sync.sandbox.makeshop.world import Occasion
from inventory_sync.systems.port import CellRef, NoticeKind
from tests.conformance.bench import SimulatorBench

SHOP = "exampleshop"
BETWEEN_REQUESTS = 1.01  # seconds; requests of one shop may follow each other as fast as that


class MakeShopBench(SimulatorBench):
    """A simulated shop: what it holds, and what customers and its own people do there."""

    notice_kind = NoticeKind.ORDERS
    between_clients = BETWEEN_REQUESTS
    usable_location = LocationKey(LOCATION)
    unusable_locations: Sequence[LocationKey] = ()
    identity_hint = SHOP
    trader: MakeShopTrade
    office: Any

    # -- what the shop holds ---

    def add_product(self, **given: Any) -> CellRef:
        """A new product without variations."""
        code = {"code": f"KIT-{self.number():05d}"} | given
        return self.cell(self.shell.act(lambda now: self.office.add_product(now, **code)))

    def add_variation(self, own: str, **given: Any) -> CellRef:
        """A new product with two variations, the first with this own code; returns that one."""
        number = self.number()
        stock = [given.pop("stock", 0), 1]
        jans = [given.pop("jan", ""), ""]
        codes = [own, f"KIT-{number:05d}-2"]
        items = self.shell.act(
            lambda now: self.office.add_variations(
                now, codes, stock=stock, jans=jans, code=f"KIT-{number:05d}", **given
            )
        )
        return self.cell(items[0])

    def cell(self, item: str) -> CellRef:
        """A cell of the adapter by the simulator's name of its item."""
        product, variation = self.office.product_of(item), self.office.variation_of(item)
        key = f"P:{product.system}" if variation is None else f"V:{product.system}:{variation.code}"
        return CellRef(ItemKey(key), self.usable_location)

    def item(self, cell: CellRef) -> str:
        """The simulator's name of an item. Raises KeyError where there is none."""
        kind, _, rest = cell.item.partition(":")
        system, _, own = rest.partition(":")
        return str(self.office.find(system, own if kind == "V" else None))

    def place(self, cell: CellRef) -> tuple[str, str]:
        try:
            return self.item(cell), LOCATION
        except KeyError:
            return cell.item, LOCATION

    async def remove(self, cell: CellRef) -> None:
        """Somebody deletes the product of a cell."""
        system = self.office.product_of(self.item(cell)).system
        self.shell.act(lambda now: self.office.remove_product(system, now))

    def unknown_cell(self) -> CellRef:
        return CellRef(ItemKey("P:999999999999"), self.usable_location)

    async def change(self, cell: CellRef, delta: int) -> None:
        item = self.item(cell)
        self.shell.act(
            lambda now: self.office.move(item, delta, Occasion(now, "outside", "adjustment"), below_zero=True)
        )

    async def truth(self, cell: CellRef) -> int | None:
        try:
            return self.trader.stock(self.item(cell))
        except KeyError:
            return None

    # -- orders ---

    async def provoke_notice(self, cell: CellRef) -> None:
        await self.order({cell: 1})

    async def order(self, lines: Mapping[CellRef, int], *, provisional: bool = False, paid: bool = True) -> str:
        basket = [(self.item(cell), units) for cell, units in lines.items()]
        return self._placed([basket], provisional=provisional, paid=paid)

    async def pay_order(self, order: str) -> None:
        self.shell.act(lambda now: self.trader.pay_order(order, now))

    async def fill_orders(self, count: int) -> None:
        cells = [*await self.stock([500] * 4), *self.more_cells()]
        first, second, *others = [self.item(cell) for cell in cells]
        for number in range(count):
            other = others[number % len(others)]
            match number % 4:
                case 0:
                    self._placed([[(first, 1 + number)]])
                case 1:
                    self._placed([[(first, 2), (other, 1)]])
                case 2:
                    self._placed([[(second, 1), (other, 3)], [(second, 2)]])
                case _:
                    self._placed([[(other, 1)]], paid=False)
            await self.pause(7.0)

    def more_cells(self) -> Sequence[CellRef]:
        """Cells of other shapes than `stock` has, to be ordered as well."""
        return ()

    def _placed(self, deliveries: Sequence[Sequence[tuple[str, int]]], **given: Any) -> str:
        number = self.shell.act(lambda now: self.trader.place_split_order(deliveries, now, **given))
        if number is None:
            raise LookupError("not enough stock for an order of the rig's own")
        return number

    async def settle_order(self, order: str) -> None:
        self.shell.act(lambda now: self.trader.settle_order(order, now))

    async def vanish_order(self, order: str) -> None:
        self.shell.act(lambda now: self.trader.vanish_order(order, now))

    async def cancel_order(self, order: str, *, restock: bool) -> None:
        self.shell.act(lambda now: self.trader.cancel_order(order, now, restock=restock))

    async def ship_order(self, order: str) -> None:
        self.shell.act(lambda now: self.trader.ship_order(order, now))

    async def edit_order(self, order: str, cell: CellRef, quantity: int) -> None:
        item = self.item(cell)
        if not self.shell.act(lambda now: self.trader.edit_order(order, item, quantity, now)):
            raise LookupError("not enough stock for that edit")

    async def held_orders(self) -> Mapping[str, Mapping[CellRef, int]]:
        found: dict[str, Counter[CellRef]] = {}
        for number, order in self.trader.orders.items():
            for line in order.lines():
                found.setdefault(number, Counter())[self.cell(line.item)] += line.amount
        return found
