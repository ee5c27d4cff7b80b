"""Sales that an order importer books: however late, early or wrong it is, one order costs the ledger one unit."""

from __future__ import annotations

import pytest

from tests.engine.bench import ADJUST
from tests.engine.conftest import Furnish
from tests.engine.sales_support import WITHIN, trading

LEDGERS = pytest.mark.parametrize("nameless", [False, True], ids=["names causes", "names nothing"])


async def test_an_order_is_held_out_of_every_channel_at_once_and_never_posted(furnished: Furnish) -> None:
    trade = await trading(furnished, shops=("shop", "mall"))
    trade.order(2)
    await trade.bench.until(lambda: trade.bench.channel(shop="mall") == 8, seconds=5)
    await trade.rest()
    assert trade.bench.channel() == 8
    assert trade.bench.ledger() == 10
    assert await trade.held() == 2
    assert trade.bench.requests("pos", "add") == []
    trade.assert_never_too_high()


async def test_where_we_book_a_sale_ourselves_the_other_channels_do_not_wait_for_the_ledger(furnished: Furnish) -> None:
    trade = await trading(furnished, route={"sales": "post"}, shops=("shop", "mall"))
    trade.bench.off |= {"push:pos"}
    trade.order(2)
    await trade.bench.until(lambda: trade.bench.channel(shop="mall") == 8, seconds=20)
    assert trade.bench.ledger() == 10
    trade.bench.off.clear()
    await trade.rest()
    assert (trade.bench.ledger(), trade.bench.channel(), trade.bench.channel(shop="mall")) == (8, 8, 8)


@LEDGERS
async def test_an_importer_that_books_ten_minutes_later(furnished: Furnish, nameless: bool) -> None:
    trade = await trading(furnished, nameless=nameless, within=15)
    trade.order()
    await trade.rest()
    assert trade.bench.channel() == 9
    await trade.later(minutes=10)
    trade.book()
    await trade.rest()
    assert trade.bench.ledger() == 9
    if nameless:
        assert trade.bench.channel() == 8, "held for the stated time, since nothing says what the fall was"
        await trade.later(minutes=6)
    assert trade.bench.channel() == 9
    assert await trade.held() == 0
    assert await trade.states() == ["released" if nameless else "booked"]
    assert await trade.bench.alerts("sale_not_booked") == []
    trade.assert_never_too_high()


@LEDGERS
async def test_an_importer_that_is_faster_than_our_notice(furnished: Furnish, nameless: bool) -> None:
    trade = await trading(furnished, nameless=nameless)
    trade.bench.off |= {"observe:shop"}
    trade.order()
    trade.book()
    await trade.bench.run(45)  # until the cause of the fall is known
    assert trade.bench.requests("shop", ADJUST) == [], "a fall is told only after the channel was read later"
    trade.bench.off.clear()
    await trade.rest()
    assert trade.bench.ledger() == 9
    if nameless:
        await trade.later(minutes=WITHIN + 1)
    assert trade.bench.channel() == 9
    assert await trade.held() == 0
    assert await trade.states() == ["released" if nameless else "booked"]
    assert await trade.bench.alerts("sale_not_booked") == []
    assert bool(trade.bench.requests("shop", ADJUST)) == nameless
    trade.assert_never_too_high()


@LEDGERS
async def test_an_importer_that_books_an_order_twice_costs_what_it_booked_and_no_more(
    furnished: Furnish, nameless: bool
) -> None:
    trade = await trading(furnished, nameless=nameless)
    trade.order()
    await trade.rest()
    trade.book()
    await trade.bench.run(20)
    trade.book(counts=False)
    await trade.rest()
    if nameless:
        await trade.later(minutes=WITHIN + 1)
    assert (trade.bench.ledger(), trade.bench.channel()) == (8, 8)
    assert await trade.held() == 0
    trade.order()
    await trade.rest()
    assert (trade.bench.channel(), await trade.held()) == (7, 1), "the surplus pays for no later order"
    trade.assert_never_too_high()


@LEDGERS
async def test_goods_that_are_booked_when_they_are_shipped(furnished: Furnish, nameless: bool) -> None:
    trade = await trading(furnished, nameless=nameless, within=12)
    order = trade.order(2)
    await trade.later(minutes=8)
    trade.ship(order)
    trade.book(2, "shipment")
    await trade.rest()
    if nameless:
        await trade.later(minutes=5)
    assert (trade.bench.ledger(), trade.bench.channel()) == (8, 8)
    assert await trade.held() == 0
    trade.assert_never_too_high()


async def test_an_importer_that_books_orders_as_sales_at_the_till_ends_in_an_alert(furnished: Furnish) -> None:
    trade = await trading(furnished)
    trade.order()
    await trade.rest()
    trade.book(how="till")
    trade.counter_sale()
    await trade.rest()
    assert (trade.bench.ledger(), trade.bench.channel()) == (8, 7), "either sale may have been made at the counter"
    await trade.later(minutes=WITHIN + 1)
    [alert] = await trade.bench.alerts("sale_not_booked")
    assert alert["subject"].startswith("pos-shop/A-1/")
    assert alert["detail"]["units"] == 1
    assert (trade.bench.channel(), await trade.held()) == (7, 1), "nothing is raised until a person decides"
    await trade.decide(booked=True)
    await trade.rest()
    assert trade.bench.channel() == 8
    assert await trade.bench.alerts("sale_not_booked") == []
    trade.assert_never_too_high()


