"""What people do at both partners while the daemon runs: sales, receipts, returns, stocktakes, edits."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import datetime

from inventory_sync.cli.demonstration.market import STORES, Market
from inventory_sync.cli.demonstration.stories import Pair
from inventory_sync.sandbox.shopify.trade import Order
from inventory_sync.sandbox.smaregi.trade import Transfer

RATE = 14.0
"""Deeds per second on average. The ledger takes 20 writes a second, and the half of this that happens at the shop is
written there."""

HOT_SHARE, HOT_PAIRS = 0.25, 12
"""This share of all deeds falls on this many bestsellers."""

ODD_SHARE = 0.03
"""This share falls on items that must never be written."""

KEPT_ORDERS = 200

Deed = Callable[[Pair, datetime], object]


class Trade:
    """Trade at both partners, from a seed."""

    def __init__(self, market: Market, chance: random.Random) -> None:
        self._market, self._chance = market, chance
        self._hot = chance.sample(market.pairs, HOT_PAIRS)
        self._open: list[Order] = []
        self._shipped: list[Order] = []
        self._under_way: list[Transfer] = []
        self.deeds = 0
        weighed: list[tuple[int, Deed]] = [
            (28, self._sell_at_register),
            (28, self._order),
            (8, self._receive),
            (5, self._return_to_store),
            (4, self._stocktake),
            (3, self._correct_in_office),
            (4, self._change_silently),
            (2, self._write_off),
            (2, self._transfer),
            (4, self._cancel),
            (4, self._refund),
            (4, self._adjust_in_admin),
            (3, self._type_over),
            (1, self._move_in_admin),
        ]
        self._deeds = [deed for _, deed in weighed]
        self._weights = [weight for weight, _ in weighed]

    async def run(self, stop: asyncio.Event) -> None:
        """Trade until told to stop; what is on its way between stores then arrives."""
        while not stop.is_set():
            self.act()
            try:
                await asyncio.wait_for(stop.wait(), self._chance.expovariate(RATE))
            except TimeoutError:
                continue
        with self._market.now() as now:
            while self._under_way:
                self._market.smaregi.receive_transfer(self._under_way.pop(), now)

    def act(self) -> None:
        """One deed of one person."""
        [deed] = self._chance.choices(self._deeds, self._weights)
        with self._market.now() as now:
            if self._chance.random() < ODD_SHARE:
                self._touch_odd(now)
            else:
                deed(self._pair(), now)
        self.deeds += 1

    def _pair(self) -> Pair:
        hot = self._chance.random() < HOT_SHARE
        return self._chance.choice(self._hot if hot else self._market.pairs)

    def _few(self) -> int:
        return self._chance.choice((1, 1, 1, 2, 2, 3))

    # -- at the register ---

    def _sell_at_register(self, pair: Pair, now: datetime) -> None:
        units = min(self._few(), self._stock(pair))
        if units > 0:
            self._market.smaregi.sell(*pair.ledger, units, now)

    def _receive(self, pair: Pair, now: datetime) -> None:
        self._market.smaregi.receive(*pair.ledger, self._chance.randint(3, 12), now)

    def _return_to_store(self, pair: Pair, now: datetime) -> None:
        self._market.smaregi.return_goods(*pair.ledger, self._few(), now)

    def _stocktake(self, pair: Pair, now: datetime) -> None:
        counted = max(0, self._stock(pair) + self._chance.choice((-2, -1, 1, 2)))
        self._market.smaregi.count(*pair.ledger, counted, now)

    def _correct_in_office(self, pair: Pair, now: datetime) -> None:
        self._market.smaregi.adjust(*pair.ledger, self._chance.choice((-3, -1, 1, 4)), now)

    def _change_silently(self, pair: Pair, now: datetime) -> None:
        self._market.smaregi.legacy_change(*pair.ledger, self._chance.choice((-2, -1, 2, 5)), now)

    def _write_off(self, pair: Pair, now: datetime) -> None:
        if self._stock(pair) > 0:
            self._market.smaregi.lose(*pair.ledger, 1, now)

    def _transfer(self, pair: Pair, now: datetime) -> None:
        if self._under_way and self._chance.random() < 0.5:
            self._market.smaregi.receive_transfer(self._under_way.pop(0), now)
        elif self._stock(pair) > 2:
            target = next(store for store in STORES if store != pair.ledger.location)
            sent = self._market.smaregi.transfer(pair.ledger.item, pair.ledger.location, target, 2, now)
            if sent is not None:
                self._under_way.append(sent)

    def _stock(self, pair: Pair) -> int:
        return self._market.smaregi.stock(*pair.ledger) or 0

    # -- at the shop ---

    def _order(self, pair: Pair, now: datetime) -> None:
        order = self._market.shopify.sell(*pair.channel, self._few(), now)
        if order is not None:
            self._open = [*self._open, order][-KEPT_ORDERS:]

    def _cancel(self, pair: Pair, now: datetime) -> None:
        if self._open:
            self._market.shopify.cancel(self._open.pop(self._chance.randrange(len(self._open))), now)

    def _refund(self, pair: Pair, now: datetime) -> None:
        if self._shipped:
            self._market.shopify.refund(self._shipped.pop(0), 1, now)
        if self._open:
            order = self._open.pop(0)
            self._market.shopify.fulfil(order, now)
            self._shipped.append(order)

    def _adjust_in_admin(self, pair: Pair, now: datetime) -> None:
        self._market.shopify.adjust_by_person(*pair.channel, self._chance.choice((-2, -1, 1, 3)), now)

    def _type_over(self, pair: Pair, now: datetime) -> None:
        seen = self._market.shopify.available(*pair.channel)
        self._market.shopify.set_by_person(*pair.channel, max(0, seen + self._chance.choice((-2, 1, 2))), now)

    def _move_in_admin(self, pair: Pair, now: datetime) -> None:
        if self._market.shopify.available(*pair.channel) > 1:
            target = next(place for place in self._market.places if place != pair.channel.location)
            self._market.shopify.move_by_person(pair.channel.item, pair.channel.location, target, 1, now)

    # -- with items that must not be written ---

    def _touch_odd(self, now: datetime) -> None:
        market, chance = self._market, self._chance
        if chance.random() < 0.5:
            product = chance.choice(sorted(market.oddities.ledger))
            market.smaregi.adjust(product, chance.choice(STORES), chance.choice((-1, 1)), now)
        else:
            item = chance.choice(sorted(market.oddities.channel))
            market.shopify.adjust_by_person(item, chance.choice(market.places), chance.choice((-1, 1)), now)
