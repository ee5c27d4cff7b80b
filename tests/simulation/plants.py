"""Planted bugs: each breaks one rule of the truth model, and the monitors must see it.

A plant is a context manager that gives a function to put it into a world that is about to get rough.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from unittest.mock import patch

from inventory_sync.engine import doubt, observe, order_policy, push, sales, settle
from inventory_sync.engine.lane import House, Lane, Progress
from inventory_sync.ledger import api
from inventory_sync.model.ids import BatchId, CellId
from inventory_sync.model.order_policy import Stand
from inventory_sync.model.orders import Seen
from inventory_sync.store import cells, db, pairs
from inventory_sync.systems.budget import TokenBucket
from inventory_sync.systems.errors import RetryLater
from inventory_sync.systems.port import Accepted, Applied, NotApplied, PlannedOp, PreparedRequest
from inventory_sync.systems.serial import SerialBudget
from inventory_sync.systems.smaregi.limits import Window
from tests.simulation.bulk import wherever_two_wait
from tests.simulation.kinds import ABSOLUTE, BUILTIN, CLASSIC, EXPECT, RELATIVE, SETS, SHOPS, Options
from tests.simulation.world import World

Put = Callable[[World], Awaitable[None]]


async def _nothing(_: World) -> None:
    """The bug needs nothing of the world."""


@contextmanager
def retry_with_a_new_key() -> Iterator[Put]:
    """A repeated request carries a fresh idempotency key."""
    original = push.send

    async def send(house: House, lane: Lane, batch: push.Batch, *, attempt: int = 1) -> None:
        if attempt > 1:
            key = str(uuid.UUID(house.ambient.new_id()))
            body = batch.prepared.body.replace(batch.prepared.key.encode(), key.encode())
            batch = replace(batch, prepared=replace(batch.prepared, body=body, key=key))
        await original(house, lane, batch, attempt=attempt)

    with patch.object(push, "send", send):
        yield _nothing


@contextmanager
def a_stale_reading_counts() -> Iterator[Put]:
    """Every reading counts, whenever it was asked."""
    with patch.object(observe.readings, "judge", lambda *_, **__: None):
        yield _nothing


@contextmanager
def the_number_alone_ends_doubt() -> Iterator[Put]:
    """A doubtful op is taken as applied if the level looks like it, else as not applied."""

    async def by_number(house: House, lane: Lane, batch: BatchId) -> None:
        ops = await doubt._ops(house, batch)
        try:
            levels = {r.cell: r.quantity for r in await lane.client.read([o.cell for o in ops], changed_since=None)}
        except RetryLater as error:
            await doubt._look_again(house, lane, batch, error.after, "busy")
            return
        known = {
            r["id"]: r["known"]
            for r in await house.pool.fetch(
                "select o.id, c.known from ops o join cells c on c.id = o.cell_id where o.batch_id = $1", batch
            )
        }
        outcomes = {
            o.op: Applied() if levels.get(o.cell) == known[o.op] + o.delta else NotApplied("the number says no")
            for o in ops
        }
        await settle.settle(house, lane, batch, settle.Answered(outcomes), attempt=1)

    with patch.object(doubt, "_by_key", by_number), patch.object(doubt, "_by_history", by_number):
        yield _nothing


@contextmanager
def a_refused_reading_clears_marks() -> Iterator[Put]:
    """A reading that did not count clears the cell's mark all the same."""
    original = cells.postpone

    async def postpone(conn: db.Connection, later: Sequence[tuple[CellId, datetime]]) -> None:
        await original(conn, later)
        await conn.execute(
            "update cells set marked_at = null, dirty_since = null, read_due = null where id = any($1::bigint[])",
            [cell for cell, _ in later],
        )

    with patch.object(cells, "postpone", postpone):
        yield _nothing


