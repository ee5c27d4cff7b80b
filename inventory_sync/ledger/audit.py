"""The audit log of a built-in ledger: what people did to its keys and webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from inventory_sync.ledger.values import Book
from inventory_sync.store import db
from inventory_sync.store.db import Connection


async def write_audit(
    conn: Connection, book: Book, action: str, actor: str, now: datetime, *, before: Any = None, after: Any = None
) -> None:
    """One row of the audit log about a book. `before` and `after` hold no secret."""
    await db.run(conn, "write_audit", at=now, actor=actor, action=action, subject=book.name, before=before, after=after)
