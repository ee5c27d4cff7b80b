"""`explain` of numbers that nobody writes: the connection, the route, a person or a partner stands in the way."""

from __future__ import annotations

import pytest

from inventory_sync.engine import quarantine, stocktake, watching
from inventory_sync.engine.blocking import stop_routes_of
from inventory_sync.engine.explain import Cause
from inventory_sync.sandbox.faults import NoticeFaults
from inventory_sync.sandbox.shopify.simulator import ShopStatus
from inventory_sync.store import db
from tests.engine.bench import Setup
from tests.engine.conftest import Furnish
from tests.engine.explain_stories import ONE_WAY, somebody_sets
from tests.engine.explain_support import ask, causes, line, told
from tests.engine.sales_support import trading


async def test_a_route_that_a_person_stopped(running: Furnish) -> None:
    bench = await running()
    await bench.stop()
    bench.move_ledger("A-1", -4)
    await bench.rest()
    made = await line(bench)
    assert made.findings[0].cause is Cause.ROUTE_STOPPED
    assert made.en == (
        "shop / Tokyo shows 10 and should show 6. The route pos-shop is stopped, and nothing is written while it is."
    )
    assert any(each.kind == "person" and "route.stopped" in each.en for each in (await ask(bench)).events)


async def test_a_route_that_only_watches(furnished: Furnish) -> None:
    bench = await furnished()
    await bench.preview()
    await watching.watch(bench.house, "pos-shop", actor="person")
    bench.wake()
    bench.move_ledger("A-1", -4)
    await bench.run(30)
    assert (await causes(bench))[0] is Cause.WATCHING
    assert Cause.ROUTE_STOPPED not in await causes(bench)
    assert "見守り中" in (await line(bench)).ja
    assert bench.ours("shop") == []


async def test_a_connection_that_is_broken_names_its_remedy(running: Furnish) -> None:
    bench = await running(Setup(shops=("shop", "mall")))
    bench.shop().status = ShopStatus.FROZEN
    bench.move_ledger("A-1", -3)
    await bench.until(lambda: bench.alerts("connection_broken"), seconds=90)
    await bench.run(2)
    made = await line(bench)
    assert made.findings[0].cause is Cause.CONNECTION_BROKEN
    assert "The connection shop does not work." in made.en
    assert "What to do: " in made.en
    assert Cause.CONNECTION_BROKEN not in await causes(bench, shop="mall")


async def test_a_cell_that_the_partner_refused_is_quarantined(running: Furnish) -> None:
    bench = await running()
    bench.notices("shop").faults = NoticeFaults(loss=1.0)
    assert bench.shop().delete_item(bench.items["shop"]["A-1"], bench.agenda.now)
    bench.move_ledger("A-1", -3)
    await bench.until(lambda: bench.alerts("quarantined"), seconds=90)
    made = await line(bench)
    assert made.findings[0].cause is Cause.QUARANTINED
    events = (await ask(bench)).events
    assert len(told(events, "quarantine", "shop")) == 1
    assert any("rejected" in each.en for each in events if each.kind == "write")


async def test_a_cell_that_a_person_keeps_out(running: Furnish) -> None:
    bench = await running()
    await quarantine.exclude(bench.house, [(await bench.cell())["id"]], actor="person")
    made = await line(bench)
    assert made.findings[0].cause is Cause.EXCLUDED
    assert made.en.endswith("A person keeps shop / Tokyo out.")


async def test_a_rise_without_example_is_held_by_the_brake(running: Furnish) -> None:
    bench = await running()
    bench.move_ledger("A-1", 5000)
    await bench.rest()
    made = await line(bench)
    assert made.findings[0].cause is Cause.HELD_BY_BRAKE
    assert "A change of +5000 at pos / Store 1 is held by the brake" in made.en
    assert "held back 5000" in made.sum_en
    assert made.target == made.shows == bench.channel() == 10
    assert told((await ask(bench)).events, "hold", "pos") == [(None, None, "brake")]


async def test_a_rise_during_a_stock_take_is_held(running: Furnish) -> None:
    bench = await running()
    await stocktake.start(bench.house, "pos-shop", actor="person")
    bench.pos.count(bench.products["A-1"], "1", 13, bench.agenda.now)
    bench.heard("pos")
    await bench.rest()
    made = await line(bench)
    assert made.findings[0].cause is Cause.HELD_BY_STOCKTAKE
    assert "A change of +3 at pos / Store 1 is held because a stock-take is going on" in made.en
    assert bench.channel() == 10


