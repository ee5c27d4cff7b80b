"""Calibration: what no document of a partner states is found out on one item that a person names, and kept.

What it finds decides how levels are written and what counts as a change, so every route of the connection is aligned
again before anything is written (the truth model's rule 3.8).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.lane import House, take_lease
from inventory_sync.engine.routes import NoSuch, RefusedByRule
from inventory_sync.engine.stored import NEEDS_CALIBRATION
from inventory_sync.model.ids import ItemKey
from inventory_sync.store import db
from inventory_sync.systems.port import Calibration

CALIBRATING = "calibrating"
"""`state_code` of a connection whose lane a calibration holds alone."""

LONGEST_CALIBRATION = timedelta(minutes=15)
"""A calibration that was cut off stands in nobody's way for longer."""

Procedure = Callable[[ItemKey], Awaitable[Calibration]]
"""The system's own procedure, bound to the connection's settings."""


async def item_named(house: House, connection_id: int, named: str) -> ItemKey:
    """The item of a connection by its key or by one of its codes, exactly. Raises NoSuch, for an ambiguous code too."""
    found = await db.rows(house.pool, "items_named", connection_id=connection_id, named=named)
    if not found:
        raise NoSuch(
            f"There is no item {named!r}. Name it by a code of the shop's, exactly as it is written there.",
            f"商品「{named}」はありません。店舗に登録されているコードを、そのとおりに指定してください。",
        )
    if len(found) > 1:
        keys = ", ".join(record["key"] for record in found)
        raise NoSuch(
            f"{named!r} names {len(found)} items ({keys}): name one of them by its key.",
            f"「{named}」に当たる商品が {len(found)} 件あります ({keys})。どれか 1 件をそのキーで指定してください。",
        )
    return ItemKey(found[0]["key"])


async def calibrate(
    house: House, connection: db.Record, item: ItemKey, procedure: Procedure, *, quiet: timedelta, actor: str
) -> Calibration:
    """Run a system's procedure on one item and keep what it found. The lane is ours alone meanwhile.

    `quiet`: how long a request of the lane's former owner may still be under way; it is waited for.
    Raises RefusedByRule while a route of the connection runs or the lane is not let go, and whatever the procedure
    raises; then nothing is kept.
    """
    running = await db.rows(house.pool, "running_routes_of", connection_id=connection["id"])
    if running:
        names = ", ".join(record["name"] for record in running)
        raise RefusedByRule(
            "IS-CON-020",
            f"Stop these routes first, so that nothing else writes there: {names}.",
            f"ほかの書き込みがないよう、先に次のルートを停止してください: {names}",
        )
    async with _alone(house, connection):
        await asyncio.sleep(quiet.total_seconds())
        found = await procedure(item)
    before: dict[str, Any] = dict(connection["calibration"])
    async with db.transaction(house.pool) as conn:
        await db.run(conn, "save_calibration", id=connection["id"], calibration={**found.found, NEEDS_CALIBRATION: ""})
        if any(before.get(key) != value for key, value in found.found.items()):
            await _align_again(house, conn, connection["id"])
        await write_audit(
            house,
            conn,
            actor,
            "connection.calibrated",
            connection["name"],
            before=before,
            after=before | dict(found.found),
        )
        await db.notify(conn, "config")
    return found


@asynccontextmanager
async def _alone(house: House, connection: db.Record) -> AsyncIterator[None]:
    """Hold the lane of a connection, once a daemon that held it has let go."""
    number, owner = connection["id"], f"calibration-{house.ambient.new_id()}"

    async def say(code: str) -> None:
        async with db.transaction(house.pool) as conn:
            await db.run(conn, "set_aside", id=number, code=code, now=house.now())
            await db.notify(conn, "config")

    async def keep() -> None:
        while True:
            await asyncio.sleep(house.lease_seconds / 3)
            await take_lease(house, number, owner=owner, owner_key=0)

    await say(CALIBRATING)
    try:
        held = await take_lease(house, number, owner=owner, owner_key=0)
        patience = house.lease_seconds * 3
        while held is None and patience > 0:
            await asyncio.sleep(0.5)
            patience -= 0.5
            held = await take_lease(house, number, owner=owner, owner_key=0)
        if held is None:
            raise RefusedByRule(
                "IS-CON-021",
                "The daemon did not let go of the connection. Stop it, and try again.",
                "常駐プログラムが接続を手放しませんでした。停止してから、もう一度実行してください。",
            )
        keeping = asyncio.create_task(keep())
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await db.run(house.pool, "release_lease", connection_id=number, token=held.token)
    finally:
        await say("")


async def _align_again(house: House, conn: db.Connection, connection_id: int) -> None:
    """Every cell is read anew, and a person confirms the gaps, before a route of the connection writes again."""
    now = house.now()
    for route in await db.rows(conn, "routes_all"):
        if connection_id not in (route["ledger_id"], route["channel_id"]):
            continue
        await db.run(conn, "forget_levels", route_id=route["id"], now=now)
        await db.run(conn, "unalign_route", route_id=route["id"], now=now, reason="calibrated")
        if route["ever_aligned"]:
            await db.run(
                conn, "set_route_state", id=route["id"], state="blocked", stopped_by="system", blockers=["calibrated"]
            )
