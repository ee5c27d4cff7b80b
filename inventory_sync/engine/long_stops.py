"""A start after a long stop is an alignment: every pair waits for a person, who sees what both sides did meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from inventory_sync.engine import route_states
from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.lane import House
from inventory_sync.model.alignment import PreviewRow
from inventory_sync.store import db
from inventory_sync.store.db import Connection

LONG_STOP = "long_stop"


@dataclass(frozen=True, slots=True)
class Moved:
    """What both sides of a pair did while its route stood still, as far as their readings tell."""

    ledger: int
    channel_up: int
    channel_down: int


async def note(house: House, conn: Connection, route: db.Record) -> None:
    """Have the pairs of a route that stood still for long wait for its preview. Runs where the preview is made."""
    if route["state"] == "running" or LONG_STOP in route["blockers"]:
        return
    if not await route_states.is_long_stop(conn, route):
        return
    waiting = await db.value(conn, "wait_after_long_stop", route_id=route["id"], now=house.now())
    blockers = [*route["blockers"], LONG_STOP]
    await db.run(
        conn,
        "set_route_state",
        id=route["id"],
        state=route["state"],
        stopped_by=route["stopped_by"],
        blockers=blockers,
    )
    await write_audit(
        house,
        conn,
        "system",
        "route.long_stop",
        route["name"],
        before={"blockers": route["blockers"]},
        after={"blockers": blockers, "waiting": waiting},
    )


async def moved(conn: Connection, pairs: Iterable[int]) -> Mapping[int, Moved]:
    """Both differences of these pairs since their route stopped; those of a pair where nothing moved are left out."""
    wanted = sorted(pairs)
    if not wanted:
        return {}
    return {
        r["id"]: Moved(r["ledger_moved"], r["channel_up"], r["owed_down"])
        for r in await db.rows(conn, "moved_of_pairs", pairs=wanted)
        if r["ledger_moved"] or r["channel_up"] or r["owed_down"]
    }


def told(row: PreviewRow, found: Moved | None) -> PreviewRow:
    """A line of a preview that says what both sides did since the stop."""
    if found is None:
        return row
    numbers = (found.ledger, found.channel_up, found.channel_down)
    english = "{:+d} in the ledger; in the channel {:+d} by rises and {:+d} by falls".format(*numbers)
    japanese = "台帳 {:+d}、チャネルの増 {:+d}・減 {:+d}".format(*numbers)
    return row._replace(
        why_en=f"{row.why_en} (since the stop: {english})", why_ja=f"{row.why_ja}(停止後の変動: {japanese})"
    )
