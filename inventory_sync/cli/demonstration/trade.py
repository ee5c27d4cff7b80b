"""What people do at all partners while the daemon runs: sales, receipts, returns, stocktakes, edits."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from inventory_sync.cli.demonstration.accounts import STORES
from inventory_sync.cli.demonstration.customers import Customers
from inventory_sync.cli.demonstration.market import Market
from inventory_sync.cli.demonstration.stories import Pair, Place
from inventory_sync.sandbox.shopify.trade import Order
from inventory_sync.sandbox.smaregi.trade import Transfer

RATE = 14.0
"""Deeds per second on average. The ledger takes 20 writes a second, and the half of this that happens at the shop is
written there."""

HOT_SHARE, HOT_PAIRS, HOT_IN_CART = 0.25, 12, 5
"""This share of all deeds falls on this many bestsellers; so many of them are for sale at MakeShop too."""

ODD_SHARE = 0.03
"""This share falls on items that must never be written."""

KEPT_ORDERS = 200

Deed = Callable[["Spot", datetime], object]


class Spot(NamedTuple):
    """An item at one of the stores and at the shop's location beside it."""

    ledger: Place
    shop: Place


class Trade:
    """Trade at all partners, from a seed."""

    def __init__(self, market: Market, chance: random.Random) -> None:
        self._market, self._chance = market, chance
        spots = [_spot(pair) for pair in market.shop_pairs]
        in_cart = {place for pair in market.cart_pairs for place in pair.ledger}
        both, shop_only = ([s for s in spots if (s.ledger in in_cart) is wanted] for wanted in (True, False))
        self._spots = spots
        self._hot = [*chance.sample(both, HOT_IN_CART), *chance.sample(shop_only, HOT_PAIRS - HOT_IN_CART)]
        self._cart_items = [pair.channel.item for pair in market.cart_pairs]
        hot = {spot.ledger for spot in self._hot}
        self._cart_hot = [p.channel.item for p in market.cart_pairs if any(place in hot for place in p.ledger)]
        self.customers = Customers(
            market.makeshop, market.cart_requests, self._cart_hot, random.Random(chance.random())
        )
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
            (10, self._order_at_makeshop),
            (3, self._cancel_at_makeshop),
            (2, self._ship_at_makeshop),
            (8, self._lie_in_wait),
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
        self.customers.leave()
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
                deed(self._spot(), now)
        self.deeds += 1

    def _spot(self) -> Spot:
        hot = self._chance.random() < HOT_SHARE
        return self._chance.choice(self._hot if hot else self._spots)

    def _few(self) -> int:
        return self._chance.choice((1, 1, 1, 2, 2, 3))

    # -- at the register ---

    def _sell_at_register(self, spot: Spot, now: datetime) -> None:
        units = min(self._few(), self._stock(spot))
        if units > 0:
            self._market.smaregi.sell(*_at(spot.ledger), units, now)

    def _receive(self, spot: Spot, now: datetime) -> None:
        self._market.smaregi.receive(*_at(spot.ledger), self._chance.randint(3, 12), now)

    def _return_to_store(self, spot: Spot, now: datetime) -> None:
        self._market.smaregi.return_goods(*_at(spot.ledger), self._few(), now)

    def _stocktake(self, spot: Spot, now: datetime) -> None:
        counted = max(0, self._stock(spot) + self._chance.choice((-2, -1, 1, 2)))
        self._market.smaregi.count(*_at(spot.ledger), counted, now)

    def _correct_in_office(self, spot: Spot, now: datetime) -> None:
        self._market.smaregi.adjust(*_at(spot.ledger), self._chance.choice((-3, -1, 1, 4)), now)

    def _change_silently(self, spot: Spot, now: datetime) -> None:
        self._market.smaregi.legacy_change(*_at(spot.ledger), self._chance.choice((-2, -1, 2, 5)), now)

    def _write_off(self, spot: Spot, now: datetime) -> None:
        if self._stock(spot) > 0:
            self._market.smaregi.lose(*_at(spot.ledger), 1, now)

    def _transfer(self, spot: Spot, now: datetime) -> None:
        if self._under_way and self._chance.random() < 0.5:
            self._market.smaregi.receive_transfer(self._under_way.pop(0), now)
        elif self._stock(spot) > 2:
            target = next(store for store in STORES if store != spot.ledger.location)
            sent = self._market.smaregi.transfer(spot.ledger.item, spot.ledger.location, target, 2, now)
            if sent is not None:
                self._under_way.append(sent)

    def _stock(self, spot: Spot) -> int:
        return self._market.smaregi.stock(*_at(spot.ledger)) or 0

    # -- at the shop ---

    def _order(self, spot: Spot, now: datetime) -> None:
        order = self._market.shopify.sell(*_at(spot.shop), self._few(), now)
        if order is not None:
            self._open = [*self._open, order][-KEPT_ORDERS:]

    def _cancel(self, spot: Spot, now: datetime) -> None:
        if self._open:
            self._market.shopify.cancel(self._open.pop(self._chance.randrange(len(self._open))), now)

    def _refund(self, spot: Spot, now: datetime) -> None:
        if self._shipped:
            self._market.shopify.refund(self._shipped.pop(0), 1, now)
        if self._open:
            order = self._open.pop(0)
            self._market.shopify.fulfil(order, now)
            self._shipped.append(order)

    def _adjust_in_admin(self, spot: Spot, now: datetime) -> None:
        self._market.shopify.adjust_by_person(*_at(spot.shop), self._chance.choice((-2, -1, 1, 3)), now)

    def _type_over(self, spot: Spot, now: datetime) -> None:
        seen = self._market.shopify.available(*_at(spot.shop))
        self._market.shopify.set_by_person(*_at(spot.shop), max(0, seen + self._chance.choice((-2, 1, 2))), now)

    def _move_in_admin(self, spot: Spot, now: datetime) -> None:
        if self._market.shopify.available(*_at(spot.shop)) > 1:
            target = next(place for place in self._market.places if place != spot.shop.location)
            self._market.shopify.move_by_person(spot.shop.item, spot.shop.location, target, 1, now)

    # -- at MakeShop ---

    def _order_at_makeshop(self, spot: Spot, now: datetime) -> None:
        hot = self._chance.random() < HOT_SHARE
        self.customers.order(self._chance.choice(self._cart_hot if hot else self._cart_items), now)

    def _cancel_at_makeshop(self, spot: Spot, now: datetime) -> None:
        self.customers.cancel(now)

    def _ship_at_makeshop(self, spot: Spot, now: datetime) -> None:
        self.customers.ship(now)

    def _lie_in_wait(self, spot: Spot, now: datetime) -> None:
        self.customers.lie_in_wait()

    # -- with items that must not be written ---

    def _touch_odd(self, now: datetime) -> None:
        market, chance = self._market, self._chance
        kind = chance.random()
        if kind < 0.4:
            product = chance.choice(sorted(market.oddities.ledger))
            market.smaregi.adjust(product, chance.choice(STORES), chance.choice((-1, 1)), now)
        elif kind < 0.8:
            item = chance.choice(sorted(market.oddities.shop))
            market.shopify.adjust_by_person(item, chance.choice(market.places), chance.choice((-1, 1)), now)
        else:
            market.makeshop.sell(chance.choice(sorted(market.oddities.cart)), 1, now)


def _spot(pair: Pair) -> Spot:
    return Spot(pair.intake, pair.channel)


def _at(place: Place) -> tuple[str, str]:
    """Item and location, as the partner is told them."""
    return place.item, place.location
