"""Where orders are the source of changes: orders that are not paid, that come twice, or whose item nobody knows yet."""

from __future__ import annotations

from typing import Any

import pytest

from inventory_sync.engine import order_policy
from inventory_sync.engine.explain import Cause
from inventory_sync.store.db import Pool
from tests.engine.bench_cart import PROVEN, CartBench, furnish_cart
from tests.engine.explain_support import ask, told

HOLD, IGNORE = {"unpaid": "hold"}, {"unpaid": "ignore"}


async def set_policy(bench: CartBench, **policy: Any) -> None:
    await bench.pool.execute(
        "update connections set settings = settings || jsonb_build_object('orders', $1::jsonb) where name = 'cart'",
        policy,
    )


async def furnish(pool: Pool, **policy: Any) -> CartBench:
    bench = await furnish_cart(pool)
    await set_policy(bench, **policy)
    await bench.run(30)
    bench.begin()
    return bench


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


@pytest.mark.row("S3-31")
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


async def test_a_policy_has_no_effect_once_levels_are_the_source_and_an_alert_says_so(pool: Pool) -> None:
    bench = await furnish_cart(pool, calibration=dict(PROVEN))
    await set_policy(bench, **HOLD)
    bench.order(3, paid=False)
    await bench.run(80)
    assert (bench.ledger(), bench.stock()) == (7, 7), "the level has fallen, and that is a sale"
    [alert] = await bench.alerts("unpaid_policy_void")
    assert (alert["subject"], alert["detail"]["problem"]) == ("cart", "IS-ORD-003")
    await set_policy(bench, unpaid="reserve")
    await bench.run(80)
    assert await bench.alerts("unpaid_policy_void") == []


@pytest.mark.parametrize(("policy", "cause"), [(HOLD, Cause.ORDERS_UNPAID), (IGNORE, Cause.ORDERS_IGNORED)])
async def test_explain_names_the_unpaid_order_behind_a_number(pool: Pool, policy: dict[str, str], cause: Cause) -> None:
    bench = await furnish(pool, **policy)
    number = bench.order(3, paid=False)
    await bench.run(40)
    found = await ask(bench)
    [said] = [each for each in found.lines[0].findings if each.cause is cause]
    assert number in said.en
    assert number in said.ja
    assert [(before, after) for before, after, cause in told(found.events, "movement", "cart") if cause == "order"]
    [line] = await order_policy.waiting(bench.house)
    assert (line["order_id"], line["live"], line["held"]) == (number, 3, 3 if policy is HOLD else 0)


async def test_an_order_paid_while_its_level_is_not_known_is_told_once_it_is(pool: Pool) -> None:
    bench = await furnish(pool, **HOLD)
    number = bench.order(3, paid=False)
    await bench.run(30)
    bench.off |= {"observe"}
    await bench.pool.execute(
        "update cells set known = null, version = version + 1 where connection_id = $1",
        bench.partners["cart"].connection_id,
    )
    bench.cart.pay_order(number, bench.agenda.now)
    await bench.run(20)
    assert bench.ledger() == 10
    [line] = await order_policy.waiting(bench.house)
    assert (line["payment"], line["held"], line["live"]) == ("paid", 3, 3)
    bench.off.clear()
    await bench.pool.execute(
        "update cells set read_due = $2, marked_at = $2 where connection_id = $1",
        bench.partners["cart"].connection_id,
        bench.agenda.now,
    )
    bench.wake()
    await bench.run(80)
    assert (bench.ledger(), bench.stock()) == (7, 7)
    assert await order_policy.waiting(bench.house) == []
