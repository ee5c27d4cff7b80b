"""Settle: one outcome per op, recorded in the transaction that moves the known level (the truth model's rule 3.6).

`ask` sends a request and turns whatever comes back into one of four things: every op has an answer, the whole request
was refused, it was refused for a row that was not named, or it is in doubt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

import structlog

from inventory_sync.engine import counting
from inventory_sync.engine.alerts import open_alert
from inventory_sync.engine.evidence import WATCH_STEPS
from inventory_sync.engine.intake import SOFT_CHECK
from inventory_sync.engine.lane import House, Lane
from inventory_sync.engine.observer import Settled
from inventory_sync.engine.reasons import Reason
from inventory_sync.engine.runs import portions
from inventory_sync.model.decide import lower_number
from inventory_sync.model.ids import BatchId, CellId, OpId
from inventory_sync.store import cells, db
from inventory_sync.store.cells import CellRow, Movement, SettledCell
from inventory_sync.store.db import Connection
from inventory_sync.systems.errors import Broken, Bug, Doubt, PartnerError, RetryLater, Stale
from inventory_sync.systems.port import (
    Accepted,
    Applied,
    EvidenceKind,
    NotApplied,
    OpOutcome,
    PlannedOp,
    PreparedRequest,
    Rejected,
    Split,
)

log = structlog.get_logger()

BUG_PAUSE = 300.0
"""Seconds a lane writes nothing after its partner called a request malformed: a person has been alerted."""

UNASKED = timedelta(seconds=10)
"""How long after a batch was accepted a first row of it is looked up, where its callback has not come by then."""

FIRST_LOOK = 1.0
LONGEST_LOOK = 60.0
"""Seconds before a doubtful batch is looked at again: doubling from the first to the longest."""


@dataclass(frozen=True, slots=True)
class Answered:
    """Every op of the batch has its outcome; of those in `unknown` it can never be learnt. `partly`: those that are not
    mentioned stay as they are."""

    outcomes: Mapping[OpId, OpOutcome]
    unknown: frozenset[OpId] = frozenset()
    partly: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing of the request was carried out, for a reason that lies in no row of it."""

    reason: str
    pause: float = 0.0
    reread: bool = False
    error: PartnerError | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Doubtful:
    """It is not known whether the request was carried out. Look again after `after` seconds; None: as usual."""

    reason: str
    after: float | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class NeverKnown:
    """No answer is possible any more: the lower number is believed, and the pair is uncertain by what was written."""

    reason: str
    code: str | None = None


Outcome = Answered | Refused | Doubtful | NeverKnown | Split | Accepted


async def ask(house: House, lane: Lane, prepared: PreparedRequest, ops: Sequence[PlannedOp]) -> Outcome:
    """Send a request that is marked sent. Never raises for anything the partner or the network did."""
    try:
        answer = await lane.client.send(prepared, ops)
    except RetryLater as error:
        lane.pause(house.now() + timedelta(seconds=error.after))
        if error.executed is False:
            return Refused(error.message, pause=error.after, code=error.code)
        return Doubtful(error.message, after=error.after, code=error.code)
    except Doubt as error:
        return Doubtful(error.message, code=error.code)
    except Stale as error:
        return Refused(error.message, reread=True, code=error.code)
    except Broken as error:
        return Refused(error.message, error=error, code=error.code)
    except Bug as error:
        lane.pause(house.now() + timedelta(seconds=BUG_PAUSE))
        return Refused(error.message, pause=BUG_PAUSE, error=error, code=error.code)
    except PartnerError as error:
        return Doubtful(error.message, code=error.code)
    if isinstance(answer, (Split, Accepted)):
        return answer
    return Answered(answer)


