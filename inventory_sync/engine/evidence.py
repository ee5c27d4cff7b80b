"""Evidence from a partner's change history: whose a change was, and whether one of ours took effect more than once.

An op without a key that was repeated may have landed twice. A later true answer that contradicts the outcome is not
dropped: the surplus is counted into the level and taken back by an op of its own (the truth model's rule 3.6).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from inventory_sync.engine.alerts import open_alert
from inventory_sync.engine.blocking import stop_routes_of
from inventory_sync.engine.lane import House, Lane, Progress
from inventory_sync.model.ids import CellId, ItemKey, LocationKey
from inventory_sync.store import cells, db
from inventory_sync.store.db import Connection
from inventory_sync.systems.errors import RetryLater, Unreadable
from inventory_sync.systems.port import CellRef, HistoryRow

WATCH_STEPS = tuple(timedelta(seconds=s) for s in (30, 120, 600, 3600, 6 * 3600, 24 * 3600))
"""When a repeated op is looked up again after it was settled; the last look ends the watch."""

REACH_BACK = timedelta(minutes=2)
"""How far before an op was composed its history is read, because the partner's clock is not ours."""


async def history_of_watched(house: House, lane: Lane, cell: CellId, ref: CellRef) -> list[HistoryRow]:
    """The history of a cell since its oldest watched op; empty where none can be read. Raises RetryLater."""
    watched = await db.rows(house.pool, "watched_of_cell", cell_id=cell)
    if not watched:
        return []
    try:
        found = list(await lane.client.history(ref, watched[0]["composed_at"] - REACH_BACK))
    except Unreadable:
        return []
    await recognise(house, lane, found)
    return found


async def recognise(house: House, lane: Lane, rows: Sequence[HistoryRow]) -> None:
    """Look for traces that cannot be ours: an unknown op id under our own name (this database was restored), or our
    prefix under another name (a second installation). Either stops the routes."""
    ours = sorted({row.op for row in rows if row.op is not None and row.installation == house.installation})
    strangers = sorted(
        {row.installation for row in rows if row.installation is not None and row.installation != house.installation}
    )
    known = {record["id"] for record in await db.rows(house.pool, "known_ops", ids=ours)} if ours else set()
    unknown = [op for op in ours if op not in known]
    if not unknown and not strangers:
        return
    code = "restored" if unknown else "second_installation"
    async with db.transaction(house.pool) as conn:
        await stop_routes_of(house, conn, lane.connection_id, code)
        await open_alert(
            conn,
            house.observer,
            code,
            lane.name,
            now=house.now(),
            connection_id=lane.connection_id,
            traces=(unknown or strangers)[:5],
        )


async def take_back_doubles(
    house: House, lane: Lane, conn: Connection, cell: CellId, history: Sequence[HistoryRow], *, until: datetime | None
) -> int:
    """Count surplus effects of watched ops that the level already shows, and owe their opposite.

    Runs with the cell locked. `until` is the partner's stamp of the level: what happened later is not in it. Returns
    the units by which the known level is to be corrected.
    """
    seen = Counter(row.op for row in history if row.op is not None and (until is None or row.at <= until))
    total = 0
    for op in await db.rows(conn, "watched_of_cell", cell_id=cell):
        doubles = max(0, seen[op["id"]] - 1)
        fresh = doubles - op["doubles"]
        if fresh <= 0:
            continue
        units = fresh * op["delta"]
        await db.run(conn, "count_double", id=op["id"], doubles=doubles)
        await db.run(conn, "insert_compensation", op_id=op["id"], cell_id=cell, units=-units, found_at=house.now())
        await db.run(conn, "add_compensation", ids=[cell], units=[-units])
        total += units
    return total


async def watch(house: House, lane: Lane) -> Progress:
    """Look up one repeated op again; where it took effect twice, its cell is read, and the reading takes it back."""
    now = house.now()
    due = await db.rows(house.pool, "watched_ops", connection_id=lane.connection_id, now=now)
    if not due:
        return Progress(0, await db.value(house.pool, "next_watch", connection_id=lane.connection_id))
    wait = lane.client.budget.wait("read", now)
    if wait > 0:
        return Progress(0, now + timedelta(seconds=wait))
    op = due[0]
    ref = CellRef(ItemKey(op["item_key"]), LocationKey(op["location_key"]))
    try:
        history = list(await lane.client.history(ref, op["composed_at"] - REACH_BACK))
        await recognise(house, lane, history)
    except RetryLater as error:
        return Progress(0, house.now() + timedelta(seconds=error.after))
    except Unreadable:
        history = []
    found = sum(1 for row in history if row.op == op["id"])
    async with db.transaction(house.pool) as conn:
        if found - 1 > op["doubles"]:
            await db.run(conn, "mark_cells", ids=[op["cell_id"]], now=house.now())
            following: datetime | None = house.now() + WATCH_STEPS[0]
        else:
            following = _next_look(op["watch_until"] - WATCH_STEPS[-1], house.now())
        await db.run(conn, "rewatch", id=op["id"], watch_at=following)
        if following is None:
            still = bool(await db.value(conn, "still_watched", cell_id=op["cell_id"]))
            locked = await cells.lock(conn, [CellId(op["cell_id"])])
            await db.run(conn, "watch_cells", ids=list(locked), watched=still)
    return Progress(1, house.now())


def _next_look(settled_at: datetime, now: datetime) -> datetime | None:
    for step in WATCH_STEPS:
        if settled_at + step > now:
            return settled_at + step
    return None
