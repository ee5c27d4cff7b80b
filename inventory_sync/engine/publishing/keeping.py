"""What publish rules need as time passes: offsets end on their day, automatic buffers follow lag and sales.

No decision reads a clock: what changed is written down, and the cells are decided again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from apscheduler.triggers.interval import IntervalTrigger

from inventory_sync.engine import schedule
from inventory_sync.engine.brake_release import SALES
from inventory_sync.engine.lane import House
from inventory_sync.model.auto_buffer import MOST_FALLS_PER_HOUR, Buffer, Reckoned, Sold, reckon, settle
from inventory_sync.model.ids import CellId
from inventory_sync.store import cells, db
from inventory_sync.store.db import Connection

log = structlog.get_logger()

RECKONED = IntervalTrigger(minutes=1)
"""Automatic buffers are reckoned this often."""

SHORT, LONG = timedelta(minutes=15), timedelta(hours=4)
"""Sales are counted over both of these windows; the one that sells faster counts."""

LAG_WINDOW = timedelta(hours=24)
FALLS_WINDOW = timedelta(hours=1)
"""Falls of automatic buffers are counted over this time."""

MEASUREMENTS = 2000
"""The latest lags that a percentile is taken of."""


async def keep(house: House) -> None:
    """End the offsets whose day is over, and reckon automatic buffers where that is due."""
    await end_offsets(house)
    taken, _ = await schedule.claim(house, "auto_buffers", RECKONED)
    if taken:
        await reckon_buffers(house)


async def end_offsets(house: House) -> int:
    """End offsets whose last day is over; the cells that counted on them are decided again. Says how many cells."""
    now = house.now()
    async with db.transaction(house.pool) as conn:
        found = await db.rows(conn, "end_offsets", now=now)
        await cells.put_due(conn, [(CellId(r["channel_cell"]), now, None) for r in found])
        if found:
            await db.notify(conn, "decide")
    for route, code in sorted({(r["route_id"], r["code"]) for r in found}):
        log.info("publish.offset_ended", route_id=route, value=code)
    return len(found)


async def reckon_buffers(house: House) -> int:
    """Reckon every automatic buffer anew; says how many changed."""
    changed = 0
    for route in await db.rows(house.pool, "routes_with_auto"):
        async with db.transaction(house.pool) as conn:
            changed += await _of_route(house, conn, route)
    await db.run(house.pool, "drop_idle_auto_buffers", before=house.now() - FALLS_WINDOW)
    return changed


@dataclass(frozen=True, slots=True)
class _Made:
    """A buffer in force from now on, of a pair."""

    pair: int
    cell: CellId
    reckoned: Reckoned
    buffer: Buffer
    before: int

    @property
    def fell(self) -> bool:
        return self.buffer.units < self.before


async def _of_route(house: House, conn: Connection, route: db.Record) -> int:
    now = house.now()
    found = await db.rows(
        conn, "auto_sales", route_id=route["id"], since=now - LONG, lately=now - SHORT, sales=sorted(SALES)
    )
    if not found:
        return 0
    measured = await db.row(conn, "route_lag", route_id=route["id"], since=now - LAG_WINDOW, limit=MEASUREMENTS)
    falls = await db.value(conn, "auto_falls_since", route_id=route["id"], since=now - FALLS_WINDOW)
    made: list[_Made] = []
    for r in found:
        each = _reckon(r, measured, now, may_fall=falls < MOST_FALLS_PER_HOUR)
        falls += each.fell
        made.append(each)
    await _put(conn, made, now)
    changed = [each for each in made if each.buffer.units != each.before]
    await cells.put_due(conn, [(each.cell, now, None) for each in sorted(changed, key=lambda each: each.cell)])
    if changed:
        log.info("publish.auto_buffers", route=route["name"], changed=len(changed), lag_s=made[0].reckoned.lag)
        await db.notify(conn, "decide")
    return len(changed)


def _reckon(r: db.Record, measured: db.Record | None, now: datetime, *, may_fall: bool) -> _Made:
    reckoned = reckon(
        (Sold(r["short"], SHORT.total_seconds()), Sold(r["long"], LONG.total_seconds())),
        lag=None if measured is None else measured["lag"],
        measured=0 if measured is None else measured["measured"],
        least=r["least"],
        most=r["most"],
    )
    before = r["least"] if r["units"] is None else max(r["least"], r["units"])
    in_force = Buffer(before, r["lower_since"], r["lower_most"] or 0)
    return _Made(
        r["pair_id"],
        CellId(r["channel_cell"]),
        reckoned,
        settle(in_force, reckoned.units, now, may_fall=may_fall),
        before,
    )


async def _put(conn: Connection, made: list[_Made], now: datetime) -> None:
    await db.run(
        conn,
        "put_auto_buffers",
        pairs=[each.pair for each in made],
        units=[each.buffer.units for each in made],
        covers=[each.reckoned.covers for each in made],
        lags=[each.reckoned.lag for each in made],
        measured=[each.reckoned.measured for each in made],
        sold=[each.reckoned.sold.units for each in made],
        windows=[each.reckoned.sold.seconds for each in made],
        lower_since=[each.buffer.lower_since for each in made],
        lower_most=[each.buffer.lower_most for each in made],
        fell=[each.fell for each in made],
        now=now,
    )
