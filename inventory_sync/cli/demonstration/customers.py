"""What customers and clerks do at MakeShop while the daemon runs: orders, some of them at the worst instant, and
cancels.

MakeShop is told numbers, not differences, so a write erases whatever happened since the reading before it. An order is
found again in the list of orders, and so it may fall anywhere, also exactly between reading and write. What changes the
number without an order is lost in that second, by the nature of such writes; so nobody types stock in at this shop, no
order is cancelled until some time after it was listed, and none with restock while a write follows a reading of its
items or one of their writes is in doubt.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from inventory_sync.cli.demonstration.requests import CartRequests
from inventory_sync.sandbox.makeshop import MakeShopSimulator

KEPT_ORDERS = 200
AFTER_READ = timedelta(seconds=8)
"""A write leaves within this time of the reading it is made from, if it leaves at all."""

AFTER_DOUBT = timedelta(seconds=45)
"""What became of a write without an answer is known after this time, a restart of the daemon included."""

AFTER_LISTED = timedelta(seconds=8)
"""An order is cancelled no sooner than this after it was listed, and what a write had erased of it is put right."""

WRITES = ("updateProductQuantity", "updateVariationQuantity")


class Customers:
    """Trade at the MakeShop shop, from a seed."""

    def __init__(self, shop: MakeShopSimulator, requests: CartRequests, hot: list[str], chance: random.Random) -> None:
        self._shop, self._requests, self._hot, self._chance = shop, requests, hot, chance
        self._open: list[str] = []
        self.between = 0

    def order(self, item: str, now: datetime) -> None:
        """Somebody orders an item, and now and then a second one with it."""
        lines = [(item, self._few())]
        if self._chance.random() < 0.2:
            other = self._chance.choice(self._hot)
            lines += [(other, 1)] if other != item else []
        self._place(lines, now)

    def cancel(self, now: datetime) -> None:
        """A clerk cancels an open order, mostly with restock."""
        restock = self._chance.random() < 0.8
        for number in self._chance.sample(self._open, len(self._open)):
            if self._is_heard(number, now) and (not restock or self._is_calm(number, now)):
                self._open.remove(number)
                self._shop.cancel_order(number, now, restock=restock)
                return

    def ship(self, now: datetime) -> None:
        """A clerk ships the oldest open order; the stock fell when it was ordered."""
        if self._open:
            self._shop.ship_order(self._open.pop(0), now)

    def lie_in_wait(self) -> None:
        """The next stock that is read, or the next write, is met by an order: after the reading, before the write."""
        if self._shop.hooks:
            return
        if self._chance.random() < 0.3:
            self._shop.on_next("searchProductQuantity", self._between)
        else:
            for operation in WRITES:
                self._shop.on_next(operation, self._between, before=True)

    def leave(self) -> None:
        """Nobody lies in wait any more."""
        self._shop.hooks.clear()

    def _between(self, now: datetime) -> None:
        self.leave()
        items = [item for item in self._requests.touched if (self._shop.stock(item) or 0) > 0]
        if items and self._place([(self._chance.choice(items), 1)], now):
            self.between += 1

    def _place(self, lines: list[tuple[str, int]], now: datetime) -> bool:
        number = self._shop.place_order(lines, now)
        if number is None:
            return False
        self._open = [*self._open, number][-KEPT_ORDERS:]
        return True

    def _is_heard(self, number: str, now: datetime) -> bool:
        listed = self._requests.listed_at(self._shop.orders[number].at)
        return listed is not None and now - listed >= AFTER_LISTED

    def _is_calm(self, number: str, now: datetime) -> bool:
        return all(
            self._requests.is_calm(line.item, now, after_read=AFTER_READ, after_doubt=AFTER_DOUBT)
            for line in self._shop.orders[number].lines()
        )

    def _few(self) -> int:
        return self._chance.choice((1, 1, 1, 2, 2, 3))
