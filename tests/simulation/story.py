"""One story: set the house up, align it, trade through faults and deaths, then let it come to rest and judge it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from inventory_sync.engine import catalogue, routes
from inventory_sync.engine.lane import Lane, take_lease
from inventory_sync.store import db
from inventory_sync.store.db import Pool
from tests.simulation.clock import CLOCK_IN_SQL, START
from tests.simulation.monitors import Monitors, Spot
from tests.simulation.trade import STORES, Place, seed, set_going
from tests.simulation.world import Options, World, mortal, warm

REST_WITHIN = 900.0
"""Virtual seconds within which everything is at rest after the first change: faults last about two minutes of it."""


STANDS_STILL = 240.0
"""Real seconds for one story; the slowest takes a tenth of it."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a story ended. `violations` is empty in a good one."""

    seed: int
    violations: tuple[str, ...]
    virtual_seconds: float
    crashes: int
    movements: int
    ops: int
    refused_readings: int
    doubts: dict[str, int]
    compensations: int
    oldest_mark_s: float


async def tell(
    pool: Pool,
    seed_number: int,
    options: Options | None = None,
    *,
    plant: Callable[[World], Awaitable[None]] | None = None,
) -> Ending:
    """Run the story of one seed on a fresh database. The same seed tells the same story."""
    await pool.execute(CLOCK_IN_SQL)
    await warm(pool)
    world = World(seed_number, pool, options or Options())
    try:
        async with asyncio.timeout(STANDS_STILL):
            await _told(world, plant)
    except TimeoutError:
        world.violations.append(f"the story stood still: not told within {STANDS_STILL:.0f} s of real time")
    finally:
        await world.tasks.kill()
    return Ending(
        seed_number,
        tuple(world.violations),
        (world.agenda.now - START).total_seconds(),
        world.crashes,
        len(world.recorder.moves),
        len(world.recorder.settles),
        world.recorder.refusals,
        world.recorder.doubts,
        len(world.recorder.compensations),
        world.worst_dirty,
    )


async def _told(world: World, plant: Callable[[World], Awaitable[None]] | None) -> None:
    places = seed(world)
    spots = await _move_in(world, places)
    world.boot()
    if not await world.run_until(lambda: _aligned(world), seconds=300):
        world.violations.append("the routes never came to run, before any fault")
        return
    if plant is not None:
        await plant(world)
    monitors = Monitors(world, places, spots)
    world.after_event.append(monitors.watch)
    world.rough()
    set_going(world, places)
    async with mortal(world):
        rested = await world.run_until(monitors.resting, seconds=REST_WITHIN)
    await monitors.judge(rested)
    world.worst_dirty = monitors.worst_dirty


async def _move_in(world: World, places: list[Place]) -> list[Spot]:
    """Connections, catalogues, routes and pairs, without any fault."""
    for name, partner in world.partners.items():
        partner.connection_id = await db.value(
            world.pool,
            "insert_connection",
            name=name,
            system=partner.definition.name,
            settings={},
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
    ids = {name: partner.connection_id for name, partner in world.partners.items()}
    for name in ("shop", "mall"):
        await db.value(
            world.pool,
            "insert_route",
            name=f"pos-{name}",
            ledger_id=ids["pos"],
            channel_id=ids[name],
            direction="two_way",
            sales="post",
            ledger_field="product_code",
            channel_fields=["sku"],
            buffer=0,
            percent=100,
            maximum=None,
            align="ledger_wins",
        )
    for name in world.partners:
        await _import(world, name)
    async with db.transaction(world.pool) as conn:
        for route in await db.rows(conn, "routes_all"):
            shop = world.partners[route["channel"]].simulator
            for store, location in zip(STORES, shop.location_ids(), strict=True):
                await db.value(
                    conn,
                    "insert_location_pair",
                    route_id=route["id"],
                    ledger_id=route["ledger_id"],
                    channel_id=route["channel_id"],
                    ledger_key=store,
                    channel_key=location,
                )
            await catalogue.match_route(world.house, conn, route)
    rows = await world.pool.fetch(
        "select c.id, n.name, i.key as item, l.key as location from cells c "
        "join connections n on n.id = c.connection_id join items i on i.id = c.item_id "
        "join locations l on l.id = c.location_id order by c.id"
    )
    spots = [Spot(r["id"], r["name"], r["item"], r["location"]) for r in rows]
    assert len(spots) == 3 * len(places), "every place is a cell at each of the three partners"
    return spots


async def _import(world: World, name: str) -> None:
    partner = world.partners[name]
    held = await take_lease(world.house, partner.connection_id, owner="moving-in", owner_key=0)
    assert held is not None
    lane = Lane(partner.connection_id, name, world.client(partner), held.token)

    async def work() -> None:
        await world.patiently(lambda: catalogue.import_locations(world.house, lane))
        await catalogue.start_import(world.house, lane.connection_id)
        while await db.row(world.pool, "running_run", kind="import", connection_id=lane.connection_id) is not None:
            await catalogue.import_page(world.house, lane)
            await world.pause(0.5)
        if name != "pos":
            url = f"https://sync.example.jp/webhooks/shopify/{name}"
            await world.patiently(lambda: lane.client.ensure_subscriptions(url))
        await db.run(world.pool, "release_lease", connection_id=lane.connection_id, token=lane.token)

    world.tasks.start(f"import:{name}", work(), lambda _: None)

    async def done() -> bool:
        return not world.tasks.busy(f"import:{name}")

    assert await world.run_until(done, seconds=600)


async def _aligned(world: World) -> bool:
    """Once every base reading is in, each route is previewed, accepted and started; then until both sides are equal."""
    for route in await db.rows(world.pool, "routes_all"):
        if route["state"] != "running" and not await db.value(world.pool, "count_unread", route_id=route["id"]):
            made = await routes.make_preview(world.house, route["name"])
            await routes.start(world.house, route["name"], preview_id=made.id, actor="story")
    quiet = await world.pool.fetchval(
        "select not exists (select 1 from routes where state <> 'running') "
        "and not exists (select 1 from pairs where phase <> 'live') and not exists (select 1 from due) "
        "and not exists (select 1 from cells where gap <> 0 or op_id is not null or marked_at is not null)"
    )
    return bool(quiet)
