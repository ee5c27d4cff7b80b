"""Causes: what the partner's history says about a movement, learnt afterwards and kept beside the journal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from inventory_sync.engine.evidence import recognise
from inventory_sync.engine.lane import House, Lane, Progress
from inventory_sync.model.ids import ItemKey, LocationKey
from inventory_sync.store import db
from inventory_sync.systems.errors import RetryLater, Unreadable
from inventory_sync.systems.port import CellRef, HistoryRow

SETTLES = timedelta(seconds=5)
"""A row of history is looked for this long after the movement was read: histories may lag behind levels."""

MARGIN = timedelta(minutes=2)
PAUSE = timedelta(milliseconds=500)
"""Causes are for people; they take at most two requests a second from the budget of a lane."""


async def attribute(house: House, lane: Lane) -> Progress:
    """Ask why one movement happened. Unknown stays unknown: nothing is decided from a cause here."""
    if not lane.client.capabilities.history_causes:
        return Progress(0)
    found = await db.rows(
        house.pool, "unexplained_movements", connection_id=lane.connection_id, after=lane.last_cause, limit=1
    )
    if not found:
        return Progress(0)
    movement, now = found[0], house.now()
    ready = max(movement["asked_at"] + SETTLES, now + timedelta(seconds=lane.client.budget.wait("read", now)))
    if ready > now:
        return Progress(0, ready)
    since = movement["previous_asked_at"] or movement["asked_at"] - timedelta(hours=1)
    ref = CellRef(ItemKey(movement["item_key"]), LocationKey(movement["location_key"]))
    try:
        rows = list(await lane.client.history(ref, since - MARGIN))
        await recognise(house, lane, rows)
    except RetryLater as error:
        return Progress(0, house.now() + timedelta(seconds=error.after))
    except Unreadable:
        rows = []
    cause, reference = cause_of(rows, movement["delta"], since=since, until=movement["asked_at"])
    await db.run(
        house.pool,
        "insert_cause",
        movement_id=movement["id"],
        cause=cause,
        reference=reference,
        learnt_at=house.now(),
    )
    lane.last_cause = movement["id"]
    return Progress(1, house.now() + PAUSE)


def cause_of(rows: Sequence[HistoryRow], delta: int, *, since: datetime, until: datetime) -> tuple[str, str]:
    """The cause of a movement of `delta` units between two readings, and the partner's ids of the rows behind it.

    Rows of others within the window, widened by the margin only where the exact window does not add up.
    """
    others = [row for row in rows if row.op is None]
    for margin in (timedelta(0), MARGIN):
        chosen = [row for row in others if since - margin <= row.at <= until + margin]
        if chosen and sum(row.amount for row in chosen) == delta:
            causes = sorted({row.cause for row in chosen})
            return "+".join(causes), ",".join(row.id for row in chosen[:20])
    return "unknown", ""
