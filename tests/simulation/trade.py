"""People who change stock on both sides, in ways the daemon never asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tests.simulation.world import CODES, World

STORES = ("1", "2")


@dataclass(frozen=True, slots=True)
class Place:
    """One code at one place: the ledger cell, and the cell of every shop."""

    code: str
    product: str
    store: str
    shops: tuple[tuple[str, str, str], ...]  # shop, item, location


def seed(world: World) -> list[Place]:
    """Fill the partners before the story starts; the shops begin with other numbers than the ledger."""
    chance, now = world.chance, world.agenda.now
    pos = world.partners["pos"].simulator
    products = pos.seed_catalogue(
        len(CODES),
        now,
        stores=STORES,
        codes=list(CODES),
        initial=lambda number, store: chance.randint(0, 12),
        never_moved=1 if chance.random() < 0.5 else 0,
    )
    items: dict[str, dict[str, str]] = {}
    for name in ("shop", "mall"):
        simulator = world.partners[name].simulator
        items[name] = {}
        for code in CODES:
            [item] = simulator.add_product(f"Product {code}", [code], now)
            items[name][code] = item
            for location in simulator.location_ids():
                simulator.activate_level_by_person(item, location, now)
                simulator.set_by_person(item, location, chance.randint(0, 12), now)
            simulator.set_policy(item, "CONTINUE" if chance.random() < 0.5 else "DENY", now)
        simulator.log.changes.clear()
        simulator.advance(now)
    places = []
    for code, product in zip(CODES, products, strict=True):
        for number, store in enumerate(STORES):
            shops = tuple(
                (name, items[name][code], world.partners[name].simulator.location_ids()[number])
                for name in ("shop", "mall")
            )
            places.append(Place(code, product, store, shops))
    return places


def change(world: World, places: list[Place]) -> None:
    """One thing somebody does, somewhere."""
    chance, now = world.chance, world.agenda.now
    place = chance.choice(places)
    if chance.random() < 0.45:
        _at_the_ledger(world, place, now)
        pos_heard = "pos"
    else:
        name, item, location = chance.choice(place.shops)
        shop = world.partners[name].simulator
        draw = chance.random()
        if draw < 0.7:
            shop.sell(item, location, chance.choice((1, 1, 1, 2, 3)), now)
        elif draw < 0.9:
            shop.adjust_by_person(item, location, chance.choice((-2, -1, 1, 2, 5)), now)
        else:
            shop.set_by_person(item, location, chance.randint(0, 10), now)
        pos_heard = name
    world.heard(pos_heard)


def _at_the_ledger(world: World, place: Place, now: datetime) -> None:
    chance, pos = world.chance, world.partners["pos"].simulator
    draw = chance.random()
    if draw < 0.5:
        pos.sell(place.product, place.store, chance.choice((1, 1, 2, 3)), now)
    elif draw < 0.7:
        pos.receive(place.product, place.store, chance.choice((1, 4, 10)), now)
    elif draw < 0.8:
        pos.return_goods(place.product, place.store, 1, now)
    elif draw < 0.9:
        pos.legacy_change(place.product, place.store, chance.choice((-2, -1, 1, 3)), now)
    else:
        pos.count(place.product, place.store, chance.randint(0, 12), now)


def set_going(world: World, places: list[Place]) -> None:
    """Spread the changes over the active phase, in bursts."""
    moment = 0.0
    for _ in range(world.options.changes):
        moment += world.chance.choice((0.0, 0.05, 0.4, 1.0, 2.5))
        world.agenda.after(moment, lambda: change(world, places))
    world.agenda.after(moment + 5.0, world.smooth)
    crash = 0.0
    while True:
        crash += world.chance.expovariate(1 / world.options.crash_every)
        if crash > moment:
            break
        world.agenda.after(crash, lambda: _arm(world))


def _arm(world: World) -> None:
    """The process will die: at one of its next transactions, or right where it waits for a partner."""
    world.tasks.kill_in = world.chance.choice((1, 1, 2, 4, 7))
