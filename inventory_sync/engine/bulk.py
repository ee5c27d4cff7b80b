"""Batches of many rows that a partner carries out later: when one pays, and which cells go in it.

Only what a run writes goes this way, and only where nothing live waits: such a batch has no outcome for seconds or
minutes, and its cells count as under way meanwhile. While it is under way the other rows of the run go on singly.
"""

from __future__ import annotations

from datetime import timedelta

from inventory_sync.engine.lane import House, Lane
from inventory_sync.model.decide import RUN_DOWN, RUN_UP
from inventory_sync.model.ids import CellId
from inventory_sync.store import db
from inventory_sync.store.db import Connection
from inventory_sync.systems.port import BulkWrites

LEAST = 50
"""Fewer rows than this go singly: they are done, with an outcome each, before a callback could come."""

AT_ONCE = 2
"""Such batches under way at once in one lane: as many cells as that hear of no live change until theirs is settled."""

REST = timedelta(hours=1)
"""After a callback stayed away, no such batch for this long: callbacks may not reach us at all."""


async def worth_it(house: House, lane: Lane) -> BulkWrites | None:
    """What bulk writes are here, if one may be composed now."""
    able = lane.client.capabilities.bulk
    if able is None or not able.usable or lane.composing_bulk:
        return None
    room = await db.row(house.pool, "bulk_room", connection_id=lane.connection_id, rest_seconds=REST.total_seconds())
    if room is None or room["live"] or room["missed"] or room["under_way"] >= AT_ONCE:
        return None
    return able


async def candidates(conn: Connection, lane: Lane, able: BulkWrites) -> list[CellId]:
    """Cells for one such batch: what falls before what rises; none where too few wait."""
    for urgency in (RUN_DOWN, RUN_UP):
        found = await db.rows(
            conn, "cells_for_bulk", connection_id=lane.connection_id, urgency=urgency, limit=able.rows
        )
        if found:
            return [CellId(record["id"]) for record in found] if len(found) >= LEAST else []
    return []
