"""Push: compose a batch from state, mark it sent, let it go (DESIGN §3.3, §5).

The transaction that composes stores key and exact bytes and commits before anything leaves. A process that dies after
that commit leaves ops that are in doubt, never ops that look unsent.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from inventory_sync.engine import bulk, settle
from inventory_sync.engine.decide import decisions_for
from inventory_sync.engine.lane import House, Lane, Progress, hold
from inventory_sync.engine.observer import Composed
from inventory_sync.engine.order_lines import FRESH
from inventory_sync.engine.runs import portions
from inventory_sync.model.decide import DECREASE, INCREASE, RULE_VERSION, RUN_DOWN, RUN_UP, TO_ZERO, Blocked, Decision
from inventory_sync.model.ids import BatchId, CellId, ItemKey, LocationKey, OpId, PairId
from inventory_sync.store import cells, db, pairs
from inventory_sync.store.cells import CellRow, Gap
from inventory_sync.store.db import Connection
from inventory_sync.systems.port import BulkWrites, CellRef, GroupingClient, PlannedOp, PreparedRequest, WriteMode

LOOK_AGAIN = timedelta(milliseconds=250)

INCREASE_WAITS = timedelta(seconds=10)
"""Decreases overtake increases between cells, but an increase waits no longer than this for its turn."""

LIVE_WAITS = timedelta(seconds=0.5)
"""While a batch of live changes is under way, runs have the partner's other slots; a live change that has waited this
long takes the next one, whichever it is. Else a shop that always sells starves its runs."""

_FILLS = {TO_ZERO: RUN_DOWN, INCREASE: RUN_UP}
"""A batch of live changes that is not full takes rows of runs along, of the same sign."""


_OF_RUNS = ("live", "undo")
"""What an op is for that may carry rows of runs as well: then it is for the run."""


@dataclass(frozen=True, slots=True)
class _Line:
    """One op of a batch that is being composed. `parts`: which pairs' units it carries. `value`: the number to set,
    where writes are absolute; `cut`: units by which it would lie below 0."""

    cell: CellRow
    delta: int
    target: int | None
    cause: str
    role: str
    parts: tuple[tuple[PairId, int], ...] = ()
    value: int | None = None
    cut: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that is marked sent and must leave now."""

    id: BatchId
    prepared: PreparedRequest
    ops: tuple[PlannedOp, ...]
    events: tuple[Composed, ...] = ()
    live: bool = True


async def push(house: House, lane: Lane) -> Progress:
    """Compose one batch of the most urgent cells, send it, and record what became of it."""
    now = house.now()
    paused = lane.paused(now)
    if paused is not None:
        return Progress(0, paused)
    wait = lane.client.budget.wait("write", now)
    if wait > 0:
        return Progress(0, now + timedelta(seconds=wait))
    batch = await _compose_bulk(house, lane) or await compose(house, lane) or await compose_activation(house, lane)
    if batch is None:
        return Progress(0, await _due(house, lane, now))
    await send(house, lane, batch)
    return Progress(len(batch.ops), house.now())


async def _compose_bulk(house: House, lane: Lane) -> Batch | None:
    able = await bulk.worth_it(house, lane)
    if able is None:
        return None
    lane.composing_bulk = True
    try:
        return await compose(house, lane, able)
    finally:
        lane.composing_bulk = False


async def send(house: House, lane: Lane, batch: Batch, *, attempt: int = 1) -> None:
    """Let a batch go that is marked sent, and settle what the partner answers."""
    lane.flying.add(batch.id)
    if batch.live:
        lane.live.add(batch.id)
    try:
        outcome = await settle.ask(house, lane, batch.prepared, batch.ops)
        await settle.settle(house, lane, batch.id, outcome, attempt=attempt)
    finally:
        lane.flying.discard(batch.id)
        lane.live.discard(batch.id)


