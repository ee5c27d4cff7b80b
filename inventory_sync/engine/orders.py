"""Orders: lists of a channel's orders, read again and again, because an order is state (the truth model's rule 3.8).

The newest every few seconds, a sliding window, and a wide one every night; what each list shows is counted and kept in
`order_lines`, and what a whole list should have shown and did not has vanished.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from inventory_sync.engine import cut_off, order_lines, order_policy, schedule
from inventory_sync.engine.lane import House, Lane, Progress, Sweep
from inventory_sync.model.ids import CellId
from inventory_sync.store import db
from inventory_sync.systems.errors import RetryLater
from inventory_sync.systems.port import ChangeSource, OrderClient

AHEAD = timedelta(minutes=10)
"""How far a window reaches into the future: the partner's clock is not ours."""

SLIDE_EVERY = timedelta(seconds=60)
"""The sliding window starts over this long after it ended: cancels, edits and vanished orders are found by it."""

LONGEST_REACH = timedelta(days=30)


async def orders(house: House, lane: Lane) -> Progress:
    """Ask for one page of orders: the newest every few seconds, else a page of the sliding or the nightly window."""
    able = lane.client.capabilities
    if not able.has_orders:
        return Progress(0)
    now = house.now()
    state = await db.row(house.pool, "orders_state", connection_id=lane.connection_id)
    swept, wanted = (state["orders_swept_at"], state["orders_wanted_at"]) if state is not None else (None, None)
    if able.change_source is ChangeSource.ORDERS:
        if swept is None:
            await db.run(house.pool, "orders_are_needed", connection_id=lane.connection_id)
        else:
            await _weigh_again(house, lane, swept)
    if lane.newest is None and (
        swept is None or swept + able.orders_every <= now or (wanted is not None and wanted > swept)
    ):
        back = order_lines.NEWEST if swept is None else min(LONGEST_REACH, now - swept + order_lines.NEWEST)
        if swept is None:
            back = able.order_window_wide
        lane.newest = Sweep(now, now - back, now + AHEAD)
    if lane.newest is None:
        await _next_window(house, lane, now)
    sweep = lane.newest or lane.window
    soon = swept + able.orders_every if swept is not None else now
    if sweep is None:
        return Progress(0, min(soon, lane.windowed_at + SLIDE_EVERY) if lane.windowed_at else soon)
    wait = lane.client.budget.wait("orders", now)
    if wait > 0:
        return Progress(0, min(now + timedelta(seconds=wait), max(soon, now + timedelta(milliseconds=50))))
    return await _page(house, lane, sweep, swept)


async def _next_window(house: House, lane: Lane, now: datetime) -> None:
    """Start the nightly wide window when it is due, else the sliding one a while after it last ended."""
    able = lane.client.capabilities
    if lane.window is not None:
        return
    taken, _ = await schedule.claim(house, f"orders:{lane.connection_id}", schedule.ORDERS_WIDE)
    if taken:
        lane.window = Sweep(now, now - able.order_window_wide, now + AHEAD)
    elif lane.windowed_at is None or lane.windowed_at + SLIDE_EVERY <= now:
        lane.window = Sweep(now, now - able.order_window, now + AHEAD)


async def _page(house: House, lane: Lane, sweep: Sweep, swept: datetime | None) -> Progress:
    client = cast(OrderClient, lane.client)
    try:
        page = await client.orders(sweep.since, sweep.until, sweep.cursor)
    except RetryLater as error:
        return Progress(0, house.now() + timedelta(seconds=error.after))
    await order_lines.keep(house, lane, page.lines, asked_at=sweep.asked_at, unseen_at=swept)
    newest = sweep is lane.newest
    following = None if page.cursor is None else replace(sweep, cursor=page.cursor)
    if newest:
        lane.newest = following
    else:
        lane.window = following
    if following is None:
        await _ended(house, lane, sweep, newest=newest)
        if newest:
            await cut_off.check(house, lane, swept_at=sweep.asked_at)
    return Progress(len(page.lines), house.now())


async def _ended(house: House, lane: Lane, sweep: Sweep, *, newest: bool) -> None:
    """A whole list was read: what it should have shown and did not has vanished."""
    async with db.transaction(house.pool) as conn:
        if newest:
            await db.run(conn, "orders_swept", connection_id=lane.connection_id, asked_at=sweep.asked_at)
        gone = await db.rows(
            conn,
            "vanish_lines",
            connection_id=lane.connection_id,
            since=sweep.since + AHEAD,
            until=sweep.asked_at - AHEAD,
            swept_at=sweep.asked_at,
        )
        vanished = sorted({CellId(r["cell_id"]) for r in gone if r["cell_id"] is not None})
        await order_policy.waive(conn, [(CellId(r["cell_id"]), r["live"]) for r in gone if r["cell_id"] is not None])
        if any(r["kept"] for r in gone):
            await order_policy.tell_kept(house, lane, conn)
        await order_lines.hold(conn, vanished)
        await order_lines.look_at(house, lane, conn, vanished)
        if not newest:
            await order_policy.check_source(house, lane, conn)
    if not newest:
        lane.windowed_at = house.now()


async def _weigh_again(house: House, lane: Lane, swept: datetime) -> None:
    """Lines that nobody lists anew: their item became known, or they stayed unpaid for too long."""
    lines = await order_policy.lines_to_weigh(house, lane)
    await order_lines.keep(house, lane, lines, asked_at=house.now(), unseen_at=swept, listed=False)