class _OneConnection:
    """A pool that always gives the one connection whose transaction is open."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def acquire(self) -> _OneConnection:
        return self

    async def __aenter__(self) -> Any:
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        """The connection stays open."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@contextmanager
def sending_inside_the_transaction() -> Iterator[Put]:
    """The request leaves before the transaction that marks it sent has committed."""
    compose, sound = push.compose, push.push
    worlds: list[World] = []

    async def put(world: World) -> None:
        worlds.append(world)

    async def inside(house: House, lane: Lane) -> Progress:
        now = house.now()
        if not worlds:
            return await sound(house, lane)
        paused = lane.paused(now)
        if paused is not None or lane.client.budget.wait("write", now) > 0:
            return Progress(0, paused)
        async with db.transaction(house.pool) as conn:
            pool: Any = _OneConnection(conn)
            one = replace(house, pool=pool)
            batch = await compose(one, lane)
            if batch is None:
                return Progress(0)
            tasks = worlds[-1].tasks
            tasks.held += 1
            try:
                await push.send(one, lane, batch)
            finally:
                tasks.held -= 1
        return Progress(1, house.now())

    with patch.object(push, "push", inside):
        yield put


@contextmanager
def an_unacknowledged_increase_counts() -> Iterator[Put]:
    """A rise at one channel is told to the other before the ledger acknowledged it."""
    original = pairs.states

    async def states(conn: db.Connection, rows: Any, **options: Any) -> dict[CellId, pairs.KnownPair]:
        found = await original(conn, rows, **options)
        changed = {}
        for cell, pair in found.items():
            others = await conn.fetchval(
                "select coalesce(sum(k2.owed_up + k2.sent_up), 0) from components k join components k2 on "
                "k2.ledger_cell = k.ledger_cell where k.pair_id = $1 and k2.pair_id <> $1",
                pair.id,
            )
            ledger = tuple(replace(side, own_up=side.own_up + others) for side in pair.state.ledger)
            changed[cell] = replace(pair, state=replace(pair.state, ledger=ledger))
        return changed

    with patch.object(pairs, "states", states):
        yield _nothing


@contextmanager
def a_full_budget_after_restart() -> Iterator[Put]:
    """A process that starts believes that nobody spent anything in the second before it, and counts no answers."""
    wait, spend = TokenBucket.wait, TokenBucket.spend
    credits: dict[TokenBucket, float] = {}
    worlds: list[World] = []

    async def put(world: World) -> None:
        worlds.append(world)

    def credit(bucket: TokenBucket) -> float:
        fresh = bucket.refill_per_second if worlds else 0.0
        return credits.setdefault(bucket, fresh)

    def generous_wait(bucket: TokenBucket, cost: float, now: datetime) -> float:
        return 0.0 if credit(bucket) >= cost else wait(bucket, cost, now)

    def generous_spend(bucket: TokenBucket, cost: float, now: datetime) -> None:
        if credit(bucket) >= cost:
            credits[bucket] -= cost
        else:
            spend(bucket, cost, now)

    with (
        patch.object(TokenBucket, "wait", generous_wait),
        patch.object(TokenBucket, "spend", generous_spend),
        patch.object(Window, "wait", lambda window, requests, now: 0.0),
    ):
        yield put


@contextmanager
def a_number_set_from_an_old_reading() -> Iterator[Put]:
    """A number is set whenever it is due, however old the reading is that it was composed from."""
    with patch.object(push, "_may_write", lambda *_: True):
        yield _nothing


@contextmanager
def an_order_counted_twice() -> Iterator[Put]:
    """An order that was counted counts once more when the next list shows it; three of them do."""
    original = order_policy.weigh
    again = iter(range(3))

    def weighed_again(line: Any, before: Any, *given: Any, **named: Any) -> Any:
        forgotten = before.counted and next(again, None) is not None
        return original(line, Stand() if forgotten else before, *given, **named)

    with patch.object(order_policy, "weigh", weighed_again):
        yield _nothing


@contextmanager
def unexplained_units_count_at_first_sight() -> Iterator[Put]:
    """What no order explains is somebody else's movement the first time it is seen: soon its order is listed too."""
    original = observe.see

    def see(*given: Any, **named: Any) -> Seen:
        seen = original(*given, **named)
        return Seen.MOVED if seen is Seen.LOOK_AGAIN else seen

    with patch.object(observe, "see", see):
        yield _nothing


@contextmanager
def a_serial_partner_is_not_waited_for() -> Iterator[Put]:
    """After a time-out the next request leaves as after an answer, while the one before may still be under way."""
    original = SerialBudget.end

    def end(budget: SerialBudget, now: datetime, *, quiet: timedelta = timedelta(0)) -> None:
        original(budget, now)

    with patch.object(SerialBudget, "end", end):
        yield _nothing


