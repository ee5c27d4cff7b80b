"""More was sold than there is: said in the transaction that decides it, with the orders where they are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from inventory_sync.engine.alerts import close_alerts, open_alert
from inventory_sync.engine.lane import House
from inventory_sync.model.decide import Decision
from inventory_sync.model.ids import CellId
from inventory_sync.store import db
from inventory_sync.store.db import Connection

ORDERS = 5
"""So many of the latest orders are named."""


async def look(house: House, conn: Connection, decisions: Mapping[CellId, Decision]) -> None:
    """Alert about pairs among those that were just decided whose effective quantity is below 0."""
    empty = sorted(cell for cell, decision in decisions.items() if decision.target == 0 and not decision.posts)
    if empty:
        await _tell(house, conn, await db.rows(conn, "oversold_among", cells=empty))


async def keep(house: House) -> None:
    """Look at all pairs: alert about those that are short, and close the alerts of those that are not any more."""
    found = await db.rows(house.pool, "oversold_pairs")
    async with db.transaction(house.pool) as conn:
        subjects = await _tell(house, conn, found)
        for alert in await db.rows(conn, "alerts_open"):
            if alert["code"] == "oversold" and alert["subject"] not in subjects:
                await close_alerts(conn, "oversold", alert["subject"], now=house.now())


async def _tell(house: House, conn: Connection, short: Iterable[db.Record]) -> set[str]:
    subjects: set[str] = set()
    for r in short:
        subject = f"{r['route']}/{r['value']}/{r['location']}"
        subjects.add(subject)
        channels = await db.rows(conn, "channels_of_ledgers", cells=[r["channel_cell"]])
        cells = [each["channel_cell"] for each in channels]
        orders = [o["order_id"] for o in await db.rows(conn, "recent_orders", cells=cells, limit=ORDERS)]
        await open_alert(
            conn,
            house.observer,
            "oversold",
            subject,
            now=house.now(),
            route_id=r["route_id"],
            effective=r["effective"],
            orders=orders,
        )
    return subjects
