"""Decide: what each cell should be told, from state alone, and which pairs come alive.

The only stage that talks to nobody. It is asked for every cell that something happened to, and once more, inside the
transaction that composes a batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from inventory_sync.engine import oversold, watched
from inventory_sync.engine.alerts import open_alert
from inventory_sync.engine.lane import House, Progress
from inventory_sync.engine.runs import portions
from inventory_sync.engine.runs.portions import Turns
from inventory_sync.model.alignment import Waiting, after_stop, needs_person
from inventory_sync.model.decide import (
    NOTHING,
    RUN_DOWN,
    RUN_UP,
    Blocked,
    Decision,
    LedgerCell,
    decide_channel,
    decide_ledger,
    effective,
)
from inventory_sync.model.ids import CellId
from inventory_sync.model.publish import published
from inventory_sync.store import cells, db, pairs
from inventory_sync.store.cells import CellRow, DueCell, Gap
from inventory_sync.store.db import Connection
from inventory_sync.store.pairs import KnownPair, Owed

BATCH = 1000

QUIET = 250
"""Decisions in one transaction that no live change asked for: what a live change waits behind, at most."""

RUN_STOPPED = "run_stopped"
"""A pair whose push a person stopped before its turn: it waits until the run goes on, or for another preview."""


async def decide(house: House) -> Progress:
    """Decide up to a batch of due cells in one transaction: first what was heard of, then what else is to be looked at,
    then what a run lets go."""
    live = await _decide_due(house, BATCH, heard=True)
    quiet = await _decide_due(house, QUIET, heard=False) if live < BATCH else 0
    did = live + quiet
    if live < BATCH and quiet < QUIET:
        did += await portions.advance(house)
    return Progress(did, house.now()) if did else Progress(0)


async def _decide_due(house: House, limit: int, *, heard: bool) -> int:
    now = house.now()
    async with db.transaction(house.pool) as conn:
        due = await cells.take_due(conn, limit, heard=heard)
        if not due:
            return 0
        locked = await cells.lock(conn, [d.id for d in due])
        await _wake_pairs(house, conn, locked, now)
        touched = {d.id for d in due if d.heard_at or (d.id in locked and locked[d.id].gap_since)}
        first = {d.id for d in due if d.heard_at or (d.id in locked and _is_behind(locked[d.id]))}
        turns = await portions.turns(conn, locked, touched, first, now)
        decisions = await decisions_for(conn, locked)
        await portions.end_unwritten(conn, decisions, turns.come, now)
        await watched.note(house, conn, locked, decisions, due)
        await db.run(conn, "end_zeroing", cells=list(locked))
        gaps = [_gap(locked[d.id], d, decisions.get(d.id), now, turns) for d in due if d.id in locked]
        await cells.write_gaps(conn, gaps)
        await oversold.look(house, conn, decisions)
        blind = [cell for cell, decision in decisions.items() if decision.rewrite]
        if blind:
            await db.run(conn, "ask_rewrite", ids=blind)
        for connection_id in sorted({locked[g.cell].connection_id for g in gaps if g.urgency != NOTHING}):
            await db.notify(conn, f"push:{connection_id}")
    return len(due)


async def decisions_for(conn: Connection, locked: Mapping[CellId, CellRow]) -> dict[CellId, Decision]:
    """The decision of every locked cell that is part of a pair: as a channel cell first, else as a ledger cell."""
    rows = dict(locked)
    known = await pairs.states(conn, rows)
    owed = await pairs.owed(conn, list(rows))
    made = {cell: decision_of(row, known.get(cell), owed.get(cell)) for cell, row in rows.items()}
    return made | await portions.undone(conn, rows)


def decision_of(row: CellRow, pair: KnownPair | None, owed: Owed | None) -> Decision:
    """The decision of one cell, from its row, the pair it is the channel of, and what it is owed as a ledger cell."""
    if pair is not None:
        decision = decide_channel(pair.state)
        if decision.gap or decision.activate or owed is None:
            return decision
    return decide_ledger(
        LedgerCell(
            owed_down=owed.down if owed else 0,
            owed_up=owed.up if owed else 0,
            compensate=row.compensate,
            known=row.known,
            active=row.condition == "active",
            dirty=row.marked_at is not None,
            in_flight=row.op_id is not None,
            quarantined=row.quarantined,
            settled_since_read=row.settled_since_read,
        )
    )


def _is_behind(row: CellRow) -> bool:
    """Whether a change that was heard of is still to be written; what a cell cannot be told delays no run."""
    return row.gap != 0 and row.gap_since is not None


def _gap(row: CellRow, due: DueCell, decision: Decision | None, now: datetime, turns: Turns) -> Gap:
    if decision is None:
        return Gap(row.id, 0, NOTHING, None, None, "")
    if row.id in turns.waiting:
        return Gap(row.id, 0, NOTHING, None, None, Blocked.IN_RUN.value)
    blocked = "activate" if decision.activate else decision.blocked.value
    if decision.gap == 0 and not decision.activate and not decision.rewrite:
        waits = bool(blocked) and blocked not in ("route_stopped", "not_aligned", "watching", "not_published")
        return Gap(row.id, 0, NOTHING, row.gap_since or due.heard_at if waits else None, due.stamp, blocked)
    if row.id in turns.come and not (row.gap_since or due.heard_at):
        urgency = RUN_DOWN if decision.gap < 0 else RUN_UP
        return Gap(row.id, decision.gap, urgency, None, None, blocked)
    since = min(filter(None, (row.gap_since, due.heard_at)), default=now)
    return Gap(row.id, decision.gap, decision.urgency, since, row.gap_stamp or due.stamp, blocked)


async def _wake_pairs(house: House, conn: Connection, locked: Mapping[CellId, CellRow], now: datetime) -> None:
    """Bring pairs alive whose cells were all read: those that were catching up, and new ones of running routes."""
    ids = list(locked)
    both_rose: list[int] = []
    alive: list[int] = []
    for record in await db.rows(conn, "caught_up", cells=ids):
        catch = after_stop(
            ledger_moved=record["ledger_moved"], channel_moved_up=record["channel_up"], channel_moved_down=0
        )
        (both_rose if catch.waits else alive).append(record["id"])
    for pair_ids, phase, reason in ((alive, "live", ""), (both_rose, "waiting", "both_rose")):
        if pair_ids:
            await db.run(conn, "set_phase", ids=pair_ids, phase=phase, reason=reason, now=now)
    based = await db.rows(conn, "based_pairs", cells=ids)
    if not based:
        return
    known = await pairs.states(conn, dict(locked))
    await _align_singly(house, conn, based, known, now)


async def _align_singly(
    house: House, conn: Connection, based: Iterable[db.Record], known: Mapping[CellId, KnownPair], now: datetime
) -> None:
    """New pairs of a running route: the ledger wins, singly; too many, or one that moves far, waits in a preview."""
    lately: dict[int, int] = {}
    join: list[int] = []
    waits: dict[str, list[int]] = {}
    for record in based:
        route, pair = int(record["route_id"]), known[CellId(record["channel_cell"])]
        if route not in lately:
            lately[route] = await db.value(conn, "aligned_lately", route_id=route, since=now - timedelta(hours=1))
        units = effective(pair.state.ledger, pair.state.shape)
        channel = pair.state.channel
        if units is None or (channel.known is None and channel.readable) or record["phase_reason"] == RUN_STOPPED:
            continue
        reason: Waiting | None = Waiting.LARGE_MOVE  # a number that nobody can read is set by a person's leave only
        if channel.known is not None:
            delta = published(units, pair.state.rule, held=pair.state.held) - channel.known
            reason = needs_person(channel=channel.known, delta=delta, pairs_in_last_hour=lately[route] + 1)
        if reason is None:
            lately[route] += 1
            join.append(pair.id)
        elif record["phase_reason"] != reason.value:
            waits.setdefault(reason.value, []).append(pair.id)
            await open_alert(
                conn, house.observer, "pairs_waiting", record["route"], now=now, route_id=route, reason=reason.value
            )
    if join:
        zeros = [0] * len(join)
        await db.run(conn, "align_pairs", ids=join, kept=zeros, owed=zeros, now=now)
    for why, ids in waits.items():
        await db.run(conn, "set_phase", ids=ids, phase="new", reason=why, now=now)
