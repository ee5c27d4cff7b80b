"""Watching (見守り): a route that reads and decides everything and writes nothing; what that shows of the tool in use.

What a watching route finds is never posted, expected by nobody and counted in no other route. Its end is an alignment.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from inventory_sync.engine import owing, route_states
from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.lane import House
from inventory_sync.engine.named import RefusedByRule, route_named
from inventory_sync.engine.runs import portions
from inventory_sync.store import db
from inventory_sync.store.db import Connection

NEVER = timedelta(hours=24)
"""A change that the channel does not show after this long counts as never shown."""

SPANS_PER_PAIR = 100
"""Changes kept for each watched pair, the latest; a report of a very busy item is made from these."""

WORST = 10
"""How many of the slowest changes a report names."""


async def watch(
    house: House, name: str, *, actor: str, confirmed: bool = False, forget_owed: int | None = None
) -> dict[str, Any]:
    """Set a route watching; nothing is written from now on. Raises RefusedByRule and NoSuch.

    `confirmed`: a person means it, though the route runs. `forget_owed`: the number of units, as the refusal named it,
    that a person gives up.
    """
    async with db.transaction(house.pool) as conn:
        await db.rows(conn, "lock_routes", names=[name])
        route = await route_named(conn, name)
        if route["state"] == "watching":
            raise RefusedByRule(
                "IS-RTE-050",
                f"The route {name} is watching already; nothing was changed.",
                f"ルート {name} はすでに見守り中です。何も変更していません。",
            )
        blocked = await route_states.hindrances(conn, route)
        if blocked:
            raise RefusedByRule("IS-RTE-001", *route_states.cannot(name, "watch", "見守りを開始", blocked))
        if route["state"] == "running" and not confirmed:
            raise _runs(name)
        return await enter(house, conn, route, actor=actor, forget_owed=forget_owed)


def _runs(name: str) -> RefusedByRule:
    return RefusedByRule(
        "IS-RTE-052",
        f"The route {name} is running. Watching stops all its writing: the numbers of the channel stay as they are "
        "while sales go on, and its next start is an alignment under a preview. If that is meant: "
        f"`inventory-sync route watch {name} --yes`. Nothing was changed.",
        f"ルート {name} は連携中です。見守りにすると書き込みがすべて止まります。"
        "販売が続いても販売チャネルの数はそのまま残り、次の開始時はプレビューを確認して在庫を合わせ直します。"
        f"よければ `inventory-sync route watch {name} --yes` を実行してください。何も変更していません。",
    )


async def enter(
    house: House, conn: Connection, route: db.Record, *, actor: str, forget_owed: int | None = None
) -> dict[str, Any]:
    """Set a route watching, in the caller's transaction. Raises RefusedByRule where something is owed to the ledger."""
    now, name = house.now(), route["name"]
    owes = await owing.of(conn, route["id"])
    if route["ever_aligned"]:
        owing.refuse_to_forget(name, owes, forget_owed, what_en="watching", what_ja="見守り")
    await portions.halt_route(house, conn, route["id"], "the route only watches now")
    await db.run(conn, "forget_owed", route_id=route["id"], now=now)
    await db.run(conn, "forget_stop_counts", route_id=route["id"])
    await db.run(conn, "forget_zeroing", route_id=route["id"])
    await db.run(conn, "unalign_pairs", route_id=route["id"], now=now, reason="watching")
    await db.run(conn, "forget_watching", route_id=route["id"])
    await db.run(conn, "set_route_state", id=route["id"], state="watching", stopped_by="", blockers=["watched"])
    await db.run(conn, "begin_watching", route_id=route["id"], now=now)
    await db.run(conn, "mark_pairs_of_route", route_id=route["id"], now=now)
    await db.run(conn, "put_due_route", route_id=route["id"])
    await write_audit(
        house,
        conn,
        actor,
        "route.watching",
        name,
        before={"state": route["state"], "owed": owes.document()},
        after={"state": "watching"},
        at=now,
    )
    for connection_id in (route["ledger_id"], route["channel_id"]):
        await db.notify(conn, f"connection:{connection_id}")
    await db.notify(conn, "decide")
    counts = await db.row(conn, "route_counts", route_id=route["id"])
    return {"pairs": counts["pairs"] - counts["suspended"] if counts is not None else 0, "forgotten": owes.units}


async def drop_old(house: House, *, retention: timedelta) -> int:
    """Keep what trials found within bounds. A step of housekeeping; says how many changes went."""
    return int(await db.value(house.pool, "drop_old_spans", before=house.now() - retention, keep=SPANS_PER_PAIR))


# -- the report --------------------------------------------------------------------------------------------------


async def report(house: House, name: str, *, since: datetime | None = None) -> dict[str, Any]:
    """What a trial found out about the tool in use, from `since` or the beginning of the trial. Raises NoSuch.

    `…_s` are seconds from when we heard of a ledger change to when we saw the channel show it. `oversold_units` were
    sold beyond what we would have shown; None where nothing was measured.
    """
    now = house.now()
    async with house.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        route = await route_named(conn, name)
        known = await route_states.facts(conn, route)
        begun = known["watched_since"]
        if begun is None:
            raise RefusedByRule(
                "IS-RTE-051",
                f"The route {name} was never watching, so there is nothing to report: "
                f"`inventory-sync route watch {name}`.",
                f"ルート {name} はまだ見守りをしていません。`inventory-sync route watch {name}` で開始してください。",
            )
        start = begun if since is None else max(begun, since)
        figures = await db.row(conn, "watch_figures", route_id=route["id"], since=start, long_ago=now - NEVER)
        standing = await db.row(conn, "watch_now", route_id=route["id"])
        worst = await db.rows(conn, "watch_worst", route_id=route["id"], since=start, now=now, limit=WORST)
    return {
        "route": name,
        "state": route["state"],
        "since": start.astimezone(UTC),
        "until": now,
        **dict(figures or {}),
        "now": dict(standing or {}),
        "worst": [dict(r) for r in worst],
        "never_matching": _never_matching(route["match_report"] or {}),
    }


_UNMATCHED = ("ambiguous", "near_misses", "ledger_unmatched", "channel_unmatched")


def _never_matching(found: Mapping[str, Any]) -> dict[str, Any]:
    """Codes that the tool in use may match, or not, and we never will before a person decides."""
    counts = {f"{kind}_count": found.get(f"{kind}_count", 0) for kind in _UNMATCHED}
    excluded = sum((found.get("excluded_count") or {}).values())
    return {
        "matched": found.get("matched", 0),
        "excluded_count": excluded,
        **counts,
        **{kind: found.get(kind, []) for kind in _UNMATCHED},
    }