async def compose(house: House, lane: Lane, many: BulkWrites | None = None) -> Batch | None:
    """Compose a batch of ops and mark it sent, in one transaction; None if there is nothing to write. Of one sign, but
    for numbers that are set: they are never repeated, so nothing is gained by keeping them apart. `many`: what only a
    run wants written, in a batch that is carried out later."""
    now = house.now()
    async with db.transaction(house.pool) as conn:
        await hold(house, lane, conn)
        chosen = await (bulk.candidates(conn, lane, many) if many else _candidates(conn, lane, now))
        if not chosen:
            return None
        locked = await cells.lock(conn, chosen)
        decisions = await decisions_for(conn, locked)
        able = [locked[c] for c in chosen if _may_write(lane, locked[c], decisions[c], now)]
        lines = await _lines(conn, lane, able, decisions, many.rows if many else lane.client.capabilities.write_batch)
        taken = {line.cell.id for line in lines}
        await cells.write_gaps(conn, [_rewritten(locked[c], decisions[c]) for c in chosen if c not in taken])
        may = {row.id for row in able}
        unread = [c for c in chosen if c not in may and (decisions[c].gap or decisions[c].rewrite)]
        if unread:
            await cells.postpone(conn, [(c, now) for c in unread])
            await db.notify(conn, f"connection:{lane.connection_id}")
        if not lines:
            return None
        batch = await _mark_sent(house, lane, conn, lines, now)
    for event in batch.events:
        house.observer.composed(event)
    return batch


def _may_write(lane: Lane, row: CellRow, decision: Decision, now: datetime) -> bool:
    """An absolute write follows a reading at once, or it would erase what somebody did since (DESIGN §3.8); and so does
    a decrease where the partner stops at 0, or it would take what orders have taken."""
    if row.condition == "unreadable" or not _reads_first(lane, decision):
        return True
    return not row.settled_since_read and row.read_asked_at is not None and row.read_asked_at >= now - FRESH


def _reads_first(lane: Lane, decision: Decision) -> bool:
    able = lane.client.capabilities
    return able.writes is WriteMode.ABSOLUTE or (able.cuts_at_zero and decision.gap < 0)


async def _due(house: House, lane: Lane, now: datetime) -> datetime | None:
    """Where a write waits for a reading of its cell, look again soon."""
    able = lane.client.capabilities
    if able.writes is WriteMode.RELATIVE and not able.cuts_at_zero:
        return None
    waits = await db.value(house.pool, "anything_to_write", connection_id=lane.connection_id)
    return now + LOOK_AGAIN if waits else None


async def _candidates(conn: Connection, lane: Lane, now: datetime) -> list[CellId]:
    """Cells with something to write, most urgent first; those that failed together come together, fewer at a time.

    Where each write follows a reading, all of them: one request reads them, and an increase that waits to be read must
    not keep the decreases waiting.
    """
    waits = await db.row(conn, "oldest_waiting", connection_id=lane.connection_id)
    oldest = waits["increase"] if waits is not None else None
    overdue = oldest is not None and oldest <= now - INCREASE_WAITS
    live = ((INCREASE, INCREASE), (TO_ZERO, DECREASE)) if overdue else ((TO_ZERO, DECREASE), (INCREASE, INCREASE))
    runs = ((RUN_DOWN, RUN_DOWN), (RUN_UP, RUN_UP))
    able = lane.client.capabilities
    chosen: list[CellId] = []
    if able.writes is WriteMode.ABSOLUTE:
        for low, high in (*live, *runs):
            chosen += await _of(conn, lane, low, high, able.write_batch - len(chosen))
        return chosen
    soonest = waits["live"] if waits is not None else None
    yields = bool(lane.live) and (soonest is None or soonest > now - LIVE_WAITS)
    for low, high in (*runs, *live) if yields else (*live, *runs):
        chosen = await _of(conn, lane, low, high, able.write_batch)
        if chosen:
            fill = _FILLS.get(low)
            if fill is not None and len(chosen) < able.write_batch:
                chosen += await _of(conn, lane, fill, fill, able.write_batch - len(chosen))
            return chosen
    return chosen


async def _of(conn: Connection, lane: Lane, low: int, high: int, limit: int) -> list[CellId]:
    found = await db.rows(
        conn,
        "cells_to_write",
        connection_id=lane.connection_id,
        from_urgency=low,
        to_urgency=high,
        limit=limit,
    )
    return [CellId(record["id"]) for record in found]


_NOT_WAITING = (
    Blocked.NOT,
    Blocked.ROUTE_STOPPED,
    Blocked.NOT_ALIGNED,
    Blocked.WATCHING,
    Blocked.NOT_PUBLISHED,
)