async def settle(house: House, lane: Lane, batch: BatchId, outcome: Outcome, *, attempt: int) -> None:
    """Record what became of a batch. Raises Broken where the connection as a whole does not work."""
    now = house.now()
    events: list[Settled] = []
    async with db.transaction(house.pool) as conn:
        found = await db.row(conn, "lock_batch", id=batch)
        if found is None:
            return
        if isinstance(outcome, Accepted):
            await _await_result(lane, conn, batch, outcome, now)
        elif isinstance(outcome, Doubtful) or (isinstance(outcome, Refused) and attempt > 1):
            await _stay_in_doubt(lane, conn, batch, outcome, attempt, now)
        else:
            events = await _end(house, lane, conn, batch, outcome, attempt=attempt, now=now)
        if isinstance(outcome, Refused) and isinstance(outcome.error, Bug):
            await open_alert(
                conn,
                house.observer,
                "bug",
                lane.name,
                now=now,
                connection_id=lane.connection_id,
                problem=outcome.error.code,
                message=outcome.error.message,
            )
        await db.notify(conn, "decide")
    for event in events:
        house.observer.settled(event)
    if isinstance(outcome, Refused) and isinstance(outcome.error, Broken):
        raise outcome.error


async def _await_result(lane: Lane, conn: Connection, batch: BatchId, outcome: Accepted, now: datetime) -> None:
    """A batch that the partner carries out later has no outcome yet, and is not in doubt before its time."""
    due = now + UNASKED
    await db.run(conn, "accept_batch", id=batch, reference=outcome.reference, due_at=due, now=now)
    await db.notify(conn, f"doubt:{lane.connection_id}")
    log.info("push.accepted", connection=lane.name, batch=batch, reference=outcome.reference)


async def _stay_in_doubt(
    lane: Lane, conn: Connection, batch: BatchId, outcome: Doubtful | Refused, attempt: int, now: datetime
) -> None:
    usual = min(LONGEST_LOOK, FIRST_LOOK * 2 ** (attempt - 1))
    after = (outcome.after if isinstance(outcome, Doubtful) else outcome.pause) or usual
    await db.run(conn, "doubt_batch", id=batch, due_at=now + timedelta(seconds=after), reason=outcome.reason[:500])
    await db.run(conn, "doubt_ops", batch_id=batch, reason=outcome.reason[:500], code=outcome.code)
    await db.notify(conn, f"doubt:{lane.connection_id}")
    log.info("push.in_doubt", connection=lane.name, batch=batch, attempt=attempt, reason=outcome.reason, again_s=after)


@dataclass(frozen=True, slots=True)
class _Op:
    id: OpId
    cell: CellId
    delta: int
    value: int | None
    cut: int
    cause: str
    heard_at: datetime | None
    stamp: datetime | None
    composed_at: datetime


@dataclass(frozen=True, slots=True)
class _Ended:
    """An op with its end: why, what the cell is left with, what is owed again."""

    op: _Op
    state: str
    reason: str
    code: str | None
    reference: str | None
    cell: SettledCell
    returned: bool
    rejection: Rejected | None = None
    uncertain: int = 0


async def _end(
    house: House,
    lane: Lane,
    conn: Connection,
    batch: BatchId,
    outcome: Answered | Refused | NeverKnown | Split,
    *,
    attempt: int,
    now: datetime,
) -> list[Settled]:
    ops = [
        _Op(
            OpId(r["id"]),
            CellId(r["cell_id"]),
            r["delta"],
            r["value"],
            r["cut"],
            r["cause"],
            r["change_heard_at"],
            r["change_stamp"],
            r["composed_at"],
        )
        for r in await db.rows(conn, "open_ops", batch_id=batch)
        if not (isinstance(outcome, Answered) and outcome.partly) or r["id"] in outcome.outcomes
    ]
    locked = await cells.lock(conn, [op.cell for op in ops])
    ended = [_ended(lane, op, locked[op.cell], outcome, len(ops), now) for op in ops]
    watched = attempt > 1 and lane.client.capabilities.evidence is EvidenceKind.HISTORY
    await _write_ops(conn, ended, watched, now)
    await cells.note_settled(conn, [e.cell for e in ended], settled_at=now)
    await _note_cut(conn, ended, now)
    await _return_owed(conn, ended)
    ends = [portions.OpEnd(e.op.id, e.state, e.reason, e.code, e.returned) for e in ended]
    await portions.end_with_ops(house, conn, ends, now)
    await counting.make_uncertain(house, lane, conn, [(e.op.cell, e.uncertain) for e in ended if e.uncertain])
    await _quarantine(house, lane, conn, ended, now)
    await _decide_again(conn, ended)
    await db.run(conn, "ask_rewrite", ids=[e.op.cell for e in ended if e.state != "applied"])
    if watched:
        await db.run(conn, "watch_cells", ids=[e.op.cell for e in ended], watched=True)
    await db.run(conn, "settle_batch", id=batch, settled_at=now)
    return [
        Settled(lane.name, e.op.cell, e.op.id, e.op.delta, e.state, e.op.heard_at, e.op.stamp, e.op.composed_at, now)
        for e in ended
    ]


