"""What the brake holds, as people handle it: show, and release. For the command line and the admin API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from inventory_sync.engine import brake_release
from inventory_sync.engine.alerts import close_alerts
from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.brake import BRAKE, STOCKTAKE
from inventory_sync.engine.lane import House
from inventory_sync.engine.named import RefusedByRule, route_named
from inventory_sync.model.ids import CellId
from inventory_sync.store import db
from inventory_sync.store.db import Connection

LONGEST_OFF = timedelta(days=1)
"""The brake stays off no longer than this for one word of a person."""


@dataclass(frozen=True, slots=True)
class HeldMovement:
    """One movement that is held. `before` and `after`: the cell's level without and with it; `units` are signed."""

    route: str
    reason: str
    side: str
    connection: str
    code: str
    name: str
    location: str
    cell: int
    before: int
    after: int
    units: int
    held_at: datetime


@dataclass(frozen=True, slots=True)
class HeldNow:
    """Everything that is held, by route, and the routes whose brake a person keeps off until a time. `count`: how many
    movements there are, listed or not; `seen`: the newest of them, which a release names so as to let go no other."""

    movements: tuple[HeldMovement, ...]
    off: dict[str, datetime]
    count: int = 0
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Released:
    """What a release let go in a route, and until when its brake stays off. `counted`: movements that a stock-take
    under way goes on holding; `younger`: movements that stay held because the person was not shown them; `codes`: what
    was let go, the first of them."""

    route: str
    movements: int
    off_until: datetime | None
    counted: int = 0
    younger: int = 0
    codes: tuple[str, ...] = ()


async def show(house: House, *, most: int | None = None) -> HeldNow:
    """Every held movement, by route and oldest first; one that is held for several routes stands in each. `most`: no
    more are listed."""
    rows = await db.rows(house.pool, "held_all", limit=None if most is None else max(1, most))
    found = [
        HeldMovement(
            r["route"],
            r["reason"],
            "ledger" if r["is_ledger"] else "channel",
            r["connection"],
            r["code"],
            r["name"],
            r["location"],
            r["cell_id"],
            r["after"] - r["units"],
            r["after"],
            r["units"],
            r["held_at"],
        )
        for r in rows[:most]
    ]
    off = await db.rows(house.pool, "brakes_off", now=house.now())
    until = {r["name"]: r["brake_off_until"] for r in off}
    return HeldNow(tuple(found), until, *((rows[0]["movements"], rows[0]["newest"]) if rows else (0, 0)))


async def release(
    house: House,
    names: Sequence[str],
    *,
    actor: str,
    lasting: timedelta | None = None,
    seen: int | None = None,
) -> list[Released]:
    """Let go what is held of these routes, and keep their brake off for a while. Raises NoSuch, and RefusedByRule where
    a time is longer than LONGEST_OFF. What a stock-take holds that is still under way stays held, and so does what is
    younger than what a person was shown (`seen`, as HeldNow names it); without `seen`, everything goes."""
    if lasting is not None and not timedelta(0) < lasting <= LONGEST_OFF:
        raise RefusedByRule(
            "IS-SAF-003",
            "The brake stays off for at most 24 hours at a time. Nothing was changed.",
            "ブレーキを切れるのは 1 回につき 24 時間までです。何も変更していません。",
        )
    async with db.transaction(house.pool) as conn:
        return [await _release(house, conn, name, actor, lasting, seen) for name in names]


async def _release(
    house: House, conn: Connection, name: str, actor: str, lasting: timedelta | None, seen: int | None
) -> Released:
    route = await route_named(conn, name)
    now = house.now()
    ids = [CellId(r["id"]) for r in await db.rows(conn, "held_cells_of", route_id=route["id"])]
    counting = await db.row(conn, "open_stocktake", route_id=route["id"])
    reasons = (BRAKE,) if counting is not None else (BRAKE, STOCKTAKE)
    until = None if lasting is None else now + lasting
    if until is not None:
        await db.run(conn, "set_brake_off", route_id=route["id"], until=until)
    gone = await brake_release.let_go(house, conn, ids, by=actor, reasons=reasons, seen=seen)
    left = [r["reason"] for r in await db.rows(conn, "open_holds", cells=ids)]
    counted = left.count(STOCKTAKE) if counting is not None else 0
    for alert in {BRAKE, STOCKTAKE} - set(left):
        await close_alerts(conn, alert, name, now=now)
    await write_audit(
        house,
        conn,
        actor,
        "brake.released",
        name,
        before={"movements": len(gone) + len(left) - counted, "cells": len(ids)},
        after={"movements": len(left) - counted, "off_until": None if until is None else until.isoformat()},
        at=now,
    )
    codes = await brake_release.codes(conn, route["id"], gone)
    return Released(name, len(gone), until, counted, len(left) - counted, codes)


async def routes_held(house: House) -> list[str]:
    """The routes of which something is held."""
    return [r["route"] for r in await db.rows(house.pool, "held_by_route") if r["cells"]]