async def test_at_a_ledger_that_names_nothing_a_sale_at_the_till_may_be_the_booking(furnished: Furnish) -> None:
    trade = await trading(furnished, nameless=True)
    trade.order()
    await trade.rest()
    trade.book(how="till")
    await trade.rest()
    assert (trade.bench.ledger(), trade.bench.channel()) == (9, 8)
    await trade.later(minutes=WITHIN + 1)
    assert trade.bench.channel() == 9
    assert await trade.bench.alerts("sale_not_booked") == []
    trade.assert_never_too_high()


@LEDGERS
async def test_an_importer_that_books_an_order_after_it_was_cancelled(furnished: Furnish, nameless: bool) -> None:
    trade = await trading(furnished, nameless=nameless)
    order = trade.order()
    await trade.rest()
    trade.cancel(order)
    await trade.rest()
    assert trade.bench.channel() == 10
    assert await trade.states() == ["taken_back"]
    trade.book(counts=False)
    await trade.rest()
    assert (trade.bench.ledger(), trade.bench.channel()) == (9, 9)
    assert await trade.held() == 0
    trade.bench.move_ledger("A-1", +1)  # and takes it back
    await trade.rest()
    assert (trade.bench.ledger(), trade.bench.channel()) == (10, 10)
    trade.assert_never_too_high()


async def test_an_order_nobody_books_while_the_till_sells_the_same_item_ends_in_an_alert(furnished: Furnish) -> None:
    trade = await trading(furnished)
    trade.order()
    await trade.rest()
    for _ in range(3):
        trade.counter_sale()
        await trade.rest()
    assert (trade.bench.ledger(), trade.bench.channel()) == (7, 6)
    await trade.later(minutes=WITHIN + 1)
    assert len(await trade.bench.alerts("sale_not_booked")) == 1
    assert trade.bench.channel() == 6
    trade.book()  # late, but by name
    await trade.rest()
    assert (trade.bench.ledger(), trade.bench.channel()) == (6, 6)
    assert await trade.bench.alerts("sale_not_booked") == []
    assert await trade.held() == 0
    trade.assert_never_too_high()


async def test_at_a_ledger_that_names_nothing_and_fell_too_little_the_units_stay_held(furnished: Furnish) -> None:
    trade = await trading(furnished, nameless=True)
    trade.order(3)
    await trade.rest()
    trade.counter_sale(2)
    await trade.later(minutes=WITHIN + 1)
    [alert] = await trade.bench.alerts("sale_not_booked")
    assert alert["detail"]["units"] == 3
    assert (trade.bench.ledger(), trade.bench.channel()) == (8, 5)
    trade.book(3)
    await trade.later(minutes=WITHIN + 1)
    assert (trade.bench.ledger(), trade.bench.channel()) == (5, 2), "only a person raises it now"
    await trade.decide(booked=True)
    await trade.rest()
    assert trade.bench.channel() == 5
    trade.assert_never_too_high()


async def test_two_orders_and_one_fall_of_a_ledger_that_names_nothing_release_one(furnished: Furnish) -> None:
    trade = await trading(furnished, nameless=True)
    trade.order()
    await trade.rest()
    trade.order()
    await trade.rest()
    trade.book()
    await trade.later(minutes=WITHIN + 2)
    assert await trade.states() == ["released", "overdue"]
    assert (trade.bench.ledger(), trade.bench.channel()) == (9, 8)
    trade.assert_never_too_high()


async def test_part_of_a_rise_is_a_cancelled_order_and_the_rest_is_not_given_to_the_ledger(furnished: Furnish) -> None:
    trade = await trading(furnished)
    trade.order()
    await trade.rest()
    trade.bench.move_channel("A-1", +3)
    trade.sold.append((trade.now, -1))
    await trade.rest()
    assert (trade.bench.ledger(), trade.bench.channel()) == (10, 10)
    assert await trade.states() == ["taken_back"]
    trade.assert_never_too_high()


async def test_falls_of_the_till_are_told_to_every_channel(furnished: Furnish) -> None:
    trade = await trading(furnished, shops=("shop", "mall"))
    trade.counter_sale(4)
    await trade.bench.until(lambda: (trade.bench.channel(), trade.bench.channel(shop="mall")) == (6, 6), seconds=60)
    await trade.rest()
    assert await trade.held() == 0
    trade.assert_never_too_high()


async def test_one_reading_that_finds_a_booking_and_goods_received_settles_the_order(furnished: Furnish) -> None:
    trade = await trading(furnished)
    trade.order()
    await trade.rest()
    trade.bench.off |= {"observe:pos"}
    trade.book()
    trade.bench.move_ledger("A-1", +5)
    await trade.bench.run(5)
    trade.bench.off.clear()
    await trade.rest()
    assert (trade.bench.ledger(), trade.bench.channel()) == (14, 14)
    assert await trade.states() == ["booked"]
    trade.assert_never_too_high()


async def test_a_process_that_dies_between_an_order_and_its_booking_loses_neither(furnished: Furnish) -> None:
    trade = await trading(furnished)
    trade.order()
    await trade.bench.run(0.6)
    await trade.bench.crash()
    await trade.rest()
    assert (trade.bench.channel(), await trade.held()) == (9, 1)
    trade.book()
    await trade.bench.run(0.6)
    await trade.bench.crash()
    await trade.rest()
    assert (trade.bench.ledger(), trade.bench.channel(), await trade.held()) == (9, 9, 0)
    assert await trade.states() == ["booked"]
    trade.assert_never_too_high()
