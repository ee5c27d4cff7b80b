"""Figures of safety: `python -m tests.engine.bench_safety explain|brake [--pairs N]`, on a PostgreSQL of its own.

`explain` prints how long a person waits for the answer about one code: one that trades, one that nothing matches, one
that nobody has. Each pair is two items; a route's report lists near misses as a real one does.

`brake` reads portions of cells, many of which go up, with many others that went up within the last minutes, and prints
how long the reading steps took, and what part of that the brake's judgement and its holds were.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from statistics import median
from typing import Any

from inventory_sync.engine import brake
from inventory_sync.engine.explain import explain
from inventory_sync.engine.lane import House, Lane, take_lease
from inventory_sync.engine.observe import observe
from inventory_sync.systems.smaregi import definition as SMAREGI
from tests.engine.bench_runs import Partner
from tests.engine.bench_seed import house_of

LATELY = (0, 50, 4_000)
"""Cells of the route that went up in the minutes before: none, as on any day, as in a large delivery."""

CELLS = 1_000
"""Cells that go up in the steps that are measured."""

ODD = """
insert into items (connection_id, key, codes, name, tracked, bundle, import_id)
select n.id, 'odd' || n.id, jsonb_build_object('sku', case when n.name = 'pos' then 'ODD-1' else 'odd-1' end), 'Odd',
       true, false, 1
from connections n
"""

TURNED = """
insert into movements (cell_id, delta, before, after, asked_at, answered_at, turn)
select c.id, 1, 999, 1000, now(), now(), true from cells c
where c.connection_id = (select min(id) from connections) order by c.id desc limit $1
"""

MARK = """
update cells c set marked_at = now() - interval '10 seconds', dirty_since = now() - interval '10 seconds',
       read_due = now() - interval '1 second'
from items i where i.id = c.item_id and c.connection_id = $1 and i.key = any($2::text[])
"""


class _ReadsAtOnce(Partner):
    """A partner that takes no time to answer."""

    async def read(self, cells: Any, *, changed_since: datetime | None) -> Any:
        from inventory_sync.systems.port import Condition, LevelReading

        return [LevelReading(cell, Condition.ACTIVE, self.levels[cell.item]) for cell in cells]


class _Watch:
    """How long calls of some functions took together."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, inner: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def timed(*given: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return await inner(*given, **named)
            finally:
                self.seconds += time.perf_counter() - began

        return timed


async def bench_explain(house: House, pairs: int) -> None:
    await house.pool.execute(ODD)
    await house.pool.execute("update routes set match_report = '{\"near_misses_count\": 100000}'")
    await house.pool.execute("analyze items")
    code = f"C-{pairs // 2:07}"
    for title, asked in (("a code that trades", code), ("a near miss", "ODD-1"), ("an unknown code", "C-000x999")):
        taken = []
        for _ in range(5):
            began = time.perf_counter()
            found = await explain(house, asked)
            taken.append(time.perf_counter() - began)
        print(f"{title}: first {taken[0]:.3f} s, median {median(taken):.3f} s. {found.en}")


async def bench_brake(house: House, pairs: int) -> None:
    pool = house.pool
    number = await pool.fetchval("select min(id) from connections")
    await pool.execute("update cells set highest = 1000")  # one more is no jump
    partner: Any = _ReadsAtOnce(SMAREGI, {f"i{n}": 1001 for n in range(1, len(LATELY) * CELLS + 1)})
    held = await take_lease(house, number, owner="bench", owner_key=0)
    assert held is not None
    lane = Lane(number, "pos", partner, held.token)
    watch = _Watch()
    brake.weigh, brake.hold = watch.around(brake.weigh), watch.around(brake.hold)  # type: ignore[assignment]
    for turn, lately in enumerate(LATELY):
        await pool.execute(TURNED, lately)
        await pool.execute("analyze movements")
        await pool.execute(MARK, number, [f"i{n}" for n in range(turn * CELLS + 1, (turn + 1) * CELLS + 1)])
        steps, watch.seconds = [], 0.0
        while True:
            began = time.perf_counter()
            if not (await observe(house, lane)).did:
                break
            steps.append(time.perf_counter() - began)
        kept = await pool.fetchval("select count(*) from cells where held_back <> 0")
        print(
            f"{pairs} pairs, {lately} cells went up before, {CELLS} more in {len(steps)} steps, {kept} held: "
            f"{median(steps) * 1000:.0f} ms a step, of which the brake {watch.seconds / len(steps) * 1000:.1f} ms"
        )


async def main(what: str, pairs: int) -> None:
    async with house_of(pairs) as (house, _):
        await (bench_explain if what == "explain" else bench_brake)(house, pairs)


if __name__ == "__main__":
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("what", choices=["explain", "brake"])
    given.add_argument("--pairs", type=int, default=0, help="500,000 for explain, 100,000 for the brake")
    chosen = given.parse_args()
    sys.exit(asyncio.run(main(chosen.what, chosen.pairs or (500_000 if chosen.what == "explain" else 100_000))))
