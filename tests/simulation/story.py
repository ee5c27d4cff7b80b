"""One story: set the house up, align it, trade through faults and deaths, then let it come to rest and judge it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from inventory_sync.store.db import Pool
from tests.simulation.clock import CLOCK_IN_SQL, START, told_when_asked
from tests.simulation.kinds import Options
from tests.simulation.monitors import Monitors
from tests.simulation.moving import aligned, furnish, move_in
from tests.simulation.trade import set_going
from tests.simulation.world import World, mortal, warm

REST_WITHIN = 900.0
"""Virtual seconds within which everything is at rest after the first change: faults last about two minutes of it."""


STANDS_STILL = 240.0
"""Real seconds for one story; the slowest takes a tenth of it."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a story ended. `violations` is empty in a good one; `lower_numbers` counts ops whose outcome nobody could
    learn, `lost` what people changed between a reading and the number that was set from it."""

    seed: int
    world: str
    violations: tuple[str, ...]
    virtual_seconds: float
    crashes: int
    movements: int
    ops: int
    refused_readings: int
    doubts: dict[str, int]
    compensations: int
    oldest_mark_s: float
    lower_numbers: int
    lost: int


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
            with told_when_asked(world.agenda, pool):
                await _told(world, plant)
    except TimeoutError:
        world.violations.append(f"the story stood still: not told within {STANDS_STILL:.0f} s of real time")
    finally:
        await world.tasks.kill()
    return Ending(
        seed_number,
        world.kind,
        tuple(world.violations),
        (world.agenda.now - START).total_seconds(),
        len(world.deaths),
        len(world.recorder.moves),
        len(world.recorder.settles),
        world.recorder.refusals,
        world.recorder.doubts,
        len(world.recorder.compensations),
        world.worst_dirty,
        world.lower_numbers,
        world.lost,
    )


async def _told(world: World, plant: Callable[[World], Awaitable[None]] | None) -> None:
    scene = world.scene = await furnish(world)
    spots = await move_in(world, scene)
    world.boot()
    if not await world.run_until(lambda: aligned(world), seconds=300):
        world.violations.append("the routes never came to run, before any fault")
        return
    if plant is not None:
        await plant(world)
    monitors = Monitors(world, scene, spots)
    world.after_event.append(monitors.watch)
    world.rough()
    set_going(world, scene)
    async with mortal(world):
        rested = await world.run_until(monitors.resting, seconds=REST_WITHIN)
    await monitors.judge(rested)
    world.worst_dirty = monitors.worst_dirty
    world.lost = len(monitors.truth.lost)
