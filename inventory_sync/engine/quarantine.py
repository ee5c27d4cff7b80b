"""Quarantine: cells that a partner refused to write. They are still read; a person lets them be written again."""

from __future__ import annotations

from collections.abc import Sequence

from inventory_sync.engine.lane import House
from inventory_sync.engine.routes import NoSuch
from inventory_sync.store import db


async def listed(house: House) -> list[db.Record]:
    """Every cell in quarantine with its item, location and reason, oldest first."""
    return await db.rows(house.pool, "quarantine_all")


async def release(house: House, cells: Sequence[int], *, actor: str) -> list[db.Record]:
    """Let cells be written again, and decide anew what they are told. Raises NoSuch if one is not in quarantine."""
    async with db.transaction(house.pool) as conn:
        freed = await db.rows(conn, "release_quarantine", ids=sorted(set(cells)))
        missing = sorted(set(cells) - {record["cell_id"] for record in freed})
        if missing:
            raise NoSuch(f"Not in quarantine: {', '.join(map(str, missing))}. See `inventory-sync quarantine list`.")
        ids = [record["cell_id"] for record in freed]
        await db.run(conn, "put_due", cells=ids, heard=[None] * len(ids), stamps=[None] * len(ids))
        for record in freed:
            await db.run(
                conn,
                "write_audit",
                at=house.now(),
                actor=actor,
                action="quarantine.released",
                subject=f"{record['connection']}/{record['item']}/{record['location']}",
                before={"code": record["code"], "reason": record["reason"]},
                after=None,
            )
        await db.notify(conn, "decide")
    return freed
