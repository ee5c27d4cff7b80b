"""Alerts: things a person should know, open until they are over. Each code has a problem page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog

from inventory_sync.engine.observer import Observer
from inventory_sync.store import db
from inventory_sync.store.db import Connection

log = structlog.get_logger()


async def open_alert(
    conn: Connection,
    observer: Observer,
    code: str,
    subject: str,
    *,
    now: datetime,
    connection_id: int | None = None,
    route_id: int | None = None,
    **detail: Any,
) -> None:
    """Open an alert, or note that an open one was seen again. `detail` holds no secret and no customer data."""
    fresh = await db.value(
        conn,
        "open_alert",
        code=code,
        subject=subject,
        connection_id=connection_id,
        route_id=route_id,
        detail=detail,
        now=now,
    )
    if fresh:
        log.warning("alert.opened", code=code, subject=subject, **detail)
        observer.alerted(code, subject)


async def close_alerts(conn: Connection, code: str, subject: str, *, now: datetime) -> None:
    """Close an alert that is over."""
    await db.run(conn, "close_alerts", code=code, subject=subject, now=now)
