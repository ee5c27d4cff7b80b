"""Batches that a partner accepted and carries out later: how each row of one finds its outcome.

That it was accepted is no outcome. Its callback, or the end of the time declared for it, only says when to look: each op
is looked up by its id in the partner's change history. What has left no trace once nothing can land any more goes on as
a batch of its own, under the same op id: it is looked up once more before it is repeated, and its answer names the
reason where the partner refuses it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from inventory_sync.engine import settle
from inventory_sync.engine.evidence import REACH_BACK, recognise
from inventory_sync.engine.lane import House, Lane, hold
from inventory_sync.model.ids import BatchId, OpId
from inventory_sync.store import db
from inventory_sync.systems.errors import RetryLater, Unreadable
from inventory_sync.systems.port import Applied, HistoryRow, OpOutcome, PlannedOp

log = structlog.get_logger()

FIRST_LOOK = 2.0
LONGEST_LOOK = 60.0
"""Seconds between two looks at rows that left no trace yet: as long as they have been looked for, between these."""


@dataclass(frozen=True, slots=True)
class _Search:
    """What a search found before it was over, or had to stop. `wait`: seconds until it may go on; None: it is over."""

    rows: Mapping[OpId, Sequence[HistoryRow]]
    missing: tuple[PlannedOp, ...]
    wait: float | None = None


async def look(house: House, lane: Lane, batch: BatchId, ops: Sequence[PlannedOp]) -> None:
    """Look up what a batch has left open, settle what is found, and say when to look again."""
    state = await db.row(house.pool, "bulk_state", id=batch)
    able = lane.client.capabilities.bulk
    if state is None or able is None:
        return
    search = await _search(house, lane, batch, ops, house.now() - timedelta(seconds=state["sent_ago"]))
    await _settle_found(house, lane, batch, search.rows)
    if search.wait is not None:
        await _look_again(house, batch, search.wait)
        return
    lane.searched.pop(batch, None)
    if not search.missing:
        return
    late = lane.client.capabilities.late_effect.total_seconds()
    called = state["called_ago"]
    if state["sent_ago"] >= able.late_effect.total_seconds() or (called is not None and called >= late):
        await _split(house, lane, batch, search.missing)
        return
    overdue = state["sent_ago"] >= able.callback_within.total_seconds()
    if overdue and state["state"] == "accepted":
        await _missed(house, lane, batch, called is None)
    since = called if called is not None else max(0.0, state["sent_ago"] - able.callback_within.total_seconds())
    wait = min(LONGEST_LOOK, max(FIRST_LOOK, since))
    end = late - called if called is not None else able.late_effect.total_seconds() - state["sent_ago"]
    await _look_again(house, batch, min(wait, max(0.1, end)))


async def _search(
    house: House, lane: Lane, batch: BatchId, ops: Sequence[PlannedOp], first: datetime
) -> _Search:
    """Look each op up, as far as the partner's budget goes; what was looked at in this round is not asked again."""
    seen = lane.searched.setdefault(batch, set())
    found: dict[OpId, Sequence[HistoryRow]] = {}
    missing: list[PlannedOp] = []
    wait: float | None = None
    for op in ops:
        if op.op in seen:
            missing.append(op)
            continue
        try:
            rows = await lane.client.history(op.cell, first - REACH_BACK)
        except RetryLater as error:
            wait = error.after
            break
        except Unreadable:
            rows = ()  # it stays open; by itself it ends as any change without evidence does
        await recognise(house, lane, rows)
        seen.add(op.op)
        if traces := [row for row in rows if row.op == op.op and row.installation == house.installation]:
            found[op.op] = traces
        else:
            missing.append(op)
    return _Search(found, tuple(missing), wait)


async def _settle_found(
    house: House, lane: Lane, batch: BatchId, found: Mapping[OpId, Sequence[HistoryRow]]
) -> None:
    """Those with a trace are applied; one with several is watched, so that the surplus is taken back."""
    count = Counter({op: len(rows) for op, rows in found.items()})
    for doubled in (False, True):
        outcomes: dict[OpId, OpOutcome] = {
            op: Applied(rows[0].id, rows[0].at) for op, rows in found.items() if (count[op] > 1) is doubled
        }
        if outcomes:
            house.observer.doubted(lane.name, "found")
            answered = settle.Answered(outcomes, partly=True)
            await settle.settle(house, lane, batch, answered, attempt=2 if doubled else 1)


async def _missed(house: House, lane: Lane, batch: BatchId, uncalled: bool) -> None:
    """Its time is over: what has left no trace is in doubt from now on."""
    reason = "its callback stayed away" if uncalled else "no trace of it after the callback"
    async with db.transaction(house.pool) as conn:
        found = await db.row(conn, "lock_batch", id=batch)
        if found is None:
            return
        if uncalled:
            await db.run(conn, "miss_callback", id=batch)
        await db.run(conn, "doubt_batch", id=batch, due_at=house.now(), reason=reason)
        await db.run(conn, "doubt_ops", batch_id=batch, reason=reason)
    log.warning("push.callback_missed" if uncalled else "push.rows_missing", connection=lane.name, batch=batch)


async def _split(house: House, lane: Lane, batch: BatchId, ops: Sequence[PlannedOp]) -> None:
    """Each of these ops becomes a batch of its own, in doubt and as old as this one."""
    made = [(house.ambient.new_id(), op.op, lane.client.compose([op], op.op)) for op in ops]
    async with db.transaction(house.pool) as conn:
        await hold(house, lane, conn)
        found = await db.row(conn, "lock_batch", id=batch)
        if found is None:
            return
        await db.run(
            conn,
            "split_batch",
            id=batch,
            token=lane.token,
            ids=[one for one, _, _ in made],
            ops=[op for _, op, _ in made],
            methods=[prepared.method for _, _, prepared in made],
            paths=[prepared.path for _, _, prepared in made],
            requests=[prepared.body for _, _, prepared in made],
            keys=[prepared.key for _, _, prepared in made],
            version=made[0][2].api_version,
            due_at=house.now(),
        )
        await db.run(conn, "settle_batch", id=batch, settled_at=house.now())
        await db.notify(conn, f"doubt:{lane.connection_id}")
    log.info("push.split", connection=lane.name, batch=batch, rows=len(made))


async def _look_again(house: House, batch: BatchId, after: float) -> None:
    await db.run(house.pool, "look_again_at", id=batch, due_at=house.now() + timedelta(seconds=after))
