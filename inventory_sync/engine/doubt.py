"""Doubt is a state: how a request whose answer was lost finds its outcome (the truth model's rule 3.7).

What counts as evidence is a declared capability: the identical bytes under the same key, the op id in the partner's
change history, or nothing at all, and then the lower number is believed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from inventory_sync.engine import accepted, levels, push, settle
from inventory_sync.engine.evidence import REACH_BACK, recognise
from inventory_sync.engine.lane import House, Lane, Progress, hold
from inventory_sync.engine.reasons import Reason
from inventory_sync.model.ids import BatchId, ItemKey, LocationKey, OpId
from inventory_sync.store import db
from inventory_sync.systems.errors import RetryLater, Unreadable
from inventory_sync.systems.port import (
    Applied,
    CellRef,
    EvidenceKind,
    HistoryRow,
    OpOutcome,
    PlannedOp,
    PreparedRequest,
)

log = structlog.get_logger()


async def doubt(house: House, lane: Lane) -> Progress:
    """Look at one doubtful batch of a lane: repeat it, find what became of it, wait, or give up the answer."""
    now = house.now()
    await _find_strays(house, lane)
    found = await db.row(house.pool, "take_doubt", connection_id=lane.connection_id, now=now)
    if found is None:
        return Progress(0, await db.value(house.pool, "next_doubt", connection_id=lane.connection_id))
    batch = BatchId(found["id"])
    if found["kind"] == "bulk":
        await accepted.look(house, lane, batch, await _ops(house, batch))
        return Progress(1, house.now())
    match lane.client.capabilities.evidence:
        case EvidenceKind.KEY:
            await _by_key(house, lane, batch)
        case EvidenceKind.HISTORY:
            await _by_history(house, lane, batch)
        case EvidenceKind.ORDERS | EvidenceKind.LEVEL:
            await _by_level(house, lane, batch)
        case EvidenceKind.NONE:
            await _by_nothing(house, lane, batch)
    return Progress(1, house.now())


async def _find_strays(house: House, lane: Lane) -> None:
    """A batch of ours that is marked sent and that nobody waits for is in doubt: its answer was lost on our side."""
    async with db.transaction(house.pool) as conn:
        sent = await db.rows(conn, "orphaned_batches", connection_id=lane.connection_id, token=lane.token + 1)
        for batch in (BatchId(r["id"]) for r in sent if r["id"] not in lane.flying):
            await db.run(conn, "doubt_batch", id=batch, due_at=house.now(), reason=Reason.NEVER_RECORDED)
            await db.run(conn, "doubt_ops", batch_id=batch, reason=Reason.NEVER_RECORDED, code=None)


async def _by_key(house: House, lane: Lane, batch: BatchId) -> None:
    """Repeat the identical bytes under the same key, while the partner remembers it, by the database's clock."""
    lifetime = lane.client.capabilities.key_lifetime
    age = await db.value(house.pool, "key_age", id=batch)
    if lifetime is not None and age > lifetime.total_seconds():
        await _give_up(house, lane, batch, Reason.KEY_TOO_OLD)
        return
    await _repeat(house, lane, batch)


async def _by_history(house: House, lane: Lane, batch: BatchId) -> None:
    """Look the op up in the partner's history; repeat only what is not there after a late request would have landed."""
    ops = await _ops(house, batch)
    late = lane.client.capabilities.late_effect.total_seconds()
    sent_ago = await db.value(house.pool, "send_age", id=batch)
    first = house.now() - timedelta(seconds=await db.value(house.pool, "key_age", id=batch))
    try:
        rows = [row for op in ops for row in await lane.client.history(op.cell, first - REACH_BACK)]
        await recognise(house, lane, rows)
    except RetryLater as error:
        await _look_again(house, lane, batch, error.after, error.message)
        return
    except Unreadable as error:
        if sent_ago < late:
            await _look_again(house, lane, batch, late - sent_ago, error.message)
        else:
            await _give_up(house, lane, batch, error.message, error.code)
        return
    found = _first_of(rows)
    if all(op.op in found for op in ops):
        outcomes: dict[OpId, OpOutcome] = {op.op: Applied(found[op.op].id, found[op.op].at) for op in ops}
        house.observer.doubted(lane.name, "found")
        doubled = any(count > 1 for count in Counter(row.op for row in rows if row.op is not None).values())
        attempt = await _attempts(house, batch)
        await settle.settle(house, lane, batch, settle.Answered(outcomes), attempt=max(attempt, 2 if doubled else 1))
        return
    wait = max(late - sent_ago, await db.value(house.pool, "repeat_wait", id=batch))
    if wait > 0:
        house.observer.doubted(lane.name, "waiting")
        await _look_again(
            house, lane, batch, min(wait, settle.LONGEST_LOOK, max(1.0, sent_ago)), "not in the history yet"
        )
        return
    await _repeat(house, lane, batch)


