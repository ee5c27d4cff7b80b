"""Connections: verified before saved, broken with a reason and a remedy, resumed with a full reconcile."""

from __future__ import annotations

from datetime import timedelta

import structlog

from inventory_sync.engine.alerts import close_alerts, open_alert
from inventory_sync.engine.evidence import stop_routes_of
from inventory_sync.engine.lane import House
from inventory_sync.store import db
from inventory_sync.store.db import Connection
from inventory_sync.systems.errors import Broken, BrokenKind
from inventory_sync.systems.port import Verified

log = structlog.get_logger()

_STATES = {
    BrokenKind.CREDENTIAL: "needs_action",
    BrokenKind.SCOPE: "needs_action",
    BrokenKind.FROZEN: "broken",
    BrokenKind.LOCKED: "broken",
    BrokenKind.UNINSTALLED: "unlinked",
    BrokenKind.GONE: "broken",
    BrokenKind.IDENTITY: "needs_action",
}

RETRY = timedelta(minutes=10)
"""A connection that needs a person is tried again this often anyway: a scope may have been granted meanwhile."""


async def link(house: House, conn: Connection, connection_id: int, name: str, verified: Verified) -> None:
    """Note that a connection works. Its identity is fixed by the first link; another one raises Broken."""
    known = await conn.fetchval("select identity from connections where id = $1", connection_id)
    if known is not None and known != verified.identity:
        raise Broken(
            f"The credential belongs to {verified.identity}, the connection {name} to {known}.",
            kind=BrokenKind.IDENTITY,
            remedy="Use the credential of the same shop or contract, or make a new connection for the other one.",
            code="IS-CON-002",
        )
    now = house.now()
    await db.run(
        conn,
        "link_connection",
        id=connection_id,
        identity=verified.identity,
        title=verified.name,
        expires_at=verified.expires_at,
        now=now,
    )
    await close_alerts(conn, "connection_broken", name, now=now)


async def mark_broken(house: House, connection_id: int, name: str, error: Broken) -> None:
    """Note that a connection does not work, once; an uninstalled one stops its routes until a person starts them."""
    now = house.now()
    state = _STATES[error.kind]
    retry = now + (timedelta(seconds=error.retry_after) if error.retry_after else RETRY)
    async with db.transaction(house.pool) as conn:
        await db.run(
            conn,
            "set_connection_state",
            id=connection_id,
            state=state,
            code=error.code,
            reason=error.message,
            remedy=error.remedy,
            retry_at=None if state == "unlinked" else retry,
            now=now,
        )
        if state == "unlinked":
            await stop_routes_of(house, conn, connection_id, "uninstalled")
        await open_alert(
            conn,
            house.observer,
            "connection_broken",
            name,
            now=now,
            connection_id=connection_id,
            problem=error.code,
            reason=error.message,
            remedy=error.remedy,
        )
        await db.run(conn, "put_due_connection", connection_id=connection_id)
    log.error("connection.broken", connection=name, state=state, problem=error.code, reason=error.message)
