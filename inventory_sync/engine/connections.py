"""Connections: verified before saved, broken with a reason and a remedy, resumed with a full reconcile."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from inventory_sync.engine import paged
from inventory_sync.engine.alerts import close_alerts, open_alert
from inventory_sync.engine.blocking import disable, stop_routes_of
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

APPROVAL_OVERDUE = "approval_overdue"

IDENTITY = "IS-CON-002"
"""The problem of a credential that belongs to another shop."""

EXPIRY_NOTICE = timedelta(days=30)
"""A credential that ends sooner than this is reported, until it was renewed."""

RETRY = timedelta(minutes=10)
"""A connection that needs a person is tried again this often anyway: a scope may have been granted meanwhile."""


async def link(house: House, conn: Connection, connection_id: int, name: str, verified: Verified) -> None:
    """Note that a connection works. Its identity is fixed by the first link; another one raises Broken."""
    before = await conn.fetchrow(
        "select identity, state, catalogue_import from connections where id = $1", connection_id
    )
    known = before["identity"]
    if known is not None and known != verified.identity:
        raise Broken(
            f"The credential belongs to {verified.identity}, the connection {name} to {known}.",
            kind=BrokenKind.IDENTITY,
            remedy="Use the credential of the same shop or contract, or make a new connection for the other one.",
            code=IDENTITY,
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
    await db.run(conn, "note_proof", id=connection_id, granted=list(verified.scopes), now=now)
    await db.run(conn, "grant_pending", connection_id=connection_id, now=now)
    await close_alerts(conn, "connection_broken", name, now=now)
    await close_alerts(conn, APPROVAL_OVERDUE, name, now=now)
    await watch_expiry(house, conn, connection_id, name, verified.expires_at)
    if before["state"] == "unlinked" and before["catalogue_import"] is None:
        # What was known of its catalogue ended with the link: it is fetched whole before anything else.
        await paged.start(conn, "import", connection_id, now=now)
        await db.run(conn, "insert_wishes", connections=[connection_id], kinds=["locations"], keys=[""], now=now)


async def mark_broken(house: House, connection_id: int, name: str, error: Broken) -> None:
    """Note that a connection does not work, once; an uninstalled one stops its routes until a person starts them."""
    now = house.now()
    state = _STATES[error.kind]
    retry = now + (timedelta(seconds=error.retry_after) if error.retry_after else RETRY)
    async with db.transaction(house.pool) as conn:
        before = await conn.fetchval("select state from connections where id = $1", connection_id)
        if before == "unlinked":
            return  # a person ended it meanwhile
        if before == "awaiting_approval" and error.kind is BrokenKind.SCOPE:
            state = before  # applied for, and not granted yet
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
            await cut_off(house, conn, connection_id, "uninstalled")
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


async def cut_off(house: House, conn: Connection, connection_id: int, reason: str) -> list[str]:
    """What the end of a link means: its routes stop until a person aligns them, its catalogue counts no more, and
    nothing is fetched. Journal, pairs and levels stay. Says which routes were stopped."""
    now = house.now()
    found = await db.rows(conn, "routes_of_connection", connection_id=connection_id)
    await stop_routes_of(house, conn, connection_id, reason)
    for route in found:
        if route["state"] != "running" and route["state"] != "draft" and reason not in route["blockers"]:
            await disable(house, conn, route, reason)
    await db.run(conn, "forget_catalogue", connection_id=connection_id)
    await db.run(conn, "stop_runs_of", connection_id=connection_id, now=now)
    await db.run(conn, "drop_wishes_of", connection_id=connection_id)
    return [route["name"] for route in found if route["state"] in ("running", "watching")]


async def watch_expiry(
    house: House, conn: Connection, connection_id: int, name: str, expires_at: datetime | None
) -> None:
    """Report a credential that ends within EXPIRY_NOTICE, with the days that are left; close the report otherwise."""
    now = house.now()
    if expires_at is None or expires_at - now > EXPIRY_NOTICE:
        await close_alerts(conn, "credential_expires", name, now=now)
        return
    await open_alert(
        conn,
        house.observer,
        "credential_expires",
        name,
        now=now,
        connection_id=connection_id,
        expires_at=expires_at.isoformat(),
        days_left=max(0, (expires_at - now).days),
        remedy=f"Get a new credential, then `inventory-sync connection renew {name}`.",
    )
