"""A run that is stopped in the very moment in which a partner's answer to one of its writes is written down."""

from __future__ import annotations

import asyncio

import pytest

from inventory_sync.engine.runs import control, portions
from inventory_sync.store import db
from tests.engine.conftest import Furnish
from tests.engine.test_story_runs import _small_portions, apart, push, rows, some_done

__all__ = ["_small_portions"]

_WAITS = "select exists (select 1 from pg_locks where not granted)"


async def _is_over_or_waits(pool: db.Pool, task: asyncio.Task[control.RunView]) -> None:
    while not task.done() and not await pool.fetchval(_WAITS):
        await asyncio.wait({task}, timeout=0.01)


@pytest.mark.parametrize("returned", [True, False])
async def test_no_row_of_a_stopped_run_is_left_behind_as_if_its_turn_had_come(running: Furnish, returned: bool) -> None:
    bench = await running(apart())
    run = await push(bench, "channel")
    await some_done(bench, run)
    op = await bench.pool.fetchval("select op_id from run_rows where run_id = $1 and state = 'done' limit 1", run)
    await bench.pool.execute("update run_rows set state = 'sent', moved = null where op_id = $1", op)
    async with bench.pool.acquire() as settling:
        answer = settling.transaction()
        await answer.start()
        outcome = portions.OpEnd(op, "not_applied" if returned else "applied", "the budget is spent", None, returned)
        await portions.end_with_ops(bench.house, settling, [outcome], bench.house.now())
        stopping = asyncio.create_task(control.stop(bench.house, run, actor="person"))
        await _is_over_or_waits(bench.pool, stopping)
        await answer.commit()
    stopped = await stopping
    assert stopped.state == "stopped"
    left = await rows(bench, run, "released", "confirmed")
    assert left == [], "what was not carried out waits for the run to be resumed"
    [(state, moved)] = await bench.pool.fetch(
        "select state, moved from run_rows where op_id is not distinct from $1", op
    ) or [("proposed", None)]
    assert (state, moved is None) == (("proposed", True) if returned else ("done", False))