async def test_a_second_writer_is_named(running: Furnish) -> None:
    codes = ("A-1", "B-2", "C-3")
    bench = await running(Setup(codes=codes, ledger=10, route=ONE_WAY))
    await somebody_sets(bench, codes, 14)
    made = await line(bench)
    assert made.findings[0].cause is Cause.SECOND_WRITER
    assert "At shop, a second writer keeps undoing what we write." in made.en
    assert Cause.ROUTE_BLOCKED in await causes(bench)


async def test_a_cell_that_runs_away_is_named_and_its_neighbour_is_not(running: Furnish) -> None:
    bench = await running(Setup(codes=("A-1", "B-2"), ledger=10, route=ONE_WAY))
    await somebody_sets(bench, ("A-1",), 14)
    assert (await causes(bench))[0] is Cause.RUNAWAY
    assert await causes(bench, "B-2") == [Cause.EQUAL]


async def test_a_route_that_was_restored_is_blocked_with_its_reason(running: Furnish) -> None:
    bench = await running()
    async with db.transaction(bench.pool) as conn:
        await stop_routes_of(bench.house, conn, None, "restored")
    made = await line(bench)
    assert made.findings[0].cause is Cause.ROUTE_BLOCKED
    assert "the database was restored" in made.en
    assert "route preview pos-shop" in made.en


async def test_another_app_that_books_every_sale_too_blocks_the_route(furnished: Furnish) -> None:
    trade = await trading(furnished, route={"sales": "post"}, ledger=50)
    bench = trade.bench
    trade.order()
    await trade.rest()
    trade.book()
    await trade.rest()
    await bench.run(30)
    made = await line(bench)
    assert Cause.BOOKED_TOO in [each.cause for each in made.findings]
    assert "another app booked −1 too" in made.en

    for _ in range(2):
        trade.order()
        await trade.rest()
        trade.book()
        await trade.rest()
        await bench.run(30)
    assert (await causes(bench))[0] is Cause.BOOKED_TWICE


@pytest.mark.parametrize("booked", [True, False], ids=["it is booked in time", "nobody books it"])
async def test_a_sale_that_is_not_booked_yet(furnished: Furnish, booked: bool) -> None:
    trade = await trading(furnished)
    trade.order(2)
    await trade.rest()
    made = await line(trade.bench)
    assert made.findings[0].cause is Cause.SALE_EXPECTED
    assert "sold, not yet booked in the ledger 2" in made.sum_en
    if booked:
        trade.book(2)
        await trade.rest()
        assert Cause.SALE_EXPECTED not in await causes(trade.bench)
        assert "booked" in [cause for _, _, cause in told((await ask(trade.bench)).events, "expected")]
    else:
        await trade.later(minutes=10)
        assert (await causes(trade.bench))[0] is Cause.SALE_NOT_BOOKED


async def test_a_code_that_was_changed_parts_the_pair_and_the_difference_is_spelt_out(running: Furnish) -> None:
    bench = await running()
    bench.shop().change_sku(bench.items["shop"]["A-1"], "A-1 ", bench.agenda.now)
    bench.heard("shop")
    await bench.rest()
    bench.move_ledger("A-1", -4)
    await bench.run(60)
    found = await ask(bench)
    assert {Cause.SUSPENDED, Cause.NEAR_MISS} <= found.causes
    assert "a blank (U+0020) at the end" in found.en
    assert "the codes of both sides match no longer" in found.lines[0].en


async def test_an_item_that_rose_on_both_sides_during_a_stop_waits_for_a_person(running: Furnish) -> None:
    bench = await running()
    await bench.stop()
    bench.move_ledger("A-1", 3)
    bench.move_channel("A-1", 2)
    await bench.run(30)
    await bench.start()
    await bench.run(60)
    made = await line(bench)
    assert Cause.WAITING in [each.cause for each in made.findings]
    assert any("both sides rose during a stop" in each.en for each in made.findings)


async def test_an_item_that_nobody_aligned_yet(furnished: Furnish) -> None:
    bench = await furnished()
    await bench.preview()
    made = await line(bench)
    assert made.findings[0].cause is Cause.ROUTE_STOPPED
    assert made.shows == 10
