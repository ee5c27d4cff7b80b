"""A lane: one connection's work, owned by one replica at a time under a lease with a fencing token (DESIGN §5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

import structlog

from inventory_sync.engine.observer import NO_OBSERVER, Observer
from inventory_sync.engine.reasons import Reason
from inventory_sync.model.ambient import Ambient
from inventory_sync.model.ids import BatchId, OpId
from inventory_sync.store import db
from inventory_sync.store.db import Pool
from inventory_sync.systems.port import CellRef, Client, PausingBudget

log = structlog.get_logger()

OUTAGE = timedelta(minutes=10)
"""A lane nobody held for this long is an outage: its pairs catch up before increases flow again."""


class LeaseLost(Exception):
    """The lane belongs to another owner now; what was about to be written was not."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What a step did. `due`: when it has something to do by itself; None: only when something new is heard."""

    did: int
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class House:
    """What every step works with: the database, time and chance, this installation's short name, an observer."""

    pool: Pool
    ambient: Ambient
    installation: str
    observer: Observer = NO_OBSERVER
    lease_seconds: float = 15.0

    def now(self) -> datetime:
        return self.ambient.now()


@dataclass(frozen=True, slots=True)
class Sweep:
    """A list of orders that is being read: asked at, the window in the partner's time, and where to go on."""

    asked_at: datetime
    since: datetime
    until: datetime
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """The levels of a doubtful batch's cells, read once nothing can land any more; None: not active, or unreadable."""

    asked_at: datetime
    answered_at: datetime
    levels: Mapping[CellRef, int | None]


@dataclass(slots=True)
class Lane:
    """A held lane. `token` fences every batch; `flying` are the batches whose answers this process still awaits, `live`
    those among them that carry more than rows of runs;
    `polled` says that changes nobody may have heard of while no process held the lane were listed. Lists of orders
    under way (`newest`, `window`) start over with the process: reading one twice changes nothing. `looks` are levels of
    doubtful batches that wait for the orders around them; `searched` are the ops of an accepted batch that were looked
    up in this round; `composing_bulk`: a batch of many rows is being composed."""

    connection_id: int
    name: str
    client: Client
    token: int
    flying: set[BatchId] = field(default_factory=set)
    live: set[BatchId] = field(default_factory=set)
    paused_until: datetime | None = None
    notices_work: bool = False
    last_cause: int = 0
    polled: bool = False
    newest: Sweep | None = None
    window: Sweep | None = None
    windowed_at: datetime | None = None
    looks: dict[BatchId, Look] = field(default_factory=dict)
    searched: dict[BatchId, set[OpId]] = field(default_factory=dict)
    composing_bulk: bool = False

    def pause(self, until: datetime) -> None:
        """Send no writes before `until` (a partner asked for it, or refused our request as malformed)."""
        if self.paused_until is None or until > self.paused_until:
            self.paused_until = until

    def paused(self, now: datetime) -> datetime | None:
        return self.paused_until if self.paused_until is not None and self.paused_until > now else None


@dataclass(frozen=True, slots=True)
class Held:
    """A lease as it was taken. `taken_over`: another owner held it before. `former_seconds_left` of that owner's lease,
    below 0 where it ended before; None: nobody held it before, or we did."""

    token: int
    taken_over: bool
    former_seconds_left: float | None


async def take_lease(house: House, connection_id: int, *, owner: str, owner_key: int) -> Held | None:
    """Take or renew the lane of a connection; None while another owner holds it."""
    async with db.transaction(house.pool) as conn:
        before = await db.row(conn, "lease_of", connection_id=connection_id)
        held = await db.row(
            conn,
            "take_lease",
            connection_id=connection_id,
            owner=owner,
            owner_key=owner_key,
            seconds=house.lease_seconds,
        )
        if held is None:
            return None
        await db.run(conn, "lane_seen", connection_id=connection_id, now=house.now())
        taken_over = before is None or before["owner"] != owner
        left = before["seconds_left"] if before is not None and taken_over else None
        return Held(held["token"], taken_over, left)


async def adopt(house: House, lane: Lane, former_seconds_left: float | None) -> int:
    """Take over what a former owner left: every op it sent is in doubt, and nothing without a key is repeated before
    its lease and the request time-out have passed. Says how many batches there were."""
    timeout = lane.client.capabilities.request_timeout.total_seconds()
    if lane.client.capabilities.serial:
        # A request of the former owner may still be under way, and here there is only ever one.
        silent = 0.0 if former_seconds_left is None else max(0.0, former_seconds_left + timeout)
        cast(PausingBudget, lane.client.budget).pause(house.now() + timedelta(seconds=silent))
    left = max(0.0, former_seconds_left or 0.0)
    async with db.transaction(house.pool) as conn:
        orphans = await db.rows(conn, "orphaned_batches", connection_id=lane.connection_id, token=lane.token)
        ids = [record["id"] for record in orphans]
        if ids:
            await db.run(conn, "adopt_batches", ids=ids, due_at=house.now(), wait_seconds=left + timeout)
            for batch in ids:
                await db.run(conn, "doubt_ops", batch_id=batch, reason=Reason.OWNER_CHANGED, code=None)
    if ids:
        log.info("lane.adopted", connection=lane.name, batches=len(ids))
    return len(ids)


async def catch_up_after_outage(house: House, lane: Lane, last_seen: datetime | None) -> None:
    """After an outage every living pair of the connection's running routes is read on both sides first."""
    now = house.now()
    if last_seen is None or now - last_seen < OUTAGE:
        return
    async with db.transaction(house.pool) as conn:
        for route in await db.rows(conn, "running_routes_of", connection_id=lane.connection_id):
            await db.run(conn, "mark_pairs_of_route", route_id=route["id"], now=now)
            await db.run(conn, "forget_stop_counts", route_id=route["id"])
            await db.run(conn, "catch_up_route", route_id=route["id"], now=now)
    log.info("lane.catching_up", connection=lane.name, silent_s=round((now - last_seen).total_seconds()))


async def hold(house: House, lane: Lane, conn: db.Connection) -> None:
    """Make sure, inside a transaction, that the lane is ours for longer than one request takes. Raises LeaseLost."""
    seconds = lane.client.capabilities.request_timeout.total_seconds()
    if not await db.value(conn, "lease_holds", connection_id=lane.connection_id, token=lane.token, seconds=seconds):
        raise LeaseLost(f"lane {lane.name}")
