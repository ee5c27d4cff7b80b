"""Portions: the rows of a run are confirmed, let go to the lanes a few at a time, and end with their cells' ops.

A row goes proposed → confirmed → released → sent → done, failed or skipped. A confirmed gap belongs to its pair from
then on, whatever is traded meanwhile; letting it go only decides when it is written. A channel cell that is to be
raised trades as it stands until its turn; what happens to any other cell of a run takes its row along. Everything is
rows, so a process that dies leaves a run that goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from inventory_sync.engine import brake_release
from inventory_sync.engine.lane import House
from inventory_sync.engine.named import route_named
from inventory_sync.engine.previews import PHASES, PreviewLine, gap_of, lines_of
from inventory_sync.model.alignment import AlignPolicy, PreviewAction
from inventory_sync.model.decide import Blocked, Decision, UndoneCell, decide_undo
from inventory_sync.model.ids import CellId
from inventory_sync.store import db
from inventory_sync.store.cells import CellRow
from inventory_sync.store.db import Connection

PORTION = 250
"""Rows that are confirmed or let go in one transaction: what a live change waits behind, at most."""

OUTSTANDING = 1500
"""Rows of a run that may be on their way at once: enough to keep every lane busy, few enough to stop soon. What is
confirmed is let go up to here before more is confirmed, so that the first batch does not wait for the last row."""

BUSY = timedelta(minutes=1)
"""A row whose cell is being read, or written for a live change, gets its turn after it, or after this long: let go at
once it would only step back again."""

PATIENCE = timedelta(hours=1)
"""A row that was let go and could not be written for this long is listed as failed, with what its cell waits for."""

_ENDS = {
    Blocked.QUARANTINED: "failed",
    Blocked.NOT_ACTIVE: "failed",
    Blocked.NOT_ALIGNED: "failed",
    Blocked.BELOW_ZERO: "done",
    Blocked.NOT_PUBLISHED: "done",
    Blocked.NOT: "done",
}
"""What becomes of a row whose cell is not written, by why it is not; with any other reason it waits."""


@dataclass(frozen=True, slots=True)
class Turns:
    """Cells of runs: those whose turn has come, and those that wait for it."""

    come: frozenset[CellId] = frozenset()
    waiting: frozenset[CellId] = frozenset()


async def turns(
    conn: Connection, locked: Mapping[CellId, CellRow], heard: set[CellId], first: set[CellId], now: datetime
) -> Turns:
    """Whose turn it is among these cells. What was heard of a cell takes what a run wants of it along; a run waits for
    those of `first`, which can be told now what was heard of them."""
    if first:
        await db.run(conn, "step_back", cells=sorted(first), now=now)
    found = {CellId(r["cell_id"]): r for r in await db.rows(conn, "run_rows_at", cells=sorted(locked))}
    early = [
        cell
        for cell, r in found.items()
        if not (r["released"] or r["undoing"]) and (cell in heard or locked[cell].compensate)
    ]
    if early:
        await db.run(conn, "pull_forward", cells=early, now=now)
    come = frozenset(cell for cell, r in found.items() if r["released"]) | frozenset(early)
    return Turns(come, frozenset(found) - come)


async def undone(conn: Connection, rows: Mapping[CellId, CellRow]) -> dict[CellId, Decision]:
    """The decision of those of these cells on which a push is being taken back, and whose turn has come."""
    found = await db.rows(conn, "undo_units_at", cells=sorted(rows))
    made: dict[CellId, Decision] = {}
    for r in found:
        cell = rows[CellId(r["cell_id"])]
        made[cell.id] = decide_undo(
            UndoneCell(
                units=r["units"],
                known=cell.known,
                active=cell.condition in ("active", "unread"),
                dirty=cell.marked_at is not None,
                in_flight=cell.op_id is not None,
                quarantined=cell.quarantined,
                settled_since_read=cell.settled_since_read,
                channel=r["side"] == "channel",
            )
        )
    return made


@dataclass(frozen=True, slots=True)
class Carried:
    """The run whose rows an op carries, and what the op is for then: `align` or `undo`."""

    run: int
    cause: str


async def carry(conn: Connection, ops: Sequence[tuple[str, CellId, int]], now: datetime) -> dict[str, Carried]:
    """Note which rows of runs these ops carry: op, cell and units. Says so for those that carry any."""
    rows = await db.rows(
        conn,
        "carry_rows",
        ops=[o[0] for o in ops],
        cells=[o[1] for o in ops],
        deltas=[o[2] for o in ops],
        now=now,
    )
    return {r["op_id"]: Carried(r["run_id"], "undo" if r["kind"] == "undo" else "align") for r in rows}


async def confirm(house: House, conn: Connection, run: db.Record, limit: int | None = None) -> int:
    """Confirm the next proposed rows of a push whose gap is still the one shown; the others are skipped and listed.

    Says how many pairs were looked at.
    """
    shown = {r["pair_id"]: r for r in await db.rows(conn, "next_proposed", run_id=run["id"], limit=limit or PORTION)}
    if not shown:
        return 0
    now = house.now()
    await db.rows(conn, "lock_pairs", ids=sorted(shown))
    route = await route_named(conn, run["route"])
    lines = await lines_of(conn, route, list(shown), run["source"])
    held = await brake_release.held_among(conn, list(lines))
    same = [line for pair, line in lines.items() if _as_shown(shown[pair], line, pair in held)]
    gone = sorted(set(shown) - set(lines))
    moved = sorted(set(lines) - {line.pair for line in same})
    for pairs, reason in ((gone, "not of this preview any more"), (moved, "changed since the preview")):
        if pairs:
            await db.run(conn, "skip_rows", run_id=run["id"], pairs=pairs, reason=reason, now=now)
    if same:
        await _align(conn, run, route, same, now)
        await brake_release.confirmed(house, conn, [line.pair for line in same])
    return len(shown)


def _as_shown(shown: db.Record, line: PreviewLine, held: bool) -> bool:
    """What is held of a pair ends where it is confirmed, so such a gap must be the one that a person saw."""
    if line.row.before is None and not line.unreadable:
        return False
    return (shown["action"], shown["gap"]) == (line.row.action.value, gap_of(line.row)) or (
        line.phase == "live" and not held and _standing(line) == shown["gap"]
    )


def _standing(line: PreviewLine) -> int | None:
    """What a living pair's channel differs by on purpose: a sale that is just on its way changes no confirmed gap."""
    if line.row.after is None or line.row.action not in (PreviewAction.WRITE_CHANNEL, PreviewAction.NOTHING):
        return None
    return line.row.after - max(0, line.row.after + line.kept)


