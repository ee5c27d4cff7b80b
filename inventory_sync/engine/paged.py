"""Runs that go page by page over what a partner lists: an import of a catalogue, a walk over all levels."""

from __future__ import annotations

from datetime import datetime, timedelta

from inventory_sync.engine import schedule
from inventory_sync.engine.lane import House, Lane, Progress
from inventory_sync.store import db
from inventory_sync.store.db import Connection


async def start(conn: Connection, kind: str, connection_id: int, *, now: datetime) -> int | None:
    """Start a run of a kind for a connection and say its id; None where one is under way."""
    found: int | None = await db.value(
        conn, "start_run", kind=kind, connection_id=connection_id, route_id=None, now=now
    )
    return found


def waits(lane: Lane, run: db.Record, now: datetime) -> Progress | None:
    """What is left to do but wait: for the next page's time, or for the partner's budget. None: ask for it now."""
    if schedule.page_waits(run["next_at"], now):
        return Progress(0, run["next_at"])
    wait = lane.client.budget.wait("read", now)
    return Progress(0, now + timedelta(seconds=wait)) if wait > 0 else None


async def progressed(
    house: House, conn: Connection, run_id: int, *, cursor: str | None, done: int, next_at: datetime
) -> None:
    """Note a page that is in, where the next begins, and when it may be asked for."""
    await db.run(
        conn,
        "run_progress",
        id=run_id,
        cursor=cursor,
        done=done,
        found=0,
        now=house.now(),
        next_at=next_at,
    )
