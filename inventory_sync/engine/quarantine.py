"""Quarantine: cells that are not written. A partner refused them, they run away, or a person keeps them out. All of
them are still read."""

from __future__ import annotations

from collections.abc import Sequence

from inventory_sync.engine.audit import write_audit
from inventory_sync.engine.lane import House
from inventory_sync.engine.named import NoSuch, RefusedByRule
from inventory_sync.model.ids import CellId
from inventory_sync.store import cells as store
from inventory_sync.store import db
from inventory_sync.store.db import Connection

EXCLUDED = "IS-SAF-002"
"""The problem under which a cell stands that a person keeps out."""


async def listed(house: House) -> list[db.Record]:
    """Every cell in quarantine with its item, location, reason and whether a person keeps it out, oldest first."""
    return await db.rows(house.pool, "quarantine_all")


async def release(house: House, cells: Sequence[int], *, actor: str) -> list[db.Record]:
    """Let cells be written again, those too that a person kept out. Raises NoSuch if one is not in quarantine."""
    async with db.transaction(house.pool) as conn:
        return await _release(house, conn, cells, actor, "quarantine.released")


async def retry(house: House, cells: Sequence[int], *, actor: str) -> list[db.Record]:
    """Try again to write cells that a partner refused; one that it refuses again comes back.

    Raises NoSuch if one is not in quarantine, and RefusedByRule if a person keeps one out.
    """
    async with db.transaction(house.pool) as conn:
        out = [r["cell_id"] for r in await db.rows(conn, "excluded_among", ids=sorted(set(cells)))]
        if out:
            raise RefusedByRule(
                EXCLUDED,
                f"A person keeps these cells out: {', '.join(map(str, out))}. Nothing was changed. "
                "`inventory-sync quarantine release CELL` lets them in again.",
                f"次のセルは人が対象外にしています: {', '.join(map(str, out))}。何も変更していません。"
                "`inventory-sync quarantine release CELL` で対象に戻せます。",
            )
        return await _release(house, conn, cells, actor, "quarantine.retried")


async def exclude(house: House, cells: Sequence[int], *, actor: str) -> list[int]:
    """Keep cells out: nothing is written to them until a person releases them. Raises NoSuch for a cell that no route
    has, and then changes nothing."""
    wanted = sorted(set(cells))
    async with db.transaction(house.pool) as conn:
        rows = await store.lock(conn, [CellId(cell) for cell in wanted])
        done = await db.rows(
            conn,
            "exclude_cells",
            ids=wanted,
            code=EXCLUDED,
            reason="a person keeps it out",
            now=house.now(),
        )
        missing = sorted(set(wanted) - {r["cell_id"] for r in done})
        if missing:
            cells_named = ", ".join(map(str, missing))
            raise NoSuch(
                f"No route has these cells: {cells_named}. Nothing was changed.",
                f"次のセルはどのルートにもありません: {cells_named}。何も変更していません。",
            )
        await db.run(conn, "stop_cells", ids=wanted)
        for r in await db.rows(conn, "cell_names", ids=wanted):
            await write_audit(
                house,
                conn,
                actor,
                "quarantine.excluded",
                f"{r['connection']}/{r['item']}/{r['location']}",
                before={"quarantined": rows[CellId(r["id"])].quarantined},
                after={"excluded": True},
            )
        await _decide_again(conn, wanted)
    return wanted


async def _release(house: House, conn: Connection, cells: Sequence[int], actor: str, action: str) -> list[db.Record]:
    freed = await db.rows(conn, "release_quarantine", ids=sorted(set(cells)))
    missing = sorted(set(cells) - {record["cell_id"] for record in freed})
    if missing:
        named = ", ".join(map(str, missing))
        raise NoSuch(
            f"Not in quarantine: {named}. See `inventory-sync quarantine list`.",
            f"隔離されていません: {named}。隔離中のセルは `inventory-sync quarantine list` で確認できます。",
        )
    for record in freed:
        await write_audit(
            house,
            conn,
            actor,
            action,
            f"{record['connection']}/{record['item']}/{record['location']}",
            before={"code": record["code"], "reason": record["reason"]},
            after=None,
        )
    await db.run(conn, "forget_undone_of", cells=[record["cell_id"] for record in freed])
    await _decide_again(conn, [record["cell_id"] for record in freed])
    return freed


async def _decide_again(conn: Connection, ids: Sequence[int]) -> None:
    await store.put_due(conn, [(CellId(cell), None, None) for cell in ids])
    await db.notify(conn, "decide")
