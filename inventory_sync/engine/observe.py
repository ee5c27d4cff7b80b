"""Observe: read dirty cells in batches, and journal what somebody else did (the truth model's rules 3.1 and 3.2).

One transaction takes the cells and their versions, the partner is asked outside of any, one transaction compares. A
process that dies in between has only read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from inventory_sync.engine import evidence
from inventory_sync.engine.lane import House, Lane, Progress
from inventory_sync.engine.observer import Moved
from inventory_sync.model import readings
from inventory_sync.model.ids import CellId
from inventory_sync.store import cells, db
from inventory_sync.store.cells import CellRow, CellToRead, Movement, ReadLevel
from inventory_sync.store.db import Connection
from inventory_sync.systems.errors import RetryLater
from inventory_sync.systems.port import CellRef, Condition, LevelReading


@dataclass(slots=True)
class _Batch:
    """What one batch of answers comes to."""

    asked_at: datetime
    answered_at: datetime
    levels: list[ReadLevel] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    later: list[tuple[CellId, datetime]] = field(default_factory=list)
    decide: list[cells.Due] = field(default_factory=list)
    left: list[CellId] = field(default_factory=list)
    to_check: list[tuple[CellToRead, LevelReading]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


async def observe(house: House, lane: Lane) -> Progress:
    """Read the cells of a lane whose reading is due, at most one batch."""
    now = house.now()
    wait = lane.client.budget.wait("read", now)
    if wait > 0:
        return Progress(0, now + timedelta(seconds=wait))
    asked = await cells.to_read(house.pool, lane.connection_id, now, lane.client.capabilities.read_batch)
    if not asked:
        return Progress(0, await db.value(house.pool, "next_read_due", connection_id=lane.connection_id))
    marks = [cell.marked_at for cell in asked if cell.marked_at is not None]
    asked_at = house.now()
    try:
        answers = await lane.client.read(
            [CellRef(cell.item_key, cell.location_key) for cell in asked], changed_since=min(marks) if marks else None
        )
    except RetryLater as error:
        return Progress(0, house.now() + timedelta(seconds=error.after))
    by_ref = {answer.cell: answer for answer in answers}
    answered = [(cell, by_ref[ref]) for cell in asked if (ref := CellRef(cell.item_key, cell.location_key)) in by_ref]
    batch = _Batch(asked_at, house.now())
    await _count(house, lane, batch, answered)
    for cell, answer in batch.to_check:
        await _count_with_evidence(house, lane, asked_at, cell, answer)
    return Progress(len(answered), house.now() if answered else house.now() + timedelta(milliseconds=200))


async def _count(house: House, lane: Lane, batch: _Batch, answers: Sequence[tuple[CellToRead, LevelReading]]) -> None:
    async with db.transaction(house.pool) as conn:
        locked = await cells.lock(conn, [cell.id for cell, _ in answers])
        for cell, answer in answers:
            _compare(lane, batch, locked[cell.id], cell, answer, check=True)
        await _write(house, conn, batch)
    _tell(house, lane, batch)


async def _count_with_evidence(
    house: House, lane: Lane, asked_at: datetime, cell: CellToRead, answer: LevelReading
) -> None:
    """Compare a cell with an op that was sent more than once: its history says whether that took effect twice."""
    ref = CellRef(cell.item_key, cell.location_key)
    try:
        history = await evidence.history_of_watched(house, lane, cell.id, ref)
    except RetryLater as error:
        await cells.postpone(house.pool, [(cell.id, house.now() + timedelta(seconds=error.after))])
        return
    batch = _Batch(asked_at, house.now())
    units = 0
    async with db.transaction(house.pool) as conn:
        locked = await cells.lock(conn, [cell.id])
        row = locked[cell.id]
        if row.known is not None and _refusal(lane, batch, row, cell, answer) is None:
            units = await evidence.take_back_doubles(house, lane, conn, cell.id, history, until=answer.stamp)
        _compare(lane, batch, row, cell, answer, check=False, doubled=units)
        await _write(house, conn, batch)
    if units:
        house.observer.compensated(lane.name, cell.id, -units)
    _tell(house, lane, batch)


def _refusal(
    lane: Lane, batch: _Batch, row: CellRow, cell: CellToRead, answer: LevelReading
) -> readings.Refusal | None:
    times = readings.CellTimes(
        version=row.version,
        unanswered=row.op_id is not None,
        settled_at=row.settled_at,
        answered_at=row.read_answered_at,
        stamp=row.stamp if row.stamp_known else None,
    )
    return readings.judge(
        times,
        asked_version=cell.version,
        asked_at=batch.asked_at,
        stamp=answer.stamp,
        read_lag=lane.client.capabilities.read_lag,
    )


def _compare(
    lane: Lane,
    batch: _Batch,
    row: CellRow,
    cell: CellToRead,
    answer: LevelReading,
    *,
    check: bool,
    doubled: int = 0,
) -> None:
    lag = lane.client.capabilities.read_lag
    refusal = _refusal(lane, batch, row, cell, answer)
    if refusal is not None:
        batch.refused.append(refusal.value)
        again = readings.counts_from(row.settled_at, row.read_answered_at, lag)
        batch.later.append((row.id, max(again, batch.answered_at) if again else batch.answered_at))
        return
    number = _number(lane, row, answer)
    asked_for = row.marked_at is not None or number != row.known
    if check and row.watched and asked_for and number is not None and row.known is not None:
        batch.to_check.append((cell, answer))
        return
    before = None if row.known is None else row.known + doubled
    condition = "active" if number is not None else answer.condition.value
    if number is None and row.condition not in ("unread", condition):
        batch.left.append(row.id)
    clean = row.marked_at is None or readings.clears(row.marked_at, batch.asked_at, lag)
    moved = number - before if number is not None and before is not None else 0
    heard = row.marked_at or batch.asked_at
    if moved and number is not None and before is not None:
        batch.movements.append(Movement(row.id, moved, before, number, row.marked_at, row.read_asked_at, answer.stamp))
    if moved or doubled or row.marked_at is not None or row.known != number or row.condition != condition:
        batch.decide.append((row.id, heard if moved else None, answer.stamp if moved else None))
    batch.levels.append(
        ReadLevel(
            id=row.id,
            known=number,
            condition=condition,
            had_row=row.had_row or answer.condition in (Condition.ACTIVE, Condition.INACTIVE),
            dirty_since=None if clean else max(row.dirty_since or batch.asked_at, batch.asked_at - lag),
            marked_at=None if clean else row.marked_at,
            read_due=None
            if clean or row.marked_at is None
            else readings.next_read(row.marked_at, batch.answered_at, lag),
            stamp=max(filter(None, (row.stamp, answer.stamp)), default=None) if answer.stamp else None,
            highest=max(row.highest, number or 0),
        )
    )


def _number(lane: Lane, row: CellRow, answer: LevelReading) -> int | None:
    """The number of a reading, or None where it is none. A missing row is 0 only if the cell never had one."""
    if answer.condition is Condition.ACTIVE:
        return answer.quantity
    if answer.condition is Condition.ABSENT and lane.client.capabilities.absent_is_zero and not row.had_row:
        return 0
    return None


async def _write(house: House, conn: Connection, batch: _Batch) -> None:
    await cells.write_readings(conn, batch.levels, asked_at=batch.asked_at, answered_at=batch.answered_at)
    await cells.postpone(conn, batch.later)
    await cells.write_movements(conn, batch.movements, asked_at=batch.asked_at, answered_at=batch.answered_at)
    if batch.movements:
        ids = [m.cell for m in batch.movements]
        deltas = [m.delta for m in batch.movements]
        await db.run(conn, "move_channel", cells=ids, deltas=deltas)
        await db.run(conn, "move_ledger", cells=ids, deltas=deltas)
    if batch.left:
        await db.run(conn, "rebase_cell_pairs", cells=batch.left, now=batch.answered_at, reason="cell went away")
    if batch.decide:
        moved = {m.cell for m in batch.movements}
        await cells.put_due(conn, batch.decide)
        await cells.put_due(conn, batch.decide, query="put_due_dependents")
        await cells.put_due(conn, [d for d in batch.decide if d[0] in moved], query="put_due_ledgers")
        await db.notify(conn, "decide")


def _tell(house: House, lane: Lane, batch: _Batch) -> None:
    for reason in batch.refused:
        house.observer.refused(lane.name, reason)
    for m in batch.movements:
        house.observer.moved(Moved(lane.name, m.cell, m.delta, batch.asked_at, batch.answered_at, m.previous, m.kind))
