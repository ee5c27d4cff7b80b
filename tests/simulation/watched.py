"""MakeShop's simulators, which also keep when their stock was read by us, and when each number of ours landed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inventory_sync.sandbox.makeshop import MakeShopSimulator
from inventory_sync.sandbox.makeshop.records import Order
from inventory_sync.sandbox.makeshop_classic import ClassicMakeShopSimulator


@dataclass(frozen=True, slots=True)
class Landing:
    """A number that a request of ours wrote. `index`: how many changes stood in the log before it."""

    at: datetime
    index: int
    item: str


@dataclass(frozen=True, slots=True)
class Look:
    """A reading of stock by us, as it was carried out. `item`: whose; None: of every item there is."""

    at: datetime
    index: int
    item: str | None = None

    def shows(self, item: str) -> bool:
        return self.item is None or self.item == item


class WatchedMakeShop(MakeShopSimulator):
    """A shop over the GraphQL API. Landings are noted even where they changed nothing."""

    reads = "searchProductQuantity"
    writes = ("updateProductQuantity", "updateVariationQuantity")

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.landings: list[Landing] = []
        self.looks: list[Look] = []

    @property
    def read_lag(self) -> float:
        """Seconds a reading is behind."""
        return self.switches.stock_lag

    def put(self, item: str, number: int | None, occasion: Any) -> int:
        if occasion.by_client:
            self.landings.append(Landing(occasion.at, len(self.log.changes), item))
        return super().put(item, number, occasion)

    def run_root(self, name: str, asked: Any, call: Any) -> Any:
        if name == self.reads:
            self.looks.append(Look(call.now, len(self.log.changes)))
        return super().run_root(name, asked, call)

    def may_be_read(self, item: str) -> bool:
        """Whether an item's number can be read at all."""
        return True

    def lines(self, order: Order) -> dict[str, int]:
        """The lines of an order as they are listed to us: key → units."""
        return {f"{each.id}/{item_key(line.item)}": line.amount for each in order.parcels for line in each.lines}

    def nobody_waits(self) -> None:
        """Whoever waits for a request of ours to act goes away."""
        self.hooks.clear()


class WatchedClassic(ClassicMakeShopSimulator):
    """A shop over the classic API, where options have numbers that can be set and never read."""

    reads = "product.search"
    writes = ("upload.product", "upload.option")
    read_lag = 0.0

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.landings: list[Landing] = []
        self.looks: list[Look] = []

    def put(self, item: str, number: int | None, occasion: Any) -> int:
        if occasion.by_client:
            self.landings.append(Landing(occasion.at, len(self.log.changes), item))
        return super().put(item, number, occasion)

    def _product_search(self, query: dict[str, str], form: dict[str, str], now: datetime) -> Any:
        self.looks.append(Look(now, len(self.log.changes), form.get("brand_code")))
        return super()._product_search(query, form, now)

    def may_be_read(self, item: str) -> bool:
        """Whether an item's number can be read at all."""
        return "/" not in item

    def lines(self, order: Order) -> dict[str, int]:
        """The lines of an order as they are listed to us: key → units. One for each item, whatever parcel it is in."""
        found: dict[str, int] = {}
        for line in order.lines():
            key = item_key(line.item)
            found[key] = found.get(key, 0) + line.amount
        return found

    def nobody_waits(self) -> None:
        """Whoever waits for a request of ours to act goes away."""
        self._hooks.clear()


Watched = WatchedMakeShop | WatchedClassic


def item_key(item: str) -> str:
    """An item as the daemon names it."""
    product, slash, variation = item.partition("/")
    return f"V:{product}:{variation}" if slash else f"P:{product}"
