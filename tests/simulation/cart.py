"""Trade at a MakeShop shop: orders, some not settled yet, and what becomes of them; people at the stock.

Three things do not happen here, because no daemon could tell them from something else (the truth model's rule 3.8
excludes them, and the guide says so). Nobody changes a number by hand that can be set and never read. Nobody changes a
number, or has an order give goods back, from the instant a number of ours is under way to that cell until a reading has
settled it; where differences are written, from the instant one of ours is under way until it is settled, for a change
of the same units the other way round leaves no trace of either. And nobody touches an order that was not listed yet as
it stands. What somebody changes between a reading of
ours and the number composed from it does happen; it is lost for good, and the monitors leave out exactly that.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from tests.simulation.kinds import RELATIVE
from tests.simulation.scene import Listing
from tests.simulation.watched import Watched

if TYPE_CHECKING:
    from tests.simulation.world import World

TRIES = 8
"""How often somebody who may not act now comes back a little later."""


async def visit(world: World, listing: Listing) -> None:
    """One thing somebody does at the shop."""
    chance = world.chance
    draw = chance.random()
    if draw < 0.55:
        _order(world, listing)
    elif draw < 0.67:
        _order_at_the_worst_instant(world, listing)
    elif draw < 0.82:
        await _handle_order(world)
    elif _shop(world).may_be_read(listing.item):
        await _type_in(world, listing)


def _shop(world: World) -> Watched:
    simulator = world.partners["cart"].simulator
    assert isinstance(simulator, Watched)
    return simulator


def _order(world: World, listing: Listing) -> None:
    chance = world.chance
    basket = [(listing.item, chance.choice((1, 1, 1, 2, 3)))]
    others = [each.item for each in world.scene.listings if each.partner == "cart" and each.item != listing.item]
    if chance.random() < 0.2:
        basket.append((chance.choice(others), 1))
    provisional = chance.random() < 0.2
    number = _shop(world).place_order(basket, world.agenda.now, provisional=provisional)
    if number is not None and provisional:
        world.agenda.soon(2.0, 25.0, lambda: _decide(world, number))


def _order_at_the_worst_instant(world: World, listing: Listing) -> None:
    """Somebody orders right after our next reading, or right before our next number lands."""
    chance, shop = world.chance, _shop(world)
    units = chance.choice((1, 1, 2))

    def order(now: datetime) -> None:
        shop.place_order([(listing.item, units)], now)

    if chance.random() < 0.5:
        shop.on_next(shop.reads, order)
    else:
        shop.on_next(shop.writes["/" in listing.item], order, before=True)


async def _decide(world: World, number: str, *, tries: int = TRIES) -> None:
    """A provisional order is settled, or vanishes."""
    shop, now = _shop(world), world.agenda.now
    if number not in shop.provisional_orders():
        return
    if world.chance.random() < 0.5:
        shop.settle_order(number, now)
    elif await _may_handle(world, number):
        shop.vanish_order(number, now)
    elif tries > 0:
        world.agenda.soon(2.0, 5.0, lambda: _decide(world, number, tries=tries - 1))
    world.heard("cart")


async def _handle_order(world: World, *, tries: int = TRIES) -> None:
    """The shop's person cancels, edits or ships an order."""
    chance, shop, now = world.chance, _shop(world), world.agenda.now
    numbers = [number for number in shop.open_orders() if number not in world.handled]
    if not numbers:
        return
    number = chance.choice(numbers)
    if not await _may_handle(world, number):
        if tries > 0:
            world.agenda.soon(2.0, 5.0, lambda: _handle_order(world, tries=tries - 1))
        return
    world.handled.add(number)
    draw = chance.random()
    if draw < 0.45:
        shop.cancel_order(number, now, restock=chance.random() < 0.6)
    elif draw < 0.8:
        line = shop.orders[number].lines()[0]
        shop.edit_order(number, line.item, chance.choice((1, 2, 3, 4)), now)
    else:
        shop.ship_order(number, now)
    world.heard("cart")


async def _type_in(world: World, listing: Listing, *, tries: int = TRIES) -> None:
    """Somebody changes a number by hand."""
    chance, shop, now = world.chance, _shop(world), world.agenda.now
    if not await _is_quiet(world, [listing.item]):
        if tries > 0:
            world.agenda.soon(2.0, 5.0, lambda: _type_in(world, listing, tries=tries - 1))
        return
    if chance.random() < 0.7:
        shop.adjust(listing.item, chance.choice((-2, -1, 1, 2, 5)), now)
    else:
        shop.set_stock(listing.item, chance.randint(0, 10), now)
    world.heard("cart")


async def close_up(world: World) -> None:
    """Before the story comes to rest, every order is settled: those that may not vanish now are paid."""
    shop, now = _shop(world), world.agenda.now
    for number in shop.provisional_orders():
        shop.settle_order(number, now)
    shop.nobody_waits()
    world.heard("cart")


async def _may_handle(world: World, number: str) -> bool:
    """Whether an order was listed to us as it stands, and none of its cells waits for a number of ours to settle."""
    shop = _shop(world)
    order = shop.orders[number]
    found = await world.pool.fetch("select line, quantity from order_lines where order_id = $1", number)
    if {row["line"]: row["quantity"] for row in found} != shop.lines(order):
        return False
    return await _is_quiet(world, [line.item for line in order.lines() if shop.may_be_read(line.item)])


async def _is_quiet(world: World, items: Sequence[str]) -> bool:
    """Whether no write of ours is under way to these items, and no number landed there that was not settled by a
    reading asked once every order that may have met it was listed."""
    partner = world.partners["cart"]
    keys = [partner.item_key(item) for item in items]
    if world.kind == RELATIVE:
        return not await world.pool.fetchval(_UNDER_WAY, partner.connection_id, keys)
    return not await world.pool.fetchval(_BUSY, partner.connection_id, keys, partner.definition.capabilities.order_lag)


_UNDER_WAY = """
select coalesce(bool_or(c.op_id is not null), false) from cells c join items i on i.id = c.item_id
where c.connection_id = $1 and i.key = any($2::text[])
"""

_BUSY = """
select coalesce(bool_or(c.op_id is not null or c.loose <> '{}' or c.settled_since_read
  or (c.settled_at is not null and coalesce(n.orders_swept_at, '-infinity') < c.settled_at + $3)), false)
from cells c join items i on i.id = c.item_id join connections n on n.id = c.connection_id
where c.connection_id = $1 and i.key = any($2::text[])
"""
