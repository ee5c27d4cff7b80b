"""Batches that a partner accepted and carries out later: how each row of one finds its outcome.

That it was accepted is no outcome. Its callback, or the end of the time declared for it, only says when to look: each
op is looked up by its id in the partner's change history. What has left no trace once nothing can land any more goes on
as a batch of its own, under the same op id: it is looked up once more before it is repeated, and its answer names the
reason where the partner refuses it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from inventory_sync.engine import settle
from inventory_sync.engine.alerts import open_alert
from inventory_sync.engine.evidence import REACH_BACK, recognise
from inventory_sync.engine.lane import House, Lane, hold
from inventory_sync.engine.reasons import Reason
from inventory_sync.model.ids import BatchId, OpId
from inventory_sync.store import db
from inventory_sync.systems.errors import RetryLater, Unreadable
from inventory_sync.systems.port import Applied, BulkWrites, Capabilities, HistoryRow, OpOutcome, PlannedOp

log = structlog.get_logger()

FIRST_LOOK = 2.0
LONGEST_LOOK = 60.0
"""Seconds between two looks at rows that left no trace yet: as long as they have been looked for, between these."""

CALLBACKS_MISSING = "callbacks_missing"
"""The alert while callbacks stay away. The next one that comes for a batch under way closes it."""

LOOKUPS = 10
"""Rows that are looked up in one step, so that other doubts get their turn."""


@dataclass(frozen=True, slots=True)
class _Search:
    """What a search found before it was over, or had to stop. `wait`: seconds until it may go on; None: it is over."""

    rows: Mapping[OpId, Sequence[HistoryRow]]
    missing: tuple[PlannedOp, ...]
    wait: float | None = None


async def look(house: House, lane: Lane, batch: BatchId, ops: Sequence[PlannedOp]) -> None:
    """Look up what a batch has left open, settle what is found, and say when to look again."""
    state = await db.row(house.pool, "bulk_state", id=batch)
    if state is None:
        return
    able = lane.client.capabilities.bulk or _without(lane.client.capabilities)
    age = _Age(state["sent_ago"], state["called_ago"])
    search = await _search(house, lane, able, batch, ops, age)
    await _settle_found(house, lane, batch, search.rows, in_doubt=state["state"] == "in_doubt")
    if search.wait is not None:
        await _look_again(house, batch, search.wait)
        return
    lane.searched.pop(batch, None)
    if not search.missing:
        return
    end = age.until_over(lane.client.capabilities, able)
    if end <= 0:
        await _split(house, lane, batch, search.missing)
        return
    if state["state"] == "accepted" and age.sent >= able.callback_within.total_seconds():
        await _missed(house, lane, batch, uncalled=age.called is None)
    since = age.sent if age.called is None else age.called
    due = able.callback_within.total_seconds() - age.sent
    await _look_again(house, batch, min(LONGEST_LOOK, max(FIRST_LOOK, since), end, due if due > 0 else end))


def _without(capabilities: Capabilities) -> BulkWrites:
    """What holds for a batch of a system that has no bulk writes any more."""
    return BulkWrites(1, capabilities.late_effect, capabilities.late_effect, lookups=1.0)


@dataclass(frozen=True, slots=True)
class _Age:
    """Seconds since a batch was sent, and since its callback came."""

    sent: float
    called: float | None

    def until_over(self, capabilities: Capabilities, able: BulkWrites) -> float:
        """Seconds until nothing of it can land any more; 0 or less: it is over."""
        by_time = able.late_effect.total_seconds() - self.sent
        if self.called is None:
            return by_time
        return min(by_time, capabilities.late_effect.total_seconds() - self.called)


async def _search(
    house: House, lane: Lane, able: BulkWrites, batch: BatchId, ops: Sequence[PlannedOp], age: _Age
) -> _Search:
    """Look each op up, a few in one step; what was looked at in this round is not asked again. Before the callback one
    op is asked for first: where it left no trace, the others are hardly further."""
    seen = lane.searched.setdefault(batch, set())
    probing = age.called is None and age.sent < able.callback_within.total_seconds() and not seen
    since = house.now() - timedelta(seconds=age.sent) - REACH_BACK
    found: dict[OpId, Sequence[HistoryRow]] = {}
    missing = [op for op in ops if op.op in seen]
    asked = 0
    for op in ops:
        if op.op in seen:
            continue
        if asked == LOOKUPS:
            return _Search(found, tuple(missing), asked / able.lookups)
        try:
            rows = await lane.client.history(op.cell, since)
        except RetryLater as error:
            return _Search(found, tuple(missing), max(error.after, asked / able.lookups))
        except Unreadable:
            rows = ()  # it stays open; by itself it ends as any change without evidence does
        await recognise(house, lane, rows)
        asked += 1
        seen.add(op.op)
        if traces := [row for row in rows if row.op == op.op and row.installation == house.installation]:
            found[op.op] = traces
        elif probing:
            return _Search(found, tuple(ops))
        else:
            missing.append(op)
        probing = False
    return _Search(found, tuple(missing))


async def _settle_found(
    house: House, lane: Lane, batch: BatchId, found: Mapping[OpId, Sequence[HistoryRow]], *, in_doubt: bool
) -> None:
    """Those with a trace are applied; one with several is watched, so that the surplus is taken back."""
    count = Counter({op: len(rows) for op, rows in found.items()})
    for doubled in (False, True):
        outcomes: dict[OpId, OpOutcome] = {
            op: Applied(rows[0].id, rows[0].at) for op, rows in found.items() if (count[op] > 1) is doubled
        }
        if outcomes:
            if in_doubt:
                house.observer.doubted(lane.name, "found")
            answered = settle.Answered(outcomes, partly=True)
            await settle.settle(house, lane, batch, answered, attempt=2 if doubled else 1)


async def _missed(house: House, lane: Lane, batch: BatchId, *, uncalled: bool) -> None:
    """Its time is over: what has left no trace is in doubt from now on."""
    reason = Reason.CALLBACK_AWAY if uncalled else Reason.NO_TRACE
    async with db.transaction(house.pool) as conn:
        found = await db.row(conn, "lock_batch", id=batch)
        if found is None:
            return
        if uncalled:
            await db.run(conn, "miss_callback", id=batch)
            await open_alert(
                conn,
                house.observer,
                CALLBACKS_MISSING,
                lane.name,
                now=house.now(),
                connection_id=lane.connection_id,
                batch=batch,
            )
        await db.run(conn, "doubt_batch", id=batch, due_at=house.now(), reason=reason)
        await db.run(conn, "doubt_ops", batch_id=batch, reason=reason, code=None)
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
            reason=Reason.NO_TRACE_AMONG_BATCH,
        )
        await db.run(conn, "settle_batch", id=batch, settled_at=house.now())
        await db.notify(conn, f"doubt:{lane.connection_id}")
    log.info("push.split", connection=lane.name, batch=batch, rows=len(made))


async def _look_again(house: House, batch: BatchId, after: float) -> None:
    await db.run(house.pool, "look_again_at", id=batch, due_at=house.now() + timedelta(seconds=after))
