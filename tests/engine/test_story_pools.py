"""A pool: one location of a shop shows the sum of several stores, and what comes back goes to one of them."""

from __future__ import annotations

import pytest

from inventory_sync.store import db
from tests.engine.bench import ADJUST, Bench, Setup
from tests.engine.conftest import Furnish


def pool(**more: object) -> Setup:
    """Two stores with ten units each, of which the first takes what comes back."""
    return Setup(**{"stores": ("1", "2"), "pool": "1", **more})  # type: ignore[arg-type]


def stores(bench: Bench, code: str = "A-1") -> tuple[int, int]:
    return bench.ledger(code, "1"), bench.ledger(code, "2")


def deltas(bench: Bench, name: str) -> list[int]:
    return [change.delta for change in bench.ours(name)]


@pytest.mark.row("S4-39")
async def test_the_shop_is_told_the_sum_of_the_chosen_stores_and_no_other(furnished: Furnish) -> None:
    bench = await furnished(pool(channel=4, smaregi=Setup().smaregi))
    bench.pos.add_store("3", "Kobe", bench.agenda.now)
    bench.pos.receive(bench.products["A-1"], "3", 100, bench.agenda.now)
    preview = await bench.preview()
    [line] = await db.rows(bench.pool, "preview_page", id=preview.id, after=0, limit=1000)
    assert (line["action"], line["before"], line["after"]) == ("write_channel", 4, 20)
    names = [r["name"] for r in await bench.rows("select name from locations where key in ('1', '2') order by id")]
    assert f"(the sum of {names[0]} 10 + {names[1]} 10)" in line["why_en"]
    assert f"合計: {names[0]} 10" in line["why_ja"]

    await bench.start(preview_id=preview.id)
    await bench.rest()
    assert bench.channel() == 20
    assert bench.ours("pos") == []


@pytest.mark.row("S4-26")
@pytest.mark.row("S4-38")
async def test_an_order_is_booked_at_the_intake_store_alone(running: Furnish) -> None:
    bench = await running(pool(pool="2"))
    bench.move_channel("A-1", -3)
    await bench.rest()
    assert stores(bench) == (10, 7)
    assert bench.channel() == 17
    assert (deltas(bench, "pos"), deltas(bench, "shop")) == ([-3], [])

    bench.move_channel("A-1", 2)
    await bench.rest()
    assert stores(bench) == (10, 9)
    assert bench.channel() == 19


@pytest.mark.row("S4-37")
async def test_a_change_in_any_pooled_store_changes_the_sum(running: Furnish) -> None:
    bench = await running(pool())
    bench.move_ledger("A-1", -2, "2")
    await bench.rest()
    assert bench.channel() == 18
    bench.move_ledger("A-1", 5, "1")
    await bench.rest()
    assert bench.channel() == 23
    assert deltas(bench, "shop") == [-2, 5]
    assert bench.ours("pos") == []


async def test_goods_that_go_from_one_pooled_store_to_another_tell_the_shop_nothing(running: Furnish) -> None:
    bench = await running(pool())
    now = bench.agenda.now
    moved = bench.pos.transfer(bench.products["A-1"], "1", "2", 4, now)
    bench.pos.receive_transfer(moved, now)
    bench.heard("pos")
    await bench.rest()
    assert stores(bench) == (6, 14)
    assert bench.channel() == 20
    assert bench.requests("shop", ADJUST) == []


async def test_after_a_fall_in_one_store_of_a_pool_the_others_are_read_so_that_a_transfer_ends_where_it_began(
    running: Furnish,
) -> None:
    """The fall itself is told at once: what has left one store may never arrive in the other."""
    bench = await running(pool())
    bench.off |= {"poll", "reconcile"}
    now = bench.agenda.now
    bench.pos.transfer(bench.products["A-1"], "1", "2", 4, now)
    bench.heard("pos")
    bench.pos.legacy_change(bench.products["A-1"], "2", 4, now)  # that the goods arrived is told by nobody
    await bench.run(60)
    assert (await bench.cell("A-1", "pos"))["known"] == 6
    assert sum(deltas(bench, "shop")) == 0
    assert bench.channel() == 20
    assert max((change.after for change in bench.ours("shop")), default=20) <= 20


async def test_sales_on_both_sides_at_once_add_up(running: Furnish) -> None:
    bench = await running(pool())
    bench.move_channel("A-1", -3)
    bench.move_ledger("A-1", -2, "1")
    bench.move_ledger("A-1", -1, "2")
    await bench.rest()
    assert stores(bench) == (5, 9)
    assert bench.channel() == 14
    assert deltas(bench, "pos") == [-3]
    assert sum(deltas(bench, "shop")) == -3


async def test_a_buffer_is_kept_out_of_the_sum_once(running: Furnish) -> None:
    bench = await running(pool(route={"buffer": 5}))
    assert bench.channel() == 15
    bench.move_ledger("A-1", -10, "2")
    await bench.rest()
    assert bench.channel() == 5
    bench.move_ledger("A-1", -7, "1")
    await bench.rest()
    assert bench.channel() == 0


async def test_where_the_channel_wins_the_difference_goes_to_the_intake_store(furnished: Furnish) -> None:
    bench = await furnished(pool(pool="2", channel=26, route={"align": "channel_wins"}))
    preview = await bench.preview()
    [line] = await db.rows(bench.pool, "preview_page", id=preview.id, after=0, limit=1000)
    assert (line["action"], line["before"], line["after"]) == ("write_ledger", 20, 26)
    intake = await bench.pool.fetchval("select name from locations where key = '2'")
    assert line["why_en"].endswith(f"; the difference goes to {intake})")
    await bench.start(preview_id=preview.id)
    await bench.rest()
    assert stores(bench) == (10, 16)
    assert bench.channel() == 26
    assert bench.ours("shop") == []


async def test_more_sold_than_the_intake_store_has_stays_counted_and_the_sum_stays_right(running: Furnish) -> None:
    bench = await running(pool())
    bench.move_channel("A-1", -12)
    await bench.rest()
    assert stores(bench) == (-2, 10)
    assert bench.channel() == 8
