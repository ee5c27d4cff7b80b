"""Observe: read dirty cells in batches, and journal what somebody else did (the truth model's rules 3.1 and 3.2).

One transaction takes the cells and their versions, the partner is asked outside of any, one transaction compares. A
process that dies in between has only read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import assert_never

from inventory_sync.engine import brake, brake_release, counting, evidence, sales, second_writer, vanished
from inventory_sync.engine.lane import House, Lane, Progress
from inventory_sync.engine.observer import Moved
from inventory_sync.model import readings
from inventory_sync.model.ids import CellId
from inventory_sync.model.order_policy import own_part, rest
from inventory_sync.model.orders import GivenBack, Seen, Unexplained, given_back, see
from inventory_sync.store import cells, db
from inventory_sync.store.cells import CellRow, CellToRead, Movement, ReadLevel
from inventory_sync.store.db import Connection
from inventory_sync.systems.errors import RetryLater
from inventory_sync.systems.port import CellRef, ChangeSource, Condition, LevelReading


@dataclass(slots=True)
class _Batch:
    """What one batch of answers comes to."""

    asked_at: datetime
    answered_at: datetime
    levels: list[ReadLevel] = field(default_factory=list)
    at_zero: list[CellId] = field(default_factory=list)
    unsure: list[tuple[CellId, int]] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    later: list[tuple[CellId, datetime]] = field(default_factory=list)
    decide: list[cells.Due] = field(default_factory=list)
    left: list[CellId] = field(default_factory=list)
    to_check: list[tuple[CellToRead, LevelReading]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    swept_at: datetime | None = None
    lag: timedelta = sales.UNKNOWN_LAG
    stocked: frozenset[CellId] = frozenset()
    rows: dict[CellId, CellRow] = field(default_factory=dict)
    by_orders: dict[CellId, int] = field(default_factory=dict)
    tripped: tuple[tuple[int, str], ...] = ()


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
        locked = batch.rows = await cells.lock(conn, [cell.id for cell, _ in answers])
        await _prepare(lane, conn, batch, list(locked))
        cut = await vanished.not_believed(house, lane, conn, locked, answers)
        for cell, answer in answers:
            if cell.id in cut:
                batch.refused.append(vanished.REFUSED)
                batch.later.append((cell.id, batch.answered_at + vanished.AGAIN))
            else:
                _compare(lane, batch, locked[cell.id], cell, answer, check=True)
        await _write(house, lane, conn, batch)
    await brake.hold_earlier(house, batch.tripped)
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
        locked = batch.rows = await cells.lock(conn, [cell.id])
        await _prepare(lane, conn, batch, [cell.id])
        row = locked[cell.id]
        if row.known is not None and _refusal(lane, batch, row, cell, answer) is None:
            units = await evidence.take_back_doubles(house, lane, conn, cell.id, history, until=answer.stamp)
        _compare(lane, batch, row, cell, answer, check=False, doubled=units)
        await _write(house, lane, conn, batch)
    await brake.hold_earlier(house, batch.tripped)
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
    batch.levels.append(_level(lane, batch, row, answer, number, doubled))


def _level(
    lane: Lane, batch: _Batch, row: CellRow, answer: LevelReading, number: int | None, doubled: int
) -> ReadLevel:
    """What a reading that counted leaves in its cell; notes the movement and the decisions it asks for."""
    lag = lane.client.capabilities.read_lag
    condition = "active" if number is not None else answer.condition.value
    if number is None and row.condition not in ("unread", condition):
        batch.left.append(row.id)
    if number == 0 and lane.client.capabilities.cuts_at_zero and row.settled_since_read:
        batch.at_zero.append(row.id)
    before = None if row.known is None else row.known + doubled
    looked = _look(lane, batch, row, number, before)
    if looked.erased and before is not None:
        kind = "order" if row.waived else "effect"
        batch.movements.append(_movement(row, looked.erased, before, answer, kind))
        before += looked.erased
    committed = row.committed if answer.committed is None else answer.committed
    aside = row.aside if answer.aside is None else answer.aside
    # Where the ledger counts what is physically there, an order moves nothing at the channel: its shipment does.
    stocked = row.id in batch.stocked
    stock_before = None if before is None else before + row.committed * stocked
    moved = 0
    if looked.known is not None and stock_before is not None:
        moved = looked.known + committed * stocked - stock_before
        if answer.committed is not None and not stocked:
            batch.by_orders[row.id] = row.committed - committed
        if moved:
            batch.movements.append(_movement(row, moved, stock_before, answer, "outside"))
    clean = not looked.again and (row.marked_at is None or readings.clears(row.marked_at, batch.asked_at, lag))
    marked = row.marked_at if row.marked_at is not None or clean else batch.asked_at
    changed = (looked.known, condition, committed, aside) != (row.known, row.condition, row.committed, row.aside)
    if changed or doubled or row.marked_at is not None or looked.units != row.residual:
        heard = row.marked_at or batch.asked_at
        batch.decide.append((row.id, heard if moved else None, answer.stamp if moved else None))
    due = None
    if not clean and marked is not None:
        due = looked.again or readings.next_read(marked, batch.answered_at, lag)
    return ReadLevel(
        id=row.id,
        known=looked.known,
        condition=condition,
        had_row=row.had_row or answer.condition in (Condition.ACTIVE, Condition.INACTIVE),
        dirty_since=None if clean else max(row.dirty_since or batch.asked_at, batch.asked_at - lag),
        marked_at=None if clean else marked,
        read_due=due,
        stamp=max(filter(None, (row.stamp, answer.stamp)), default=None) if answer.stamp else None,
        highest=max(row.highest, (looked.known or 0) - max(0, row.held_back)),
        residual=looked.units,
        residual_at=looked.since,
        loose=row.loose if looked.loose else [],
        waived=[] if clean else rest(row.waived, looked.erased),
        committed=committed,
        aside=aside,
    )


def _movement(row: CellRow, units: int, before: int, answer: LevelReading, kind: str) -> Movement:
    return Movement(row.id, units, before, before + units, row.marked_at, row.read_asked_at, answer.stamp, kind)


@dataclass(frozen=True, slots=True)
class _Looked:
    """What is known after a reading. `erased`: units of orders that our own writes erased. `again`: when to look once
    more at what orders do not explain. `loose`: it is not known yet which orders met a write."""

    known: int | None
    erased: int = 0
    units: int | None = None
    since: datetime | None = None
    again: datetime | None = None
    loose: bool = False


def _look(lane: Lane, batch: _Batch, row: CellRow, number: int | None, before: int | None) -> _Looked:
    able = lane.client.capabilities
    if able.change_source is ChangeSource.LEVELS or number is None:
        return _Looked(row.known if number is None and row.condition == "unreadable" else number)
    earlier = None
    if row.residual is not None and row.residual_at is not None:
        earlier = Unexplained(row.residual, row.residual_at)
    given = GivenBack()
    if before is not None:
        given = given_back(number - before, loose=row.loose, waived=row.waived, before=row.residual or 0)
    erased = given.units
    if given.unsure:
        batch.unsure.append((row.id, given.unsure))
    units = number - (before or 0) - erased
    seen = see(
        units,
        base=before is None,
        before=earlier,
        asked_at=batch.asked_at,
        swept_at=batch.swept_at,
        order_lag=able.order_lag,
    )
    match seen:
        case Seen.EXPLAINED:
            return _Looked(number, erased)
        case Seen.MOVED:
            return _Looked(number, erased + (0 if before is None else own_part(units, row.waived)))
        case Seen.LOOK_AGAIN:
            same = earlier is not None and earlier.units == units
            since = earlier.since if earlier is not None and same else batch.asked_at
            again = max(since + able.order_lag + able.orders_every, batch.answered_at + able.read_lag)
            known = None if before is None else before + erased
            return _Looked(known, erased, units=units, since=since, again=again, loose=not same)
        case _:
            assert_never(seen)


def _number(lane: Lane, row: CellRow, answer: LevelReading) -> int | None:
    """The number of a reading, or None where it is none. A missing row is 0 only if the cell never had one."""
    if answer.condition is Condition.ACTIVE:
        return answer.quantity
    if answer.condition is Condition.ABSENT and lane.client.capabilities.absent_is_zero and not row.had_row:
        return 0
    return None


async def _prepare(lane: Lane, conn: Connection, batch: _Batch, ids: Sequence[CellId]) -> None:
    """Learn what a comparison needs besides the cells: the last list of orders, and whose ledger counts the shelf."""
    able = lane.client.capabilities
    batch.lag = able.read_lag
    if able.change_source is ChangeSource.ORDERS:
        state = await db.row(conn, "orders_state", connection_id=lane.connection_id)
        batch.swept_at = state["orders_swept_at"] if state is not None else None
    if able.shows_committed:
        found = await db.rows(conn, "on_hand_cells", ids=list(ids))
        batch.stocked = frozenset(CellId(r["channel_cell"]) for r in found)


async def _write(house: House, lane: Lane, conn: Connection, batch: _Batch) -> None:
    if batch.at_zero:
        await db.run(conn, "put_cut_checks", ids=batch.at_zero, asked_at=batch.asked_at)
    await cells.write_readings(conn, batch.levels, asked_at=batch.asked_at, answered_at=batch.answered_at)
    await cells.postpone(conn, batch.later)
    effects = [m for m in batch.movements if m.kind != "outside"]
    await cells.write_movements(conn, effects, asked_at=batch.asked_at, answered_at=batch.answered_at)
    await _tell_on(house, lane, conn, batch, [m for m in batch.movements if m.kind == "outside"])
    await counting.make_uncertain(house, lane, conn, batch.unsure)
    if batch.left:
        await db.run(conn, "rebase_cell_pairs", cells=batch.left, now=batch.answered_at, reason="cell went away")
        await brake_release.forget(house, conn, batch.left, "cell went away")
    if batch.decide:
        moved_cells = {m.cell for m in batch.movements}
        await cells.put_due(conn, batch.decide)
        await cells.put_due(conn, batch.decide, query="put_due_dependents")
        await cells.put_due(conn, batch.decide, query="put_due_siblings")
        await cells.put_due(conn, [d for d in batch.decide if d[0] in moved_cells], query="put_due_ledgers")
        await db.notify(conn, "decide")


async def _tell_on(house: House, lane: Lane, conn: Connection, batch: _Batch, movements: Sequence[Movement]) -> None:
    """Journal movements, and tell the other sides of them, but for what the brake holds."""
    if not movements:
        return
    weighed = await brake.weigh(house, conn, movements, batch.rows, batch.by_orders)
    verdicts, batch.tripped = weighed.verdicts, weighed.tripped
    judged = [replace(m, turn=verdict.turn) for m, verdict in zip(movements, verdicts, strict=True)]
    ids = await cells.write_movements(conn, judged, asked_at=batch.asked_at, answered_at=batch.answered_at)
    await brake.hold(house, conn, ids, movements, batch.rows, verdicts)
    flowing = [
        sales.Journalled(n, m.cell, verdict.flows, batch.asked_at, m.marked_at)
        for n, m, verdict in zip(ids, movements, verdicts, strict=True)
        if verdict.flows
    ]
    await sales.moved(house, conn, flowing, lag=batch.lag)
    await db.run(conn, "mark_siblings", ids=[m.cell for m in movements], now=batch.answered_at)
    await second_writer.look(house, lane, conn, ids, movements, batch.rows, batch.by_orders)


def _tell(house: House, lane: Lane, batch: _Batch) -> None:
    for reason in batch.refused:
        house.observer.refused(lane.name, reason)
    for m in batch.movements:
        house.observer.moved(Moved(lane.name, m.cell, m.delta, batch.asked_at, batch.answered_at, m.previous, m.kind))
