"""A shop at rest: its locations, products, items and levels, and the ids and stamps that Shopify writes for them."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from inventory_sync.sandbox.shopify.switches import ShopifySwitches

#: Parts of on_hand that are neither available nor committed.
UNAVAILABLE = ("reserved", "damaged", "safety_stock", "quality_control")
#: States that are stored; on_hand is their sum without incoming.
STORED = ("available", "committed", "incoming", *UNAVAILABLE)
_ID_STEP = 32768
_GID = re.compile(r"gid://shopify/(\w+)/(\d+)(?:\?inventory_item_id=(\d+))?\Z", re.ASCII)


class Gid(NamedTuple):
    """A parsed global id; `item` is set in ids of levels only."""

    kind: str
    number: int
    item: int | None


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


@lru_cache(maxsize=65536)
def parse_gid(text: str, kind: str | None = None) -> Gid | None:
    """The parts of a global id, or None if it is none (or not of `kind`)."""
    match = _GID.match(text)
    if not match or (kind is not None and match.group(1) != kind):
        return None
    return Gid(match.group(1), int(match.group(2)), int(match.group(3)) if match.group(3) else None)


@lru_cache(maxsize=65536)
def utc_text(at: datetime) -> str:
    """A time as GraphQL shows it: UTC, whole seconds, `Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class Location:
    number: int
    level_number: int  # the number in the ids of levels here; not the location's own
    name: str
    created_at: datetime
    updated_at: datetime
    active: bool = True
    fulfillment_service: str | None = None
    typename = "Location"

    @property
    def id(self) -> str:
        return gid("Location", self.number)


@dataclass(slots=True)
class Product:
    number: int
    title: str
    created_at: datetime
    updated_at: datetime
    status: str = "ACTIVE"
    gift_card: bool = False
    variants: list[int] = field(default_factory=list)
    typename = "Product"

    @property
    def id(self) -> str:
        return gid("Product", self.number)


@dataclass(slots=True)
class Variant:
    number: int
    product: int
    item: int
    title: str
    created_at: datetime
    updated_at: datetime
    indexed_before: datetime  # updated_at before the last update: what a lagging index still shows
    barcode: str | None = None
    policy: str = "DENY"
    requires_components: bool = False
    typename = "ProductVariant"

    @property
    def id(self) -> str:
        return gid("ProductVariant", self.number)


@dataclass(slots=True)
class Item:
    number: int
    variant: int
    sku: str | None
    created_at: datetime
    updated_at: datetime
    tracked: bool = True
    requires_shipping: bool = True
    typename = "InventoryItem"

    @property
    def id(self) -> str:
        return gid("InventoryItem", self.number)


@dataclass(frozen=True, slots=True)
class LevelState:
    """What a level shows at one instant. `stamps` holds the texts of `updatedAt` of the states that ever changed."""

    at: datetime
    active: bool
    quantities: dict[str, int]
    stamps: dict[str, str]
    updated_at: datetime

    def quantity(self, name: str) -> int:
        if name == "on_hand":
            return sum(self.quantities.values()) - self.quantities["incoming"]
        return self.quantities[name]


@dataclass(slots=True)
class Level:
    """One item at one location, with the states it was in for as long as a lagging read may look back."""

    item: Item
    location: Location
    created_at: datetime
    history: deque[LevelState]

    @property
    def id(self) -> str:
        return f"gid://shopify/InventoryLevel/{self.location.level_number}?inventory_item_id={self.item.number}"

    @property
    def now(self) -> LevelState:
        return self.history[-1]

    def state_at(self, instant: datetime) -> LevelState | None:
        """The state a replica of that instant shows; None if the level did not exist then."""
        for state in reversed(self.history):
            if state.at <= instant:
                return state
        return None

    def become(self, state: LevelState, keep: timedelta) -> None:
        """Enter a new state, and forget those that no read can see any more."""
        self.history.append(state)
        horizon = state.at - keep
        while len(self.history) > 1 and self.history[1].at <= horizon:
            self.history.popleft()


@dataclass(slots=True)
class Shop:
    """A shop whole; the tables are keyed by number, levels by item and then location."""

    domain: str
    number: int
    name: str
    timezone: ZoneInfo
    switches: ShopifySwitches
    locations: dict[int, Location] = field(default_factory=dict)
    products: dict[int, Product] = field(default_factory=dict)
    variants: dict[int, Variant] = field(default_factory=dict)
    items: dict[int, Item] = field(default_factory=dict)
    levels: dict[int, dict[int, Level]] = field(default_factory=dict)
    sku_counts: dict[str, int] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)

    def next_number(self, kind: str) -> int:
        """A new number, in steps as Shopify's own."""
        number = self.counters.get(kind, _FIRST[kind])
        self.counters[kind] = number + _ID_STEP
        return number

    def local_text(self, at: datetime) -> str:
        """A time as webhooks show it: the shop's zone, whole seconds, with offset."""
        return at.astimezone(self.timezone).isoformat(timespec="seconds")

    def item(self, text: str) -> Item | None:
        found = parse_gid(text, "InventoryItem")
        return self.items.get(found.number) if found else None

    def location(self, text: str) -> Location | None:
        found = parse_gid(text, "Location")
        return self.locations.get(found.number) if found else None

    def level(self, item: int, location: int) -> Level | None:
        return self.levels.get(item, {}).get(location)

    def level_by_gid(self, found: Gid) -> Level | None:
        for level in self.levels.get(found.item or 0, {}).values():
            if level.location.level_number == found.number:
                return level
        return None

    def count_sku(self, sku: str | None, by: int) -> None:
        if sku:
            self.sku_counts[sku] = self.sku_counts.get(sku, 0) + by

    def open_level(self, item: Item, location: Location, available: int, active: bool, now: datetime) -> Level:
        """A new level with `available` and nothing else."""
        quantities = dict.fromkeys(STORED, 0) | {"available": available}
        state = LevelState(now, active, quantities, {"available": utc_text(now)}, now)
        level = Level(item, location, now, deque([state]))
        self.levels.setdefault(item.number, {})[location.number] = level
        return level


_FIRST = {
    "InventoryItem": 53214089609522,
    "ProductVariant": 51364592877874,
    "Product": 10220854182194,
    "Location": 106318430514,
    "InventoryLevel": 143273001266,
    "InventoryAdjustmentGroup": 54640716251442,
    "WebhookSubscription": 1929113141554,
    "Order": 6219044618546,
    "BulkOperation": 147595010,
}
