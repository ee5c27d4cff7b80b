"""Jobs: what runs by itself, each with its action, its trigger, a switch of its own, its last run and its next.

Jobs with a time are rows of the schedule; a switch that is off is a row too, so it holds for every replica and survives
a restart. What hears and writes in real time is triggered by events and follows the state of its route.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from inventory_sync.engine import schedule
from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.lane import House
from inventory_sync.engine.named import NoSuch
from inventory_sync.engine.stored import REMOVED
from inventory_sync.store import db
from inventory_sync.store.db import Connection

TIMED = {
    "catalogue": (schedule.CATALOGUE, "import the whole catalogue", "商品をすべて取り込む"),
    "reconcile": (schedule.RECONCILE, "walk over all levels", "すべての在庫数を照合する"),
    "orders": (schedule.ORDERS_WIDE, "list the orders of a wide window", "広い期間の受注を取り込む"),
}
"""Jobs of a connection that run by the clock."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job. `every` is seconds between two runs, None for one that an event triggers; then `next_at` is None."""

    name: str
    subject: str
    en: str
    ja: str
    trigger: str
    every: float | None
    enabled: bool
    last_at: datetime | None
    next_at: datetime | None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


async def jobs(house: House, conn: Connection | None = None) -> list[Job]:
    """Every job of every connection that is linked, and of every route; read on `conn` where a snapshot is to hold."""
    now, found = house.now(), []
    conn = house.pool if conn is None else conn
    by_orders = {r["id"] for r in await db.rows(conn, "order_sources")}
    for record in await db.rows(conn, "connections_all"):
        if record["state_code"] == REMOVED or record["identity"] is None:
            continue
        for action, (trigger, en, ja) in TIMED.items():
            if action == "orders" and record["id"] not in by_orders:
                continue
            key = f"{action}:{record['id']}"
            last = await db.value(conn, "last_run", name=key)
            enabled = not await schedule.is_off(conn, key)
            following = schedule.following(key, trigger, last, now) if enabled else None
            seconds = trigger.interval.total_seconds()
            name = f"{action}:{record['name']}"
            found.append(Job(name, record["name"], en, ja, "time", seconds, enabled, last, following))
    return found + await _of_routes(conn)


async def _of_routes(conn: Connection) -> list[Job]:
    return [
        Job(
            f"push:{route['name']}",
            route["name"],
            "write what changed to the other side",
            "変わった在庫数を反対側へ書く",
            "event",
            None,
            route["state"] == "running",
            None,
            None,
        )
        for route in await db.rows(conn, "routes_all")
        if route["stopped_by"] != REMOVED
    ]


async def switch(house: House, name: str, *, on: bool, actor: str) -> Job:
    """Switch a job of the clock on or off, and nothing else. One that is switched on and is overdue runs once, now.

    Raises NoSuch; the push of a route is switched by starting and stopping the route.
    """
    known = {job.name: job for job in await jobs(house)}
    if name not in known or known[name].trigger != "time":
        names = ", ".join(job.name for job in known.values() if job.trigger == "time")
        raise NoSuch(
            f"There is no job {name!r} that can be switched. Jobs: {names or 'none yet'}. "
            "`inventory-sync route start|stop` switches what a route writes.",
            f"切り替えられるジョブ「{name}」はありません。今あるジョブ: {names or 'まだありません'}。"
            "ルートの書き込みは `inventory-sync route start|stop` で切り替えます。",
        )
    job = known[name]
    action = name.partition(":")[0]
    async with db.transaction(house.pool) as conn:
        records = {r["name"]: r["id"] for r in await db.rows(conn, "connections_all")}
        off = schedule.off_name(f"{action}:{records[job.subject]}")
        if on:
            await db.run(conn, "forget_run", name=off)
        elif job.enabled:
            await db.value(conn, "claim_run", name=off, last_at=None, now=house.now())
        verb = "job.switched_on" if on else "job.switched_off"
        await write_audit(house, conn, actor, verb, name, {"enabled": job.enabled}, {"enabled": on})
        await db.notify(conn, "config")
    return next(each for each in await jobs(house) if each.name == name)