@contextmanager
def _without(query: str) -> Iterator[Put]:
    """A statement is left out from the moment the world gets rough."""
    original = db.run
    rough: list[World] = []

    async def put(world: World) -> None:
        rough.append(world)

    async def run(conn: db.Connection, name: str, /, **given: Any) -> None:
        if name != query or not rough:
            await original(conn, name, **given)

    with patch.object(db, "run", run):
        yield put


def a_blind_number_is_left_alone() -> AbstractContextManager[Put]:
    """A number that cannot be read is not set again when an order of it was cancelled, or a write of it failed."""
    return _without("ask_rewrite")


def the_other_stores_are_not_looked_at() -> AbstractContextManager[Put]:
    """After a difference in one store of a pool, or one component of a set, the others are not read."""
    return _without("mark_siblings")


@contextmanager
def a_sold_set_lowers_one_component() -> Iterator[Put]:
    """What moves at a set is owed to one of its components only."""
    original = sales._post

    async def post(conn: db.Connection, movements: Sequence[sales.Journalled]) -> None:
        await original(conn, movements)
        await conn.execute(
            "update components k set owed_down = 0, owed_up = 0 from pairs p where p.id = k.pair_id "
            "and p.shape = 'set' and k.ledger_cell > (select min(ledger_cell) from components where pair_id = p.id)"
        )

    with patch.object(sales, "_post", post):
        yield _nothing


@contextmanager
def an_expected_sale_is_not_held() -> Iterator[Put]:
    """What a channel sold, and somebody else is to book, stays for sale until the ledger shows it."""

    async def nothing(*_: object) -> None:
        """No sale is expected."""

    with patch.object(sales, "_expect", nothing):
        yield _nothing


@contextmanager
def the_ledger_forgets_keys() -> Iterator[Put]:
    """The built-in ledger books a repeated request once more."""
    numbers = count()
    with patch.object(api, "_needed_key", lambda request: f"forgotten-{next(numbers)}"):
        yield _nothing


@contextmanager
def an_accepted_batch_counts_as_done() -> Iterator[Put]:
    """That the register accepted a bulk call counts as its outcome."""
    original = settle.ask

    async def ask(house: House, lane: Lane, prepared: PreparedRequest, ops: Sequence[PlannedOp]) -> settle.Outcome:
        outcome = await original(house, lane, prepared, ops)
        if isinstance(outcome, Accepted):
            return settle.Answered({op.op: Applied() for op in ops})
        return outcome

    with wherever_two_wait(), patch.object(settle, "ask", ask):
        yield _nothing


PLANTS: dict[str, Callable[[], AbstractContextManager[Put]]] = {
    "new-key": retry_with_a_new_key,
    "stale-reading": a_stale_reading_counts,
    "number-alone": the_number_alone_ends_doubt,
    "mark-cleared": a_refused_reading_clears_marks,
    "send-inside": sending_inside_the_transaction,
    "unacknowledged": an_unacknowledged_increase_counts,
    "full-budget": a_full_budget_after_restart,
    "old-reading": a_number_set_from_an_old_reading,
    "order-twice": an_order_counted_twice,
    "first-sight": unexplained_units_count_at_first_sight,
    "overlap": a_serial_partner_is_not_waited_for,
    "left-alone": a_blind_number_is_left_alone,
    "one-store": the_other_stores_are_not_looked_at,
    "one-component": a_sold_set_lowers_one_component,
    "key-forgotten": the_ledger_forgets_keys,
    "not-held": an_expected_sale_is_not_held,
    "accepted": an_accepted_batch_counts_as_done,
}

ROUGHER = {
    "new-key": Options(world=SHOPS),
    "number-alone": Options(world=SHOPS),
    "send-inside": Options(world=SHOPS),
    "full-budget": Options(limits=(8, 4), crash_every=6.0, world=SHOPS),
    "old-reading": Options(world=ABSOLUTE),
    "order-twice": Options(world=ABSOLUTE),
    "first-sight": Options(world=ABSOLUTE),
    "overlap": Options(world=CLASSIC, fault_chance=0.2),
    "left-alone": Options(world=CLASSIC),
    "one-store": Options(world=RELATIVE),
    "one-component": Options(world=SETS),
    "key-forgotten": Options(world=BUILTIN),
    "not-held": Options(world=EXPECT),
    "accepted": Options(world=SHOPS, bulk=True),
}
"""Worlds in which a bug can show, or shows sooner: that dies often, say, with partners that allow little."""
