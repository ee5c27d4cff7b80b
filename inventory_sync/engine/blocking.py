"""Routes that stop by themselves until a person aligns them again: a link ended, the database was restored."""

from __future__ import annotations

from collections.abc import Sequence

from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.lane import House
from inventory_sync.store import db
from inventory_sync.store.db import Connection


async def stop_routes_of(house: House, conn: Connection, connection_id: int | None, reason: str) -> None:
    """Stop the running routes of a connection (of all, for None); a person aligns them again."""
    for route in await db.rows(conn, "routes_all"):
        if route["state"] == "running" and connection_id in (None, route["ledger_id"], route["channel_id"]):
            await _unalign(house, conn, route, reason, "blocked", "system", [reason])


async def disable(house: House, conn: Connection, route: db.Record, reason: str) -> None:
    """A route that did not run cannot be started any more without a new alignment."""
    state = route["state"] if route["state"] == "stopped" else "blocked"
    await _unalign(house, conn, route, reason, state, route["stopped_by"] or "system", [*route["blockers"], reason])


async def _unalign(
    house: House,
    conn: Connection,
    route: db.Record,
    reason: str,
    state: str,
    stopped_by: str,
    blockers: Sequence[str],
) -> None:
    await db.run(conn, "set_route_state", id=route["id"], state=state, stopped_by=stopped_by, blockers=list(blockers))
    await db.run(conn, "forget_levels", route_id=route["id"], now=house.now())
    await db.run(conn, "unalign_route", route_id=route["id"], now=house.now(), reason=reason)
    await db.run(conn, "put_due_route", route_id=route["id"])
    await write_audit(
        house,
        conn,
        "system",
        "route.stopped",
        route["name"],
        before={"state": route["state"]},
        after={"state": state, "reason": reason},
    )
