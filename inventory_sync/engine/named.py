"""What the service layer says no with, and the route of a name."""

from __future__ import annotations

from inventory_sync.store import db
from inventory_sync.store.db import Connection


class RefusedByRule(Exception):
    """A safety rule says no. The message says which, and what to do; nothing was changed.

    `japanese` is the same message in Japanese, or empty where only the English one is there.
    """

    def __init__(self, code: str, message: str, japanese: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.japanese = japanese


class NoSuch(Exception):
    """There is no route, preview or run of that name. `japanese` is the same message in Japanese."""

    def __init__(self, message: str, japanese: str) -> None:
        super().__init__(message)
        self.japanese = japanese


async def route_named(conn: Connection, name: str) -> db.Record:
    """The route of that name. Raises NoSuch naming those that exist."""
    found = await db.rows(conn, "routes_all")
    for route in found:
        if route["name"] == name:
            return route
    names = ", ".join(r["name"] for r in found)
    raise NoSuch(
        f"There is no route {name!r}. Routes: {names or 'none yet'}.",
        f"ルート「{name}」はありません。今あるルート: {names or 'まだありません'}",
    )
