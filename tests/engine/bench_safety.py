"""Figures of safety: `python -m tests.engine.bench_safety explain|brake [--pairs N]`, on a PostgreSQL of its own.

`explain` prints how long a person waits for the answer about one code: one that trades, one that nothing matches, one
that nobody has. Each pair is two items; a route's report lists near misses as a real one does.

`brake` reads portions of cells, many of which go up, with many others that went up within the last minutes, and prints
how long the reading steps took, and what part of that the brake's judgement and its holds were.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg

from inventory_sync.embedded import EmbeddedPostgres
from inventory_sync.engine import brake
from inventory_sync.engine.explain import explain
from inventory_sync.engine.lane import House, Lane, take_lease
from inventory_sync.engine.observe import observe
from inventory_sync.model.ambient import Ambient
from inventory_sync.store.migrate import migrate
from inventory_sync.systems.smaregi import definition as SMAREGI
from tests.engine.bench_runs import Partner, seeded

LATELY = 4_000
"""Cells of the route that went up in the minutes before: fewer than the brake minds, more than it likes to count."""

PORTIONS, PORTION = 20, 100

ODD = """
insert into items (connection_id, key, codes, name, tracked, bundle, import_id)
select n.id, 'odd' || n.id, jsonb_build_object('sku', case when n.name = 'pos' then 'ODD-1' else 'odd-1' end), 'Odd', true,
       false, 1
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
    await pool.execute(TURNED, LATELY)
    await pool.execute("analyze movements")
    number = await pool.fetchval("select min(id) from connections")
    keys = [f"i{n}" for n in range(1, PORTIONS * PORTION + 1)]
    partner: Any = _ReadsAtOnce(SMAREGI, {key: 1001 for key in keys})
    held = await take_lease(house, number, owner="bench", owner_key=0)
    assert held is not None
    lane = Lane(number, "pos", partner, held.token)
    watch = _Watch()
    brake.weigh, brake.hold = watch.around(brake.weigh), watch.around(brake.hold)  # type: ignore[assignment]
    steps = []
    await pool.execute(MARK, number, keys)
    while True:
        began = time.perf_counter()
        if not (await observe(house, lane)).did:
            break
        steps.append(time.perf_counter() - began)
    moved = await pool.fetchval("select count(*) from movements where delta = 1 and before = 1000")
    whole = sum(steps)
    print(
        f"{len(steps)} steps read {moved} cells that went up, {pairs} pairs, {LATELY} turned before: {whole:.2f} s, of "
        f"which the brake {watch.seconds:.2f} s ({watch.seconds / whole:.0%}), {watch.seconds / len(steps) * 1000:.1f} ms "
        f"a step of {median(steps) * 1000:.0f} ms"
    )


async def main(what: str, pairs: int) -> None:
    path = Path(tempfile.mkdtemp(prefix="is-bench-"))
    path.chmod(0o711)
    server = EmbeddedPostgres(path / "postgres", fast=True)
    try:
        await server.start()
        connection = await asyncpg.connect(server.dsn_of("postgres"))
        await connection.execute("create database bench")
        await connection.close()
        await migrate(server.dsn_of("bench"))
        pool = await seeded(server.dsn_of("bench"), pairs)
        house = House(pool, Ambient(now=lambda: datetime.now(UTC)), "bench", lease_seconds=60)
        await (bench_explain if what == "explain" else bench_brake)(house, pairs)
        await pool.close()
    finally:
        await server.stop()
        shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("what", choices=["explain", "brake"])
    given.add_argument("--pairs", type=int, default=0, help="500,000 for explain, 100,000 for the brake")
    chosen = given.parse_args()
    sys.exit(asyncio.run(main(chosen.what, chosen.pairs or (500_000 if chosen.what == "explain" else 100_000))))
