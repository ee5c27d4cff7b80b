"""What a watched pair shows at each look, kept where it is decided: changes that its channel was to show, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from inventory_sync.engine.lane import House
from inventory_sync.model.decide import Blocked, Decision
from inventory_sync.model.ids import CellId
from inventory_sync.model.watching import Watched, look, still_more
from inventory_sync.store import db
from inventory_sync.store.cells import CellRow, DueCell
from inventory_sync.store.db import Connection


@dataclass(slots=True)
class _Notes:
    """What the looks of one round leave behind."""

    cells: list[tuple[int, Watched]]
    opened: list[tuple[int, int, Watched, datetime]]
    reached: list[tuple[int, datetime]]
    spans: list[tuple[int, int, bool]]
    to_read: list[CellId]


async def note(
    house: House,
    conn: Connection,
    locked: Mapping[CellId, CellRow],
    decisions: Mapping[CellId, Decision],
    due: Sequence[DueCell],
) -> None:
    """Compare what was just decided for watched cells with what their channel shows. Runs where they are decided."""
    targets = {
        cell: decision.target
        for cell, decision in decisions.items()
        if decision.blocked is Blocked.WATCHING and decision.target is not None
    }
    if not targets:
        return
    now = house.now()
    heard = {each.id: each.heard_at for each in due}
    notes = _Notes([], [], [], [], [])
    for record in await db.rows(conn, "watch_state", cells=sorted(targets)):
        cell = CellId(record["channel_cell"])
        _note(notes, record, cell, targets[cell], heard.get(cell) or now)
    await _keep(conn, notes, now)
    if notes.to_read:
        await db.run(conn, "mark_cells", ids=sorted(notes.to_read), now=now)
        for connection_id in sorted({locked[cell].connection_id for cell in notes.to_read}):
            await db.notify(conn, f"connection:{connection_id}")


def _note(notes: _Notes, record: db.Record, cell: CellId, target: int, heard_at: datetime) -> None:
    before = None
    if record["wanted"] is not None:
        before = Watched(
            record["wanted"],
            record["offset_units"],
            record["was_shown"],
            record["was_committed"],
            record["was_ordered"],
        )
    seen = look(
        before,
        wanted=target,
        shown=record["shown"],
        committed=record["committed"],
        ordered=record["ordered"],
    )
    pair = record["pair_id"]
    notes.cells.append((pair, seen.now))
    read_at = record["read_asked_at"] or heard_at
    if record["span_id"] is not None:
        later = read_at > record["wanted_since"]
        sold = seen.sold if record["confirmed"] else 0
        confirmed = later and not seen.reached and still_more(seen.now)
        if sold or (confirmed and not record["confirmed"]):
            notes.spans.append((record["span_id"], sold, confirmed))
    if seen.opened and before is not None:
        notes.opened.append((pair, before.wanted, seen.now, heard_at))
        if not seen.reached:
            notes.to_read.append(cell)
    if seen.reached and (seen.opened or record["span_id"] is not None):
        notes.reached.append((pair, read_at))


async def _keep(conn: Connection, notes: _Notes, now: datetime) -> None:
    if notes.spans:
        await db.run(
            conn,
            "note_spans",
            ids=[s[0] for s in notes.spans],
            sold=[s[1] for s in notes.spans],
            confirmed=[s[2] for s in notes.spans],
        )
    if notes.opened:
        await db.run(
            conn,
            "open_spans",
            pairs=[o[0] for o in notes.opened],
            befores=[o[1] for o in notes.opened],
            wanted=[o[2].wanted for o in notes.opened],
            shown=[o[2].shown for o in notes.opened],
            since=[o[3] for o in notes.opened],
        )
    if notes.reached:
        await db.run(conn, "reach_spans", pairs=[r[0] for r in notes.reached], times=[r[1] for r in notes.reached])
    if notes.cells:
        await db.run(
            conn,
            "put_watch_cells",
            pairs=[c[0] for c in notes.cells],
            wanted=[c[1].wanted for c in notes.cells],
            offsets=[c[1].offset for c in notes.cells],
            shown=[c[1].shown for c in notes.cells],
            committed=[c[1].committed for c in notes.cells],
            ordered=[c[1].ordered for c in notes.cells],
            now=now,
        )
