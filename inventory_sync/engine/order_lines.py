"""Lines of orders, counted and kept: one page of a list in one transaction.

Where orders are the movements, a larger quantity than counted is one, journalled like any other; what policy makes of
unpaid orders and unknown items is in `order_policy`. Elsewhere the lines are kept as evidence. Of an order only number,
line, item, quantity, state and whether it is paid are kept.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from inventory_sync.engine import order_policy, sales
from inventory_sync.engine.intake import SOFT_CHECK
from inventory_sync.engine.lane import House, Lane
from inventory_sync.engine.observer import Moved
from inventory_sync.engine.order_policy import LONG_AGO
from inventory_sync.model.ids import CellId
from inventory_sync.model.order_policy import Stand, Weighed
from inventory_sync.store import cells, db
from inventory_sync.store.cells import CellRow, Movement
from inventory_sync.store.db import Connection
from inventory_sync.systems.port import ChangeSource, OrderLine, OrderState, WriteMode

log = structlog.get_logger()

NEWEST = timedelta(minutes=10)
"""The window of the frequent list; it reaches further back after a silence."""

FRESH = timedelta(seconds=5)
"""A number that is set is composed from a reading asked no longer ago than this."""


@dataclass(frozen=True, slots=True)
class _Change:
    """A line as it is listed now, with what it comes to. `unseen_at`: when a list was asked that did not show it so."""

    line: OrderLine
    cell: CellId | None
    weighed: Weighed
    kept: bool
    unseen_at: datetime | None
    before: db.Record | None
    told: int = 0  # of what the other sides are to be told: as much as was journalled

    def log_foreign(self, connection: str) -> None:
        """Somebody did something with an order in the shop itself, which reading it again shows."""
        line, before = self.line, self.before
        if before is None or (before["state"] == line.state.value and line.quantity >= before["quantity"]):
            return
        if line.state in (OrderState.CANCELLED, OrderState.RETURNED) or line.quantity < before["quantity"]:
            log.info(
                "orders.foreign_operation",
                connection=connection,
                order=line.order,
                line=line.line,
                state=[before["state"], line.state.value],
                units=[before["quantity"], line.quantity],
            )

    def as_told(self, journalled: Collection[CellId]) -> _Change:
        """The change once it is known whose movements were journalled. What was parked is not let go while the level
        is not known and nobody can be told: it stays as it was until it is listed again."""
        before = self.before
        if self.cell in journalled:
            return replace(self, told=self.weighed.told)
        if before is None or not (self.weighed.told and before["live"]):
            return self
        stand = Stand(before["counted"], before["parked"], before["live"], before["told"])
        return replace(self, weighed=Weighed(stand, before["held"]), kept=before["kept"])

    @property
    def key(self) -> tuple[str, str]:
        return self.line.order, self.line.line

    def stirs(self, source: ChangeSource) -> bool:
        """Whether the level has to be looked at: it may have moved by this, and not because the line was counted."""
        line, before = self.line, self.before
        if before is not None and (before["state"], before["quantity"]) == (line.state.value, line.quantity):
            return False
        if source is ChangeSource.LEVELS or self.weighed.waived:
            return True
        over = line.state in (OrderState.CANCELLED, OrderState.RETURNED)
        return over or (before is not None and line.quantity < before["quantity"])


async def keep(
    house: House,
    lane: Lane,
    lines: Sequence[OrderLine],
    *,
    asked_at: datetime,
    unseen_at: datetime | None,
    listed: bool = True,
) -> None:
    """Count and keep the lines of a page, in one transaction. Not `listed`: they are as they were listed last."""
    if not lines:
        return
    moved: list[tuple[Movement, str]] = []
    async with db.transaction(house.pool) as conn:
        rules = await order_policy.rules(conn, lane, lines, new=unseen_at is not None, at=asked_at)
        known = {
            (r["order_id"], r["line"]): r
            for r in await db.rows(
                conn, "known_lines", connection_id=lane.connection_id, orders=sorted({line.order for line in lines})
            )
        }
        changes = [
            _change(line, rules, known.get((line.order, line.line)), asked_at, unseen_at)
            for line in {(line.order, line.line): line for line in lines}.values()
        ]
        if lane.client.capabilities.change_source is ChangeSource.ORDERS:
            moved = await _count(house, lane, conn, changes, asked_at)
            journalled = {m.cell for m, _ in moved}
            changes = [c.as_told(journalled) for c in changes]
        await _put(conn, lane, changes, asked_at, unseen_at, listed=listed)
        await hold(conn, sorted({c.cell for c in changes if c.cell is not None}))
        await order_policy.waive(conn, [(c.cell, c.weighed.waived) for c in changes if c.cell is not None])
        if any(c.kept or (c.before is not None and c.before["kept"]) for c in changes):
            await order_policy.tell_kept(house, lane, conn)
        fresh = [c for c in changes if c.before is None]
        await order_policy.note_skipped(house, lane, conn, rules, [c.line for c in fresh])
        await order_policy.ask_for_items(house, lane, conn, [c.line for c in fresh if c.kept and c.cell is None])
        source = lane.client.capabilities.change_source
        await look_at(house, lane, conn, sorted({c.cell for c in changes if c.cell is not None and c.stirs(source)}))
    for change in changes:
        change.log_foreign(lane.name)
    for movement, _ in moved:
        house.observer.moved(
            Moved(lane.name, movement.cell, movement.delta, asked_at, house.now(), movement.previous, movement.kind)
        )


def _change(
    line: OrderLine,
    rules: order_policy.Rules,
    before: db.Record | None,
    asked_at: datetime,
    unseen_at: datetime | None,
) -> _Change:
    weighed, kept = rules.weigh(line, before)
    if before is not None:
        unseen_at = before["swept_at"]
    elif line.placed_at < asked_at - NEWEST:
        unseen_at = None  # a new line of an old order: the frequent list does not reach back that far
    return _Change(line, rules.cell_of(line), weighed, kept, unseen_at, before)


async def _count(
    house: House, lane: Lane, conn: Connection, changes: Sequence[_Change], asked_at: datetime
) -> list[tuple[Movement, str]]:
    """Orders as movements: the cell is lower by them, and the other sides are told of those that count."""
    counting: dict[CellId, list[_Change]] = {}
    for change in changes:
        if change.cell is not None and (change.weighed.fall or change.weighed.told):
            counting.setdefault(change.cell, []).append(change)
    if not counting:
        return []
    locked = await cells.lock(conn, counting)
    unread = [c for c, row in locked.items() if row.known is None and any(each.weighed.fall for each in counting[c])]
    if unread:
        await db.run(conn, "forget_looks", ids=unread)
    falling = [each for group in counting.values() for each in group if each.weighed.fall]
    met = await _may_be_erased(conn, lane, locked, falling, asked_at)
    moved: list[tuple[Movement, str]] = []
    noted: list[tuple[CellId, int, list[int]]] = []
    for cell, row in locked.items():
        level = row.known
        if level is None:
            continue
        loose = _loose(row, [c.weighed.fall for c in counting[cell] if c.key in met])
        for change in counting[cell]:
            for units, kind in ((change.weighed.quiet, "order"), (change.weighed.told, "outside")):
                if units:
                    after = level + units
                    movement = Movement(cell, units, level, after, row.marked_at, row.read_asked_at, None, kind)
                    moved.append((movement, change.line.order))
                    level = after
        if any(change.weighed.fall for change in counting[cell]):
            noted.append((cell, level, loose))
    if moved:
        await _journal(house, conn, moved, asked_at, lane.client.capabilities.order_lag)
    if noted:
        now = house.now()
        await db.run(
            conn,
            "note_orders",
            ids=[n[0] for n in noted],
            known=[n[1] for n in noted],
            loose=[cells.array(n[2]) for n in noted],
            dirty=[bool(n[2]) for n in noted],
            now=now,
            soft_at=now + SOFT_CHECK,
        )
    if moved:
        due: list[cells.Due] = [(cell, asked_at, None) for cell in sorted({m.cell for m, _ in moved})]
        await cells.decide_around(conn, due)
        await db.notify(conn, f"connection:{lane.connection_id}")
    return moved


async def _may_be_erased(
    conn: Connection, lane: Lane, locked: Mapping[CellId, CellRow], changes: Sequence[_Change], asked_at: datetime
) -> set[tuple[str, str]]:
    """Orders that are counted now and may have come between the reading and the landing of a write of ours.

    An order was placed no earlier than the order lag before the last list that did not show it; and where lists end a
    while before they are asked, no later than that while before the one that does (give or take the rest of the lag).
    A number that cannot be read was composed from no reading: it erased whatever was not listed yet.
    """
    able = lane.client.capabilities
    if able.writes is not WriteMode.ABSOLUTE or not changes:
        return set()
    placed = min(asked_at, asked_at - able.order_end_lag + (able.order_lag - able.order_end_lag))
    found = await db.rows(
        conn,
        "met_writes",
        cells=[change.cell for change in changes],
        earliest=[LONG_AGO if change.unseen_at is None else change.unseen_at - able.order_lag for change in changes],
        latest=[
            asked_at if c.cell is not None and locked[c.cell].condition == "unreadable" else placed for c in changes
        ],
        fresh=FRESH,
    )
    return {c.key for c, record in zip(changes, found, strict=True) if record["met"]}


def _loose(row: CellRow, units: Sequence[int]) -> list[int]:
    """The orders that a write of ours may have erased, of those that came about when it landed. Where a reading after
    that write first missed units, orders explain those before anything else."""
    missing = 0
    if row.residual is not None and row.residual_at is not None and row.op_id is None:
        seen_since = row.settled_at is None or row.settled_at <= min(
            row.residual_at, row.read_asked_at or row.residual_at
        )
        missing = -row.residual if seen_since else 0
    loose = []
    for each in units:
        if each <= missing:
            missing -= each
        else:
            loose.append(each)
    return loose


async def _journal(
    house: House, conn: Connection, moved: Sequence[tuple[Movement, str]], asked_at: datetime, lag: timedelta
) -> None:
    movements = [movement for movement, _ in moved]
    ids = await cells.write_movements(conn, movements, asked_at=asked_at, answered_at=house.now())
    await sales.moved(
        house,
        conn,
        [
            sales.Journalled(number, m.cell, m.delta, asked_at, m.marked_at, order)
            for number, (m, order) in zip(ids, moved, strict=True)
            if m.kind == "outside"
        ],
        lag=lag,
    )
    for number, (m, order) in zip(ids, moved, strict=True):
        cause = "order" if m.kind == "order" else "sale" if m.delta < 0 else "unpaid_expired"
        await db.run(conn, "insert_cause", movement_id=number, cause=cause, reference=order, learnt_at=house.now())


async def _put(
    conn: Connection,
    lane: Lane,
    changes: Sequence[_Change],
    asked_at: datetime,
    unseen_at: datetime | None,
    *,
    listed: bool,
) -> None:
    await db.run(
        conn,
        "put_lines",
        connection_id=lane.connection_id,
        orders=[c.line.order for c in changes],
        lines=[c.line.line for c in changes],
        cells=[c.cell for c in changes],
        items=[c.line.cell.item for c in changes],
        locations=[c.line.cell.location for c in changes],
        quantities=[c.line.quantity for c in changes],
        counted=[c.weighed.stand.counted for c in changes],
        held=[c.weighed.held for c in changes],
        states=[c.line.state.value for c in changes],
        placed=[c.line.placed_at for c in changes],
        payments=[c.line.payment.value if c.line.payment is not None else "" for c in changes],
        parked=[c.weighed.stand.parked for c in changes],
        live=[c.weighed.stand.live for c in changes],
        told=[(c.before["told"] if c.before is not None else 0) - c.told for c in changes],
        kept=[c.kept for c in changes],
        now=asked_at,
        swept_at=asked_at if listed else LONG_AGO,
        unseen_at=unseen_at,
    )


async def look_at(house: House, lane: Lane, conn: Connection, ids: Sequence[CellId]) -> None:
    """Have cells read whose orders changed in a way that only the level can tell of: restocked or not, say. A number
    that cannot be read may have risen by it: it is set again."""
    if ids:
        await db.run(conn, "mark_cells", ids=list(ids), now=house.now())
        await db.run(conn, "ask_rewrite", ids=list(ids))
        await db.notify(conn, f"connection:{lane.connection_id}")


async def hold(conn: Connection, ids: Sequence[CellId]) -> None:
    """Keep the units of orders that do not count yet out of the channel numbers of these cells."""
    changed = await db.rows(conn, "hold_orders", ids=list(ids)) if ids else []
    if changed:
        await cells.put_due(conn, [(CellId(r["channel_cell"]), None, None) for r in changed])
        await db.notify(conn, "decide")
