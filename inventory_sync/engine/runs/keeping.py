"""Keeping: what a run did to each single cell is kept for a while, what that sums up to for ever.

The journal (`movements`, `ops`) is not touched: every number ever written stays there, with the run it was written for.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from inventory_sync.engine.lane import House
from inventory_sync.store import db

LINES_AT_ONCE = 5_000
"""Rows of runs that one round of housekeeping deletes: a run may have one for every cell of a big shop."""

RUNS_AT_ONCE = 100
"""Runs that one round looks at: there may be many that had next to no rows."""


async def drop_old(house: House, *, retention: timedelta) -> int:
    """Delete rows of runs that ended longer ago than `retention` and that nobody needs any more; says how many.

    A run whose rows begin to go cannot be taken back from then on.
    """
    before, dropped = house.now() - retention, 0
    for run in await db.rows(house.pool, "runs_with_old_lines", id=None, before=before, most=RUNS_AT_ONCE):
        dropped += await _drop(house, run["id"], before, LINES_AT_ONCE - dropped)
        if dropped >= LINES_AT_ONCE:
            break
    return dropped


async def _drop(house: House, run_id: int, before: datetime, most: int) -> int:
    """Delete up to `most` rows of a run; its sums are stored before the first of them goes."""
    async with db.transaction(house.pool) as conn:
        await db.row(conn, "run_locked", id=run_id)  # nobody resumes it or takes it back meanwhile
        found = await db.rows(conn, "runs_with_old_lines", id=run_id, before=before, most=1)
        if not found:
            return 0
        run = found[0]
        there = await db.value(conn, "has_lines", run_id=run_id)
        if there and run["lines"] == "kept" and (run["state"] == "stopped" or not run["summed"]):
            await db.run(conn, "sum_up_run", run_id=run_id, now=house.now())
        dropped = int(await db.value(conn, "drop_lines", run_id=run_id, most=most))
        await db.run(
            conn,
            "note_lines",
            run_id=run_id,
            lines="gone" if dropped < most else "leaving",
            deleted_at=house.now() if dropped else None,
        )
    return dropped
