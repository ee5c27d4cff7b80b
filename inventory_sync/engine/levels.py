"""Levels as evidence: what a number, and the orders around it, say of a write whose answer was lost (rule 3.7).

A relative write without a key, and an absolute one, leave no trace but the level. It is read once nothing can land any
more, and judged once every order that may have moved it is listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from inventory_sync.engine import settle
from inventory_sync.engine.lane import House, Lane, Look
from inventory_sync.engine.reasons import Reason
from inventory_sync.model.ids import BatchId, OpId
from inventory_sync.model.orders import SeenLine, Told, between, tell_apart
from inventory_sync.store import db
from inventory_sync.systems.port import (
    Applied,
    ChangeSource,
    Condition,
    NotApplied,
    OpOutcome,
    PlannedOp,
)

LONG_AGO = timedelta(days=1)


async def look(house: House, lane: Lane, batch: BatchId, ops: Sequence[PlannedOp]) -> float:
    """Read the levels of a doubtful batch, once; says the seconds to wait for the orders around them. RetryLater."""
    able = lane.client.capabilities
    seen = lane.looks.get(batch)
    if seen is None:
        asked_at = house.now()
        found = {
            reading.cell: reading for reading in await lane.client.read([op.cell for op in ops], changed_since=None)
        }
        levels = {
            cell: reading.quantity if reading.condition is Condition.ACTIVE else None for cell, reading in found.items()
        }
        seen = lane.looks[batch] = Look(asked_at, house.now(), levels)
    if not able.has_orders:
        return 0.0
    state = await db.row(house.pool, "orders_state", connection_id=lane.connection_id)
    swept = state["orders_swept_at"] if state is not None else None
    wanted = seen.answered_at + able.order_lag
    if swept is not None and swept >= wanted:
        return 0.0
    return max(able.orders_every.total_seconds(), (wanted - house.now()).total_seconds())


async def judge(house: House, lane: Lane, batch: BatchId, ops: Sequence[PlannedOp]) -> settle.Answered:
    """What the levels say of each op. Where both answers fit, or neither, a number alone decides nothing; only what
    sets a number may be taken as done where both fit, since the next reading finds the orders that it erased."""
    seen = lane.looks[batch]
    outcomes: dict[OpId, OpOutcome] = {}
    unknown: set[OpId] = set()
    for op in ops:
        level = seen.levels.get(op.cell)
        told = Told.NOT_APPLIED if level is None else await _told(house, lane, seen, op, level)
        match told:
            case Told.APPLIED:
                outcomes[op.op] = Applied()
            case Told.NOT_APPLIED:
                outcomes[op.op] = NotApplied(Reason.LEVEL_SAYS_NOT)
            case Told.EITHER if lane.client.capabilities.change_source is ChangeSource.ORDERS:
                outcomes[op.op] = Applied()
            case _:
                unknown.add(op.op)
    return settle.Answered(outcomes, frozenset(unknown))


async def _told(house: House, lane: Lane, seen: Look, op: PlannedOp, level: int) -> Told:
    row = await db.row(house.pool, "cell_of_op", id=op.op)
    if row is None or row["known"] is None:
        return Told.NOT_APPLIED
    able = lane.client.capabilities
    since = (row["read_asked_at"] or seen.asked_at) - LONG_AGO
    lines = [
        SeenLine(r["units"], r["first_seen_at"], r["unseen_at"])
        for r in await db.rows(house.pool, "lines_of_cell", cell_id=row["id"], since=since)
    ]
    look_at = (seen.asked_at, seen.answered_at)
    if able.change_source is ChangeSource.ORDERS:
        later, edges = _after(lines, look_at, able.order_lag)
        erased = [-units for units in (*edges, *row["loose"])]
        known = row["known"] + (row["residual"] or 0)
        return tell_apart(level, known=known, delta=op.delta + row["cut"], certain=-later, maybe=erased)
    last = (row["read_asked_at"], row["read_answered_at"])
    certain, maybe = between(lines, after=last, before=look_at, order_lag=able.order_lag)
    return tell_apart(level, known=row["known"], delta=op.delta, certain=certain, maybe=maybe)


def _after(
    lines: Sequence[SeenLine], look_at: tuple[datetime, datetime], order_lag: timedelta
) -> tuple[int, list[int]]:
    """Units of orders that were certainly placed after a look, and of those at its edges. They are counted already."""
    later, edges = 0, []
    for line in lines:
        if line.first_seen_at <= look_at[0]:
            continue
        if line.unseen_at is not None and line.unseen_at - order_lag >= look_at[1]:
            later += line.units
        else:
            edges.append(line.units)
    return later, edges
