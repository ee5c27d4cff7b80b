"""Catalogue: locations and items as their partners list them; what changed in them is matched again.

A catalogue that vanished is not a shop with no stock: an import that comes back empty, or without most of what was
there, changes nothing and raises an alert.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol

from inventory_sync.engine import paged, schedule
from inventory_sync.engine.alerts import close_alerts, open_alert
from inventory_sync.engine.lane import House, Lane, Progress
from inventory_sync.engine.matching import match_route as match_route
from inventory_sync.engine.matching import match_routes
from inventory_sync.engine.poll import mark_differences, start_reconcile
from inventory_sync.store import db
from inventory_sync.store.db import Connection
from inventory_sync.systems.errors import Broken, BrokenKind, RetryLater
from inventory_sync.systems.port import CatalogueItem, NoticeKind

MOST_MAY_VANISH = 0.5
"""An import that lacks more than this share of a catalogue is not believed."""

SMALL = 10
"""In a catalogue of fewer items only an empty list is not believed."""

WISHES = 50
CHUNK = 2000


async def import_locations(house: House, lane: Lane) -> None:
    """Fetch the locations of a connection. One that is no longer listed stays, marked as gone."""
    found = await lane.client.locations()
    async with db.transaction(house.pool) as conn:
        if not found and await db.value(conn, "count_locations", connection_id=lane.connection_id):
            await _vanished(house, lane, conn, listed=0, known=0, what="locations")
            return
        await db.run(
            conn,
            "put_locations",
            connection_id=lane.connection_id,
            keys=[p.key for p in found],
            names=[p.name for p in found],
            active=[p.active for p in found],
            mappable=[p.mappable for p in found],
            notes=[p.note for p in found],
        )
        await db.run(conn, "locations_absent", connection_id=lane.connection_id, keys=[p.key for p in found])


async def start_import(house: House, connection_id: int) -> bool:
    """Start a full import of a catalogue, unless one is under way."""
    return await paged.start(house.pool, "import", connection_id, now=house.now()) is not None


async def import_page(house: House, lane: Lane) -> Progress:
    """One page of a running import. The catalogue counts as complete only when the last page is in."""
    now = house.now()
    if lane.client.capabilities.catalogue_by_files:
        return Progress(0)
    run = await db.row(house.pool, "running_run", kind="import", connection_id=lane.connection_id)
    if run is None:
        taken, again = await schedule.claim(house, f"catalogue:{lane.connection_id}", schedule.CATALOGUE)
        if taken:
            await start_import(house, lane.connection_id)
            return Progress(0, house.now())
        return Progress(0, again)
    if (waiting := paged.waits(lane, run, now)) is not None:
        return waiting
    try:
        page = await lane.client.catalogue_page(run["cursor"])
    except RetryLater as error:
        return Progress(0, house.now() + timedelta(seconds=error.after))
    next_at = house.now() + timedelta(seconds=page.wait)
    async with db.transaction(house.pool) as conn:
        await _put_items(conn, lane.connection_id, run["id"], page.items)
        await paged.progressed(house, conn, run["id"], cursor=page.cursor, done=len(page.items), next_at=next_at)
        if page.cursor is None:
            await _end_import(house, lane, conn, run["id"], run["done"] + len(page.items))
    await mark_differences(house, lane, page.levels)
    return Progress(len(page.items), next_at)


async def _put_items(conn: Connection, connection_id: int, import_id: int, items: Sequence[CatalogueItem]) -> bool:
    if not items:
        return False
    changed = await db.rows(
        conn,
        "put_items",
        connection_id=connection_id,
        import_id=import_id,
        keys=[i.key for i in items],
        codes=[dict(i.codes) for i in items],
        names=[i.name for i in items],
        tracked=[i.tracked for i in items],
        bundles=[i.bundle for i in items],
        statuses=[i.status for i in items],
        groups=[i.group for i in items],
    )
    return bool(changed)


class Whose(Protocol):
    """The connection that a catalogue belongs to."""

    @property
    def connection_id(self) -> int: ...
    @property
    def name(self) -> str: ...


async def take_whole(house: House, conn: Connection, whose: Whose, items: Sequence[CatalogueItem]) -> bool:
    """Take a whole catalogue that came at once, in the caller's transaction. False: it is not believed, and why is said
    by an alert."""
    run = await paged.start(conn, "import", whose.connection_id, now=house.now())
    if run is None:
        found = await db.row(conn, "running_run", kind="import", connection_id=whose.connection_id)
        run = found["id"] if found is not None else 0
    for start in range(0, len(items), CHUNK):
        await _put_items(conn, whose.connection_id, run, items[start : start + CHUNK])
    return await _end_import(house, whose, conn, run, len(items))


async def _end_import(house: House, lane: Whose, conn: Connection, import_id: int, seen: int) -> bool:
    now = house.now()
    missing = await db.value(conn, "items_not_seen", connection_id=lane.connection_id, import_id=import_id)
    total = seen + missing
    if missing and (seen == 0 or (total >= SMALL and missing > total * MOST_MAY_VANISH)):
        text = f"the partner listed {seen} items where {total} were known: the list is not believed"
        await db.run(conn, "finish_run", id=import_id, state="failed", error=text, now=now)
        await _vanished(house, lane, conn, listed=seen, known=total, what="items")
        return False
    await db.value(conn, "items_gone_after", connection_id=lane.connection_id, import_id=import_id)
    await db.run(conn, "end_import", connection_id=lane.connection_id, import_id=import_id, now=now)
    await db.run(conn, "finish_run", id=import_id, state="done", error="", now=now)
    await close_alerts(conn, "catalogue_vanished", lane.name, now=now)
    await match_routes(house, conn, lane.connection_id)
    return True


async def _vanished(house: House, whose: Whose, conn: Connection, *, listed: int, known: int, what: str) -> None:
    await open_alert(
        conn,
        house.observer,
        "catalogue_vanished",
        whose.name,
        now=house.now(),
        connection_id=whose.connection_id,
        listed=listed,
        known=known,
        what=what,
    )


async def grant_wishes(house: House, lane: Lane) -> Progress:
    """Do what notices asked of this connection: refresh items, locations, verify, or start a run."""
    now = house.now()
    wishes = await db.rows(house.pool, "wishes_of", connection_id=lane.connection_id, limit=WISHES)
    if not wishes:
        return Progress(0)
    wait = lane.client.budget.wait("read", now)
    if wait > 0:
        return Progress(0, now + timedelta(seconds=wait))
    kinds = {w["kind"] for w in wishes}
    try:
        if "verify" in kinds:
            await _verify(house, lane, wishes)
        if "locations" in kinds:
            await import_locations(house, lane)
        if "reconcile" in kinds:
            await start_reconcile(house, lane.connection_id)
        if "import" in kinds:
            await start_import(house, lane.connection_id)
        keys = list(dict.fromkeys(w["key"] for w in wishes if w["kind"] == "refresh"))
        if keys and not lane.client.capabilities.catalogue_by_files:
            await refresh(house, lane, keys)
    except RetryLater as error:
        return Progress(0, house.now() + timedelta(seconds=error.after))
    await db.run(house.pool, "end_wishes", ids=[w["id"] for w in wishes])
    return Progress(len(wishes), house.now())


async def _verify(house: House, lane: Lane, wishes: Sequence[Any]) -> None:
    """Prove a connection anew. Where a notice told that the app was removed, a refused credential means just that."""
    told = [w["id"] for w in wishes if w["kind"] == "verify" and w["key"] == NoticeKind.UNINSTALLED]
    try:
        await lane.client.verify()
    except Broken as error:
        if not told or error.kind is not BrokenKind.CREDENTIAL:
            raise
        await db.run(house.pool, "end_wishes", ids=told)
        raise Broken(error.message, kind=BrokenKind.UNINSTALLED, remedy=error.remedy, code=error.code) from error


async def refresh(house: House, lane: Lane, keys: Sequence[str]) -> None:
    """Read some items (or products) anew, and match again where anything that matters changed."""
    found = await lane.client.refresh(keys)
    async with db.transaction(house.pool) as conn:
        import_id = await house.pool.fetchval(
            "select coalesce(catalogue_import, 0) from connections where id = $1", lane.connection_id
        )
        changed = await _put_items(conn, lane.connection_id, import_id, found.items)
        if len(found.gone) >= SMALL and len(found.gone) > (len(found.gone) + len(found.items)) * MOST_MAY_VANISH:
            await _ask_for_all(house, conn, lane.connection_id)  # one list of everything is judged as a whole
            if changed:
                await match_routes(house, conn, lane.connection_id)
            return
        gone = await db.value(conn, "items_gone", connection_id=lane.connection_id, keys=list(found.gone))
        groups = sorted({i.group for i in found.items if i.group} & set(keys))
        gone += await db.value(
            conn,
            "groups_left",
            connection_id=lane.connection_id,
            groups=groups,
            keys=[i.key for i in found.items],
        )
        if changed or gone:
            await match_routes(house, conn, lane.connection_id)


async def _ask_for_all(house: House, conn: Connection, connection_id: int) -> None:
    """Start a full import, unless one is under way, because a part of the answer is hard to believe."""
    await paged.start(conn, "import", connection_id, now=house.now())
    await db.notify(conn, f"connection:{connection_id}")