async def _align(
    conn: Connection, run: db.Record, route: db.Record, lines: Sequence[PreviewLine], now: datetime
) -> None:
    drops = run["source"] == "ledger" or (
        run["source"] == "route" and AlignPolicy(route["align"]) is AlignPolicy.LEDGER_WINS
    )
    dropping = [line for line in lines if drops and line.phase in PHASES["route"]]
    await db.run(conn, "drop_rises", ids=[line.pair for line in dropping])
    await db.run(
        conn,
        "align_pairs",
        ids=[line.pair for line in lines],
        kept=[line.row.kept for line in lines],
        owed=[line.row.owed for line in lines],
        now=now,
    )
    dropped = {line.pair for line in dropping}
    await db.run(conn, "supersede_open", run_id=run["id"], pairs=[line.pair for line in lines], now=now)
    await db.run(
        conn,
        "confirm_rows",
        run_id=run["id"],
        pairs=[line.pair for line in lines],
        phases=[line.phase for line in lines],
        kept=[line.kept for line in lines],
        dropped=[line.rose if line.pair in dropped else 0 for line in lines],
        now=now,
    )


async def release(house: House, conn: Connection, run_id: int) -> int:
    """Let the next confirmed rows of a run go to the lanes; says how many."""
    now = house.now()
    return int(await db.value(conn, "release_rows", run_id=run_id, limit=PORTION, patient=now - BUSY, now=now))


async def advance(house: House) -> int:
    """Carry each run that is under way a portion further. Called when no live change waits for a decision; says how
    many rows were moved on."""
    did = 0
    for record in await db.rows(house.pool, "writing_runs"):
        async with db.transaction(house.pool) as conn:
            run = await db.row(conn, "lock_run", id=record["id"])
            if run is not None:
                did += await _advance(house, conn, run)
    return did


