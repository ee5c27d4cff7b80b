"""Expected sales on the database: pools, sets, several shops, orders by their numbers, and two transactions at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from inventory_sync.engine import overdue
from inventory_sync.engine.routes import NoSuch, RefusedByRule
from inventory_sync.store import db
from inventory_sync.store.db import Pool
from tests.engine.sales_books import Books

ONE = (("L1", 1, True),)
POOL = (("L1", 1, True), ("L2", 1, False))
SET = (("L1", 2, True), ("L2", 1, True))


@pytest.fixture
def books(pool: Pool) -> Books:
    return Books(pool)


async def test_a_sale_lowers_every_shop_of_the_ledger_at_once(books: Books) -> None:
    for shop in ("a", "b", "c"):
        await books.pair(shop, f"{shop}1", ONE)
    await books.moved(("a1", -3))
    assert [await books.effective(f"{shop}1") for shop in "abc"] == [97, 97, 97]
    assert await books.due() >= {"b1", "c1"}
    await books.booked("L1", 3)
    assert [await books.effective(f"{shop}1") for shop in "abc"] == [97, 97, 97]
    assert await books.due() >= {"a1", "b1", "c1"}
    assert await books.sales() == [(0, "booked")]


async def test_in_a_pool_a_sale_is_expected_in_the_store_that_takes_returns_and_may_be_booked_in_any(
    books: Books,
) -> None:
    await books.pair("a", "a1", POOL, shape="pool")
    await books.moved(("a1", -3))
    assert await books.held("a1") == {"L1": 3}
    assert await books.effective("a1") == 197
    await books.booked("L2", 2)
    assert await books.held("a1") == {"L1": 1}
    await books.booked("L1", 1)
    assert (await books.held("a1"), await books.effective("a1"), await books.sales()) == ({}, 197, [(0, "booked")])


async def test_a_set_is_over_when_the_last_of_its_components_is_booked(books: Books) -> None:
    await books.pair("a", "a1", SET, shape="set")
    await books.pair("b", "b1", (("L2", 1, True),))
    await books.moved(("a1", -2))
    assert await books.held("a1") == {"L1": 2, "L2": 2}
    assert (await books.effective("a1"), await books.effective("b1")) == (48, 98)
    await books.booked("L2", 2)
    assert await books.held("a1") == {"L1": 2}
    assert await books.effective("b1") == 98
    assert await books.sales() == [(2, "open")]
    await books.booked("L1", 4)
    assert (await books.held("a1"), await books.sales()) == ({}, [(0, "booked")])
    assert await books.effective("a1") == 48


async def test_a_set_of_which_one_component_was_booked_before_we_heard_of_it(books: Books) -> None:
    await books.pair("a", "a1", SET, shape="set")
    await books.booked("L1", 2)
    await books.moved(("a1", -1))
    assert await books.held("a1") == {"L2": 1}
    assert await books.sales() == [(1, "open")]
    await books.booked("L2", 1)
    assert (await books.held("a1"), await books.sales(), await books.bookings()) == ({}, [(0, "booked")], 0)


async def test_the_order_that_a_booking_names_is_settled_before_an_older_one(books: Books) -> None:
    await books.pair("a", "a1", ONE)
    await books.moved(("a1", -1, "1001"), ("a1", -2, "1002"))
    await books.booked("L1", 2, "sale", "1002")
    assert await books.sales() == [(1, "open"), (0, "booked")]
    await books.booked("L1", 1, "sale")
    assert await books.sales() == [(1, "open"), (0, "booked")], "a sale at the counter names nothing"


async def test_a_booking_waits_for_the_order_it_names_before_it_pays_for_another(books: Books) -> None:
    await books.pair("a", "a1", ONE)
    await books.booked("L1", 1, "api", "1001")
    await books.booked("L1", 1, "api", "1002", wait=1)
    await books.moved(("a1", -1, "1002"), wait=1)
    [one, two] = await books.rows("select reference, open from bookings order by movement_id")
    assert (dict(one), dict(two)) == ({"reference": "1001", "open": 1}, {"reference": "1002", "open": 0})


async def test_a_fall_that_was_read_before_a_sale_was_made_never_pays_for_it(books: Books) -> None:
    await books.pair("a", "a1", ONE)
    [fall] = await books.moved(("L1", -1))
    await books.read("a1")
    await books.moved(("a1", -1))
    await books.named(fall, "L1", -1)  # its cause comes late
    assert await books.sales() == [(1, "open")]
    await books.booked("L1", 1)
    assert await books.sales() == [(0, "booked")]


async def test_a_booking_pays_for_no_sale_of_a_shop_that_was_read_later_than_it(books: Books) -> None:
    await books.pair("a", "a1", ONE)
    await books.pair("b", "b1", ONE)
    await books.booked("L1", 1)  # of an order at shop b, which nobody could read so far
    await books.read("a1")
    await books.moved(("a1", -1))
    assert (await books.held("a1"), await books.bookings()) == ({"L1": 1}, 1)
    await books.moved(("b1", -1), wait=1)
    assert (await books.held("b1"), await books.bookings()) == ({}, 0)


async def test_what_is_left_of_a_booking_is_just_a_fall_once_every_shop_was_read_later(books: Books) -> None:
    await books.pair("a", "a1", ONE)
    await books.pair("b", "b1", ONE)
    await books.booked("L1", 2)
    await books.read("a1")
    await books.release(names_causes=True)
    assert await books.bookings() == 2, "shop b may still have sold it"
    await books.read("b1")
    await books.release(names_causes=True)
    assert await books.rows("select * from bookings") == []


async def test_a_fall_of_the_ledger_asks_the_shops_that_expect_and_no_others(books: Books) -> None:
    await books.pair("a", "a1", ONE)
    await books.pair("b", "b1", ONE, route_sales="post")
    await books.moved(("L1", -1))
    marked = await books.rows("select id, marked_at, read_due from cells where marked_at is not null")
    assert [(row["id"], row["marked_at"], row["read_due"]) for row in marked] == [
        (books.cells["a1"], books.now, books.now)
    ]
    [ledger] = await books.rows("select fell_at from cells where id = $1", books.cells["L1"])
    assert ledger["fell_at"] == books.now
    await books.moved(("L1", 5))
    [ledger] = await books.rows("select fell_at from cells where id = $1", books.cells["L1"])
    assert ledger["fell_at"] < books.now, "a rise is no fall"


async def test_a_ledger_that_feeds_only_shops_whose_sales_we_book_is_left_alone(books: Books) -> None:
    await books.pair("b", "b1", ONE, route_sales="post")
    await books.moved(("L1", -1))
    await books.booked("L1", 1)
    assert await books.rows("select id from cells where marked_at is not null or fell_at is not null") == []
    assert await books.bookings() == 0


async def test_several_orders_of_one_cell_in_one_list_are_all_owed_to_the_ledger(books: Books) -> None:
    await books.pair("b", "b1", ONE, route_sales="post")
    await books.moved(("b1", -1, "1001"), ("b1", -2, "1002"), ("b1", 4))
    [owed] = await books.rows("select owed_down, owed_up, expected from components")
    assert dict(owed) == {"owed_down": -3, "owed_up": 4, "expected": 0}


async def test_a_suspended_pair_expects_nothing(books: Books) -> None:
    await books.pair("a", "a1", ONE)
    await books.pool.execute("update pairs set phase = 'suspended'")
    await books.moved(("a1", -1))
    assert await books.sales() == []


async def test_a_rise_takes_back_what_is_overdue_too_and_closes_its_alert(books: Books) -> None:
    await books.pair("a", "a1", ONE)
    await books.moved(("a1", -2))
    books.now += timedelta(hours=1)
    await books.release(names_causes=True)
    assert await books.sales() == [(2, "overdue")]
    await books.moved(("a1", 1))
    assert await books.rows("select 1 from alerts where closed_at is null") != []
    await books.moved(("a1", 1))
    assert await books.sales() == [(0, "taken_back")]
    assert await books.rows("select 1 from alerts where closed_at is null") == []


async def test_at_a_ledger_that_names_nothing_a_set_is_released_when_every_component_fell(books: Books) -> None:
    await books.pair("a", "a1", SET, shape="set")
    await books.moved(("a1", -1))
    await books.moved(("L1", -2))
    await books.moved(("a1", -1))
    await books.moved(("L1", -2), ("L2", -1))
    books.now += timedelta(hours=2)
    await books.read("a1", "L1", "L2")
    await books.release(names_causes=False)
    assert await books.sales() == [(0, "released"), (1, "overdue")]
    assert await books.held("a1") == {"L1": 1, "L2": 1}


async def test_a_fall_long_after_a_sale_was_due_does_not_release_it(books: Books) -> None:
    await books.pair("a", "a1", ONE)
    await books.moved(("a1", -1))
    books.now += timedelta(hours=2)
    await books.read("L1")
    await books.moved(("L1", -1))
    await books.release(names_causes=False)
    assert await books.sales() == [(1, "overdue")]


async def test_a_sale_is_not_judged_before_its_ledger_was_read_later_than_it_was_due(books: Books) -> None:
    await books.pair("a", "a1", ONE)
    await books.moved(("a1", -1))
    await books.pool.execute(
        "update cells set marked_at = $1, dirty_since = $1 where id = $2", books.now, books.cells["L1"]
    )
    books.now += timedelta(minutes=61)
    progress = await books.release(names_causes=False)
    assert await books.sales() == [(1, "open")]
    assert progress.due is not None
    assert progress.due <= books.now + timedelta(seconds=1)
    await books.moved(("L1", -1))
    await books.release(names_causes=False)
    assert await books.sales() == [(0, "released")]


async def test_a_ledger_that_cannot_be_read_is_not_waited_for_without_end(books: Books) -> None:
    await books.pair("a", "a1", ONE)
    await books.moved(("a1", -1))
    await books.pool.execute("update cells set known = null, condition = 'gone' where id = $1", books.cells["L1"])
    books.now += timedelta(minutes=61) + overdue.GIVE_UP
    await books.release(names_causes=False)
    assert await books.sales() == [(1, "overdue")]


# -- two transactions at once ---


async def test_two_shops_that_sell_at_once_share_one_booking(books: Books) -> None:
    await books.pair("a", "a1", ONE)
    await books.pair("b", "b1", ONE)
    await books.booked("L1", 1)
    books.now += timedelta(seconds=1)

    async def sold(name: str) -> None:
        async with db.transaction(books.pool) as conn:
            await books.journal(conn, [(name, -1)])
            await asyncio.sleep(0)

    await asyncio.gather(sold("a1"), sold("b1"))
    held = [await books.held("a1"), await books.held("b1")]
    assert sorted(held, key=len) == [{}, {"L1": 1}]
    assert await books.bookings() == 0


async def test_a_booking_and_its_sale_that_are_learnt_at_once_meet(books: Books) -> None:
    await books.pair("a", "a1", ONE)
    for _ in range(5):
        [fall] = await books.moved(("L1", -1))
        books.now += timedelta(seconds=1)

        async def sold() -> None:
            async with db.transaction(books.pool) as conn:
                await books.journal(conn, [("a1", -1)])

        await asyncio.gather(sold(), books.named(fall, "L1", -1))
        assert (await books.held("a1"), await books.bookings()) == ({}, 0)
    assert {state for _, state in await books.sales()} == {"booked"}


async def test_two_judges_count_a_nameless_fall_once(books: Books) -> None:
    await books.pair("a", "a1", ONE)
    await books.pair("b", "b1", ONE)
    await books.moved(("a1", -1), ("b1", -1))
    await books.moved(("L1", -1))
    books.now += timedelta(hours=2)
    await books.read("L1", "a1", "b1")
    await asyncio.gather(books.release(names_causes=False), books.release(names_causes=False))
    assert sorted(await books.sales()) == [(0, "released"), (1, "overdue")]


# -- a person ---


async def test_a_person_decides_about_what_is_overdue_and_nothing_else(books: Books) -> None:
    await books.pair("a", "a1", ONE)
    await books.moved(("a1", -1, "1001"))
    with pytest.raises(RefusedByRule) as refused:
        await overdue.settle_by_person(books.house, "ledger-a", "A-1", booked=True, actor="person")
    assert refused.value.code == "IS-RTE-040"
    assert await books.sales() == [(1, "open")]
    books.now += timedelta(minutes=61)
    await books.release(names_causes=True)
    await books.moved(("a1", -2, "1002"))
    decided = await overdue.settle_by_person(books.house, "ledger-a", "A-1", booked=False, actor="person")
    assert [(sale.units, sale.reference) for sale in decided] == [(1, "1001")]
    assert await books.sales() == [(0, "released"), (2, "open")]
    assert await books.held("a1") == {"L1": 2}
    assert "a1" in await books.due()
    [audit] = await books.rows("select actor, action, subject from audit")
    assert tuple(audit) == ("person", "sale.released", "ledger-a/A-1")
    assert await books.rows("select 1 from alerts where closed_at is null") == []


async def test_a_person_sees_what_waits(books: Books) -> None:
    await books.pair("a", "a1", ONE)
    await books.moved(("a1", -1, "1001"))
    books.now += timedelta(minutes=61)
    await books.release(names_causes=True)
    await books.moved(("a1", -2))
    shown = await overdue.waiting_sales(books.house, "ledger-a", "A-1")
    assert [(sale.units, sale.reference, sale.overdue) for sale in shown] == [(1, "1001", True), (2, "", False)]
    assert shown[0].due_at - shown[0].heard_at == timedelta(hours=1)
    for route, value in (("nowhere", "A-1"), ("ledger-a", "B-2")):
        with pytest.raises(NoSuch):
            await overdue.waiting_sales(books.house, route, value)
