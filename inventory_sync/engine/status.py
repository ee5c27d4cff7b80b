"""Status: one document that says how every connection and route stands, for the admin API and the metrics.

It holds no secret and no setting. Times are ISO 8601 in UTC or null, durations seconds, counts whole numbers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from inventory_sync.engine import jobs
from inventory_sync.engine.jobs import Job
from inventory_sync.engine.lane import House
from inventory_sync.store import db
from inventory_sync.store.db import Connection, Record


async def status_document(house: House) -> dict[str, Any]:
    """Everything in one document, read in one snapshot of the database: `connections`, `routes`, `jobs`, `alerts`."""
    now = house.now()
    async with _snapshot(house) as conn:
        return {
            "at": _iso(now),
            "installation": house.installation,
            **await _standing(conn, now),
            "jobs": [_job(job) for job in await jobs.jobs(house, conn)],
            "alerts": [_alert(row) for row in await db.rows(conn, "alerts_open")],
        }


async def standing(house: House) -> dict[str, Any]:
    """`connections` and `routes` alone, of which metrics are made."""
    async with _snapshot(house) as conn:
        return await _standing(conn, house.now())


@asynccontextmanager
async def _snapshot(house: House) -> AsyncIterator[Connection]:
    async with house.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        yield conn


async def _standing(conn: Connection, now: datetime) -> dict[str, Any]:
    return {
        "connections": [await _connection(conn, row, now) for row in await db.rows(conn, "connections_all")],
        "routes": [await _route(conn, row) for row in await db.rows(conn, "routes_all")],
    }


async def _connection(conn: Connection, row: Record, now: datetime) -> dict[str, Any]:
    counts = await db.row(conn, "connection_counts", connection_id=row["id"], now=now)
    return {
        "name": row["name"],
        "system": row["system"],
        "identity": row["identity"],
        "title": row["title"],
        "state": row["state"],
        "since": _iso(row["state_since"]),
        "problem": _problem(row),
        "credential_expires_at": _iso(row["credential_expires_at"]),
        "catalogue_at": _iso(row["catalogue_at"]),
        "polled_until": _iso(row["polled_until"]),
        "heard_at": _iso(row["heard_at"]),
        "lane_seen_at": _iso(row["lane_seen_at"]),
        "in_doubt": await db.value(conn, "doubt_count", connection_id=row["id"]),
        **dict(counts or {}),
    }


def _problem(row: Record) -> dict[str, Any] | None:
    """Why a connection does not work and what to do about it; None where nothing is known to be wrong."""
    if not row["state_code"]:
        return None
    return {
        "code": row["state_code"],
        "reason": row["state_reason"],
        "remedy": row["state_remedy"],
        "retry_at": _iso(row["retry_at"]),
    }


async def _route(conn: Connection, row: Record) -> dict[str, Any]:
    counts = await db.row(conn, "route_counts", route_id=row["id"])
    report = row["match_report"] or {}
    return {
        "name": row["name"],
        "ledger": row["ledger"],
        "channel": row["channel"],
        "direction": row["direction"],
        "sales": row["sales"],
        "state": row["state"],
        "stopped_by": row["stopped_by"],
        "blockers": row["blockers"],
        "aligned": row["ever_aligned"],
        "matched_at": _iso(row["matched_at"]),
        "reconciled_at": _iso(row["reconciled_at"]),
        # A match report counts and lists; the lists have a page of their own.
        "match": {name: value for name, value in report.items() if isinstance(value, int) or name.endswith("_count")},
        **dict(counts or {}),
    }


def _job(job: Job) -> dict[str, Any]:
    return {**job.as_dict(), "last_at": _iso(job.last_at), "next_at": _iso(job.next_at)}


def _alert(row: Record) -> dict[str, Any]:
    return {
        "code": row["code"],
        "subject": row["subject"],
        "detail": row["detail"],
        "opened_at": _iso(row["opened_at"]),
        "seen_at": _iso(row["seen_at"]),
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()
