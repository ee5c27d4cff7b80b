"""Figures of runs: `python -m tests.engine.bench_runs preview|push|list [--pairs N]`, on a PostgreSQL of its own.

`preview` prints how long a full preview takes from known levels, every line of it written out, and how much memory the
process grew by. `push` runs a full push in real time, against a ledger and a shop that take the time stated, while live
sales go on at the ledger, and prints how long each sale took from being heard to being acknowledged by the shop, less
the partners' own time. `list` prints how long the list of the latest runs takes, each of which wrote every pair.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import resource
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from inventory_sync.cli import route_push
from inventory_sync.engine import previews
from inventory_sync.engine.decide import decide
from inventory_sync.engine.lane import House, Lane, take_lease
from inventory_sync.engine.observe import observe
from inventory_sync.engine.push import push
from inventory_sync.engine.runs import control, portions, pushes
from inventory_sync.loops import Step, Wakes, turn
from inventory_sync.model.ids import OpId
from inventory_sync.store import db
from inventory_sync.systems.port import (
    Applied,
    CellRef,
    Client,
    Condition,
    LevelReading,
    OpOutcome,
    PlannedOp,
    PreparedRequest,
)
from inventory_sync.systems.shopify import definition as SHOPIFY
from inventory_sync.systems.smaregi import definition as SMAREGI
from tests.engine.bench_seed import house_of

APART = 100
"""Units by which the shop differs before the push."""

LIVE_AT_MOST = 50
"""A batch of fewer rows than this carries live changes."""

WRITE_TAKES, READ_TAKES = 0.5, 0.1
"""Seconds a partner takes to write a batch of 250, and to answer a reading."""


@dataclass
class Free:
    """A budget without end."""

    def wait(self, kind: str, now: datetime) -> float:
        return 0.0

    def available(self, now: datetime) -> float:
        return 1e9

    def pause(self, until: datetime) -> None:
        """Nothing pauses it."""


@dataclass
class Partner:
    """A partner whose levels are a table, and that takes its time."""

    definition: Any
    levels: dict[str, int]
    other: Any = None
    budget: Free = field(default_factory=Free)
    heard: dict[str, float] = field(default_factory=dict)
    acknowledged: dict[str, float] = field(default_factory=dict)
    calls: list[tuple[float, int]] = field(default_factory=list)  # when, and how many rows

    @cached_property
    def capabilities(self) -> Any:
        return replace(self.definition.capabilities, read_lag=timedelta(seconds=1))

    async def read(self, cells: Sequence[CellRef], *, changed_since: datetime | None) -> Sequence[LevelReading]:
        levels = [LevelReading(cell, Condition.ACTIVE, self.levels[cell.item]) for cell in cells]
        await asyncio.sleep(READ_TAKES)
        return levels

    def compose(self, ops: Sequence[PlannedOp], key: str) -> PreparedRequest:
        return PreparedRequest("POST", "/adjust", b"", key, "1")

    async def send(self, prepared: PreparedRequest, ops: Sequence[PlannedOp]) -> Mapping[OpId, OpOutcome]:
        self.calls.append((time.monotonic(), len(ops)))
        await asyncio.sleep(WRITE_TAKES)
        for op in ops:
            self.levels[op.cell.item] += op.delta
            if self.other is None:
                continue
            behind = self.other.levels[op.cell.item] - self.levels[op.cell.item]
            if op.cell.item in self.heard and behind in (0, APART):
                self.acknowledged.setdefault(op.cell.item, time.monotonic())
        return {op.op: Applied() for op in ops}


def peak() -> float:
    """The most memory this process ever held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Processor:
    """Seconds of processor since it was made: in this process, and in the PostgreSQL under `path`.

    Where other work takes the machine's processors, these say more than the clock on the wall.
    """

    def __init__(self, path: Path) -> None:
        [found] = path.rglob("postmaster.pid")
        self._postmaster = int(found.read_text().split()[0])
        self._ours, self._theirs = time.process_time(), self._server()

    def _server(self) -> float:
        """What PostgreSQL's processes used, those that ended included."""
        ticks = 0
        for each in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = each.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(each.parent.name) == self._postmaster:
                ticks += sum(map(int, fields[11:15]))
            elif int(fields[1]) == self._postmaster:
                ticks += sum(map(int, fields[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def __str__(self) -> str:
        ours, theirs = time.process_time() - self._ours, self._server() - self._theirs
        load = os.getloadavg()[0]
        return f"{ours:.1f} s of processor here and {theirs:.1f} s in PostgreSQL, load of the machine {load:.1f}"


class _Sink(io.TextIOBase):
    """Counts what is written and keeps nothing."""

    size = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.size += len(text)
        return len(text)


async def bench_preview(house: House, path: Path, pairs: int) -> None:
    before, began, used, sink = peak(), time.monotonic(), Processor(path), _Sink()
    with redirect_stdout(sink), redirect_stderr(io.StringIO()):
        printer = route_push.CsvPrinter()
        made = await previews.make_preview(house, "pos-shop", source="ledger", tell=printer.tell)
        printer.end(made)
    seconds = time.monotonic() - began
    age = made.made_at - datetime.fromisoformat(made.summary["oldest_reading"])
    print(
        f"preview: {pairs} pairs in {seconds:.2f} s (worked out, stored, and written out as {sink.size} bytes "
        f"of CSV): {used}; memory +{peak() - before:.0f} MB to {peak():.0f} MB, oldest reading "
        f"{age.total_seconds():.0f} s old"
    )


async def bench_push(house: House, path: Path, pairs: int, sales: int) -> None:
    pos = Partner(SMAREGI, {f"i{n}": 1000 for n in range(1, pairs + 1)})
    shop = Partner(SHOPIFY, {f"i{n}": 900 for n in range(1, pairs + 1)}, pos)
    lanes = {}
    for name, partner in (("pos", pos), ("shop", shop)):
        record = await db.row(house.pool, "connection_by_name", name=name)
        assert record is not None
        held = await take_lease(house, record["id"], owner="bench", owner_key=0)
        assert held is not None
        lanes[name] = Lane(record["id"], name, cast(Client, partner), held.token)
    closed, heard = asyncio.Event(), shop.heard
    steps: list[tuple[str, Step]] = [("decide", lambda: decide(house))]
    for lane in lanes.values():
        steps.append((f"connection:{lane.connection_id}", lambda lane=lane: observe(house, lane)))  # type: ignore[misc]
        count = min(2, lane.client.capabilities.concurrent_writes)
        steps += [(f"push:{lane.connection_id}", lambda lane=lane: push(house, lane))] * count  # type: ignore[misc]
    began = time.monotonic()
    made = await previews.make_preview(house, "pos-shop", source="ledger")
    run = await pushes.start_push(house, "pos-shop", preview_id=made.id, actor="bench")
    print(f"push: preview and start of {run.total} cells {time.monotonic() - began:.2f} s", flush=True)
    began, used = time.monotonic(), Processor(path)
    async with _turning(house, steps, lanes.values()) as tasks:
        selling = asyncio.create_task(_sell(house, pos, lanes["pos"], heard, pairs, sales, closed))
        while await house.pool.fetchval("select state from runs where id = $1", run.run) == "running":
            await asyncio.sleep(0.2)
            if any(task.done() for task in tasks):
                break
        seconds, calls, view = time.monotonic() - began, list(shop.calls), await control.show(house, run.run)
        closed.set()
        for _ in range(600):
            if selling.done() and len(shop.acknowledged) == len(heard):
                break
            await asyncio.sleep(0.1)
        await selling
    late = sorted(shop.acknowledged[item] - at - READ_TAKES - WRITE_TAKES for item, at in heard.items())
    full = run.total / 250 * WRITE_TAKES / 2
    live = [size for _, size in calls if size < LIVE_AT_MOST]
    floor = full + len(live) * WRITE_TAKES / 2
    wrong = sum(1 for item, units in pos.levels.items() if shop.levels[item] != units)
    print(
        f"push: {view.done} of {view.total} cells in {seconds:.1f} s; floor {full:.1f} s for full batches alone (ratio "
        f"{seconds / full:.2f}), {floor:.1f} s with the {len(live)} calls that live changes took (ratio "
        f"{seconds / floor:.2f}); {sum(size == 250 for _, size in calls)} of its {len(calls) - len(live)} batches were "
        f"full; {used}\n"
        f"live: {len(late)} sales meanwhile, lag over the partners' own time p50 {_at(late, 0.5):.3f} s, p99 "
        f"{_at(late, 0.99):.3f} s, most {(late or [0])[-1]:.3f} s; cells that differ afterwards: {wrong}"
    )


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


@asynccontextmanager
async def _turning(
    house: House, steps: Sequence[tuple[str, Step]], lanes: Any
) -> AsyncIterator[list[asyncio.Task[None]]]:
    """The steps turn as they do in the service: each is woken by its name."""
    wakes, over = Wakes(), asyncio.Event()
    async with house.pool.acquire() as ears:

        def hear(_connection: object, _process: int, _channel: str, payload: object) -> None:
            wakes.call(str(payload))

        await ears.add_listener(db.CHANNEL, hear)
        tasks = [asyncio.create_task(_renew(house, lanes, over))]
        for name, step in steps:
            wake = wakes.listen(name)
            tasks.append(asyncio.create_task(turn(step, name=name, wake=wake, now=house.now, stop=over)))
        try:
            yield tasks
        finally:
            over.set()
            wakes.call_all()
            await asyncio.gather(*tasks)
            await ears.remove_listener(db.CHANNEL, hear)


async def _renew(house: House, lanes: Any, over: asyncio.Event) -> None:
    while not over.is_set():
        for lane in lanes:
            await take_lease(house, lane.connection_id, owner="bench", owner_key=0)
        await asyncio.sleep(2)


async def _sell(
    house: House, pos: Partner, lane: Lane, heard: dict[str, float], pairs: int, sales: int, closed: asyncio.Event
) -> None:
    """Sales at the register while the run lasts, spread over the catalogue, each heard at once by a notice."""
    for number in range(1, sales + 1):
        if closed.is_set():
            return
        item = f"i{(number * 7919) % pairs + 1}"
        pos.levels[item] -= 1
        heard.setdefault(item, time.monotonic())
        async with db.transaction(house.pool) as conn:
            cell = await conn.fetchval(
                "select c.id from cells c join items i on i.id = c.item_id where i.key = $1 and c.connection_id = $2",
                item,
                lane.connection_id,
            )
            await db.run(conn, "mark_cells", ids=[cell], now=house.now())
            await db.notify(conn, f"connection:{lane.connection_id}")
        await asyncio.sleep(0.1)


RUN_OF_ALL = """
with run as (
  insert into runs (kind, route_id, started_at, updated_at, total)
  select 'push', id, $1, $1, $2 from routes returning id)
insert into run_rows (run_id, pair_id, cell_id, side, rank, action, before, after, gap, moved, state, since)
select run.id, p.id, p.channel_cell, 'channel', 2, 'write_channel', 900, 1000, 100, 100, 'done', $1 from run, pairs p
returning run_id
"""


async def bench_list(house: House, path: Path, pairs: int, runs: int) -> None:
    for _ in range(runs):
        async with db.transaction(house.pool) as conn:
            run = await conn.fetchval(RUN_OF_ALL, house.now(), pairs)
            await portions.finish_if_over(house, conn, run)
    await house.pool.execute("vacuum analyze run_rows")
    times, used = [], Processor(path)
    for _ in range(5):
        began = time.monotonic()
        found = await control.latest(house, limit=runs)
        times.append(time.monotonic() - began)
    units = {view.up for view in found}
    print(
        f"list: {len(found)} runs of {pairs} rows, units up {units}: {min(times) * 1000:.0f} to "
        f"{max(times) * 1000:.0f} ms in {len(times)} tries; {used}"
    )


async def main(what: str, pairs: int, sales: int, runs: int) -> None:
    async with house_of(pairs) as (house, path):
        if what == "list":
            await bench_list(house, path, pairs, runs)
        elif what == "preview":
            await bench_preview(house, path, pairs)
        else:
            await bench_push(house, path, pairs, sales)


if __name__ == "__main__":
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("what", choices=["preview", "push", "list"])
    given.add_argument("--pairs", type=int, default=100_000)
    given.add_argument("--sales", type=int, default=10_000, help="at most; ten a second while the push runs")
    given.add_argument("--runs", type=int, default=50, help="of the list")
    chosen = given.parse_args()
    sys.exit(asyncio.run(main(chosen.what, chosen.pairs, chosen.sales, chosen.runs)))
