"""Deleting the SKU mapping of a route: every pair goes, and the route stops in the same transaction.

Nothing makes the mapping again but a person (`route match`); what both sides hold is read anew then, and a preview
shows every gap before the route may start.
"""

from __future__ import annotations

from typing import Any

import structlog

from inventory_sync.engine import owing
from inventory_sync.engine.again import again
from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.lane import House
from inventory_sync.engine.named import RefusedByRule, route_named
from inventory_sync.engine.runs import portions
from inventory_sync.store import db

log = structlog.get_logger()


async def what_goes(house: House, name: str) -> dict[str, Any]:
    """What deleting the mapping of a route would take away: pairs, and units owed to the ledger. Raises NoSuch."""
    async with house.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        route = await route_named(conn, name)
        counts = await db.row(conn, "route_counts", route_id=route["id"])
        owes = await owing.of(conn, route["id"])
    return {
        "route": name,
        "state": route["state"],
        "pairs": counts["pairs"] if counts is not None else 0,
        "under_way": counts["open"] if counts is not None else 0,
        "owed": owes.document(),
    }


@again
async def unmap(
    house: House, name: str, *, confirmed: bool, actor: str, forget_owed: int | None = None
) -> dict[str, Any]:
    """Delete every pair of a route and stop it. Ops under way keep their outcome; nothing new is composed.

    Raises RefusedByRule where nobody confirmed it, where nothing is mapped, and where units owed to the ledger would be
    lost and `forget_owed` does not name their number; and NoSuch. Then nothing was changed.
    """
    going = await what_goes(house, name)
    if going["pairs"] == 0:
        raise RefusedByRule(
            "IS-RTE-044",
            f"The route {name} has no SKU mapping, so there is nothing to delete.",
            f"ルート {name} には SKU の紐付けがありません。",
        )
    if not confirmed:
        raise _unconfirmed(going)
    now = house.now()
    async with db.transaction(house.pool) as conn:
        await db.rows(conn, "lock_routes", names=[name])
        route = await route_named(conn, name)
        await db.rows(conn, "lock_route_cells", route_id=route["id"])
        owes = await owing.of(conn, route["id"])
        owing.refuse_to_forget(name, owes, forget_owed, what_en="deleting the mapping", what_ja="紐付けの削除")
        await db.run(conn, "put_due_route", route_id=route["id"])
        await portions.halt_route(house, conn, route["id"], "the SKU mapping was deleted")
        deleted = await db.value(conn, "delete_pairs", route_id=route["id"])
        await db.run(conn, "set_route_state", id=route["id"], state="stopped", stopped_by="person", blockers=[])
        await db.run(conn, "unmap_route", route_id=route["id"], now=now)
        await write_audit(
            house,
            conn,
            actor,
            "route.unmapped",
            name,
            before={"state": route["state"], "pairs": deleted, "owed": owes.document()},
            after={"state": "stopped", "pairs": 0},
            at=now,
        )
        await db.notify(conn, "decide")
    log.info("route.unmapped", route=name, pairs=deleted, owed=owes.units)
    return {"route": name, "state": "stopped", "deleted": deleted, "forgotten": owes.units}


def _unconfirmed(going: dict[str, Any]) -> RefusedByRule:
    name, pairs, units = going["route"], going["pairs"], going["owed"]["units"]
    owed_en = f" It still owes the ledger {units} units, which would be lost." if units else ""
    owed_ja = f"台帳へ計上していない {units} 個があり、失われます。" if units else ""
    return RefusedByRule(
        "IS-RTE-043",
        f"This deletes the SKU mapping of the route {name} ({pairs} pairs) and stops the route.{owed_en} The numbers "
        "at both sides stay as they are. Add --yes if that is meant. Nothing was changed.",
        f"ルート {name} の SKU の紐付け({pairs} 件)をすべて削除し、ルートを停止します。{owed_ja}在庫数はどちらの側も"
        "そのまま残ります。よければ --yes を付けてください。何も変更していません。",
    )
