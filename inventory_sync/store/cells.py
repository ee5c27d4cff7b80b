"""Cells and their levels: what the stages lock, read and write, in whole batches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inventory_sync.model.ids import CellId, ItemKey, LocationKey
from inventory_sync.store import db
from inventory_sync.store.db import Connection


@dataclass(frozen=True, slots=True)
class CellRow:
    """A cell as it is locked for a decision about it. Quantities are units, times aware."""

    id: CellId
    connection_id: int
    known: int | None
    condition: str
    had_row: bool
    version: int
    dirty_since: datetime | None
    marked_at: datetime | None
    read_due: datetime | None
    read_asked_at: datetime | None
    read_answered_at: datetime | None
    settled_at: datetime | None
    settled_since_read: bool
    stamp: datetime | None
    stamp_known: bool
    op_id: str | None
    compensate: int
    compensate_sent: int
    watched: bool
    highest: int
    quarantined: bool
    gap: int
    gap_since: datetime | None
    gap_stamp: datetime | None
    bisect: int | None
    residual: int | None
    residual_at: datetime | None
    loose: list[int]
    rewrite: bool
    committed: int
    aside: int
    fell_at: datetime | None
    held_back: int = 0
    waived: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class DueCell:
    """A cell whose decision is due; `heard_at`: when its change was heard, `stamp`: the partner's time of it."""

    id: CellId
    heard_at: datetime | None
    stamp: datetime | None


@dataclass(frozen=True, slots=True)
class CellToRead:
    """A cell to be read, with the version it is asked at."""

    id: CellId
    version: int
    marked_at: datetime | None
    item_key: ItemKey
    location_key: LocationKey


@dataclass(frozen=True, slots=True)
class Hint:
    """A cell that a notice or a list names, with what it says about it."""

    connection_id: int
    item: str
    location: str | None
    quantity: int | None
    reference: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class ReadLevel:
    """What a reading that counted leaves in a cell."""

    id: CellId
    known: int | None
    condition: str
    had_row: bool
    dirty_since: datetime | None
    marked_at: datetime | None
    read_due: datetime | None
    stamp: datetime | None
    highest: int
    residual: int | None = None
    residual_at: datetime | None = None
    loose: Sequence[int] = ()
    waived: Sequence[int] = ()
    committed: int = 0
    aside: int = 0


@dataclass(frozen=True, slots=True)
class Movement:
    """A change somebody else made, as a reading found it. `previous` is when the reading before it was asked."""

    cell: CellId
    delta: int
    before: int
    after: int
    marked_at: datetime | None
    previous: datetime | None
    stamp: datetime | None
    kind: str = "outside"
    turn: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """A decision as it is kept in the cell."""

    cell: CellId
    gap: int
    urgency: int
    since: datetime | None
    stamp: datetime | None
    blocked: str


@dataclass(frozen=True, slots=True)
class SettledCell:
    """What an outcome leaves in a cell. `dirty`: it must be read before it is written again."""

    id: CellId
    known: int | None
    stamp: datetime | None
    stamp_known: bool
    read_due: datetime
    dirty: bool
    bisect: int | None
    quarantined: bool
    condition: str | None = None


Due = tuple[CellId, datetime | None, datetime | None]


def _columns(records: Sequence[Any], *names: str) -> dict[str, list[Any]]:
    return {name: [getattr(record, name) for record in records] for name in names}


async def lock(conn: Connection, ids: Iterable[CellId]) -> dict[CellId, CellRow]:
    """Lock cells in the one order everybody locks them in."""
    found = await db.rows(conn, "lock_cells", ids=sorted(set(ids)))
    return {CellId(record["id"]): CellRow(**dict(record)) for record in found}


async def take_due(conn: Connection, limit: int, *, heard: bool) -> list[DueCell]:
    """Take decisions that are due; `heard`: of changes that somebody made, else the others."""
    found = await db.rows(conn, "take_due", heard=heard, limit=limit)
    return [DueCell(CellId(r["cell_id"]), r["heard_at"], r["stamp"]) for r in found]


async def put_due(conn: Connection, due: Sequence[Due], *, query: str = "put_due") -> None:
    """Ask for decisions. `query`: `put_due` for the cells themselves, `put_due_dependents` for the channel cells they
    feed, `put_due_ledgers` for the ledger cells behind them."""
    if due:
        await db.run(conn, query, cells=[d[0] for d in due], heard=[d[1] for d in due], stamps=[d[2] for d in due])