async def _advance(house: House, conn: Connection, run: db.Record) -> int:
    hindrance = _hindrance(run)
    if hindrance:
        await put_aside(house, conn, run["id"], hindrance)
        return 1
    left = await _left(conn, run["id"])
    if left.released_at is not None and left.released_at < house.now() - PATIENCE:
        await db.run(conn, "stuck_rows", run_id=run["id"], before=house.now() - PATIENCE, now=house.now())
        left = await _left(conn, run["id"])
    if left.confirmed and left.out < OUTSTANDING:
        released = await release(house, conn, run["id"])
        if released:
            return released
    confirmed = await confirm(house, conn, run) if run["kind"] == "push" and left.proposed else 0
    if not confirmed and not left.open:
        await _finish(house, conn, run["id"])
    return confirmed


async def finish_if_over(house: House, conn: Connection, run_id: int) -> None:
    """End a run of which nothing is left to do."""
    if not (await _left(conn, run_id)).open:
        await _finish(house, conn, run_id)


async def _finish(house: House, conn: Connection, run_id: int) -> None:
    await db.run(conn, "sum_up_run", run_id=run_id, now=house.now())
    await db.run(conn, "finish_run", id=run_id, state="done", error="", now=house.now())


@dataclass(frozen=True, slots=True)
class _Left:
    """What is left of a run: rows on their way, since when the oldest of them waits, and whether more are to come."""

    out: int
    released_at: datetime | None
    proposed: bool
    confirmed: bool

    @property
    def open(self) -> bool:
        return bool(self.out or self.proposed or self.confirmed)


async def _left(conn: Connection, run_id: int) -> _Left:
    [found] = await db.rows(conn, "outstanding_rows", run_id=run_id)
    return _Left(**found)


def _hindrance(run: db.Record) -> str:
    """Why a run cannot go on as its route is now, or nothing."""
    state = run["route_state"]
    if run["kind"] == "undo":
        return f"the route is {state}" if state in ("running", "watching") else ""
    fine = ("running", "stopped") if run["on_stopped"] else ("running",)
    return "" if state in fine else f"the route is {state}"


async def put_aside(house: House, conn: Connection, run_id: int, reason: str) -> None:
    """Stop a run: what was not sent is confirmed no more, ops under way still get their outcome."""
    now = house.now()
    await db.row(conn, "run_locked", id=run_id)
    await db.run(conn, "withdraw_rows", run_id=run_id, now=now)
    await db.run(conn, "sum_up_run", run_id=run_id, now=now)
    await db.run(conn, "set_run_aside", run_id=run_id, error=reason, now=now)
    await db.notify(conn, "decide")


async def halt_route(house: House, conn: Connection, route_id: int, reason: str) -> int:
    """Stop every push of a route, in the caller's transaction, as where the route itself stops; says how many."""
    found = [r for r in await db.rows(conn, "runs_of_route", route_id=route_id) if r["kind"] != "undo"]
    for record in found:
        await put_aside(house, conn, record["id"], reason)
    return len(found)


async def end_unwritten(
    conn: Connection, decisions: Mapping[CellId, Decision], turns: Iterable[CellId], now: datetime
) -> None:
    """End the rows of cells whose turn has come and that need no write, or can have none."""
    ends = [
        (cell, _ENDS[decision.blocked], decision.blocked.value)
        for cell in turns
        if (decision := decisions.get(cell)) is not None
        and not (decision.gap or decision.activate or decision.rewrite)
        and decision.blocked in _ENDS
    ]
    if ends:
        await db.run(
            conn,
            "end_unwritten",
            cells=[e[0] for e in ends],
            states=[e[1] for e in ends],
            reasons=[e[2] for e in ends],
            now=now,
        )


class OpEnd(NamedTuple):
    """What became of an op: its state, why with the code of a partner's problem, and whether it is owed again."""

    op: str
    state: str
    reason: str
    code: str | None
    returned: bool


async def end_with_ops(house: House, conn: Connection, ends: Sequence[OpEnd], now: datetime) -> None:
    """Record in the rows of runs what became of the ops that carried them."""
    if not await db.rows(conn, "hold_runs_of", ops=[end.op for end in ends]):
        return
    rows = await db.rows(
        conn,
        "end_rows",
        ops=[end.op for end in ends],
        states=[_end(end.state, end.returned) for end in ends],
        reasons=[end.reason[:500] for end in ends],
        codes=[end.code or None for end in ends],
        now=now,
    )
    for record in rows:  # the run was stopped while these were under way
        await db.run(conn, "withdraw_rows", run_id=record["run_id"], now=now)


def _end(state: str, returned: bool) -> str:
    if state == "rejected":
        return "failed"
    return "released" if returned else "done"
