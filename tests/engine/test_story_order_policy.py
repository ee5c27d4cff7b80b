"""Where orders are the source of changes: orders that are not paid, that come twice, or whose item nobody knows yet."""

from __future__ import annotations

from typing import Any

import pytest

from inventory_sync.store.db import Pool
from tests.engine.bench_cart import CartBench, furnish_cart

HOLD, IGNORE = {"unpaid": "hold"}, {"unpaid": "ignore"}


async def furnish(pool: Pool, **policy: Any) -> CartBench:
    bench = await furnish_cart(pool)
    await bench.pool.execute(
        "update connections set settings = settings || jsonb_build_object('orders', $1::jsonb) where name = 'cart'",
        policy,
    )
    await bench.run(30)
    bench.begin()
    return bench


async def line_of(bench: CartBench, order: str) -> dict[str, Any]:
    [found] = await bench.rows("select * from order_lines where order_id = $1", order)
    return dict(found)


@pytest.mark.row("S3-31")
async def test_an_unpaid_order_counts_at_once_by_default(pool: Pool) -> None:
    bench = await furnish(pool)
    number = bench.order(3, paid=False)
    await bench.rest()
    assert (bench.ledger(), bench.stock()) == (7, 7)
    bench.cart.pay_order(number, bench.agenda.now)
    await bench.run(40)
    assert (bench.ledger(), bench.stock()) == (7, 7)
    assert await bench.journal() == [(-3, "outside")]


async def test_a_held_order_is_kept_from_the_channel_and_told_to_the_ledger_when_it_is_paid(pool: Pool) -> None:
    bench = await furnish(pool, **HOLD)
    number = bench.order(3, paid=False)
    await bench.run(40)
    assert (bench.ledger(), bench.stock()) == (10, 7)
    assert bench.ours("cart") == []
    bench.cart.pay_order(number, bench.agenda.now)
    await bench.run(40)
    assert (bench.ledger(), bench.stock()) == (7, 7)
    assert bench.ours("cart") == []
    assert sum(units for units, kind in await bench.journal() if kind == "outside") == -3


@pytest.mark.parametrize("restock", [True, False])
async def test_a_held_order_that_is_cancelled_is_let_go_and_the_ledger_never_hears_of_it(
    pool: Pool, restock: bool
) -> None:
    bench = await furnish(pool, **HOLD)
    number = bench.order(3, paid=False)
    await bench.run(30)
    bench.cart.cancel_order(number, bench.agenda.now, restock=restock)
    await bench.run(75)
    assert (bench.ledger(), bench.stock()) == (10, 10)
    assert [units for units, kind in await bench.journal() if kind == "outside"] == []
    assert bench.ours("pos") == []


@pytest.mark.parametrize("restock", [True, False])
async def test_an_ignored_order_leaves_its_units_on_sale_until_it_is_paid(pool: Pool, restock: bool) -> None:
    bench = await furnish(pool, **IGNORE)
    number = bench.order(3, paid=False)
    await bench.run(40)
    assert (bench.ledger(), bench.stock()) == (10, 10)
    bench.cart.pay_order(number, bench.agenda.now)
    await bench.run(40)
    assert (bench.ledger(), bench.stock()) == (7, 7)

    number = bench.order(2, paid=False)
    await bench.run(40)
    assert (bench.ledger(), bench.stock()) == (7, 7)
    bench.cart.cancel_order(number, bench.agenda.now, restock=restock)
    await bench.run(75)
    assert (bench.ledger(), bench.stock()) == (7, 7)


@pytest.mark.parametrize("policy", [HOLD, IGNORE], ids=["hold", "ignore"])
async def test_an_edit_of_an_unpaid_order_moves_nothing_but_what_it_holds(pool: Pool, policy: dict[str, str]) -> None:
    bench = await furnish(pool, **policy)
    shown = 10 if policy is IGNORE else None
    number = bench.order(3, paid=False)
    await bench.run(30)
    for units in (1, 4, 2):
        bench.cart.edit_order(number, bench.items["cart"]["A-1"], units, bench.agenda.now)
        await bench.run(75)
        assert (bench.ledger(), bench.stock()) == (10, shown or 10 - units)
    bench.cart.pay_order(number, bench.agenda.now)
    await bench.run(40)
    assert (bench.ledger(), bench.stock()) == (8, 8)


async def test_a_reserved_order_that_stays_unpaid_gives_back_what_it_took(pool: Pool) -> None:
    bench = await furnish(pool, unpaid="reserve", unpaid_expires="5m")
    number = bench.order(3, paid=False)
    await bench.rest()
    assert (bench.ledger(), bench.stock()) == (7, 7)
    await bench.run(330)
    assert (bench.ledger(), bench.stock()) == (10, 10)
    bench.cart.pay_order(number, bench.agenda.now)  # late, but it is paid
    await bench.run(40)
    assert (bench.ledger(), bench.stock()) == (7, 7)


async def test_a_held_order_that_stays_unpaid_is_let_go(pool: Pool) -> None:
    bench = await furnish(pool, unpaid="hold", unpaid_expires="5m")
    number = bench.order(3, paid=False)
    await bench.run(150)
    assert (bench.ledger(), bench.stock()) == (10, 7)
    await bench.run(200)
    assert (bench.ledger(), bench.stock()) == (10, 10)
    bench.cart.cancel_order(number, bench.agenda.now, restock=True)
    await bench.run(75)
    assert (bench.ledger(), bench.stock()) == (10, 10)
