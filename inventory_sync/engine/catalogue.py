"""Catalogue: locations, items, and which channel item is which ledger item.

A catalogue that vanished is not a shop with no stock: an import that comes back empty, or without most of what was
there, changes nothing and raises an alert.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from inventory_sync.engine import schedule
from inventory_sync.engine.alerts import close_alerts, open_alert
from inventory_sync.engine.lane import House, Lane, Progress
from inventory_sync.engine.poll import mark_differences, start_reconcile
from inventory_sync.model.ids import ItemId
from inventory_sync.model.matching import Candidate, MatchReport, match
from inventory_sync.store import db
from inventory_sync.store.db import Connection
from inventory_sync.systems.errors import Broken, BrokenKind, RetryLater
from inventory_sync.systems.port import CatalogueItem, NoticeKind

MOST_MAY_VANISH = 0.5
"""An import that lacks more than this share of a catalogue of ten or more items is not believed."""

SHOWN = 200
"""How many unmatched values, ambiguities and near misses a match report keeps of each kind; all are counted."""

WISHES = 50


async def import_locations(house: House, lane: Lane) -> None:
    """Fetch the locations of a connection. One that is no longer listed stays, marked as gone."""
    found = await lane.client.locations()
    async with db.transaction(house.pool) as conn:
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
    found = await db.value(
        house.pool, "start_run", kind="import", connection_id=connection_id, route_id=None, now=house.now()
    )
    return found is not None


async def import_page(house: House, lane: Lane) -> Progress:
    """One page of a running import. The catalogue counts as complete only when the last page is in."""
    now = house.now()
    run = await db.row(house.pool, "running_run", kind="import", connection_id=lane.connection_id)
    if run is None:
        taken, again = await schedule.claim(house, f"catalogue:{lane.connection_id}", schedule.CATALOGUE)
        if taken:
            await start_import(house, lane.connection_id)
            return Progress(0, house.now())
        return Progress(0, again)
    wait = lane.client.budget.wait("read", now)
    if wait > 0:
        return Progress(0, now + timedelta(seconds=wait))
    try:
        page = await lane.client.catalogue_page(run["cursor"])
    except RetryLater as error:
        return Progress(0, house.now() + timedelta(seconds=error.after))
    async with db.transaction(house.pool) as conn:
        await _put_items(conn, lane.connection_id, run["id"], page.items)
        await db.run(
            conn,
            "run_progress",
            id=run["id"],
            cursor=page.cursor,
            done=len(page.items),
            found=0,
            now=house.now(),
            next_at=house.now(),
        )
        if page.cursor is None:
            await _end_import(house, lane, conn, run["id"], run["done"] + len(page.items))
    await mark_differences(house, lane, page.levels)
    return Progress(len(page.items), house.now())


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


async def _end_import(house: House, lane: Lane, conn: Connection, import_id: int, seen: int) -> None:
    now = house.now()
    missing = await db.value(conn, "items_not_seen", connection_id=lane.connection_id, import_id=import_id)
    total = seen + missing
    if total >= 10 and missing > total * MOST_MAY_VANISH:
        text = f"the partner listed {seen} items where {total} were known: the list is not believed"
        await db.run(conn, "finish_run", id=import_id, state="failed", error=text, now=now)
        await open_alert(
            conn,
            house.observer,
            "catalogue_vanished",
            lane.name,
            now=now,
            connection_id=lane.connection_id,
            listed=seen,
            known=total,
        )
        return
    await db.value(conn, "items_gone_after", connection_id=lane.connection_id, import_id=import_id)
    await db.run(conn, "end_import", connection_id=lane.connection_id, import_id=import_id, now=now)
    await db.run(conn, "finish_run", id=import_id, state="done", error="", now=now)
    await close_alerts(conn, "catalogue_vanished", lane.name, now=now)
    await _match_routes(house, conn, lane.connection_id)


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
        if keys:
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
            await _match_routes(house, conn, lane.connection_id)


async def _match_routes(house: House, conn: Connection, connection_id: int) -> None:
    for route in await db.rows(conn, "routes_all"):
        if connection_id in (route["ledger_id"], route["channel_id"]):
            await match_route(house, conn, route)


async def match_route(house: House, conn: Connection, route: Any) -> dict[str, Any] | None:
    """Match both catalogues of a route by exact value and make its pairs; None until both are imported and mapped.

    Runs in the caller's transaction. Pairs whose items match no longer are suspended, never deleted.
    """
    now = house.now()
    imported = await conn.fetchval(
        "select count(*) from connections where id = any($1::bigint[]) and catalogue_import is not null",
        [route["ledger_id"], route["channel_id"]],
    )
    places = await db.rows(conn, "location_pairs_of", route_id=route["id"])
    if imported < 2 or not places:
        return None
    ledger = await db.rows(conn, "match_values", connection_id=route["ledger_id"], field=route["ledger_field"])
    channel = await db.rows(conn, "match_values", connection_id=route["channel_id"], field=route["channel_fields"][0])
    report = match(_candidates(ledger), _candidates(channel))
    channel_items = [m.channel for m in report.matched]
    ledger_items = [m.ledger for m in report.matched]
    columns = {"route_id": route["id"], "channel_items": channel_items, "ledger_items": ledger_items}
    suspended = await db.value(conn, "suspend_unmatched", now=now, **columns)
    await db.run(conn, "make_cells", now=now, **columns)
    await db.run(conn, "clear_suspended", route_id=route["id"], channel_items=channel_items)
    made = await db.value(conn, "make_pairs", values=[m.value for m in report.matched], now=now, **columns)
    await db.run(conn, "relink_components", **columns)
    await db.run(conn, "read_pair_cells", route_id=route["id"], now=now)
    summary = _summary(report, ledger, channel) | {"pairs_made": made, "pairs_suspended": suspended}
    await db.run(conn, "save_match", route_id=route["id"], report=summary, now=now)
    if route["state"] == "draft":
        await db.run(conn, "set_route_state", id=route["id"], state="stopped", stopped_by="", blockers=[])
    if made or suspended:
        await db.run(conn, "put_due_route", route_id=route["id"])
        await db.notify(conn, "decide")
    return summary


def _candidates(found: Sequence[Any]) -> list[Candidate]:
    return [Candidate(ItemId(r["id"]), r["value"] or "", r["name"]) for r in found if r["tracked"] and not r["bundle"]]


def _summary(report: MatchReport, ledger: Sequence[Any], channel: Sequence[Any]) -> dict[str, Any]:
    """What a person is shown of a match: every kind counted, the first of each kind by value."""
    excluded = {
        side: [
            {"item": r["name"], "value": r["value"], "reason": "bundle" if r["bundle"] else "untracked"}
            for r in found
            if r["bundle"] or not r["tracked"]
        ]
        for side, found in (("ledger", ledger), ("channel", channel))
    }
    return {
        "matched": len(report.matched),
        "ambiguous_count": len(report.ambiguous),
        "ambiguous": [asdict(a) for a in report.ambiguous[:SHOWN]],
        "ledger_unmatched_count": len(report.unmatched_ledger),
        "ledger_unmatched": [_named(c) for c in report.unmatched_ledger[:SHOWN]],
        "channel_unmatched_count": len(report.unmatched_channel),
        "channel_unmatched": [_named(c) for c in report.unmatched_channel[:SHOWN]],
        "near_misses_count": len(report.near.listed) + report.near.left_out,
        "near_misses": [
            {
                "ledger": miss.ledger,
                "channel": miss.channel,
                "kinds": [kind.value for kind in miss.difference.kinds],
                "en": miss.difference.explanation_en,
                "ja": miss.difference.explanation_ja,
            }
            for miss in report.near.listed[:SHOWN]
        ],
        "excluded_count": {side: len(rows) for side, rows in excluded.items()},
        "excluded": {side: rows[:SHOWN] for side, rows in excluded.items()},
    }


def _named(candidate: Candidate) -> dict[str, str]:
    return {"value": candidate.value, "item": candidate.label}
