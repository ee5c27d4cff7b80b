"""Planted bugs: each breaks one rule of the truth model, and the monitors must see it.

A plant is a context manager that gives a function to put it into a world that is about to get rough.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from unittest.mock import patch

from inventory_sync.engine import doubt, observe, push, settle
from inventory_sync.engine.lane import House, Lane, Progress
from inventory_sync.model.ids import BatchId, CellId
from inventory_sync.store import cells, db, pairs
from inventory_sync.systems.budget import TokenBucket
from inventory_sync.systems.errors import RetryLater
from inventory_sync.systems.port import Applied, NotApplied
from tests.simulation.kinds import Options
from tests.simulation.world import World

Put = Callable[[World], Awaitable[None]]


async def _nothing(_: World) -> None:
    """The bug needs nothing of the world."""


@contextmanager
def retry_with_a_new_key() -> Iterator[Put]:
    """A repeated request carries a fresh idempotency key."""
    original = push.send

    async def send(house: House, lane: Lane, batch: push.Batch, *, attempt: int = 1) -> None:
        if attempt > 1:
            key = str(uuid.UUID(house.ambient.new_id()))
            body = batch.prepared.body.replace(batch.prepared.key.encode(), key.encode())
            batch = replace(batch, prepared=replace(batch.prepared, body=body, key=key))
        await original(house, lane, batch, attempt=attempt)

    with patch.object(push, "send", send):
        yield _nothing


@contextmanager
def a_stale_reading_counts() -> Iterator[Put]:
    """Every reading counts, whenever it was asked."""
    with patch.object(observe.readings, "judge", lambda *_, **__: None):
        yield _nothing


@contextmanager
def the_number_alone_ends_doubt() -> Iterator[Put]:
    """A doubtful op is taken as applied if the level looks like it, else as not applied."""

    async def by_number(house: House, lane: Lane, batch: BatchId) -> None:
        ops = await doubt._ops(house, batch)
        try:
            levels = {r.cell: r.quantity for r in await lane.client.read([o.cell for o in ops], changed_since=None)}
        except RetryLater as error:
            await doubt._look_again(house, lane, batch, error.after, "busy")
            return
        known = {
            r["id"]: r["known"]
            for r in await house.pool.fetch(
                "select o.id, c.known from ops o join cells c on c.id = o.cell_id where o.batch_id = $1", batch
            )
        }
        outcomes = {
            o.op: Applied() if levels.get(o.cell) == known[o.op] + o.delta else NotApplied("the number says no")
            for o in ops
        }
        await settle.settle(house, lane, batch, settle.Answered(outcomes), attempt=1)

    with patch.object(doubt, "_by_key", by_number), patch.object(doubt, "_by_history", by_number):
        yield _nothing


@contextmanager
def a_refused_reading_clears_marks() -> Iterator[Put]:
    """A reading that did not count clears the cell's mark all the same."""
    original = cells.postpone

    async def postpone(conn: db.Connection, later: Sequence[tuple[CellId, datetime]]) -> None:
        await original(conn, later)
        await conn.execute(
            "update cells set marked_at = null, dirty_since = null, read_due = null where id = any($1::bigint[])",
            [cell for cell, _ in later],
        )

    with patch.object(cells, "postpone", postpone):
        yield _nothing


class _OneConnection:
    """A pool that always gives the one connection whose transaction is open."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def acquire(self) -> _OneConnection:
        return self

    async def __aenter__(self) -> Any:
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        """The connection stays open."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@contextmanager
def sending_inside_the_transaction() -> Iterator[Put]:
    """The request leaves before the transaction that marks it sent has committed."""
    compose, sound = push.compose, push.push
    worlds: list[World] = []

    async def put(world: World) -> None:
        worlds.append(world)

    async def inside(house: House, lane: Lane) -> Progress:
        now = house.now()
        if not worlds:
            return await sound(house, lane)
        paused = lane.paused(now)
        if paused is not None or lane.client.budget.wait("write", now) > 0:
            return Progress(0, paused)
        async with db.transaction(house.pool) as conn:
            pool: Any = _OneConnection(conn)
            one = replace(house, pool=pool)
            batch = await compose(one, lane)
            if batch is None:
                return Progress(0)
            tasks = worlds[-1].tasks
            tasks.held += 1
            try:
                await push.send(one, lane, batch)
            finally:
                tasks.held -= 1
        return Progress(1, house.now())

    with patch.object(push, "push", inside):
        yield put


@contextmanager
def an_unacknowledged_increase_counts() -> Iterator[Put]:
    """A rise at one channel is told to the other before the ledger acknowledged it."""
    original = pairs.states

    async def states(conn: db.Connection, rows: Any, **options: Any) -> dict[CellId, pairs.KnownPair]:
        found = await original(conn, rows, **options)
        changed = {}
        for cell, pair in found.items():
            others = await conn.fetchval(
                "select coalesce(sum(k2.owed_up + k2.sent_up), 0) from components k join components k2 on "
                "k2.ledger_cell = k.ledger_cell where k.pair_id = $1 and k2.pair_id <> $1",
                pair.id,
            )
            ledger = tuple(replace(side, own_up=side.own_up + others) for side in pair.state.ledger)
            changed[cell] = replace(pair, state=replace(pair.state, ledger=ledger))
        return changed

    with patch.object(pairs, "states", states):
        yield _nothing


@contextmanager
def a_full_budget_after_restart() -> Iterator[Put]:
    """A process that starts believes that nobody spent anything in the second before it."""
    wait, spend = TokenBucket.wait, TokenBucket.spend
    credits: dict[TokenBucket, float] = {}
    worlds: list[World] = []

    async def put(world: World) -> None:
        worlds.append(world)

    def credit(bucket: TokenBucket) -> float:
        fresh = bucket.refill_per_second if worlds else 0.0
        return credits.setdefault(bucket, fresh)

    def generous_wait(bucket: TokenBucket, cost: float, now: datetime) -> float:
        return 0.0 if credit(bucket) >= cost else wait(bucket, cost, now)

    def generous_spend(bucket: TokenBucket, cost: float, now: datetime) -> None:
        if credit(bucket) >= cost:
            credits[bucket] -= cost
        else:
            spend(bucket, cost, now)

    with patch.object(TokenBucket, "wait", generous_wait), patch.object(TokenBucket, "spend", generous_spend):
        yield put


PLANTS: dict[str, Callable[[], AbstractContextManager[Put]]] = {
    "new-key": retry_with_a_new_key,
    "stale-reading": a_stale_reading_counts,
    "number-alone": the_number_alone_ends_doubt,
    "mark-cleared": a_refused_reading_clears_marks,
    "send-inside": sending_inside_the_transaction,
    "unacknowledged": an_unacknowledged_increase_counts,
    "full-budget": a_full_budget_after_restart,
}

ROUGHER = {"full-budget": Options(limits=(8, 4), crash_every=6.0)}
"""Worlds in which a bug shows sooner: here one that dies often, with partners that allow little."""
