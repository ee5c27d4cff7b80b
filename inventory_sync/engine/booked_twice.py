"""Orders booked twice: we post a channel's sales, and an importer nobody told us of books them again (3.9)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import structlog

from inventory_sync.engine.alerts import open_alert
from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.lane import House
from inventory_sync.model.expected import NAMING_CAUSES, Decrease, booked_twice
from inventory_sync.model.ids import CellId
from inventory_sync.store import db
from inventory_sync.store.db import Connection

log = structlog.get_logger()

CODE = "orders_booked_twice"
"""The alert, and what blocks the route until a person decides who books its sales."""

LOOK_BACK = timedelta(days=1)
"""Postings and falls this old still belong to one row."""


async def look(house: House, conn: Connection, fallen: Sequence[CellId]) -> None:
    """Ledger cells fell, or the cause of a fall was learnt: block every route whose postings there somebody repeats.

    Evidence from before the last alert about a route counts no more: a person has decided since.
    """
    since = house.now() - LOOK_BACK
    ours: dict[tuple[int, int, str], list[Decrease]] = {}
    for r in await db.rows(conn, "recent_postings", cells=list(fallen), since=since):
        posting = Decrease(r["composed_at"], r["units"])
        ours.setdefault((r["cell_id"], r["route_id"], r["route"]), []).append(posting)
    if not ours:
        return
    theirs: dict[int, list[Decrease]] = {}
    posted = sorted({cell for cell, _, _ in ours})
    for r in await db.rows(conn, "recent_falls", cells=posted, since=since):
        theirs.setdefault(r["cell_id"], []).append(Decrease(r["asked_at"], r["units"], _cause(r["cause"])))
    guilty = {
        (route_id, route)
        for (cell, route_id, route), postings in ours.items()
        if booked_twice(postings, theirs.get(cell, ()), house.now())
    }
    for route_id, route in sorted(guilty):
        await _block(house, conn, route_id, route)


def _cause(text: str) -> str:
    """One cause of a fall: that of another program only where all of it was done by one."""
    causes = text.split("+")
    return causes[0] if set(causes) <= NAMING_CAUSES else ""


async def _block(house: House, conn: Connection, route_id: int, route: str) -> None:
    now = house.now()
    await db.run(conn, "set_route_state", id=route_id, state="blocked", stopped_by="system", blockers=[CODE])
    await db.run(conn, "put_due_route", route_id=route_id)
    await write_audit(
        house,
        conn,
        "system",
        "route.stopped",
        route,
        before={"state": "running"},
        after={"state": "blocked", "reason": CODE},
        at=now,
    )
    await open_alert(conn, house.observer, CODE, route, now=now, route_id=route_id)
    await db.notify(conn, "decide")
    log.warning("route.blocked", route=route, reason=CODE)
