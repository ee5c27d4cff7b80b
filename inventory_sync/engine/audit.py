"""The audit log: what people, policies and the engine itself did, with before and after."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from inventory_sync.engine.lane import House
from inventory_sync.store import db
from inventory_sync.store.db import Connection


async def write_audit(
    house: House,
    conn: Connection,
    actor: str,
    action: str,
    subject: str,
    before: Any,
    after: Any,
    *,
    at: datetime | None = None,
) -> None:
    """One row of the audit log, of now where no time is given. `before` and `after` hold no secret."""
    await db.run(
        conn,
        "write_audit",
        at=house.now() if at is None else at,
        actor=actor,
        action=action,
        subject=subject,
        before=before,
        after=after,
    )
