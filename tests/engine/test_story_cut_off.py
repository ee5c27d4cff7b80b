"""A channel that adds and subtracts, and stops at 0 without a word: an order that met our decrease still counts."""

from __future__ import annotations

import pytest

from inventory_sync.store.db import Pool
from tests.engine.bench_cart import PROVEN, CartBench, furnish_cart

READ, WRITE = "searchProductQuantity", "updateProductQuantity"


@pytest.fixture
async def bench(pool: Pool) -> CartBench:
    bench = await furnish_cart(pool, calibration=dict(PROVEN))
    await bench.run(30)
    bench.begin()
    return bench


@pytest.mark.parametrize("met", ["after our reading", "before our write"])
async def test_an_order_that_a_decrease_met_at_zero_is_found_by_the_orders(bench: CartBench, met: str) -> None:
    item = bench.items["cart"]["A-1"]
    bench.move_ledger("A-1", -9)  # our -9 meets an order of 4, and stops at 0: 3 of them seem to vanish
    if met == "after our reading":
        bench.cart.on_next(READ, lambda now: bench.cart.sell(item, 4, now))
    else:
        bench.cart.on_next(WRITE, lambda now: bench.cart.sell(item, 4, now), before=True)
    await bench.rest(seconds=300)
    assert bench.ledger() == 10 - 9 - 4
    assert bench.stock() == 0
    assert sum(units for units, kind in await bench.journal() if kind == "outside") == -4


async def test_a_decrease_follows_a_reading_so_that_little_can_come_between(bench: CartBench) -> None:
    bench.order(4)
    bench.move_ledger("A-1", -5)
    await bench.rest(seconds=300)
    assert (bench.ledger(), bench.stock()) == (1, 1)
    assert [(units, kind) for units, kind in await bench.journal()] == [(-4, "outside")]


async def test_zero_that_no_order_met_is_nobodys_movement(bench: CartBench) -> None:
    bench.move_ledger("A-1", -10)
    await bench.rest(seconds=300)
    await bench.run(120)
    assert (bench.ledger(), bench.stock()) == (0, 0)
    assert await bench.journal() == []


async def test_an_order_seen_by_its_level_is_not_counted_again_when_zero_is_compared(bench: CartBench) -> None:
    bench.order(3)
    await bench.rest(seconds=300)
    bench.move_ledger("A-1", -7)
    await bench.rest(seconds=300)
    await bench.run(120)
    assert (bench.ledger(), bench.stock()) == (0, 0)
    assert [units for units, _ in await bench.journal()] == [-3]
