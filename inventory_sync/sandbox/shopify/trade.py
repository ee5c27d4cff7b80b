"""What people and customers do at the shop, behind the back of the product under test.

Every method takes the time and says what happened. Items and locations are named by the ids the API shows.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from inventory_sync.sandbox.shopify import payloads
from inventory_sync.sandbox.shopify.catalogue import Catalogue
from inventory_sync.sandbox.shopify.core import Core
from inventory_sync.sandbox.shopify.state import STORED, Item, Level, Location, gid
from inventory_sync.sandbox.shopify.webhooks import Occasion


@dataclass(slots=True)
class Order:
    """One line ordered. `open` units are neither shipped nor cancelled; they are committed if the item is tracked."""

    id: str
    item: str
    location: str
    quantity: int
    open: int
    committed: bool


@dataclass(frozen=True, slots=True)
class StockSnapshot:
    """Every stored number of every level, as a backup tool would keep it."""

    numbers: Mapping[tuple[str, str], Mapping[str, int]]


class Trade:
    """The actors of one shop; the simulator is made of this and the API."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._catalogue = Catalogue(core.shop, core.stock, core.webhooks)

    # -- customers ---

    def sell(self, item: str, location: str, quantity: int, now: datetime) -> Order | None:
        """A customer orders: available falls, committed rises. None (nothing happened) where it is not sold.

        Refused: an item or level that does not exist or is inactive, and too little stock under policy DENY.
        """
        found, level = self._core.shop.item(item), self._level(item, location)
        if found is None or quantity < 1:
            return None
        variant = self._core.shop.variants[found.variant]
        number = self._core.shop.next_number("Order")
        order = Order(gid("Order", number), item, location, quantity, quantity, found.tracked)
        occasion = self._outside(now, "sale", order.id)
        if found.tracked:
            if level is None or not level.now.active:
                return None
            if variant.policy == "DENY" and level.now.quantity("available") < quantity:
                return None
            self._core.stock.move(level, {"available": -quantity, "committed": quantity}, occasion)
        self._catalogue.touch_product(self._core.shop.products[variant.product], occasion)
        return order

    def fulfil(self, order: Order, now: datetime, quantity: int | None = None) -> int:
        """Ship open units of an order (all of them by default): committed and on_hand fall. Returns how many."""
        shipped = min(order.open, quantity if quantity is not None else order.open)
        self._settle(order, shipped, {"committed": -shipped}, self._outside(now, "fulfilment", order.id))
        return shipped

    def cancel(self, order: Order, now: datetime, *, restock: bool = True, quantity: int | None = None) -> int:
        """Cancel open units (all by default); with `restock` they are available again. Returns how many."""
        units = min(order.open, quantity if quantity is not None else order.open)
        deltas = {"committed": -units} | ({"available": units} if restock else {})
        self._settle(order, units, deltas, self._outside(now, "cancellation", order.id))
        return units

    def refund(self, order: Order, quantity: int, now: datetime) -> int:
        """Shipped units come back into stock: available rises. Returns how many."""
        units = min(quantity, order.quantity - order.open)
        level = self._level(order.item, order.location)
        if level is not None and order.committed and units > 0:
            self._core.stock.move(level, {"available": units}, self._outside(now, "return", order.id))
        return units

    def _settle(self, order: Order, units: int, deltas: dict[str, int], occasion: Occasion) -> None:
        order.open -= units
        level = self._level(order.item, order.location)
        if level is not None and order.committed and units:
            self._core.stock.move(level, deltas, occasion)

    # -- people in the admin ---

    def adjust_by_person(self, item: str, location: str, delta: int, now: datetime) -> int | None:
        """Somebody changes the available number by hand. Returns it; None if there is no such level."""
        level = self._level(item, location)
        if level is None:
            return None
        self._core.stock.move(level, {"available": delta}, self._outside(now, "adjustment"))
        return level.now.quantity("available")

    def set_by_person(self, item: str, location: str, quantity: int, now: datetime) -> int | None:
        """Somebody types a number over the available one. Returns the difference; None if there is no such level."""
        level = self._level(item, location)
        if level is None:
            return None
        delta = quantity - level.now.quantity("available")
        self._core.stock.move(level, {"available": delta}, self._outside(now, "count"))
        return delta

    def move_by_person(self, item: str, source: str, target: str, quantity: int, now: datetime) -> bool:
        """A transfer between two locations, in one action. False if either level is missing."""
        leaving, arriving = self._level(item, source), self._level(item, target)
        if leaving is None or arriving is None:
            return False
        occasion = self._outside(now, "transfer")
        self._core.stock.move(leaving, {"available": -quantity}, occasion)
        self._core.stock.move(arriving, {"available": quantity}, occasion)
        return True

    def deactivate_level(self, item: str, location: str, now: datetime) -> bool:
        """Somebody stops stocking an item at a location; its numbers are kept, hidden. False if it was not active."""
        level = self._level(item, location)
        if level is None or not level.now.active:
            return False
        self._core.stock.disconnect(level, self._outside(now, "deactivation"))
        return True

    def activate_level_by_person(self, item: str, location: str, now: datetime) -> bool:
        """Somebody stocks an item at a location (again, with its old number). False if it was active already."""
        level, found, place = self._level(item, location), self._core.shop.item(item), self._place(location)
        if found is None or (level is not None and level.now.active):
            return False
        self._core.stock.connect(found, place, None, self._outside(now, "activation"))
        return True

    def add_product(
        self,
        title: str,
        skus: Sequence[str | None],
        now: datetime,
        *,
        locations: Sequence[str] | None = None,
        stock: int = 0,
        tracked: bool = True,
        bundle: bool = False,
        policy: str = "DENY",
        status: str = "ACTIVE",
        barcodes: Sequence[str | None] = (),
    ) -> list[str]:
        """A new product with a variant for each SKU, active with `stock` at `locations` (default: the first one).

        Returns the ids of its inventory items.
        """
        occasion = self._outside(now, "new_product")
        items = self._catalogue.add_product(
            title, skus, occasion, tracked=tracked, bundle=bundle, policy=policy, status=status, barcodes=barcodes
        )
        places = [self._place(each) for each in (self.location_ids()[:1] if locations is None else locations)]
        for item in items:
            for place in places:
                self._core.stock.connect(item, place, stock, occasion)
        return [item.id for item in items]

    def delete_item(self, item: str, now: datetime) -> bool:
        """Somebody deletes a variant. False if it does not exist."""
        found = self._core.shop.item(item)
        if found is None:
            return False
        self._catalogue.delete_item(found, self._outside(now, "item_deleted"))
        return True

    def change_sku(self, item: str, sku: str | None, now: datetime) -> None:
        self._catalogue.change_sku(self._item(item), sku, self._outside(now, "edit"))

    def set_tracked(self, item: str, tracked: bool, now: datetime) -> None:
        self._catalogue.set_tracked(self._item(item), tracked, self._outside(now, "edit"))

    def set_policy(self, item: str, policy: str, now: datetime) -> None:
        """`policy`: DENY or CONTINUE (sell below 0)."""
        self._catalogue.set_policy(self._item(item), policy, self._outside(now, "edit"))

    def add_location(self, name: str, now: datetime, *, fulfillment_service: str | None = None) -> str:
        return self._catalogue.add_location(name, self._outside(now, "edit"), fulfillment_service).id

    def rename_location(self, location: str, name: str, now: datetime) -> None:
        self._catalogue.rename_location(self._place(location), name, self._outside(now, "edit"))

    def set_location_active(self, location: str, active: bool, now: datetime) -> None:
        """Close or reopen a location; closing it makes its levels inactive."""
        self._catalogue.set_location_active(self._place(location), active, self._outside(now, "edit"))

    def delete_location(self, location: str, now: datetime) -> None:
        self._catalogue.delete_location(self._place(location), self._outside(now, "location_deleted"))

    def snapshot(self) -> StockSnapshot:
        """Every number as it is, to be brought back by `restore_backup`."""
        return StockSnapshot({(level.item.id, level.location.id): level.now.quantities for level in self._all_levels()})

    def restore_backup(self, snapshot: StockSnapshot, now: datetime) -> int:
        """A backup tool writes old numbers over today's, where the level still exists. Returns levels changed."""
        occasion, changed = self._outside(now, "restore"), 0
        for (item, location), numbers in snapshot.numbers.items():
            level = self._level(item, location)
            if level is not None and level.now.quantities != numbers:
                deltas = {name: numbers[name] - level.now.quantities[name] for name in STORED}
                self._core.stock.move(level, deltas, occasion)
                changed += 1
        return changed

    # -- the app ---

    def uninstall(self, now: datetime) -> None:
        """The merchant removes the app: tokens die, subscriptions go, app/uninstalled is sent last."""
        core = self._core
        core.access.installed = False
        occasion = self._outside(now, "uninstall")
        core.webhooks.publish("APP_UNINSTALLED", lambda: payloads.uninstalled(core.shop), occasion, last_words=True)
        core.webhooks.remove_all()

    def reinstall(self) -> None:
        """The merchant installs the app again; old tokens stay dead, client credentials work again."""
        self._core.access.expire_tokens()
        self._core.access.installed = True

    def grant_scopes(self, scopes: Sequence[str], now: datetime) -> None:
        """The granted scopes become exactly these: app/scopes_update."""
        access, shop = self._core.access, self._core.shop
        previous, access.scopes = list(access.scopes), tuple(scopes)
        payload = payloads.scopes(shop, previous, list(scopes), now)
        self._core.webhooks.publish("APP_SCOPES_UPDATE", lambda: payload, self._outside(now, "edit"))

    # -- counting ---

    def available(self, item: str, location: str) -> int:
        """The available number of a level, hidden or not; 0 where there is none."""
        level = self._level(item, location)
        return level.now.quantity("available") if level else 0

    def on_hand(self, item: str, location: str) -> int:
        """The on_hand number of a level, hidden or not; 0 where there is none."""
        level = self._level(item, location)
        return level.now.quantity("on_hand") if level else 0

    def committed(self, item: str, location: str) -> int:
        level = self._level(item, location)
        return level.now.quantity("committed") if level else 0

    def is_active(self, item: str, location: str) -> bool:
        level = self._level(item, location)
        return level is not None and level.now.active

    def total(self, item: str) -> int:
        """What is available of an item at all locations where it is active."""
        return sum(level.now.quantity("available") for level in self._levels_of(item) if level.now.active)

    def item_ids(self) -> list[str]:
        return [item.id for item in self._core.shop.items.values()]

    def location_ids(self) -> list[str]:
        return [location.id for location in self._core.shop.locations.values()]

    def sku(self, item: str) -> str | None:
        return self._item(item).sku

    # -- a shop to begin with ---

    def seed_catalogue(
        self,
        n_items: int,
        now: datetime,
        *,
        locations: Sequence[str] | None = None,
        stock: int | tuple[int, int] = 10,
        chance: random.Random | None = None,
        prefix: str = "SKU-",
        untracked: int = 0,
        bundles: int = 0,
        duplicate_skus: int = 0,
        blank_skus: int = 0,
    ) -> list[str]:
        """Products of one variant each with distinct SKUs, active at `locations` (default: all); returns the item ids.

        `stock` is one number for all levels, or a range to draw from. The last items are the odd ones, as many as
        asked: untracked, bundle parents, with the SKU of an earlier item, and with a blank SKU. This is how the shop
        began: nothing is logged and no webhook sent.
        """
        draw = chance or random.Random(0)
        places = [self._place(each) for each in (self.location_ids() if locations is None else locations)]
        odd = {"blank": blank_skus, "duplicate": duplicate_skus, "bundle": bundles, "untracked": untracked}
        kinds = [kind for kind, count in odd.items() for _ in range(count)]
        if len(kinds) >= n_items > 0 and duplicate_skus:
            raise ValueError("there must be a plain item for a duplicate to repeat")
        occasion, begun = self._outside(now, "seed"), []
        for index in range(n_items):
            kind = kinds[n_items - 1 - index] if n_items - 1 - index < len(kinds) else "plain"
            number = 1 if kind == "duplicate" else index + 1
            sku = "" if kind == "blank" else f"{prefix}{number:06d}"
            [item] = self._catalogue.add_product(
                f"Product {index + 1}",
                [sku],
                occasion,
                tracked=kind != "untracked",
                bundle=kind == "bundle",
                barcodes=[f"49{number:011d}"],
                told=False,
            )
            for place in places:
                quantity = stock if isinstance(stock, int) else draw.randint(*stock)
                self._core.shop.open_level(item, place, quantity, True, now)
            begun.append(item.id)
        return begun

    # -- finding ---

    def _outside(self, now: datetime, cause: str, reference: str = "") -> Occasion:
        return Occasion(now, "outside", cause, reference, self._core.webhooks.new_event_id())

    def _item(self, item: str) -> Item:
        found = self._core.shop.item(item)
        if found is None:
            raise KeyError(f"no such item: {item}")
        return found

    def _place(self, location: str) -> Location:
        found = self._core.shop.location(location)
        if found is None:
            raise KeyError(f"no such location: {location}")
        return found

    def _level(self, item: str, location: str) -> Level | None:
        found, place = self._core.shop.item(item), self._core.shop.location(location)
        return self._core.shop.level(found.number, place.number) if found and place else None

    def _levels_of(self, item: str) -> list[Level]:
        found = self._core.shop.item(item)
        return list(self._core.shop.levels.get(found.number, {}).values()) if found else []

    def _all_levels(self) -> list[Level]:
        return [level for levels in self._core.shop.levels.values() for level in levels.values()]