def _rewritten(row: CellRow, decision: Decision) -> Gap:
    blocked = "activate" if decision.activate else decision.blocked.value
    waits = decision.blocked not in _NOT_WAITING
    since = row.gap_since if decision.gap or decision.activate or decision.rewrite or waits else None
    return Gap(row.id, decision.gap, decision.urgency, since, row.gap_stamp, blocked)


async def _lines(
    conn: Connection, lane: Lane, rows: Sequence[CellRow], decisions: Mapping[CellId, Decision], size: int
) -> list[_Line]:
    """The ops of the batch, of the first cell's sign where they are differences, from decisions made in this very
    transaction."""
    wanted = [row for row in rows if decisions[row.id].gap or decisions[row.id].rewrite]
    if not wanted:
        return []
    first = wanted[0]
    down = decisions[first.id].gap <= 0
    absolute = lane.client.capabilities.writes is WriteMode.ABSOLUTE
    group = [row for row in wanted if row.bisect == first.bisect]
    if not absolute:
        group = [row for row in group if (decisions[row.id].gap <= 0) == down]
    if lane.client.capabilities.grouped_writes:
        group = await _of_one_group(conn, lane, group)
    group = group[: min(size, first.bisect or size)]
    posted = await _ledger_lines(conn, [row for row in group if decisions[row.id].posts], down)
    channel = [_channel_line(row, decisions[row.id], absolute) for row in group if not decisions[row.id].posts]
    return channel + posted


def _channel_line(row: CellRow, decision: Decision, absolute: bool) -> _Line:
    """The op of a channel cell. An absolute number is what the cell was just read to hold, and the difference: so it
    keeps what orders not listed yet have taken, and what a person did before the reading."""
    cause = "undo" if decision.undo else "zero" if decision.zero else "live" if decision.gap else "rewrite"
    if not absolute:
        return _Line(row, decision.gap, decision.target, cause, "channel")
    number = decision.target or 0
    if row.known is not None:
        number = row.known + (row.residual or 0) + decision.gap
    return _Line(row, decision.gap, decision.target, cause, "channel", value=max(0, number), cut=max(0, -number))


async def _of_one_group(conn: Connection, lane: Lane, rows: Sequence[CellRow]) -> list[CellRow]:
    """The rows that the partner takes in one request, by the first of them."""
    client = cast(GroupingClient, lane.client)
    keys = {r["id"]: client.write_group(_ref(r)) for r in await db.rows(conn, "cell_keys", ids=[r.id for r in rows])}
    return [row for row in rows if keys[row.id] == keys[rows[0].id]]


async def _ledger_lines(conn: Connection, rows: Sequence[CellRow], down: bool) -> list[_Line]:
    """Ops that post channel movements to ledger cells, or take back an effect of ours that happened twice."""
    lines: list[_Line] = []
    posting: list[CellRow] = []
    for row in rows:
        units = min(row.compensate, 0) if down else max(row.compensate, 0)
        if units and row.known is not None:
            lines.append(_Line(row, units, row.known + units, "compensation", "ledger"))
        else:
            posting.append(row)
    shares: dict[CellId, list[pairs.OwingPair]] = {}
    if posting:
        for share in await pairs.lock_owing(conn, [row.id for row in posting], down=down):
            shares.setdefault(share.ledger_cell, []).append(share)
    for row in posting:
        own = shares.get(row.id, [])
        delta = sum(share.units * share.ratio for share in own)
        if delta and row.known is not None:
            parts = tuple((share.id, share.units) for share in own)
            lines.append(_Line(row, delta, row.known + delta, "live", "ledger", parts))
    return lines


