"""A channel that only takes absolute numbers: its orders are its movements, and none is lost or counted twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from inventory_sync.store.db import Pool
from tests.engine.bench_cart import SWITCHES, CartBench, furnish_cart

READ, WRITE = "searchProductQuantity", "updateProductQuantity"


@pytest.fixture
async def bench(pool: Pool) -> CartBench:
    bench = await furnish_cart(pool)
    await bench.run(30)  # no reading is fresh any more
    bench.begin()
    return bench


async def test_an_order_lowers_the_ledger_once_and_nothing_is_written_back(bench: CartBench) -> None:
    bench.order(3)
    await bench.rest()
    assert (bench.ledger(), bench.stock()) == (7, 7)
    assert bench.ours("cart") == []
    assert await bench.journal() == [(-3, "outside")]


async def test_a_sale_at_the_register_is_told_as_a_number_after_a_fresh_reading(bench: CartBench) -> None:
    bench.move_ledger("A-1", -4)
    await bench.rest()
    assert (bench.ledger(), bench.stock()) == (6, 6)
    [told] = bench.ours("cart")
    assert (told.delta, told.after) == (-4, 6)


@pytest.mark.parametrize("before", [False, True], ids=["right after our reading", "right before our reading"])
async def test_an_order_between_our_reading_and_our_write_is_neither_lost_nor_counted_twice(
    bench: CartBench, before: bool
) -> None:
    item = bench.items["cart"]["A-1"]
    bench.move_ledger("A-1", -4)
    bench.cart.on_next(READ, lambda now: bench.cart.sell(item, 2, now), before=before)
    await bench.rest(seconds=200)
    assert bench.ledger() == 10 - 4 - 2
    assert bench.stock() == 4
    outside = [units for units, kind in await bench.journal() if kind == "outside"]
    assert outside == [-2]


async def test_a_cancel_raises_nothing_by_itself_and_a_restock_is_found_in_the_level(bench: CartBench) -> None:
    number = bench.order(3)
    await bench.rest()
    bench.cart.cancel_order(number, bench.agenda.now, restock=False)
    await bench.run(120)
    assert (bench.ledger(), bench.stock()) == (7, 7)

    number = bench.order(2)
    await bench.rest()
    bench.cart.cancel_order(number, bench.agenda.now, restock=True)
    await bench.run(400)
    assert (bench.ledger(), bench.stock()) == (7, 7)
    assert [units for units, _ in await bench.journal()] == [-3, -2, 2]


async def test_a_provisional_order_that_vanishes_gives_back_what_it_took(bench: CartBench) -> None:
    number = bench.order(3, provisional=True)
    await bench.rest()
    assert bench.ledger() == 7
    bench.cart.vanish_order(number, bench.agenda.now)
    await bench.run(400)
    assert (bench.ledger(), bench.stock()) == (10, 10)


async def test_a_persons_restock_between_two_writes_is_found_and_posted(bench: CartBench) -> None:
    bench.cart.adjust(bench.items["cart"]["A-1"], 5, bench.agenda.now)
    bench.move_ledger("A-1", -1)
    await bench.run(400)
    assert bench.ledger() == 14
    assert bench.stock() == 14


async def test_a_rise_and_an_order_in_one_reading_and_one_we_erase_leave_the_lower_number_and_an_alert(
    pool: Pool,
) -> None:
    bench = await furnish_cart(pool, cart_switches=replace(SWITCHES, order_lag=8.0))
    await bench.run(30)
    bench.begin()
    item = bench.items["cart"]["A-1"]

    def stock_up_and_sell(now: datetime) -> None:
        bench.cart.adjust(item, 5, now)
        bench.cart.sell(item, 3, now)

    bench.move_ledger("A-1", -4)
    bench.cart.on_next(READ, stock_up_and_sell, before=True)  # one reading shows both as a rise of 2
    bench.cart.on_next(WRITE, lambda now: bench.cart.sell(item, 4, now), before=True)  # our number erases this one
    await bench.rest(seconds=400)
    truly = 10 - 4 + 5 - 3 - 4
    [pair] = await bench.rows("select uncertain from pairs where uncertain > 0")
    assert truly - pair["uncertain"] <= bench.ledger() < truly
    assert bench.stock() == bench.ledger()
    assert await bench.rows("select * from alerts where code = 'uncertain' and closed_at is null")


async def test_a_new_order_is_heard_within_five_seconds(bench: CartBench) -> None:
    at = bench.agenda.now
    bench.order(1)
    await bench.until(lambda: bench.ours("pos"), seconds=20)
    assert (bench.ours("pos")[0].at - at).total_seconds() <= 5


async def test_requests_never_overlap_nor_go_over_the_rate(bench: CartBench) -> None:
    for _ in range(5):
        bench.order(1)
        bench.move_ledger("A-1", -1)
        await bench.run(3)
    await bench.rest(seconds=300)
    assert (bench.ledger(), bench.stock()) == (0, 0)
    assert bench.broken_limits() == []
