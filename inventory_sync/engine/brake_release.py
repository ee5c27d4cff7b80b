"""How what the brake and a stock-take hold ends: let go, confirmed by a person, explained by the ledger, forgotten."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from inventory_sync.engine import sales
from inventory_sync.engine.brake import BRAKE, STOCKTAKE
from inventory_sync.engine.lane import House
from inventory_sync.model.ids import CellId
from inventory_sync.store import cells, db
from inventory_sync.store.db import Connection

log = structlog.get_logger()

SALES = frozenset({"sale", "shipment", "reservation", "layaway"})
"""What a ledger calls goods that were sold; a fall of that kind is never held."""

MENDS = frozenset({"count", "correction", "adjustment"})
"""What a ledger calls a person who sets a number right."""


CODES_TOLD = 20
"""How many of the codes that were let go a person is told."""


async def forget(house: House, conn: Connection, ids: Sequence[CellId], by: str) -> None:
    """The levels of these cells are known no more (it went away, came back, or a restore): nothing of them is held."""
    if ids:
        await db.run(conn, "forget_holds_of", cells=list(ids), by=by, now=house.now())


async def held_among(conn: Connection, pairs: Sequence[int]) -> frozenset[int]:
    """Which of these pairs have a cell of which something is held."""
    return frozenset(r["pair_id"] for r in await db.rows(conn, "held_pairs", pairs=list(pairs)))


async def confirmed(house: House, conn: Connection, pairs: Sequence[int], *, by: str = "preview accepted") -> None:
    """A person confirmed these pairs' gaps, held movements counted in: their holds are over, nothing is delivered.

    Runs in the transaction of the alignment. Every channel of a ledger cell that was held is decided again.
    """
    if not pairs:
        return
    ids = [CellId(r["id"]) for r in await db.rows(conn, "held_cells_of_pairs", pairs=list(pairs))]
    if ids:
        await cells.lock(conn, ids)
        await forget(house, conn, ids, by)
        await cells.decide_around(conn, [(cell, None, None) for cell in ids])


async def let_go(
    house: House,
    conn: Connection,
    ids: Sequence[CellId],
    *,
    by: str,
    reasons: Sequence[str] = (BRAKE, STOCKTAKE),
    seen: int | None = None,
) -> list[CellId]:
    """Let held movements of these cells go: they are told to the other sides now. `seen`: the newest hold that a person
    was shown; younger ones stay. Answers the cell of each movement that went."""
    rows = await cells.lock(conn, ids)
    holds = [
        r
        for r in await db.rows(conn, "open_holds", cells=sorted(rows))
        if r["reason"] in reasons and (seen is None or r["id"] <= seen)
    ]
    if not holds:
        return []
    now = house.now()
    await db.run(conn, "end_holds", ids=[r["id"] for r in holds], by=by, now=now)
    freed: dict[CellId, int] = {}
    for r in holds:
        freed[r["cell_id"]] = freed.get(r["cell_id"], 0) + r["units"] - r["taken_back"]
    touched = sorted(freed)
    await db.run(
        conn,
        "set_held_back",
        ids=touched,
        units=[rows[cell].held_back - freed[cell] for cell in touched],
        highest=[rows[cell].highest for cell in touched],
    )
    delayed = [
        sales.Journalled(r["movement_id"], r["cell_id"], r["units"] - r["taken_back"], now, None)
        for r in sorted(holds, key=lambda each: each["id"])
        if r["units"] != r["taken_back"]
    ]
    await sales.moved(house, conn, delayed)
    await cells.decide_around(conn, [(cell, None, None) for cell in touched])
    log.info("brake.released", by=by, movements=len(holds), cells=len(touched))
    return [CellId(r["cell_id"]) for r in holds]


async def codes(conn: Connection, route_id: int, ids: Sequence[CellId]) -> tuple[str, ...]:
    """The codes of cells that were let go, as the route calls them; no more than a person reads."""
    found = await db.rows(conn, "codes_of_cells", route_id=route_id, cells=sorted(set(ids)), limit=CODES_TOLD)
    return tuple(r["code"] for r in found)


async def learnt(house: House, conn: Connection, movement_id: int, cell: CellId, delta: int, cause: str) -> None:
    """The ledger says why a cell fell, in the transaction that keeps the cause: a sale that was held flows; a mistake
    that was mended takes back the rise that is held."""
    causes = set(cause.split("+"))
    if causes <= SALES:
        await _sold(house, conn, movement_id)
    elif causes <= MENDS:
        row = (await cells.lock(conn, [cell]))[cell]
        holds = [r for r in await db.rows(conn, "open_holds", cells=[cell]) if r["movement_id"] < movement_id]
        units = sum(r["units"] - r["taken_back"] for r in holds)
        if 0 < units == row.held_back and -delta >= units and all(r["reason"] == BRAKE for r in holds):
            await forget(house, conn, [cell], "taken back")
            await cells.decide_around(conn, [(cell, None, None)])


async def _sold(house: House, conn: Connection, movement_id: int) -> None:
    for r in await db.rows(conn, "held_movement", movement_id=movement_id):
        if r["units"] < 0:
            await let_go(house, conn, [CellId(r["cell_id"])], by="a sale", reasons=(BRAKE,))