async def _by_level(house: House, lane: Lane, batch: BatchId) -> None:
    """Once nothing can land any more: the level, and the orders around it, say whether the write took effect."""
    late = lane.client.capabilities.late_effect.total_seconds()
    sent_ago = await db.value(house.pool, "send_age", id=batch)
    if sent_ago < late:
        await _look_again(house, lane, batch, late - sent_ago, "waiting until nothing can land any more")
        return
    ops = await _ops(house, batch)
    try:
        wait = await levels.look(house, lane, batch, ops)
    except RetryLater as error:
        await _look_again(house, lane, batch, error.after, error.message)
        return
    if wait > 0:
        await _look_again(house, lane, batch, wait, "waiting for the orders around the level")
        return
    answered = await levels.judge(house, lane, batch, ops)
    for result, count in (("found", len(answered.outcomes)), ("lower_number", len(answered.unknown))):
        if count:
            house.observer.doubted(lane.name, result)
    await settle.settle(house, lane, batch, answered, attempt=1)
    lane.looks.pop(batch, None)


async def _by_nothing(house: House, lane: Lane, batch: BatchId) -> None:
    """No evidence is possible: once nothing can land any more, the lower number is believed."""
    late = lane.client.capabilities.late_effect.total_seconds()
    sent_ago = await db.value(house.pool, "send_age", id=batch)
    if sent_ago < late:
        await _look_again(house, lane, batch, late - sent_ago, "waiting until nothing can land any more")
    else:
        await _give_up(house, lane, batch, Reason.NO_EVIDENCE)


async def _repeat(house: House, lane: Lane, batch: BatchId) -> None:
    now = house.now()
    wait = lane.client.budget.wait("write", now)
    paused = lane.paused(now)
    if wait > 0 or paused is not None:
        seconds = max(wait, (paused - now).total_seconds() if paused else 0.0)
        await _look_again(house, lane, batch, seconds, "waiting for the partner's budget")
        return
    async with db.transaction(house.pool) as conn:
        await hold(house, lane, conn)
        found = await db.row(conn, "lock_batch", id=batch)
        if found is None or found["state"] != "in_doubt":
            return
        await db.run(conn, "repeat_batch", id=batch)
    prepared = PreparedRequest(found["method"], found["path"], found["request"], found["key"], found["api_version"])
    house.observer.doubted(lane.name, "resent")
    log.info("push.repeated", connection=lane.name, batch=batch, attempt=found["attempts"] + 1)
    ops = tuple(await _ops(house, batch))
    await push.send(house, lane, push.Batch(batch, prepared, ops), attempt=found["attempts"] + 1)


async def _give_up(house: House, lane: Lane, batch: BatchId, reason: str, code: str | None = None) -> None:
    house.observer.doubted(lane.name, "lower_number")
    log.warning("push.never_known", connection=lane.name, batch=batch, reason=reason)
    await settle.settle(house, lane, batch, settle.NeverKnown(reason, code), attempt=await _attempts(house, batch))


async def _look_again(house: House, lane: Lane, batch: BatchId, after: float, reason: str) -> None:
    due: datetime = house.now() + timedelta(seconds=after)
    await db.run(house.pool, "doubt_batch", id=batch, due_at=due, reason=reason[:500])


async def _ops(house: House, batch: BatchId) -> Sequence[PlannedOp]:
    found = await db.rows(house.pool, "open_ops", batch_id=batch)
    return [
        PlannedOp(OpId(r["id"]), CellRef(ItemKey(r["item_key"]), LocationKey(r["location_key"])), r["delta"])
        for r in found
    ]


async def _attempts(house: House, batch: BatchId) -> int:
    return int(await house.pool.fetchval("select attempts from batches where id = $1", batch))


def _first_of(rows: Sequence[HistoryRow]) -> dict[OpId, HistoryRow]:
    found: dict[OpId, HistoryRow] = {}
    for row in rows:
        if row.op is not None and row.op not in found:
            found[row.op] = row
    return found
