"""An order system between a channel and the ledger: it books there what the channel sold, and names the order.

It is late, or faster than the channel's notice; an order cancelled before it comes along is never booked. Nobody
changes the channel's numbers by hand: a fall there would be a sale that nobody books, and wait for a person (rule 3.9).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inventory_sync.ledger.values import Adjust, Kind
from tests.simulation.scene import LEDGER, Listing
from tests.simulation.warehouse import Warehouse

if TYPE_CHECKING:
    from tests.simulation.world import World

DELAYS = (0.0, 0.2, 3.0, 15.0, 60.0)
"""Seconds from an order to its booking, about."""


def visit(world: World, listing: Listing) -> None:
    """Somebody orders at the channel."""
    chance = world.chance
    shop: Any = world.partners[listing.partner].simulator
    units = chance.choice((1, 1, 1, 2, 3))
    order = shop.sell(listing.item, listing.location, units, world.agenda.now)
    if order is None:
        return
    world.to_be_booked += 1
    delay = chance.choice(DELAYS) * chance.uniform(0.5, 1.5)
    if chance.random() < 0.12:
        world.agenda.after(delay, lambda: _cancel(world, listing, units))
    else:
        world.agenda.after(delay, lambda: _book(world, listing, units, order.id))


def _cancel(world: World, listing: Listing, units: int) -> None:
    """The order is cancelled, and its goods are for sale again."""
    world.to_be_booked -= 1
    shop: Any = world.partners[listing.partner].simulator
    shop.adjust_by_person(listing.item, listing.location, units, world.agenda.now)
    world.heard(listing.partner)


async def _book(world: World, listing: Listing, units: int, order: str) -> None:
    """The order is booked in the ledger, by a document that names it."""
    book = world.partners[LEDGER].simulator
    assert isinstance(book, Warehouse)
    world.to_be_booked -= 1
    world.booked.add(order)
    kind = world.chance.choice((Kind.SHIPMENT, Kind.RESERVATION))
    for part in listing.parts:
        taken = Adjust(part.item, part.location, -units * part.ratio, kind=kind, reference=order)
        await book.post([taken], world.agenda.now)
    world.heard(LEDGER)
