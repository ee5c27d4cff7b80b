"""Before a story: partners are filled, connected, imported, matched; without any fault."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from inventory_sync.engine import catalogue, routes
from inventory_sync.engine.lane import Lane, take_lease
from inventory_sync.store import db
from tests.simulation import paper
from tests.simulation.kinds import BOOKS, EXPECT, SETS
from tests.simulation.monitors import Spot
from tests.simulation.scene import LEDGER, Listing, Part, Scene, Way
from tests.simulation.warehouse import Warehouse
from tests.simulation.world import CODES, World

STORES = ("1", "2")
BUNDLES = {"SET-1": {"A-1": 1, "B-2": 1}, "PACK-2": {"C-3": 2}}
"""Listings of a world with sets: one of two items, and a pack of two of one."""


async def furnish(world: World) -> Scene:
    """Fill the partners before the story starts; the channels begin with other numbers than the ledger."""
    now = world.agenda.now
    products = await _ledger(world, now)
    field = "sku" if world.kind in BOOKS else "product_code"
    listings: list[Listing] = []
    ways: list[Way] = []
    for name in world.partners:
        if name == "cart":
            listings += _makeshop(world, products, now)
            ways.append(Way(name, field, "custom_code", tuple((s, "shop") for s in STORES), intake=STORES[0]))
        elif name != LEDGER:
            sets = BUNDLES if world.kind == SETS and name == "mall" else {}
            shop: Any = world.partners[name].simulator
            listings += _shopify(world, name, products, sets, now)
            places = tuple(zip(STORES, shop.location_ids(), strict=True))
            ways.append(Way(name, field, "sku", places, sets=sets, expects=_expects(world, name)))
    return Scene(STORES, products, tuple(listings), tuple(ways))


async def _ledger(world: World, now: datetime) -> dict[str, str]:
    """Stock at the ledger; its items by their codes."""
    chance, partner = world.chance, world.partners[LEDGER]
    if isinstance(partner.simulator, Warehouse):
        await partner.simulator.open(STORES, CODES, lambda: chance.randint(0, 12), now)
        if partner.simulator.elsewhere:
            key = await partner.simulator.make_key(now)
            partner.settings = partner.definition.settings(**partner.kept, api_key=key)
        return {code: code for code in CODES}
    items = partner.simulator.seed_catalogue(
        len(CODES),
        now,
        stores=STORES,
        codes=list(CODES),
        initial=lambda number, store: chance.randint(0, 12),
        never_moved=1 if chance.random() < 0.5 else 0,
    )
    return dict(zip(CODES, items, strict=True))


def _shopify(
    world: World, name: str, products: dict[str, str], sets: dict[str, dict[str, int]], now: datetime
) -> list[Listing]:
    chance, simulator = world.chance, world.partners[name].simulator
    made: list[Listing] = []
    for code in (*products, *sets):
        [item] = simulator.add_product(f"Product {code}", [code], now)
        for store, location in zip(STORES, simulator.location_ids(), strict=True):
            simulator.activate_level_by_person(item, location, now)
            simulator.set_by_person(item, location, chance.randint(0, 12), now)
            parts = tuple(Part(products[part], store, ratio) for part, ratio in sets.get(code, {code: 1}).items())
            shape = "set" if code in sets else "single"
            made.append(Listing(name, item, location, code, parts, shape, _expects(world, name)))
        simulator.set_policy(item, "CONTINUE" if chance.random() < 0.5 else "DENY", now)
    simulator.log.changes.clear()
    simulator.advance(now)
    return made


def _expects(world: World, name: str) -> bool:
    return world.kind == EXPECT and name == "mall"


def _makeshop(world: World, products: dict[str, str], now: datetime) -> list[Listing]:
    """One product without variations and one with two; every listing shows the sum of both stores."""
    chance, simulator = world.chance, world.partners["cart"].simulator
    items = simulator.seed_catalogue(
        len(products), now, codes=list(products), initial=lambda number: chance.randint(0, 12), variations_every=2
    )
    simulator.log.changes.clear()
    return [
        Listing(
            "cart",
            item,
            "shop",
            code,
            tuple(Part(products[code], store, intake=store == STORES[0]) for store in STORES),
            "pool",
        )
        for code, item in zip(products, items, strict=True)
    ]


async def move_in(world: World, scene: Scene) -> list[Spot]:
    """Connections, catalogues, routes and pairs."""
    for name, partner in world.partners.items():
        system = partner.definition.name
        partner.connection_id = await db.value(
            world.pool,
            "insert_connection",
            name=name,
            system=system,
            settings=dict(partner.kept),
            secrets=None,
            now=world.agenda.now,
        )
        await db.run(
            world.pool,
            "link_connection",
            id=partner.connection_id,
            identity=name,
            title=name,
            expires_at=None,
            now=world.agenda.now,
        )
        if partner.calibration:
            calibration = dict(partner.calibration)
            await db.run(world.pool, "save_calibration", id=partner.connection_id, calibration=calibration)
    for way in scene.ways:
        await _insert(world, way)
    for name in world.partners:
        await _import(world, name)
    async with db.transaction(world.pool) as conn:
        by_channel = {way.channel: way for way in scene.ways}
        for route in await db.rows(conn, "routes_all"):
            await _map(conn, route, by_channel[route["channel"]])
            await catalogue.match_route(world.house, conn, route)
    return await _spots(world, scene)


async def _insert(world: World, way: Way) -> None:
    ids = {name: partner.connection_id for name, partner in world.partners.items()}
    route = await db.value(
        world.pool,
        "insert_route",
        name=f"pos-{way.channel}",
        ledger_id=ids[LEDGER],
        channel_id=ids[way.channel],
        direction="two_way",
        sales="expect" if way.expects else "post",
        ledger_field=way.ledger_field,
        channel_fields=[way.channel_field],
        buffer=0,
        percent=100,
        maximum=None,
        align="ledger_wins",
    )
    await db.run(
        world.pool,
        "set_route_terms",
        id=route,
        listings="one",
        ledger_basis="stock",
        booked_within=3600,
        intake="adjustment",
        pooled=way.intake is not None,
    )
    # Of so few cells a handful of rises is too many at once; the brake has stories of its own.
    await db.run(world.pool, "set_brake_off", route_id=route, until=world.agenda.now + timedelta(days=365))
    lines = [(code, part, ratio) for code, parts in way.sets.items() for part, ratio in parts.items()]
    if lines:
        await db.run(
            world.pool,
            "put_route_sets",
            route_id=route,
            set_values=[line[0] for line in lines],
            component_values=[line[1] for line in lines],
            ratios=[line[2] for line in lines],
        )


async def _map(conn: db.Connection, route: Any, way: Way) -> None:
    for store, place in way.places:
        ends = {
            "route_id": route["id"],
            "ledger_id": route["ledger_id"],
            "channel_id": route["channel_id"],
            "ledger_key": store,
            "channel_key": place,
        }
        if way.intake is None:
            await db.value(conn, "insert_location_pair", **ends)
        else:
            await db.value(conn, "insert_pooled_location", intake=store == way.intake, **ends)


async def _import(world: World, name: str) -> None:
    partner = world.partners[name]
    held = await take_lease(world.house, partner.connection_id, owner="moving-in", owner_key=0)
    assert held is not None
    lane = Lane(partner.connection_id, name, world.client(partner), held.token)

    async def work() -> None:
        await world.patiently(lambda: catalogue.import_locations(world.house, lane))
        if lane.client.capabilities.catalogue_by_files:
            await paper.hand_in(world, "cart", paper.export(world))
        else:
            await catalogue.start_import(world.house, lane.connection_id)
        while await db.row(world.pool, "running_run", kind="import", connection_id=lane.connection_id) is not None:
            await catalogue.import_page(world.house, lane)
            await world.pause(0.5)
        if partner.listens is not None:
            url = partner.listens
            await world.patiently(lambda: lane.client.ensure_subscriptions(url))
        await db.run(world.pool, "release_lease", connection_id=lane.connection_id, token=lane.token)

    world.tasks.start(f"import:{name}", work(), lambda _: None)

    async def done() -> bool:
        return not world.tasks.busy(f"import:{name}")

    assert await world.run_until(done, seconds=600)


async def _spots(world: World, scene: Scene) -> list[Spot]:
    names = {(p.name, p.item_key(key[1]), key[2]): key for key in _keys(scene) for p in [world.partners[key[0]]]}
    rows = await world.pool.fetch(
        "select c.id, n.name, i.key as item, l.key as location from cells c "
        "join connections n on n.id = c.connection_id join items i on i.id = c.item_id "
        "join locations l on l.id = c.location_id order by c.id"
    )
    spots = [Spot(r["id"], names[r["name"], r["item"], r["location"]]) for r in rows]
    assert {spot.key for spot in spots} == set(names.values()), "every ledger cell and every listing is a cell"
    return spots


def _keys(scene: Scene) -> list[tuple[str, str, str]]:
    return [*scene.ledger, *(each.key for each in scene.listings)]


async def aligned(world: World) -> bool:
    """Once every base reading is in, each route is previewed, accepted and started; then until both sides are equal."""
    for route in await db.rows(world.pool, "routes_all"):
        if route["state"] != "running" and not await db.value(world.pool, "count_unread", route_id=route["id"]):
            made = await routes.make_preview(world.house, route["name"])
            await routes.start(world.house, route["name"], preview_id=made.id, actor="story")
    quiet = await world.pool.fetchval(
        "select not exists (select 1 from routes where state <> 'running') "
        "and not exists (select 1 from pairs where phase <> 'live') and not exists (select 1 from due) "
        "and not exists (select 1 from cells where gap <> 0 or op_id is not null or marked_at is not null or rewrite)"
    )
    return bool(quiet)
