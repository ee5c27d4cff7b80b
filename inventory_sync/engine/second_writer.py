"""A second writer, and cells that run away: somebody, or something of ours, feeds on what we write (rule 3.11).

Looked for in the transaction that journals the movements of a reading. Sales never count: what orders explain is left
out where the partner tells what orders have taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from inventory_sync.engine.alerts import open_alert
from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.lane import House, Lane
from inventory_sync.model import brake, runaway, second_writer
from inventory_sync.model.ids import CellId
from inventory_sync.store import db
from inventory_sync.store.cells import CellRow, Movement
from inventory_sync.store.db import Connection

log = structlog.get_logger()

CODE = "second_writer"
"""The alert, and what blocks the routes until a person has found the other writer."""

RUNAWAY = "IS-SAF-001"
"""The problem under which a cell that runs away is in quarantine."""


async def look(
    house: House,
    lane: Lane,
    conn: Connection,
    ids: Sequence[int],
    movements: Sequence[Movement],
    rows: Mapping[CellId, CellRow],
    by_orders: Mapping[CellId, int],
) -> None:
    """Note which movements undid our last write, stop cells that run away, and the routes where others write too."""
    strange = [
        (n, m) for n, m in zip(ids, movements, strict=True) if not brake.explained(m.delta, by_orders.get(m.cell, 0))
    ]
    if not strange:
        return
    noted = await db.rows(
        conn,
        "note_undone",
        movements=[n for n, _ in strange],
        cells=[m.cell for _, m in strange],
        deltas=[m.delta for _, m in strange],
        since=house.now() - second_writer.WINDOW,
        connection_id=lane.connection_id,
        at=house.now(),
    )
    if noted and await _second_writer(house, lane, conn):
        return
    await _runaway(house, lane, conn, [m.cell for _, m in strange if not rows[m.cell].quarantined])


async def _second_writer(house: House, lane: Lane, conn: Connection) -> bool:
    since, now = house.now() - second_writer.WINDOW, house.now()
    counts = await db.rows(conn, "undone_lately", connection_id=lane.connection_id, since=since)
    if not second_writer.found(r["times"] for r in counts):
        return False
    routes = await db.rows(conn, "running_routes_of", connection_id=lane.connection_id)
    if not routes:
        return False
    shown = await db.rows(
        conn, "undone_cells", connection_id=lane.connection_id, since=since, times=second_writer.TIMES
    )
    for route in routes:
        await db.run(conn, "set_route_state", id=route["id"], state="blocked", stopped_by="system", blockers=[CODE])
        await db.run(conn, "unalign_pairs", route_id=route["id"], now=now, reason=CODE)
        await db.run(conn, "put_due_route", route_id=route["id"])
        await write_audit(
            house,
            conn,
            "system",
            "route.stopped",
            route["name"],
            before={"state": "running"},
            after={"state": "blocked", "reason": CODE},
            at=now,
        )
        log.warning("route.blocked", route=route["name"], reason=CODE)
    await db.run(conn, "forget_undone", connection_id=lane.connection_id)  # a person decides before it counts anew
    await open_alert(
        conn,
        house.observer,
        "second_writer",
        lane.name,
        now=now,
        connection_id=lane.connection_id,
        routes=[route["name"] for route in routes],
        items=len(shown),
        examples=[f"{r['name']} ({r['location']})" for r in shown[:5]],
    )
    await db.notify(conn, "decide")
    return True


async def _runaway(house: House, lane: Lane, conn: Connection, moved: Sequence[CellId]) -> None:
    if not moved:
        return
    now = house.now()
    found = await db.rows(
        conn, "latest_movements", cells=list(moved), since=now - runaway.WINDOW, most=runaway.ALTERNATIONS
    )
    courses = {r["cell_id"]: what for r in found if (what := runaway.course(r["deltas"] or (), r["undone"]))}
    if not courses:
        return
    ids = sorted(courses)
    await db.run(conn, "stop_cells", ids=ids)
    await db.run(
        conn,
        "quarantine_cells",
        ids=ids,
        codes=[RUNAWAY for _ in ids],
        reasons=[f"its movements {_SAYS[courses[cell]]}" for cell in ids],
        ops=[None for _ in ids],
        now=now,
    )
    for r in await db.rows(conn, "cell_names", ids=ids):
        subject = f"{r['connection']}/{r['item']}/{r['location']}"
        await open_alert(
            conn,
            house.observer,
            "runaway",
            subject,
            now=now,
            connection_id=lane.connection_id,
            cell=r["id"],
            name=r["name"],
            course=courses[r["id"]].value,
        )
        log.warning("cell.runaway", cell=r["id"], connection=lane.name, course=courses[r["id"]].value)


_SAYS: Mapping[runaway.Course, str] = {
    runaway.Course.ALTERNATES: "go up and down by the same number of units",
    runaway.Course.GROWS: "grow from each to the next",
    runaway.Course.FOUGHT_OVER: "undo what we write, again and again",
}
