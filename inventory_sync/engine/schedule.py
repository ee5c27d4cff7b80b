"""Schedules whose last run is a row: they survive pauses, fire once across replicas, catch up once after downtime."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zlib import crc32

from apscheduler.triggers.interval import IntervalTrigger

from inventory_sync.engine.lane import House
from inventory_sync.store import db
from inventory_sync.store.db import Connection

RECONCILE = IntervalTrigger(hours=6)
"""All levels of a connection are walked this often, besides after a gap in the notices."""

SUBSCRIPTIONS = IntervalTrigger(hours=1)
"""A partner deletes subscriptions silently; they are listed and repaired this often."""

CATALOGUE = IntervalTrigger(hours=24)
"""A full import, for what no catalogue notice told."""

ORDERS_WIDE = IntervalTrigger(hours=24)
"""The wide window over a channel's orders, for what the sliding one no longer reaches."""

HOUSEKEEPING = IntervalTrigger(seconds=15)


SPREAD = 0.05
"""Share of its interval by which a job's runs are spread, so that the jobs of many connections do not start at once."""

SPREAD_FROM = timedelta(minutes=30)
"""Jobs that run more often than this are not spread."""

OFF_CHECK = timedelta(minutes=1)
"""A job that a person switched off is asked about again this often."""

PAGE_WAIT = timedelta(minutes=1)
"""The next page of a list is waited for at most so long; what is due later is due now (clock jumps)."""


async def claim(house: House, name: str, trigger: Any) -> tuple[bool, datetime]:
    """Take a run if it is due and nobody else took it. Says whether, and when to ask again; what never ran is due."""
    now = house.now()
    last: datetime | None = await db.value(house.pool, "last_run", name=name)
    due = following(name, trigger, last, now)
    if due > now:
        return False, due
    if await is_off(house.pool, name):
        return False, now + OFF_CHECK
    taken = await db.value(house.pool, "claim_run", name=name, last_at=last, now=now)
    return bool(taken), following(name, trigger, now, now)


def off_name(name: str) -> str:
    """The row that says that a person switched this job off."""
    return f"off:{name}"


async def is_off(conn: Connection, name: str) -> bool:
    """Whether a person switched this job off."""
    return await db.value(conn, "last_run", name=off_name(name)) is not None


def following(name: str, trigger: Any, last: datetime | None, now: datetime) -> datetime:
    """When a job of this name is due: as `next_run` says, a little later by what is this name's own."""
    due = next_run(trigger, last, now)
    interval: timedelta = trigger.interval
    if last is None or last > now or interval < SPREAD_FROM:
        return due
    later = due + interval * SPREAD * (crc32(name.encode()) % 1000 / 1000)
    return now if later <= now else later


def next_run(trigger: Any, last: datetime | None, now: datetime) -> datetime:
    """When a job is due, from its last run; anything due later than its own interval is due now (clock jumps)."""
    if last is None or last > now:
        return now
    following: datetime | None = trigger.get_next_fire_time(last, now)
    return now if following is None else following


def page_waits(next_at: datetime | None, now: datetime) -> bool:
    """Whether the next page of a list is not due yet."""
    return next_at is not None and now < next_at <= now + PAGE_WAIT
