"""Housekeeping: what waited is done, alerts that state alone raises are raised and closed, old notices thrown away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import asyncpg

from inventory_sync.engine import matching, orders, oversold, routes, schedule, watching
from inventory_sync.engine.alerts import close_alerts, open_alert
from inventory_sync.engine.connections import watch_expiry
from inventory_sync.engine.lane import House, Progress
from inventory_sync.engine.publishing import keeping as publishing
from inventory_sync.engine.runs import keeping as runs
from inventory_sync.engine.setup import approvals
from inventory_sync.store import db

PREVIEW_AGE = timedelta(minutes=15)
PREVIEWS_KEPT = 8
"""Previews of one kind that a route keeps for a person to accept: those made by themselves in two hours."""

PREVIEW_LINES_STAY = timedelta(days=1)
"""The lines of an accepted preview are kept so long; its summary stays."""

PREVIEWS_AT_ONCE = 4
"""Previews that one round throws away: each may have a line for every cell of a big shop."""

FAILING = "housekeeping_failing"
FAILURES = 3
"""A part of the housekeeping that fails so often in a row is alerted."""

FAILING_STAYS = timedelta(minutes=5)
"""That alert closes this long after the part last failed: where it still fails, it is seen again every minute."""

BUG_STAYS = timedelta(days=1)
"""An alert about a malformed request closes this long after it was last seen."""

AWAY = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError)
"""The database cannot be reached, so nothing else can be done either."""

ORDERS_KEPT = 2 * orders.LONGEST_REACH
"""Order lines are kept for longer than any list reaches back, however short other things are kept."""


async def keep_house(house: House, *, retention: timedelta, failures: Counter[str] | None = None) -> Progress:
    """One round of housekeeping, by one replica at a time. `failures`: how often each part failed in a row so far."""
    taken, again = await schedule.claim(house, "housekeeping", schedule.HOUSEKEEPING)
    if not taken:
        return Progress(0, again)
    failures = Counter() if failures is None else failures
    failed: dict[str, Exception] = {}
    for name, step in _steps(house, retention).items():
        try:
            await step()
            failures.pop(name, None)
        except AWAY:
            raise
        except Exception as error:  # what fails keeps nothing else from being done
            failed[name] = error
            failures[name] += 1
    if failed:
        errors = list(failed.values())
        await _tell(house, failed, failures)
        raise errors[0] if len(errors) == 1 else ExceptionGroup("housekeeping", errors)
    return Progress(1, again)


def _steps(house: House, retention: timedelta) -> Mapping[str, Callable[[], Awaitable[object]]]:
    """What one round does, in its order, by name."""
    return {
        "matching": lambda: matching.match_again(house),
        "previews": lambda: _previews(house),
        "oversold": lambda: oversold.keep(house),
        "publishing": lambda: publishing.keep(house),
        "approvals": lambda: approvals.remind(house),
        "expiries": lambda: _expiries(house),
        "alerts": lambda: _close_what_is_over(house),
        "safety_alerts": lambda: db.run(house.pool, "close_safety_alerts", now=house.now()),
        "old_rows": lambda: _drop_old(house, retention),
        "run_lines": lambda: runs.drop_old(house, retention=retention),
    }


async def _tell(house: House, failed: Mapping[str, Exception], failures: Mapping[str, int]) -> None:
    """Alert what failed too often in a row. Of an error only its kind is told: its text may name what is stored."""
    for name, error in failed.items():
        if failures[name] >= FAILURES:
            async with db.transaction(house.pool) as conn:
                await open_alert(
                    conn,
                    house.observer,
                    FAILING,
                    name,
                    now=house.now(),
                    error=type(error).__name__,
                    failures=failures[name],
                )


async def _drop_old(house: House, retention: timedelta) -> None:
    """Throw away what was kept for long enough."""
    now = house.now()
    await db.value(house.pool, "drop_old_notices", before=now - retention)
    await db.value(house.pool, "drop_old_lines", before=now - max(retention, ORDERS_KEPT))
    await db.value(
        house.pool,
        "drop_old_previews",
        keep=PREVIEWS_KEPT,
        before=now - PREVIEW_LINES_STAY,
        most=PREVIEWS_AT_ONCE,
    )
    await watching.drop_old(house, retention=retention)


async def _previews(house: House) -> None:
    """A route that waits for its first alignment finds its preview ready once all of its cells are read."""
    for route in await db.rows(house.pool, "routes_all"):
        if route["state"] != "blocked":
            continue
        unread = await db.value(house.pool, "count_unread", route_id=route["id"])
        counts = await db.row(house.pool, "route_counts", route_id=route["id"])
        latest = await db.row(house.pool, "latest_preview", route_id=route["id"])
        fresh = latest is not None and latest["made_at"] > house.now() - PREVIEW_AGE
        if unread == 0 and counts is not None and counts["pairs"] > 0 and not fresh:
            made = await routes.make_preview(house, route["name"])
            async with db.transaction(house.pool) as conn:
                await open_alert(
                    conn,
                    house.observer,
                    "preview_ready",
                    route["name"],
                    now=house.now(),
                    route_id=route["id"],
                    preview=made.id,
                    **made.summary,
                )


async def _expiries(house: House) -> None:
    """Credentials that end soon are reported while they still work."""
    for record in await db.rows(house.pool, "connections_all"):
        if record["state"] == "linked" and record["credential_expires_at"] is not None:
            async with db.transaction(house.pool) as conn:
                await watch_expiry(house, conn, record["id"], record["name"], record["credential_expires_at"])


async def _close_what_is_over(house: House) -> None:
    """Close alerts that state alone shows to be over."""
    now = house.now()
    async with db.transaction(house.pool) as conn:
        for alert in await db.rows(conn, "alerts_over", long_ago=now - BUG_STAYS, lately=now - FAILING_STAYS):
            await close_alerts(conn, alert["code"], alert["subject"], now=now)
