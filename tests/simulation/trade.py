"""People who change stock on both sides, in ways the daemon never asked for."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.simulation import cart, importer, paper, warehouse
from tests.simulation.kinds import BOOKS, CLASSIC, MAKESHOP
from tests.simulation.scene import LEDGER, Key, Listing, Scene

if TYPE_CHECKING:
    from tests.simulation.world import World

AFTERWARDS = 5.0
"""Seconds from the last change to the end of faults."""


async def change(world: World, scene: Scene) -> None:
    """One thing somebody does, somewhere."""
    chance, now = world.chance, world.agenda.now
    if world.kind == CLASSIC and chance.random() < 0.06:
        paper.visit(world)
        return
    if chance.random() < 0.4:
        act = warehouse.visit if world.kind in BOOKS else _at_the_ledger
        await act(world, chance.choice(scene.ledger), scene, now)
        world.heard(LEDGER)
        return
    listing = chance.choice(scene.listings)
    if world.kind in MAKESHOP and chance.random() < 0.45:
        listing = chance.choice([each for each in scene.listings if each.partner == "cart"])
    if listing.partner == "cart":
        await cart.visit(world, listing)
    elif listing.expects:
        importer.visit(world, listing)
    else:
        _at_shopify(world, listing, now)
    world.heard(listing.partner)


def _at_shopify(world: World, listing: Listing, now: datetime) -> None:
    chance = world.chance
    shop: Any = world.partners[listing.partner].simulator
    draw = chance.random()
    if draw < 0.7:
        shop.sell(listing.item, listing.location, chance.choice((1, 1, 1, 2, 3)), now)
    elif draw < 0.9:
        shop.adjust_by_person(listing.item, listing.location, chance.choice((-2, -1, 1, 2, 5)), now)
    else:
        shop.set_by_person(listing.item, listing.location, chance.randint(0, 10), now)


async def _at_the_ledger(world: World, cell: Key, scene: Scene, now: datetime) -> None:
    chance, (_, product, store) = world.chance, cell
    pos: Any = world.partners[LEDGER].simulator
    draw = chance.random()
    if draw < 0.5:
        pos.sell(product, store, chance.choice((1, 1, 2, 3)), now)
    elif draw < 0.65:
        pos.receive(product, store, chance.choice((1, 4, 10)), now)
    elif draw < 0.72:
        pos.return_goods(product, store, 1, now)
    elif draw < 0.82:
        other = next(each for each in scene.stores if each != store)
        moved = pos.transfer(product, store, other, chance.choice((1, 2, 3)), now)
        world.agenda.soon(0.0, 3.0, lambda: _arrive(world, moved))
    elif draw < 0.92:
        pos.legacy_change(product, store, chance.choice((-2, -1, 1, 3)), now)
    else:
        pos.count(product, store, chance.randint(0, 12), now)


def _arrive(world: World, moved: Any) -> None:
    """Goods that left one store come into the other."""
    world.partners[LEDGER].simulator.receive_transfer(moved, world.agenda.now)
    world.heard(LEDGER)


def set_going(world: World, scene: Scene) -> None:
    """Spread the changes over the active phase, in bursts."""
    moment = 0.0
    pauses = (0.0, 0.05, 0.4, 1.0, 2.5, 4.0) if world.kind in MAKESHOP else (0.0, 0.05, 0.4, 1.0, 2.5)
    for _ in range(world.options.changes):
        moment += world.chance.choice(pauses)
        world.agenda.after(moment, lambda: change(world, scene))
    if world.kind in MAKESHOP:
        world.agenda.after(moment + AFTERWARDS - 1.0, lambda: cart.close_up(world))
    world.agenda.after(moment + AFTERWARDS, world.smooth)
    crash = 0.0
    while True:
        crash += world.chance.expovariate(1 / world.options.crash_every)
        if crash > moment:
            break
        world.agenda.after(crash, lambda: _arm(world))


def _arm(world: World) -> None:
    """The process will die: at one of its next transactions, or right where it waits for a partner."""
    world.tasks.kill_in = world.chance.choice((1, 1, 2, 4, 7))
