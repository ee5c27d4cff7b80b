"""Which number: goods laid away, goods that orders have taken, and a stock-take that counts what is there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.bench import ADJUST
from tests.engine.bench_house import SHOPIFY_SWITCHES, SMAREGI_SWITCHES
from tests.engine.conftest import Furnish
from tests.engine.sales_support import CODE, WITHIN, Trading, trading

POST = {"sales": "post"}
STAYS = replace(SMAREGI_SWITCHES, layaway_reduces_stock=False)


def on_hand(trade: Trading) -> int:
    """What physically lies in the shop's location, as the shop itself counts it."""
    bench = trade.bench
    return int(bench.shop().on_hand(bench.items["shop"][CODE], bench.place()))


async def test_goods_laid_away_leave_the_stock_and_so_the_shop(furnished: Furnish) -> None:
    trade = await trading(furnished, route=POST)
    trade.bench.pos.layaway(trade.bench.products[CODE], "1", 3, trade.now)
    trade.bench.heard("pos")
    await trade.rest()
    assert (trade.bench.ledger(), trade.bench.channel()) == (7, 7)


@pytest.mark.parametrize("told", [True, False], ids=["told", "found by polling"])
async def test_goods_laid_away_that_stay_in_the_stock_are_subtracted_where_the_route_says_so(
    furnished: Furnish, told: bool
) -> None:
    trade = await trading(furnished, route=POST, basis="stock_minus_layaway", smaregi=STAYS)
    product = trade.bench.products[CODE]
    trade.bench.pos.layaway(product, "1", 3, trade.now)
    if told:
        trade.bench.heard("pos")
    await trade.bench.until(lambda: trade.bench.channel() == 7, seconds=120)
    await trade.rest()
    assert trade.bench.ledger() == 10
    trade.order(2)
    await trade.rest()
    assert (trade.bench.ledger(), trade.bench.channel()) == (8, 5)
    trade.bench.pos.cancel_layaway(product, "1", 3, trade.now)
    trade.bench.heard("pos")
    await trade.rest()
    assert (trade.bench.ledger(), trade.bench.channel()) == (8, 8)


async def test_a_route_that_goes_by_the_stock_does_not_move_for_what_only_is_laid_away(furnished: Furnish) -> None:
    trade = await trading(furnished, route=POST, smaregi=STAYS)
    trade.bench.pos.layaway(trade.bench.products[CODE], "1", 3, trade.now)
    trade.bench.heard("pos")
    await trade.rest()
    assert (trade.bench.ledger(), trade.bench.channel()) == (10, 10)
    assert trade.bench.requests("shop", ADJUST) == []


@pytest.mark.parametrize("webhook", [True, False], ids=["told", "found by polling"])
async def test_where_the_ledger_counts_what_is_there_a_shipment_is_posted_and_an_order_is_not(
    furnished: Furnish, webhook: bool
) -> None:
    switches = replace(SHOPIFY_SWITCHES, other_states_send_webhook=webhook)
    trade = await trading(furnished, route=POST, basis="on_hand", shopify=switches)
    order = trade.order(2)
    await trade.rest()
    assert (trade.bench.ledger(), trade.bench.channel(), on_hand(trade)) == (10, 8, 10)
    assert trade.bench.ours("pos") == []
    trade.ship(order)
    await trade.bench.until(lambda: trade.bench.ledger() == 8, seconds=120)
    await trade.rest()
    assert (trade.bench.ledger(), trade.bench.channel(), on_hand(trade)) == (8, 8, 8)
    assert [change.delta for change in trade.bench.ours("pos")] == [-2]
    assert trade.bench.ours("shop") == []


async def test_a_stock_take_that_counts_ordered_goods_does_not_sell_them_twice(furnished: Furnish) -> None:
    trade = await trading(furnished, route=POST, basis="on_hand")
    order = trade.order(4)
    await trade.rest()
    trade.bench.pos.count(trade.bench.products[CODE], "1", 9, trade.now)  # one is missing, four are ordered
    trade.bench.heard("pos")
    await trade.rest()
    assert (trade.bench.ledger(), trade.bench.channel()) == (9, 5)
    trade.ship(order)
    await trade.later(minutes=2)
    assert (trade.bench.ledger(), trade.bench.channel()) == (5, 5)
    assert [change.delta for change in trade.bench.ours("pos")] == [-4], "one order is taken once"


async def test_the_orders_of_one_shop_are_kept_from_the_other_where_the_ledger_counts_what_is_there(
    furnished: Furnish,
) -> None:
    trade = await trading(furnished, route=POST, basis="on_hand", shops=("shop", "mall"))
    trade.order(3)
    await trade.rest()
    assert trade.bench.ledger() == 10
    assert (trade.bench.channel(), trade.bench.channel(shop="mall")) == (7, 7)


@pytest.mark.parametrize("nameless", [False, True], ids=["names causes", "names nothing"])
async def test_where_somebody_else_books_shipments_one_order_is_taken_once(furnished: Furnish, nameless: bool) -> None:
    trade = await trading(furnished, nameless=nameless, basis="on_hand")
    order = trade.order(2)
    await trade.rest()
    assert (trade.bench.ledger(), trade.bench.channel(), await trade.held()) == (10, 8, 0)
    trade.ship(order)
    await trade.later(minutes=1.5)
    assert (trade.bench.ledger(), trade.bench.channel(), await trade.held()) == (10, 8, 2)
    trade.book(2, "shipment")
    await trade.rest()
    if nameless:
        await trade.later(minutes=WITHIN + 1)
    assert (trade.bench.ledger(), trade.bench.channel(), await trade.held()) == (8, 8, 0)
    trade.assert_never_too_high()


async def test_a_cancelled_order_moves_nothing_where_the_ledger_counts_what_is_there(furnished: Furnish) -> None:
    trade = await trading(furnished, basis="on_hand")
    order = trade.order(2)
    await trade.rest()
    trade.cancel(order)
    await trade.rest()
    assert (trade.bench.ledger(), trade.bench.channel(), await trade.held()) == (10, 10, 0)
    assert await trade.states() == []
    trade.assert_never_too_high()
