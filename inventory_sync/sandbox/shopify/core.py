"""What every part of the simulator shares: the shop, who may enter, what is logged, and one request's surroundings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from inventory_sync.sandbox.kernel import EventLog, Violation
from inventory_sync.sandbox.shopify.access import Access
from inventory_sync.sandbox.shopify.idempotency import KeyTable
from inventory_sync.sandbox.shopify.plan import BoundField
from inventory_sync.sandbox.shopify.state import Level, LevelState, Shop
from inventory_sync.sandbox.shopify.stock import Stock
from inventory_sync.sandbox.shopify.switches import ShopifySwitches
from inventory_sync.sandbox.shopify.webhooks import Webhooks

if TYPE_CHECKING:
    from inventory_sync.sandbox.shopify.bulk import BulkDesk


@dataclass(slots=True)
class Core:
    """One shop with one app installed."""

    shop: Shop
    access: Access
    log: EventLog
    webhooks: Webhooks
    stock: Stock
    keys: KeyTable
    failures_planned: int = 0
    bulk: BulkDesk | None = None

    @property
    def switches(self) -> ShopifySwitches:
        return self.shop.switches

    @property
    def desk(self) -> BulkDesk:
        """Where bulk operations are made."""
        if self.bulk is None:
            raise ValueError("a shop without a desk for bulk operations")
        return self.bulk

    def violate(self, now: datetime, rule: str, detail: str) -> None:
        self.log.violations.append(Violation(now, rule, detail))


class LevelView(NamedTuple):
    """A level as one read sees it."""

    level: Level
    state: LevelState
    typename: str = "InventoryLevel"


@dataclass(slots=True)
class Run:
    """One operation on its way.

    `read_at` is the instant its replica shows (None: the primary); `field_now` and `path` say what is being resolved.
    """

    core: Core
    now: datetime
    version: str
    read_at: datetime | None
    searches: list[dict[str, Any]] = field(default_factory=list)
    variable_locations: dict[str, dict[str, int]] = field(default_factory=dict)
    field_now: BoundField | None = None
    path: list[str | int] = field(default_factory=list)

    @property
    def shop(self) -> Shop:
        return self.core.shop

    def view(self, level: Level | None) -> LevelView | None:
        """A level as this read sees it; None if the replica does not have it yet."""
        if level is None:
            return None
        state = level.now if self.read_at is None else level.state_at(self.read_at)
        return LevelView(level, state) if state else None
