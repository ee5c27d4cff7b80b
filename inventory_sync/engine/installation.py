"""Which database this is: found at every start, so that a restored one writes nothing before a person aligned it."""

from __future__ import annotations

import hashlib

import structlog

from inventory_sync.engine.alerts import open_alert
from inventory_sync.engine.blocking import stop_routes_of
from inventory_sync.engine.lane import House
from inventory_sync.store import db
from inventory_sync.store.db import Pool

log = structlog.get_logger()


def short_name(identifier: str) -> str:
    """The installation's name in memos and references: 10 of [0-9a-f], from the database's own identifier."""
    return hashlib.sha256(identifier.encode()).hexdigest()[:10]


async def installation_name(pool: Pool) -> str:
    """The name this database goes by at partners."""
    identity = await db.row(pool, "database_identity")
    if identity is None:
        raise RuntimeError("the database does not say which one it is")
    return short_name(identity["identifier"])


async def check(house: House) -> bool:
    """Compare the database with the one these tables were made in; True where it is the same.

    Another identifier (restored elsewhere) or timeline (restored in place, or a promoted replica) stops every route.
    """
    async with db.transaction(house.pool) as conn:
        identity = await db.row(conn, "database_identity")
        if identity is None:
            raise RuntimeError("the database does not say which one it is")
        found = {"identifier": identity["identifier"], "timeline": identity["timeline"]}
        kept = await db.row(conn, "installation")
        if kept is None:
            name = short_name(found["identifier"])
            await db.run(conn, "insert_installation", name=name, now=house.now(), **found)
            return True
        if (kept["database_identifier"], kept["timeline"]) == (found["identifier"], found["timeline"]):
            return True
        await stop_routes_of(house, conn, None, "restored")
        await db.run(conn, "update_installation", **found)
        await open_alert(
            conn,
            house.observer,
            "restored",
            "database",
            now=house.now(),
            was=f"{kept['database_identifier']}/{kept['timeline']}",
            now_is=f"{found['identifier']}/{found['timeline']}",
        )
        log.error("installation.restored", **found)
        return False