async def _mark_sent(house: House, lane: Lane, conn: Connection, lines: Sequence[_Line], now: datetime) -> Batch:
    keys = {r["id"]: r for r in await db.rows(conn, "cell_keys", ids=[line.cell.id for line in lines])}
    ops = tuple(
        PlannedOp(OpId(house.ambient.new_id()), _ref(keys[line.cell.id]), line.delta, line.value) for line in lines
    )
    batch = BatchId(house.ambient.new_id())
    prepared = lane.client.compose(ops, str(uuid.UUID(batch)))
    signs = {-1 if line.delta <= 0 else 1 for line in lines}
    kind = "bulk" if len(lines) > lane.client.capabilities.write_batch else "adjust"
    await _insert(conn, lane, batch, kind, signs.pop() if len(signs) == 1 else 0, prepared, now)
    both = list(zip(ops, lines, strict=True))
    carried = await portions.carry(conn, [(op.op, line.cell.id, line.delta) for op, line in both], now)
    runs = [carried.get(op.op) if line.cause in _OF_RUNS else None for op, line in both]
    await db.run(
        conn,
        "insert_ops",
        ids=[op.op for op in ops],
        batch_id=batch,
        connection_id=lane.connection_id,
        cells=[line.cell.id for line in lines],
        deltas=[line.delta for line in lines],
        numbers=[line.value for line in lines],
        cuts=[line.cut for line in lines],
        known=[line.cell.known for line in lines],
        targets=[line.target for line in lines],
        causes=[run.cause if run else line.cause for run, line in zip(runs, lines, strict=True)],
        runs=[run.run if run else None for run in runs],
        rule_version=RULE_VERSION,
        heard=[line.cell.gap_since for line in lines],
        stamps=[line.cell.gap_stamp for line in lines],
        composed_at=now,
    )
    await _carry(conn, ops, lines)
    await db.run(conn, "note_sent", ids=[line.cell.id for line in lines], ops=[op.op for op in ops])
    events = tuple(
        Composed(lane.name, line.cell.id, op.op, line.delta, line.cell.known, line.target, line.role, now)
        for op, line in both
    )
    return Batch(batch, prepared, ops, events, live=any(line.cell.gap_since for line in lines))


async def _carry(conn: Connection, ops: Sequence[PlannedOp], lines: Sequence[_Line]) -> None:
    """Note which owed units the ops carry, so that they are neither lost nor posted twice."""
    parts = [
        (op.op, line.cell.id, pair, units) for op, line in zip(ops, lines, strict=True) for pair, units in line.parts
    ]
    if parts:
        ids, units = [p[2] for p in parts], [p[3] for p in parts]
        await db.run(conn, "insert_parts", ops=[p[0] for p in parts], pairs=ids, units=units)
        await db.run(conn, "send_owed", ids=ids, cells=[p[1] for p in parts], units=units)
    back = [(line.cell.id, line.delta) for line in lines if line.cause == "compensation"]
    if back:
        await db.run(conn, "send_compensation", ids=[b[0] for b in back], units=[b[1] for b in back])


async def compose_activation(house: House, lane: Lane) -> Batch | None:
    """Compose the request that makes one cell active. Old quantities come back, so it is aligned as a new pair."""
    if not lane.client.capabilities.activates:
        return None
    now = house.now()
    async with db.transaction(house.pool) as conn:
        await hold(house, lane, conn)
        found = await db.row(conn, "next_activation", connection_id=lane.connection_id)
        if found is None:
            return None
        cell = CellId(found["id"])
        locked = await cells.lock(conn, [cell])
        decision = (await decisions_for(conn, locked))[cell]
        if not decision.activate:
            await cells.write_gaps(conn, [_rewritten(locked[cell], decision)])
            return None
        batch, op = BatchId(house.ambient.new_id()), OpId(house.ambient.new_id())
        prepared = lane.client.compose_activation(_ref(found), str(uuid.UUID(batch)))
        await _insert(conn, lane, batch, "activate", 0, prepared, now)
        await db.run(
            conn,
            "insert_ops",
            ids=[op],
            batch_id=batch,
            connection_id=lane.connection_id,
            cells=[cell],
            deltas=[0],
            numbers=[None],
            cuts=[0],
            known=[None],
            targets=[decision.target],
            causes=["activation"],
            runs=[None],
            rule_version=RULE_VERSION,
            heard=[locked[cell].gap_since],
            stamps=[None],
            composed_at=now,
        )
        await db.run(conn, "note_sent", ids=[cell], ops=[op])
        return Batch(batch, prepared, (PlannedOp(op, _ref(found), 0),))


async def _insert(
    conn: Connection, lane: Lane, batch: BatchId, kind: str, direction: int, prepared: PreparedRequest, now: datetime
) -> None:
    await db.run(
        conn,
        "insert_batch",
        id=batch,
        connection_id=lane.connection_id,
        token=lane.token,
        kind=kind,
        direction=direction,
        method=prepared.method,
        path=prepared.path,
        request=prepared.body,
        key=prepared.key,
        api_version=prepared.api_version,
        composed_at=now,
    )


def _ref(record: db.Record) -> CellRef:
    return CellRef(ItemKey(str(record["item_key"])), LocationKey(str(record["location_key"])))
