"""What a person is shown of the whole: connections, routes and alerts, in one picture with stable keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from inventory_sync.engine import jobs, route_states
from inventory_sync.engine.alert_words import described
from inventory_sync.engine.lane import House
from inventory_sync.engine.routes import NoSuch, route_named
from inventory_sync.engine.stored import REMOVED
from inventory_sync.store import db

_COUNTS = (
    "pairs",
    "pools",
    "sets",
    "live",
    "new",
    "waiting",
    "catching_up",
    "suspended",
    "open",
    "quarantined",
    "uncertain",
    "owed",
)
_SETTINGS = (
    "sales",
    "booked_within",
    "ledger_basis",
    "intake",
    "ledger_field",
    "channel_fields",
    "listings",
    "buffer",
    "percent",
    "maximum",
    "auto_buffer",
    "auto_most",
    "end_when",
    "align",
    "matched_at",
)


Problems = Mapping[str, tuple[str, str]]
"""Partners' problems by their code, each a sentence and a remedy in Japanese."""


async def overview(house: House, *, problems: Problems | None = None) -> dict[str, Any]:
    """Everything `status` shows. Times are aware; `…_s` are seconds. No secret is in it."""
    now = house.now()
    return {
        "at": now,
        "installation": house.installation,
        "connections": [
            await _connection(house, record, now)
            for record in await db.rows(house.pool, "connections_all")
            if record["state_code"] != REMOVED
        ],
        "routes": await routes(house),
        "jobs": [job.as_dict() for job in await jobs.jobs(house)],
        "alerts": await alerts(house, problems=problems),
    }


async def _connection(house: House, record: db.Record, now: datetime) -> dict[str, Any]:
    counts = await db.row(house.pool, "connection_counts", connection_id=record["id"], now=now)
    lease = await db.row(house.pool, "lease_of", connection_id=record["id"])
    importing = await db.row(house.pool, "running_run", kind="import", connection_id=record["id"])
    return {
        "name": record["name"],
        "system": record["system"],
        "identity": record["identity"],
        "title": record["title"],
        "state": record["state"],
        "state_since": record["state_since"],
        "code": record["state_code"],
        "reason": record["state_reason"],
        "remedy": record["state_remedy"],
        "credential_expires_at": record["credential_expires_at"],
        "served": lease is not None and lease["seconds_left"] > 0,
        "heard_at": record["heard_at"],
        "catalogue_at": record["catalogue_at"],
        "importing": None if importing is None else importing["done"],
        "items": await db.value(house.pool, "count_items", connection_id=record["id"]),
        "in_doubt": await db.value(house.pool, "doubt_count", connection_id=record["id"]),
        **(dict(counts) if counts is not None else {}),
    }


async def routes(house: House) -> list[dict[str, Any]]:
    """Every route with its state, counts and latest preview."""
    return [
        await _route(house, record)
        for record in await db.rows(house.pool, "routes_all")
        if record["stopped_by"] != REMOVED
    ]


async def _route(house: House, record: db.Record) -> dict[str, Any]:
    counts = await db.row(house.pool, "route_counts", route_id=record["id"])
    latest = await db.row(house.pool, "latest_preview", route_id=record["id"])
    rest = await db.rows(house.pool, "unmapped_locations", route_id=record["id"])
    return {
        "name": record["name"],
        "ledger": record["ledger"],
        "channel": record["channel"],
        "direction": record["direction"],
        "state": record["state"],
        "stopped_by": record["stopped_by"],
        "blockers": record["blockers"],
        "ever_aligned": record["ever_aligned"],
        "counts": {key: counts[key] if counts is not None else 0 for key in _COUNTS},
        "unread": await db.value(house.pool, "count_unread", route_id=record["id"]),
        "oldest_pending_s": await db.value(house.pool, "route_oldest_pending", route_id=record["id"], now=house.now()),
        "latest_preview": None
        if latest is None
        else {key: latest[key] for key in ("id", "made_at", "accepted_at", "summary")},
        "unmapped_locations": [{"connection": r["connection"], "key": r["key"], "name": r["name"]} for r in rest],
        "reconciled_at": record["reconciled_at"],
        **await route_states.describe(house.pool, record),
    }


async def route(house: House, name: str) -> dict[str, Any]:
    """One route with its settings, locations and match report. Raises NoSuch.

    `booked_within` is in seconds; `pool` names the location that takes what comes back, None where locations are
    paired. What sets are made of is in the match report.
    """
    record = await route_named(house.pool, name)
    if record["stopped_by"] == REMOVED:
        raise NoSuch(
            f"The route {name!r} was removed from the configuration.",
            f"ルート「{name}」は設定から削除されました。",
        )
    places = await db.rows(house.pool, "location_pairs_of", route_id=record["id"])
    return {
        **await _route(house, record),
        **{key: record[key] for key in _SETTINGS},
        "pool": next(({"intake": r["ledger_location"]} for r in places if r["pooled"] and r["intake"]), None),
        "locations": [
            {
                "ledger": r["ledger_location"],
                "ledger_name": r["ledger_name"],
                "channel": r["channel_location"],
                "channel_name": r["channel_name"],
            }
            for r in places
        ],
        "match": record["match_report"],
        "since_stop": None if record["state"] == "running" else await _since_stop(house, record["id"]),
    }


async def _since_stop(house: House, route_id: int) -> dict[str, Any]:
    """How many pairs moved on either side while the route stood still, and on both upwards."""
    found = await db.row(house.pool, "moved_since_stop", route_id=route_id)
    return dict(found or {})


async def alerts(
    house: House, *, closed: bool = False, limit: int = 1000, problems: Problems | None = None
) -> list[dict[str, Any]]:
    """Open alerts, oldest first, each with a title and what to do in both languages; with `closed` also those that are
    over."""
    found = [dict(r) for r in await db.rows(house.pool, "alerts_recent", closed=closed, limit=limit)]
    return [alert | described(alert, problems or {}) for alert in found]
