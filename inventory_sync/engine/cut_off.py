"""Decreases that a partner cut off at 0 (the truth model's rule 3.3).

Where a relative write stops at 0 and nobody is told, orders that met it vanish from the level: it reads 0, as we
believe, and nothing seems to have moved. So what orders took meanwhile is compared with what the levels showed, and the
larger fall counts.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from inventory_sync.engine import counting, sales
from inventory_sync.engine.lane import House, Lane
from inventory_sync.engine.observer import Moved
from inventory_sync.model.ids import CellId
from inventory_sync.model.orders import Hidden, SeenLine, Shown, cut_off
from inventory_sync.store import cells, db
from inventory_sync.store.cells import Movement
from inventory_sync.store.db import Connection

BATCH = 200
REACH_BACK = timedelta(hours=1)
"""Orders and falls further back than this say nothing of a write of today's."""


async def check(house: House, lane: Lane, *, swept_at: datetime) -> int:
    """Judge the cells that read 0 after a decrease of ours, once a list asked at `swept_at` has every order until then.

    Returns the units found.
    """
    able = lane.client.capabilities
    if not able.cuts_at_zero:
        return 0
    found: list[Movement] = []
    async with db.transaction(house.pool) as conn:
        due = await db.rows(
            conn,
            "cut_checks_due",
            connection_id=lane.connection_id,
            until=swept_at - able.order_lag,
            limit=BATCH,
        )
        if not due:
            return 0
        locked = await cells.lock(conn, [CellId(r["cell_id"]) for r in due])
        at_rest = [c for c, row in locked.items() if row.marked_at is None and row.op_id is None]
        unsure: list[tuple[CellId, int]] = []
        await cells.put_due(conn, [(cell, None, None) for cell in at_rest])
        for record in await db.rows(conn, "end_cut_checks", ids=at_rest):
            cell = CellId(record["cell_id"])
            hidden = await _hidden(conn, record, able.order_lag)
            known = locked[cell].known
            if hidden.units and known is not None:
                found += [
                    Movement(cell, hidden.units, known, known + hidden.units, None, None, None, "effect"),
                    Movement(
                        cell,
                        -hidden.units,
                        known + hidden.units,
                        known,
                        None,
                        locked[cell].read_asked_at,
                        None,
                        "outside",
                    ),
                ]
                if not hidden.sure:
                    unsure.append((cell, hidden.units))
        await _journal(house, conn, found, swept_at, able.order_lag)
        await counting.make_uncertain(house, lane, conn, unsure)
        await db.notify(conn, "decide")
    for m in found:
        house.observer.moved(Moved(lane.name, m.cell, m.delta, swept_at, house.now(), m.previous, m.kind))
    return sum(m.delta for m in found if m.kind == "effect")


async def _hidden(conn: Connection, check: db.Record, order_lag: timedelta) -> Hidden:
    cell, known_from = check["cell_id"], check["known_from"]
    since = known_from - REACH_BACK
    return cut_off(
        [
            SeenLine(r["units"], r["first_seen_at"], r["unseen_at"])
            for r in await db.rows(conn, "standing_lines", cell_id=cell, since=since)
        ],
        [
            Shown(r["units"], r["since"], r["until"])
            for r in await db.rows(conn, "shown_of_cell", cell_id=cell, since=since)
        ],
        known_from=known_from,
        zero_at=check["asked_at"],
        order_lag=order_lag,
        most=await db.value(conn, "taken_since", cell_id=cell, since=known_from),
    )


async def _journal(
    house: House, conn: Connection, found: list[Movement], swept_at: datetime, order_lag: timedelta
) -> None:
    if not found:
        return
    ids = await cells.write_movements(conn, found, asked_at=swept_at, answered_at=house.now())
    outside = [(n, m) for n, m in zip(ids, found, strict=True) if m.kind == "outside"]
    moved = [sales.Journalled(n, m.cell, m.delta, swept_at, None) for n, m in outside]
    await sales.moved(house, conn, moved, lag=order_lag)
    due: list[cells.Due] = [(m.cell, swept_at, None) for _, m in outside]
    await cells.decide_around(conn, due)
