"""Sales: what a movement at a channel asks of the ledger (the truth model's rule 3.9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from inventory_sync.engine.lane import House
from inventory_sync.model.ids import CellId
from inventory_sync.store import db
from inventory_sync.store.db import Connection


@dataclass(frozen=True, slots=True)
class Journalled:
    """A movement as it stands in the journal. `reference`: the order it came with, where known."""

    id: int
    cell: CellId
    delta: int
    asked_at: datetime
    marked_at: datetime | None
    reference: str = ""


async def moved(house: House, conn: Connection, movements: Sequence[Journalled]) -> None:
    """Tell the other sides of movements that were just journalled, in their transaction."""
    if movements:
        ids, deltas = [m.cell for m in movements], [m.delta for m in movements]
        await db.run(conn, "move_channel", cells=ids, deltas=deltas)
        await db.run(conn, "move_ledger", cells=ids, deltas=deltas)