def _ended(lane: Lane, op: _Op, row: CellRow, outcome: Outcome, size: int, now: datetime) -> _Ended:
    """What one op's outcome means for its cell."""
    match outcome:
        case Answered() if op.id in outcome.unknown:
            return _never_known(op, row, Reason.NEITHER_FITS, None, now)
        case Answered():
            return _answered(lane, op, row, outcome.outcomes.get(op.id), now)
        case Refused():
            return _undone(op, row, outcome.reason, outcome.code, now, lane, dirty=outcome.reread)
        case Split() if size == 1:
            return _rejected(op, row, Rejected(outcome.reason, outcome.code or "refused"), now)
        case Split():
            return _undone(op, row, outcome.reason, outcome.code, now, lane, dirty=True, bisect=(size + 1) // 2)
        case NeverKnown():
            return _never_known(op, row, outcome.reason, outcome.code, now)
        case Doubtful() | Accepted():
            raise AssertionError("a batch without an outcome is not ended")
        case _:
            assert_never(outcome)


def _answered(lane: Lane, op: _Op, row: CellRow, answer: OpOutcome | None, now: datetime) -> _Ended:
    match answer:
        case Applied() if op.cause == "activation":
            cell = SettledCell(row.id, None, None, True, now, True, None, False, condition="unread")
            return _Ended(op, "applied", "", None, answer.reference, cell, False)
        case Applied():
            known = op.value if row.known is None else row.known + op.delta + op.cut
            stamp = max(filter(None, (row.stamp, answer.stamp)), default=None) if answer.stamp else row.stamp
            stamp_known = row.stamp_known and answer.stamp is not None
            due = now + _looked_at_after(lane, op, known)
            cell = SettledCell(row.id, known, stamp, stamp_known, due, False, None, False)
            return _Ended(op, "applied", "", None, answer.reference, cell, False)
        case NotApplied():
            return _undone(op, row, answer.reason, answer.code, now, lane, dirty=True)
        case Rejected():
            return _rejected(op, row, answer, now)
        case None:
            return _undone(op, row, Reason.UNMENTIONED, None, now, lane, dirty=True)
        case _:
            assert_never(answer)


def _looked_at_after(lane: Lane, op: _Op, known: int | None) -> timedelta:
    """How long a write stands before it is looked at. Where a decrease may have been cut off at 0, as soon as it
    shows: what others do there before we look cannot be told from it."""
    able = lane.client.capabilities
    emptied = op.delta < 0 and known is not None and known <= 0
    return able.read_lag if able.cuts_at_zero and emptied else SOFT_CHECK


def _undone(
    op: _Op,
    row: CellRow,
    reason: str,
    code: str | None,
    now: datetime,
    lane: Lane,
    *,
    dirty: bool,
    bisect: int | None = None,
) -> _Ended:
    due = now + lane.client.capabilities.read_lag if dirty else now + SOFT_CHECK
    cell = SettledCell(row.id, row.known, row.stamp, row.stamp_known, due, dirty, bisect, False)
    return _Ended(op, "not_applied", reason, code, None, cell, True)


def _rejected(op: _Op, row: CellRow, answer: Rejected, now: datetime) -> _Ended:
    cell = SettledCell(row.id, row.known, row.stamp, row.stamp_known, now + SOFT_CHECK, True, None, True)
    return _Ended(op, "rejected", answer.reason, answer.code, None, cell, True, rejection=answer)


def _never_known(op: _Op, row: CellRow, reason: str, code: str | None, now: datetime) -> _Ended:
    """The lower number: a decrease is taken as not done and is owed again, an increase as done."""
    known = None if row.known is None else lower_number(row.known, op.delta)
    cell = SettledCell(row.id, known, row.stamp, False, now, True, None, False)
    return _Ended(op, "lower_number", reason, code, None, cell, op.delta < 0, uncertain=abs(op.delta))


async def _write_ops(conn: Connection, ended: Sequence[_Ended], watched: bool, now: datetime) -> None:
    if ended:
        await db.run(
            conn,
            "settle_ops",
            ids=[e.op.id for e in ended],
            states=[e.state for e in ended],
            reasons=[e.reason[:500] for e in ended],
            codes=[e.code or None for e in ended],
            refs=[e.reference for e in ended],
            watch_at=[now + WATCH_STEPS[0] if watched else None for _ in ended],
            watch_until=[now + WATCH_STEPS[-1] if watched else None for _ in ended],
            settled_at=now,
        )


async def _note_cut(conn: Connection, ended: Sequence[_Ended], now: datetime) -> None:
    """A number that would have been below 0 was set to 0: the rest is an effect of ours, nobody's movement."""
    for each in ended:
        op, known = each.op, each.cell.known
        if op.cut and known is not None and each.state == "applied":
            effect = Movement(op.cell, op.cut, known - op.cut, known, None, None, None, "effect")
            await cells.write_movements(conn, [effect], asked_at=op.composed_at, answered_at=now)


async def _return_owed(conn: Connection, ended: Sequence[_Ended]) -> None:
    """Units that an op carried and did not deliver are owed again."""
    back = {e.op.id: e.returned for e in ended}
    parts = await db.rows(conn, "op_parts_of", ids=sorted(back))
    if parts:
        await db.run(
            conn,
            "end_sent",
            ids=[p["pair_id"] for p in parts],
            cells=[p["cell_id"] for p in parts],
            units=[p["units"] for p in parts],
            returned=[p["units"] if back[p["op_id"]] else 0 for p in parts],
        )
    compensating = [e for e in ended if e.op.cause == "compensation"]
    if compensating:
        await db.run(
            conn,
            "end_compensation",
            ids=[e.op.cell for e in compensating],
            units=[e.op.delta for e in compensating],
            returned=[e.op.delta if e.returned else 0 for e in compensating],
        )


async def _quarantine(house: House, lane: Lane, conn: Connection, ended: Sequence[_Ended], now: datetime) -> None:
    bad = [(e, e.rejection) for e in ended if e.rejection is not None]
    if bad:
        await db.run(
            conn,
            "quarantine_cells",
            ids=[e.op.cell for e, _ in bad],
            codes=[r.code for _, r in bad],
            reasons=[r.reason[:500] for _, r in bad],
            ops=[e.op.id for e, _ in bad],
            now=now,
        )
        await open_alert(
            conn, house.observer, "quarantined", lane.name, now=now, connection_id=lane.connection_id, cells=len(bad)
        )


async def _decide_again(conn: Connection, ended: Sequence[_Ended]) -> None:
    due = [(e.op.cell, e.op.heard_at if e.returned else None, e.op.stamp if e.returned else None) for e in ended]
    await cells.put_due(conn, due)
    told = [(e.op.cell, e.op.heard_at, e.op.stamp) for e in ended]
    await cells.put_due(conn, told, query="put_due_dependents")