async def decide_around(conn: Connection, due: Sequence[Due]) -> None:
    """Ask for decisions of cells, of the channel cells they feed and of the ledger cells behind them, at once."""
    for query in ("put_due", "put_due_dependents", "put_due_ledgers"):
        await put_due(conn, due, query=query)
    await db.notify(conn, "decide")


async def to_read(conn: Connection, connection_id: int, now: datetime, limit: int) -> list[CellToRead]:
    found = await db.rows(conn, "cells_to_read", connection_id=connection_id, now=now, limit=limit)
    return [
        CellToRead(
            CellId(r["id"]), r["version"], r["marked_at"], ItemKey(r["item_key"]), LocationKey(r["location_key"])
        )
        for r in found
    ]


async def mark_hinted(
    conn: Connection, hints: Sequence[Hint], *, now: datetime, soft_at: datetime, from_list: bool
) -> None:
    """Mark the cells that hints name; an echo is only looked at later, or, from a list, not at all."""
    if hints:
        await db.run(
            conn,
            "mark_hinted",
            now=now,
            soft_at=soft_at,
            list=from_list,
            connections=[h.connection_id for h in hints],
            items=[h.item for h in hints],
            locations=[h.location for h in hints],
            quantities=[h.quantity for h in hints],
            refs=[h.reference for h in hints],
            times=[h.at for h in hints],
        )


async def write_readings(
    conn: Connection, levels: Sequence[ReadLevel], *, asked_at: datetime, answered_at: datetime
) -> None:
    if levels:
        names = ("known", "condition", "had_row", "dirty_since", "marked_at", "read_due", "highest", "residual")
        columns = _columns(levels, *names, "residual_at", "committed", "aside")
        await db.run(
            conn,
            "write_readings",
            ids=[level.id for level in levels],
            conditions=columns.pop("condition"),
            stamps=[level.stamp for level in levels],
            loose=[array(level.loose) for level in levels],
            waived=[array(level.waived) for level in levels],
            asked_at=asked_at,
            answered_at=answered_at,
            **columns,
        )


def array(units: Sequence[int]) -> str:
    """An array within a column of arrays, as the database reads it: those of one column need not be equally long."""
    return "{" + ",".join(map(str, units)) + "}"


async def write_movements(
    conn: Connection, movements: Sequence[Movement], *, asked_at: datetime, answered_at: datetime
) -> list[int]:
    """Journal movements; says their ids, in order."""
    if not movements:
        return []
    return [
        int(r["id"])
        for r in await db.rows(
            conn,
            "write_movements",
            cells=[m.cell for m in movements],
            deltas=[m.delta for m in movements],
            befores=[m.before for m in movements],
            afters=[m.after for m in movements],
            marked=[m.marked_at for m in movements],
            previous=[m.previous for m in movements],
            stamps=[m.stamp for m in movements],
            kinds=[m.kind for m in movements],
            turns=[m.turn for m in movements],
            asked_at=asked_at,
            answered_at=answered_at,
        )
    ]


async def write_gaps(conn: Connection, gaps: Sequence[Gap]) -> None:
    if gaps:
        await db.run(
            conn,
            "write_gaps",
            ids=[g.cell for g in gaps],
            gaps=[g.gap for g in gaps],
            urgencies=[g.urgency for g in gaps],
            since=[g.since for g in gaps],
            stamps=[g.stamp for g in gaps],
            blocked=[g.blocked for g in gaps],
        )


async def note_settled(conn: Connection, cells: Sequence[SettledCell], *, settled_at: datetime) -> None:
    if cells:
        columns = _columns(cells, "known", "stamp_known", "read_due", "dirty", "bisect", "quarantined")
        await db.run(
            conn,
            "note_settled",
            ids=[c.id for c in cells],
            stamps=[c.stamp for c in cells],
            conditions=[c.condition for c in cells],
            settled_at=settled_at,
            **columns,
        )


async def postpone(conn: Connection, later: Sequence[tuple[CellId, datetime]]) -> None:
    if later:
        await db.run(conn, "postpone_reads", ids=[c for c, _ in later], times=[t for _, t in later])
