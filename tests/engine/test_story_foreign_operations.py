"""What people do with an order in the shop that belongs to somebody else: it is found, counted once, and put right."""

from __future__ import annotations

import pytest

from inventory_sync.engine.explain import Cause
from tests.engine.conftest import Furnish
from tests.engine.explain_support import ask, causes, told
from tests.engine.sales_support import Trading, trading


def cancelled_at_the_register_too(trade: Trading, units: int) -> None:
    """The order system takes its booking back."""
    bench = trade.bench
    bench.pos.foreign_api_change(bench.products["A-1"], "1", units, trade.now, memo="importer")
    bench.heard("pos")


@pytest.mark.row("S1-4")
@pytest.mark.parametrize("shop_first", [True, False], ids=["the shop first", "the register first"])
async def test_an_order_that_is_cancelled_on_both_sides_is_put_back_once(furnished: Furnish, shop_first: bool) -> None:
    trade = await trading(furnished)
    order = trade.order(2)
    await trade.rest()
    trade.book(2)
    await trade.rest()
    assert trade.bench.ledger() == trade.bench.channel() == 8
    acts = [lambda: trade.cancel(order), lambda: cancelled_at_the_register_too(trade, 2)]
    for act in acts if shop_first else reversed(acts):
        act()
        await trade.rest()
    await trade.later(minutes=5)
    assert trade.bench.ledger() == trade.bench.channel() == 10, "not 12: the goods came back once"
    assert trade.bench.ours("pos") == []


@pytest.mark.row("S1-4")
async def test_an_order_that_is_cancelled_before_it_was_booked_leaves_nothing_behind(furnished: Furnish) -> None:
    trade = await trading(furnished)
    order = trade.order(2)
    await trade.rest()
    assert await trade.held() == 2
    trade.cancel(order)
    await trade.rest()
    await trade.later(minutes=10)
    assert await trade.held() == 0
    assert trade.bench.ledger() == trade.bench.channel() == 10
    assert await trade.bench.alerts("sale_not_booked") == []


@pytest.mark.row("S1-5")
async def test_goods_put_back_in_the_shop_alone_are_found_noted_and_put_right(furnished: Furnish) -> None:
    trade = await trading(furnished)
    order = trade.order(2)
    await trade.rest()
    trade.book(2)
    await trade.rest()
    trade.cancel(order)
    await trade.rest()
    await trade.later(minutes=2)
    bench = trade.bench
    assert bench.ledger() == bench.channel() == 8, "the register owns the order, and it never took the goods back"
    found = await ask(bench)
    assert (8, 10, "") in told(found.events, "movement", "shop"), "what was done in the shop is in the journal"
    assert told(found.events, "write", "shop")[-1] == (10, 8, "live")
    assert Cause.CHANNEL_RAISED in await causes(bench)
    trade.assert_never_too_high()
