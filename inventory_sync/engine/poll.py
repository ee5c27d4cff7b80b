"""Polling and reconciling: lists of levels, as hints. They find what no notice ever told.

A list that takes long to make is a notice too: where it differs from the known level, the cell is read by key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from inventory_sync.engine import paged, schedule, vanished
from inventory_sync.engine.intake import SOFT_CHECK
from inventory_sync.engine.lane import House, Lane, Progress
from inventory_sync.store import cells, db
from inventory_sync.store.cells import Hint
from inventory_sync.store.db import Connection
from inventory_sync.systems.errors import RetryLater
from inventory_sync.systems.port import CellRef, Condition, LevelReading

FIRST_WINDOW = timedelta(hours=1)
"""How far a connection that was never polled is polled back; its first import has read everything before."""

LONGEST_WINDOW = timedelta(days=30)
"""A gap longer than this is closed by a walk over all levels, not by a window."""


async def poll(house: House, lane: Lane) -> Progress:
    """Read the levels that changed since the last poll, all pages, and mark the cells that differ."""
    now = house.now()
    able = lane.client.capabilities
    if not able.polls_levels:
        lane.polled = True
        return Progress(0)
    every = able.poll_every if lane.notices_work else able.poll_alone_every
    last = await house.pool.fetchval("select polled_until from connections where id = $1", lane.connection_id)
    if lane.polled and last is not None and last + every > now:
        return Progress(0, last + every)
    wait = lane.client.budget.wait("read", now)
    if wait > 0:
        return Progress(0, now + timedelta(seconds=wait))
    since = max(last - able.poll_overlap, now - LONGEST_WINDOW) if last is not None else now - FIRST_WINDOW
    cursor: str | None = None
    try:
        while True:
            page = await lane.client.changed_levels(since, now, cursor)
            await mark_differences(house, lane, page.levels)
            cursor = page.cursor
            if cursor is None:
                break
    except RetryLater as error:
        return Progress(0, house.now() + timedelta(seconds=error.after))
    await db.run(house.pool, "polled", connection_id=lane.connection_id, until=now)
    lane.polled = True
    return Progress(1, now + every)


async def mark_differences(house: House, lane: Lane, levels: Iterable[LevelReading]) -> None:
    """Mark the cells of a list that show something else than we know."""
    now, listed = house.now(), list(levels)
    if not listed:
        return
    async with db.transaction(house.pool) as conn:
        beside = await _told_beside(conn, lane, listed)
        hints = [
            Hint(
                lane.connection_id,
                level.cell.item,
                level.cell.location,
                level.quantity if level.condition is Condition.ACTIVE and level.cell not in beside else None,
                None,
                now,
            )
            for level in listed
        ]
        await cells.mark_hinted(conn, hints, now=now, soft_at=now + SOFT_CHECK, from_list=True)


async def _told_beside(conn: Connection, lane: Lane, levels: Sequence[LevelReading]) -> set[CellRef]:
    """Cells whose number is as we know it, but not what orders have taken of it or what is laid away."""
    telling = [level for level in levels if level.committed is not None or level.aside is not None]
    if not telling:
        return set()
    found = await db.rows(
        conn,
        "told_differently",
        connection_id=lane.connection_id,
        items=[level.cell.item for level in telling],
        locations=[level.cell.location for level in telling],
        committed=[level.committed for level in telling],
        aside=[level.aside for level in telling],
    )
    return {CellRef(r["item_key"], r["location_key"]) for r in found}


async def start_reconcile(house: House, connection_id: int) -> bool:
    """Start a walk over all levels of a connection, unless one is under way."""
    return await paged.start(house.pool, "reconcile", connection_id, now=house.now()) is not None


async def reconcile(house: House, lane: Lane) -> Progress:
    """One page of a walk over all levels. Progress is a row: a restart goes on where it stopped."""
    now = house.now()
    run = await db.row(house.pool, "running_run", kind="reconcile", connection_id=lane.connection_id)
    if run is None:
        return Progress(0, await _start_when_due(house, lane))
    if (waiting := paged.waits(lane, run, now)) is not None:
        return waiting
    try:
        page = await lane.client.walk_levels(run["cursor"])
    except RetryLater as error:
        return Progress(0, house.now() + timedelta(seconds=error.after))
    await mark_differences(house, lane, page.levels)
    next_at = house.now() + timedelta(seconds=page.wait)
    async with db.transaction(house.pool) as conn:
        await paged.progressed(house, conn, run["id"], cursor=page.cursor, done=len(page.levels), next_at=next_at)
        if page.cursor is None:
            cut = await vanished.cut_walk(house, lane, conn, run["done"] + len(page.levels))
            state = "failed" if cut else "done"
            await db.run(conn, "finish_run", id=run["id"], state=state, error=cut, now=house.now())
            if not cut:
                await db.run(conn, "reconciled", connection_id=lane.connection_id, now=house.now())
    return Progress(1, next_at)


async def _start_when_due(house: House, lane: Lane) -> datetime:
    taken, again = await schedule.claim(house, f"reconcile:{lane.connection_id}", schedule.RECONCILE)
    if taken:
        await start_reconcile(house, lane.connection_id)
        return house.now()
    return again
