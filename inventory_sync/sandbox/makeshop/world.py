"""The state of one simulated shop, and the one way in which stock changes in it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from inventory_sync.sandbox.kernel import EventLog, StockChange, Violation
from inventory_sync.sandbox.makeshop.access import Access, made_up
from inventory_sync.sandbox.makeshop.notices import Event, Outbox
from inventory_sync.sandbox.makeshop.records import Cell, Order, Product, Variation
from inventory_sync.sandbox.makeshop.switches import ALL_SCOPES, LOCATION, MakeShopSwitches
from inventory_sync.sandbox.makeshop.traffic import Traffic

Deed = Callable[[datetime], object]


@dataclass(frozen=True, slots=True)
class Occasion:
    """Who changes stock, when and why. `actor` is `client` or `outside`."""

    at: datetime
    actor: str
    cause: str
    reference: str = ""

    @property
    def by_client(self) -> bool:
        return self.actor == "client"


@dataclass(frozen=True, slots=True)
class Hook:
    """Somebody who acts when an operation comes along."""

    operation: str
    deed: Deed
    before: bool


class MakeShopWorld:
    """Products, stock, orders, tokens and webhooks of one shop.

    Stock is named by item: a product's system code (`000000000084`), or for a variation that and its own code when it
    was made (`000000000084/TS-BK-M`; without one, or where it occurs twice in the product, `…/~2` for the second).
    Names never change. Orders are named by their number. Times are aware and never run backwards.
    """

    name = "makeshop"

    def __init__(
        self,
        *,
        shop: str = "exampleshop",
        token: str | None = None,
        api_key: str | None = None,
        secret: str | None = None,
        scopes: Iterable[str] = ALL_SCOPES,
        shop_name: str = "Example Shop",
        switches: MakeShopSwitches | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self.shop = shop
        self.shop_name = shop_name
        self.switches = switches or MakeShopSwitches()
        self.chance = chance or random.Random(0)
        self.log = EventLog()
        self.traffic = Traffic()
        self.access = Access(shop, api_key or made_up("key", shop), token, scopes)
        self.installed = True
        self.outbox = Outbox(shop, secret or made_up("secret", shop), lambda: self.switches)
        self.products: dict[str, Product] = {}
        self.by_code: dict[str, list[str]] = {}
        self.orders: dict[str, Order] = {}
        self.cells: dict[str, Cell] = {}
        self.owner: dict[str, str] = {}
        self.hooks: list[Hook] = []
        self.last_code = 83
        self.last_order = 0
        self._latest: datetime | None = None

    # -- what there is ---

    @property
    def api_key(self) -> str:
        """What `x-api-key` must carry."""
        return self.access.api_key

    @property
    def token(self) -> str:
        """The product's own permanent token, as last issued."""
        return self.access.own

    @property
    def secret(self) -> str:
        """The secret key webhooks are signed with."""
        return self.outbox.secret

    def stock(self, item: str) -> int | None:
        """The number of an item as it truly is now, or None where it is unlimited. Raises KeyError."""
        return self.cells[item].shown

    def levels(self) -> dict[str, int]:
        """Every number there is now, by item; unlimited ones are left out."""
        return {item: cell.number for item, cell in self.cells.items() if not cell.unlimited}

    def find(self, system: str, variation_code: str | None = None) -> str:
        """The item of a system code, or of the variation with exactly this own code as it is now. Raises KeyError."""
        product = self.products[system]
        if variation_code is None:
            return product.cell.item
        found = [each.cell.item for each in product.variations if each.code == variation_code]
        if not found:
            raise KeyError(variation_code)
        return found[0]

    def product_of(self, item: str) -> Product:
        """The product an item belongs to. Raises KeyError."""
        return self.products[self.owner[item]]

    def variation_of(self, item: str) -> Variation | None:
        """The variation an item is, or None for a product without variations. Raises KeyError."""
        return next((each for each in self.product_of(item).variations if each.cell.item == item), None)

    # -- what changes ---

    def instant(self, now: datetime) -> datetime:
        """The time at which something is written: a clock that steps back is taken to stand still."""
        if now.tzinfo is None:
            raise ValueError("times must be aware")
        self._latest = now if self._latest is None else max(now, self._latest)
        return self._latest

    def move(self, item: str, delta: int, occasion: Occasion, *, below_zero: bool = False) -> int:
        """Change a number by a difference, cut off at 0 unless said otherwise; returns what it changed by.

        Unlimited stock does not move.
        """
        cell = self.cells[item]
        if cell.unlimited:
            return 0
        wanted = cell.number + delta
        return self.put(item, wanted if below_zero else max(wanted, min(cell.number, 0)), occasion)

    def put(self, item: str, number: int | None, occasion: Occasion) -> int:
        """Make a number what is given (None: unlimited), log it and tell of it; returns the difference."""
        cell = self.cells[item]
        at = self.instant(occasion.at)
        shown = cell.shown
        delta = cell.set(number, at)
        if shown != cell.shown:
            self._touch(item, occasion)
        if delta:
            change = StockChange(
                at, item, LOCATION, delta, cell.number, occasion.actor, occasion.cause, occasion.reference
            )
            self.log.changes.append(change)
        return delta

    def _touch(self, item: str, occasion: Occasion) -> None:
        product = self.product_of(item)
        if self.switches.stock_moves_updated_at:
            product.updated = occasion.at
        told = self.switches.product_notice
        typed_in = occasion.cause in ("adjustment", "count")
        if told == "all" or (told == "edits" and typed_in):
            self.announce(Event.PRODUCT, product.system, occasion.at)

    def announce(self, event: Event, subject: str, now: datetime) -> None:
        """Tell of an order or a product with the next cycle, if the app is installed."""
        if self.installed:
            self.outbox.note(event, subject, now)

    def violate(self, rule: str, detail: str, now: datetime) -> None:
        """Append an overstepped limit to the log."""
        self.log.violations.append(Violation(now, rule, detail))
