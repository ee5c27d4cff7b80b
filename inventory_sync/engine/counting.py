"""Counting: what nobody can tell of a pair is noted and alerted; once a person counted the goods, it is settled."""

from __future__ import annotations

from collections.abc import Sequence

from inventory_sync.engine.alerts import close_alerts, open_alert
from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.lane import House, Lane
from inventory_sync.engine.named import NoSuch, RefusedByRule, route_named
from inventory_sync.model.ids import CellId
from inventory_sync.store import db
from inventory_sync.store.db import Connection


async def make_uncertain(house: House, lane: Lane, conn: Connection, unsure: Sequence[tuple[CellId, int]]) -> None:
    """The lower number was believed of these cells of a lane, where so many units could not be told apart."""
    if not unsure:
        return
    await db.run(conn, "make_uncertain", cells=[cell for cell, _ in unsure], units=[units for _, units in unsure])
    await open_alert(
        conn,
        house.observer,
        "uncertain",
        lane.name,
        now=house.now(),
        connection_id=lane.connection_id,
        units=sum(units for _, units in unsure),
    )


async def counted(house: House, route: str, value: str, *, actor: str) -> int:
    """A person counted the goods under one matching value and the ledger holds their number.

    Says the units that the pairs were uncertain by. Raises NoSuch, and RefusedByRule where nothing is uncertain.
    """
    async with db.transaction(house.pool) as conn:
        found = await route_named(conn, route)
        ids = [r["id"] for r in await db.rows(conn, "pairs_of_value", route_id=found["id"], value=value)]
        if not ids:
            raise NoSuch(
                f"The route {route} has no pair {value!r}.",
                f"ルート {route} に、照合値が「{value}」の商品の組はありません。",
            )
        units = await settle_uncertain(house, conn, found, ids, actor=actor)
        if not units:
            raise RefusedByRule(
                "IS-SAF-004",
                f"Nothing of {value} in the route {route} is uncertain. Nothing was changed.",
                f"ルート {route} の {value} に、数え直しが必要なものはありません。何も変更していません。",
            )
    return units


async def settle_uncertain(
    house: House, conn: Connection, route: db.Record, pairs: Sequence[int], *, actor: str
) -> int:
    """Set what these pairs of a route are uncertain by to 0, with an entry in the audit log for each."""
    settled = await db.rows(conn, "count_pairs", ids=list(pairs))
    for r in settled:
        await write_audit(
            house,
            conn,
            actor,
            "pair.counted",
            f"{route['name']}/{r['value']}",
            before={"uncertain": r["uncertain"]},
            after={"uncertain": 0},
        )
    if settled:
        for side in ("ledger", "channel"):
            if not await db.value(conn, "uncertain_left", connection_id=route[f"{side}_id"]):
                await close_alerts(conn, "uncertain", route[side], now=house.now())
    return sum(r["uncertain"] for r in settled)
