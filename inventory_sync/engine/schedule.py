"""Schedules whose last run is a row: they survive pauses, fire once across replicas, catch up once after downtime."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from apscheduler.triggers.interval import IntervalTrigger

from inventory_sync.engine.lane import House
from inventory_sync.store import db

RECONCILE = IntervalTrigger(hours=6)
"""All levels of a connection are walked this often, besides after a gap in the notices."""

SUBSCRIPTIONS = IntervalTrigger(hours=1)
"""A partner deletes subscriptions silently; they are listed and repaired this often."""

CATALOGUE = IntervalTrigger(hours=24)
"""A full import, for what no catalogue notice told."""

ORDERS_WIDE = IntervalTrigger(hours=24)
"""The wide window over a channel's orders, for what the sliding one no longer reaches."""

HOUSEKEEPING = IntervalTrigger(seconds=15)


async def claim(house: House, name: str, trigger: Any) -> tuple[bool, datetime]:
    """Take a run if it is due and nobody else took it. Says whether, and when to ask again; what never ran is due."""
    now = house.now()
    last: datetime | None = await db.value(house.pool, "last_run", name=name)
    following = next_run(trigger, last, now)
    if following > now:
        return False, following
    taken = await db.value(house.pool, "claim_run", name=name, last_at=last, now=now)
    return bool(taken), next_run(trigger, now, now)


def next_run(trigger: Any, last: datetime | None, now: datetime) -> datetime:
    """When a job is due, from its last run; anything due later than its own interval is due now (clock jumps)."""
    if last is None or last > now:
        return now
    following: datetime | None = trigger.get_next_fire_time(last, now)
    return now if following is None else following
