"""Behaviours of pace: as fast as the partner allows, from the first request after a start, and never faster."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import cast

from inventory_sync.conformance.book import Need, behaviour
from inventory_sync.conformance.rig import Door, Trouble
from inventory_sync.conformance.stage import Stage, expect, expect_equal, refusal
from inventory_sync.systems.errors import RetryLater
from inventory_sync.systems.port import CellRef, Client, OrderClient

MANY = 200  # calls; enough to use up what is saved up in a budget
MANY_IN_LINE = 60  # the same where nothing is ever saved up
CROWD = 6  # of each kind


def _times(stage: Stage) -> int:
    return MANY_IN_LINE if stage.capabilities.serial else MANY


async def _paced(stage: Stage, client: Client, kind: str, ask: Callable[[], Awaitable[object]]) -> None:
    """One call when the client's own budget says that it may leave, and again where it asks for more patience."""
    for _ in range(20):
        wait = client.budget.wait(kind, stage.rig.now())
        if wait > 0:
            await stage.rig.pause(wait)
        try:
            await ask()
        except RetryLater as error:
            await stage.rig.pause(error.after)
        else:
            return
    expect(False, f"a {kind} was not let through in 20 attempts")


@behaviour("Many writes, as fast as the budget allows, from a start with an empty budget, overstep no limit.")
async def fast_writes_overstep_nothing(stage: Stage) -> None:
    cells = await stage.rig.stock([1000] * 5)
    client = stage.rig.client(budget_full=False)
    known = dict.fromkeys(cells, 1000)
    for number in range(_times(stage)):
        cell = cells[number % len(cells)]
        sent = await stage.plan((cell, -1), known=known)
        known[cell] -= 1
        await _paced(stage, client, "write", lambda s=sent: client.send(s.prepared, s.ops))  # type: ignore[misc]
    await stage.settle()
    left = 1000 - _times(stage) // len(cells)
    expect_equal([await stage.rig.truth(cell) for cell in cells], [left] * len(cells), "the numbers left")
    expect_equal(list(stage.rig.violations), [], "limits overstepped")


@behaviour("Many reads, as fast as the budget allows, from a start with an empty budget, overstep no limit.")
async def fast_reads_overstep_nothing(stage: Stage) -> None:
    cells = await stage.rig.stock([5] * 8)
    await stage.settle()
    client = stage.rig.client(budget_full=False)

    async def ask(chosen: Sequence[CellRef]) -> None:
        found = await client.read(chosen, changed_since=None)
        expect(all(reading.quantity == 5 for reading in found), f"read wrongly in a hurry: {found}")

    for number in range(_times(stage)):
        chosen = cells[number % len(cells) :][:2]
        await _paced(stage, client, "read", lambda c=chosen: ask(c))  # type: ignore[misc]
    expect_equal(list(stage.rig.violations), [], "limits overstepped")


@behaviour("A client that was just made has an empty budget and sends nothing before it fills.")
async def a_new_client_starts_with_nothing(stage: Stage) -> None:
    (cell,) = await stage.rig.stock([5])
    client = stage.rig.client(budget_full=False)
    expect(client.budget.wait("write", stage.rig.now()) > 0, "a write may leave at once after a start")
    sent = await stage.plan((cell, -1))
    try:
        await client.send(sent.prepared, sent.ops)
    except RetryLater as error:
        expect(error.after > 0, "no time to wait")
        expect_equal(error.executed, False, "whether a request that never left was carried out")
    else:
        expect(False, "a write left with an empty budget")
    await stage.expect_effects(cell, [], "a write without a budget")


@behaviour(
    "However many ask at once, requests go one after the other, a steady distance apart, and everyone has a turn.",
    Need.SERIAL,
)
async def a_crowd_stands_in_line(stage: Stage) -> None:
    readable = await stage.rig.stock([5] * CROWD)
    written = await stage.rig.stock([100] * CROWD)
    client = stage.rig.client(budget_full=False)
    served: Counter[str] = Counter()

    async def take_turns(name: str, ask: Callable[[], Awaitable[object]]) -> None:
        await stage.patiently(ask, most=CROWD * 100)
        served[name] += 1

    def read(cell: CellRef) -> Callable[[], Awaitable[object]]:
        return lambda: client.read([cell], changed_since=None)

    async def write(cell: CellRef) -> None:
        sent = await stage.plan((cell, -7), known={cell: 100})
        await take_turns("write", lambda: client.send(sent.prepared, sent.ops))

    async def look_for_orders() -> None:
        until = stage.rig.now()
        await take_turns("orders", lambda: cast(OrderClient, client).orders(until - timedelta(hours=1), until, None))

    kinds = 3 if stage.capabilities.has_orders else 2
    async with asyncio.TaskGroup() as group:
        for asked, changed in zip(readable, written, strict=True):
            group.create_task(take_turns("read", read(asked)))
            group.create_task(write(changed))
            if stage.capabilities.has_orders:
                group.create_task(look_for_orders())
    expect_equal(sorted(served.values()), [CROWD] * kinds, f"calls that had their turn, of {dict(served)}")
    await stage.settle()
    expect_equal([await stage.rig.truth(cell) for cell in written], [93] * CROWD, "the numbers written")
    expect_equal(list(stage.rig.violations), [], "limits overstepped")


@behaviour("After a request that was never answered nothing leaves until it must be over there as well.", Need.SERIAL)
async def an_unanswered_request_is_waited_for(stage: Stage) -> None:
    (cell,) = await stage.rig.stock([5])
    client = stage.rig.client(impatient=True)
    await stage.rested(client)
    stage.trouble(Door.READ, Trouble.LATE)
    await refusal(RetryLater, client.read([cell], changed_since=None))
    sent = await stage.plan((cell, -1))
    patience = client.capabilities.request_timeout.total_seconds()
    for ask in (lambda: client.read([cell], changed_since=None), lambda: client.send(sent.prepared, sent.ops)):
        error = await refusal(RetryLater, ask())
        expect(error.after >= patience, f"asked to come again in {error.after} s, though the last one took {patience}")
    found = await stage.patiently(lambda: client.read([cell], changed_since=None))
    expect_equal([reading.quantity for reading in found], [5], "the number read afterwards")
    await stage.expect_effects(cell, [], "a write that was not let through")
