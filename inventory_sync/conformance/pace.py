"""Behaviours of pace: as fast as the partner allows, from the first request after a start, and never faster."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from inventory_sync.conformance.book import behaviour
from inventory_sync.conformance.stage import Stage, expect, expect_equal
from inventory_sync.systems.errors import RetryLater
from inventory_sync.systems.port import CellRef, Client

TIMES = 200


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


@behaviour("200 writes as fast as the budget allows, from a start with an empty budget, overstep no limit.")
async def fast_writes_overstep_nothing(stage: Stage) -> None:
    cells = stage.rig.stock([1000] * 5)
    client = stage.rig.client(budget_full=False)
    for number in range(TIMES):
        sent = stage.plan((cells[number % len(cells)], -1))
        await _paced(stage, client, "write", lambda s=sent: client.send(s.prepared, s.ops))  # type: ignore[misc]
    left = 1000 - TIMES // len(cells)
    expect_equal([stage.rig.truth(cell) for cell in cells], [left] * len(cells), "the numbers left")
    expect_equal(list(stage.rig.violations), [], "limits overstepped")


@behaviour("200 reads as fast as the budget allows, from a start with an empty budget, overstep no limit.")
async def fast_reads_overstep_nothing(stage: Stage) -> None:
    cells = stage.rig.stock([5] * 8)
    await stage.settle()
    client = stage.rig.client(budget_full=False)

    async def ask(chosen: Sequence[CellRef]) -> None:
        found = await client.read(chosen, changed_since=None)
        expect(all(reading.quantity == 5 for reading in found), f"read wrongly in a hurry: {found}")

    for number in range(TIMES):
        chosen = cells[number % len(cells) :][:2]
        await _paced(stage, client, "read", lambda c=chosen: ask(c))  # type: ignore[misc]
    expect_equal(list(stage.rig.violations), [], "limits overstepped")


@behaviour("A client that was just made has an empty budget and sends nothing before it fills.")
async def a_new_client_starts_with_nothing(stage: Stage) -> None:
    (cell,) = stage.rig.stock([5])
    client = stage.rig.client(budget_full=False)
    expect(client.budget.wait("write", stage.rig.now()) > 0, "a write may leave at once after a start")
    sent = stage.plan((cell, -1))
    try:
        await client.send(sent.prepared, sent.ops)
    except RetryLater as error:
        expect(error.after > 0, "no time to wait")
        expect_equal(error.executed, False, "whether a request that never left was carried out")
    else:
        expect(False, "a write left with an empty budget")
    await stage.expect_effects(cell, [], "a write without a budget")
