"""Empty and cut answers: a partner that suddenly shows nothing has not sold everything (the truth model's rule 3.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from inventory_sync.engine.alerts import close_alerts, open_alert
from inventory_sync.engine.lane import House, Lane
from inventory_sync.model.ids import CellId
from inventory_sync.store import db
from inventory_sync.store.cells import CellRow, CellToRead
from inventory_sync.store.db import Connection
from inventory_sync.systems.port import Condition, LevelReading

LEAST = 5
"""So many rows, and more than half of what was asked for, do not vanish at once."""

SHARE = 0.5

AGAIN = timedelta(seconds=60)
"""Cells whose rows are missing from a cut answer are asked for again after this long."""

REFUSED = "vanished"
"""The reason under which such readings are counted as refused."""


async def not_believed(
    house: House,
    lane: Lane,
    conn: Connection,
    rows: Mapping[CellId, CellRow],
    answers: Sequence[tuple[CellToRead, LevelReading]],
) -> frozenset[CellId]:
    """Cells of a batch whose rows are missing, where too many are: no reading, and an alert. Items that the catalogue
    lists no more are believed to be gone."""
    had = [
        (cell.id, answer) for cell, answer in answers if rows[cell.id].had_row and rows[cell.id].condition == "active"
    ]
    missing = [cell for cell, answer in had if answer.condition in (Condition.ABSENT, Condition.GONE)]
    if len(missing) >= LEAST:
        gone = {r["id"] for r in await db.rows(conn, "believed_gone", ids=missing)}
        missing = [cell for cell in missing if cell not in gone]
    if len(missing) < LEAST or len(missing) <= SHARE * len(had):
        if had and not missing:
            await close_alerts(conn, "levels_vanished", lane.name, now=house.now())
        return frozenset()
    await tell(house, lane, conn, listed=len(had) - len(missing), known=len(had))
    return frozenset(missing)


async def cut_walk(house: House, lane: Lane, conn: Connection, listed: int) -> str:
    """Whether a walk over all levels ended with less than half of the rows that are known: says so, else empty."""
    known = await db.value(conn, "cells_with_rows", connection_id=lane.connection_id)
    if known == 0 or listed >= (1 - SHARE) * known:
        return ""
    await tell(house, lane, conn, listed=listed, known=known)
    return f"the partner listed {listed} levels where {known} are known: the list is not believed"


async def tell(house: House, lane: Lane, conn: Connection, *, listed: int, known: int) -> None:
    """Alert that a partner shows far fewer levels than are known."""
    await open_alert(
        conn,
        house.observer,
        "levels_vanished",
        lane.name,
        now=house.now(),
        connection_id=lane.connection_id,
        listed=listed,
        known=known,
    )
