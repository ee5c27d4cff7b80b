"""Orders come twice, of items nobody knows, after an outage, and are changed in the shop itself: each counts once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from inventory_sync.engine import catalogue, order_lines, order_policy
from inventory_sync.engine.explain import Cause
from inventory_sync.engine.named import NoSuch
from inventory_sync.sandbox.faults import NoticeFaults
from inventory_sync.store import db
from inventory_sync.store.db import Pool
from inventory_sync.systems.port import CellRef, OrderLine, OrderState, Payment
from tests.engine.bench_cart import CartBench, furnish_cart
from tests.engine.bench_house import Setup
from tests.engine.explain_support import ask


@pytest.fixture
async def bench(pool: Pool) -> CartBench:
    bench = await furnish_cart(pool)
    await bench.run(30)
    bench.begin()
    return bench


def new_at_the_shop(bench: CartBench, code: str = "N-1", stock: int = 10) -> None:
    """A product that the shop has and the ledger does not know yet."""
    bench.items["cart"][code] = bench.cart.add_product(bench.agenda.now, code=code, jan=code, stock=stock)


def new_at_the_ledger(bench: CartBench, code: str = "N-1", stock: int = 10) -> None:
    bench.products[code] = bench.pos.add_product(code, bench.agenda.now)
    bench.pos.receive(bench.products[code], "1", stock, bench.agenda.now)


async def known_by_code(bench: CartBench, code: str) -> bool:
    """Whether the shop's catalogue holds an item of this code."""
    query = "select exists (select 1 from items where connection_id = $1 and codes ->> 'custom_code' = $2)"
    return bool(await bench.pool.fetchval(query, bench.partners["cart"].connection_id, code))


async def import_of(bench: CartBench, name: str) -> None:
    """The daily import of a catalogue, to its last page."""
    await catalogue.start_import(bench.house, bench.partners[name].connection_id)

    async def over() -> bool:
        lane = bench.lanes[name]
        return await db.row(bench.pool, "running_run", kind="import", connection_id=lane.connection_id) is None

    while not await over():
        await bench.person(catalogue.import_page(bench.house, bench.lanes[name]))
        await bench.run(1)


async def set_policy(bench: CartBench, **policy: Any) -> None:
    await bench.pool.execute(
        "update connections set settings = settings || jsonb_build_object('orders', $1::jsonb) where name = 'cart'",
        policy,
    )


@pytest.mark.row("S3-28")
async def test_an_order_of_an_unknown_item_is_kept_told_of_and_counted_once_its_item_is_known(bench: CartBench) -> None:
    new_at_the_shop(bench)
    number = bench.order(3, "N-1")
    await bench.run(20)
    [alert] = await bench.alerts("orders_kept")
    assert (alert["detail"]["orders"], alert["detail"]["units"]) == ([number], 3)
    [line] = await order_policy.waiting(bench.house)
    assert (line["order_id"], line["quantity"], line["kept"]) == (number, 3, True)
    await bench.until(lambda: known_by_code(bench, "N-1"))  # the shop was asked for it; it is still nobody's
    [(_, said)] = (await ask(bench, "N-1")).unpaired
    assert f"Its orders are kept until then: {number} (3 units)." in said.en
    new_at_the_ledger(bench, stock=10)
    bench.off.add("orders")  # the item is matched and aligned before anybody looks at orders again
    await import_of(bench, "pos")
    await bench.run(30)
    assert bench.stock("N-1") == 7, "no channel was told of the units that were ordered"
    assert bench.ledger("N-1") == 10
    assert Cause.ORDERS_KEPT in [each.cause for each in (await ask(bench, "N-1")).lines[0].findings]
    bench.off.clear()
    await bench.run(60)
    assert (bench.ledger("N-1"), bench.stock("N-1")) == (7, 7)
    assert bench.ours("cart") == []
    assert await bench.alerts("orders_kept") == []
    assert await order_policy.waiting(bench.house) == []
    await bench.run(70)  # every window lists it again
    assert (bench.ledger("N-1"), bench.stock("N-1")) == (7, 7)
    assert await bench.journal("cart", "N-1") == [(3, "order"), (-3, "outside")]


async def test_a_kept_order_that_is_cancelled_or_dropped_by_a_person_is_kept_no_longer(bench: CartBench) -> None:
    new_at_the_shop(bench)
    cancelled, dropped = bench.order(2, "N-1"), bench.order(3, "N-1")
    await bench.run(20)
    bench.cart.cancel_order(cancelled, bench.agenda.now, restock=True)
    await bench.run(80)
    assert [line["order_id"] for line in await order_policy.waiting(bench.house)] == [dropped]
    with pytest.raises(NoSuch, match="P-unknown"):
        await order_policy.drop(bench.house, "cart", ["P-unknown"], actor="person")
    await order_policy.drop(bench.house, "cart", [dropped], actor="person")
    assert await bench.alerts("orders_kept") == []
    new_at_the_ledger(bench, stock=7)
    await import_of(bench, "pos")
    await import_of(bench, "cart")
    await bench.run(60)
    assert (bench.ledger("N-1"), bench.stock("N-1")) == (7, 7)
    [row] = await bench.rows("select * from audit where action = 'order.line_dropped'")
    assert (row["actor"], row["after"]) == ("person", {"kept": 0})


async def test_a_skipped_line_stands_in_the_audit_log_once_and_is_never_told(bench: CartBench) -> None:
    await set_policy(bench, unknown_sku="skip")
    new_at_the_shop(bench)
    bench.order(3, "N-1")
    await bench.run(80)
    assert await bench.alerts("orders_kept") == []
    [row] = await bench.rows("select * from audit where action = 'order.line_skipped'")
    assert row["after"]["quantity"] == 3
    new_at_the_ledger(bench, stock=7)
    await import_of(bench, "pos")
    await import_of(bench, "cart")
    await bench.run(60)
    assert (bench.ledger("N-1"), bench.stock("N-1")) == (7, 7)


async def test_an_item_without_a_stock_number_keeps_no_order(bench: CartBench) -> None:
    bench.items["cart"]["U-1"] = bench.cart.add_product(bench.agenda.now, code="U-1", stock=None)
    await import_of(bench, "cart")
    bench.order(3, "U-1")
    await bench.run(30)
    assert await order_policy.waiting(bench.house) == []


@pytest.mark.row("S3-29")
async def test_an_order_delivered_twice_counts_once_and_a_later_change_of_it_still_counts(bench: CartBench) -> None:
    number = bench.order(3)
    await bench.rest()
    [row] = await bench.rows("select * from order_lines where order_id = $1", number)
    cell = CellRef(row["item_key"], row["location_key"])
    line = OrderLine(number, row["line"], cell, 3, OrderState.PLACED, row["placed_at"], Payment.PAID)
    for _ in range(2):  # as another delivery of the same page, and both at once
        await order_lines.keep(
            bench.house, bench.lanes["cart"], [line, line], asked_at=bench.agenda.now, unseen_at=None
        )
    await bench.rest()
    assert (bench.ledger(), bench.stock()) == (7, 7)
    assert await bench.pool.fetchval("select count(*) from order_lines where order_id = $1", number) == 1
    bench.cart.edit_order(number, bench.items["cart"]["A-1"], 5, bench.agenda.now)
    await bench.run(40)
    assert (bench.ledger(), bench.stock()) == (5, 5)
    assert await bench.journal() == [(-3, "outside"), (-2, "outside")]


def windows(bench: CartBench) -> list[tuple[datetime, datetime]]:
    """Since when and until when orders were asked for."""
    found = []
    for sent in bench.requests("cart", "orders"):
        variables = orjson.loads(sent.body)["variables"]
        one = next(iter(variables.values()))
        found.append(tuple(_time(one[name]) for name in ("startOrderDate", "endOrderDate")))
    return found  # type: ignore[return-value]


def _time(text: str) -> datetime:
    return datetime.strptime(text + "+0900", "%Y%m%d%H%M%S%z")


@pytest.mark.row("S3-24")
async def test_orders_are_asked_for_from_where_the_last_list_ended_even_after_an_outage(bench: CartBench) -> None:
    bench.off.add("orders")
    ended = await bench.pool.fetchval("select orders_swept_at from connections where name = 'cart'")
    numbers = [bench.order(1)]
    await bench.tasks.kill()
    bench.up = False
    bench.lanes.clear()
    before = bench.agenda.now
    await bench.run(1500)  # longer than the usual window reaches back
    numbers.append(bench.order(2))
    await bench.run(1500)
    bench.off.clear()
    bench.begin()
    bench.boot()
    await bench.run(90)
    assert (bench.ledger(), bench.stock()) == (7, 7)
    first, *later = windows(bench)
    assert ended <= before
    assert first[0] < ended, "what the last list may have missed is asked for again"
    assert first[0] > ended - timedelta(hours=1), "and not everything since ever"
    assert any(since > ended for since, _ in later), "from then on only what is new"
    counted = await bench.rows("select order_id, counted from order_lines order by placed_at")
    assert [(r["order_id"], r["counted"]) for r in counted] == list(zip(numbers, (1, 2), strict=True))


@pytest.mark.row("S1-5")
async def test_a_cancel_made_in_the_shop_itself_is_found_by_reading_the_order_again_and_made_up_for(
    bench: CartBench,
) -> None:
    number = bench.order(3)
    await bench.rest()
    bench.notices("cart").faults = NoticeFaults(loss=1.0)
    with capture_logs() as logs:
        bench.cart.cancel_order(number, bench.agenda.now, restock=True)
        await bench.run(120)
    assert (bench.ledger(), bench.stock()) == (10, 10)
    [found] = [each for each in logs if each["event"] == "orders.foreign_operation"]
    assert (found["order"], found["state"]) == (number, ["placed", "cancelled"])


@pytest.mark.row("S1-4")
@pytest.mark.parametrize("first", ["shop", "ledger"])
async def test_a_cancel_seen_from_both_sides_restocks_once(pool: Pool, first: str) -> None:
    bench = await furnish_cart(pool, setup=Setup(shops=(), route={"sales": "expect", "direction": "ledger_to_channel"}))
    await bench.run(30)
    bench.begin()
    number = bench.order(3)
    await bench.rest()
    assert (bench.ledger(), bench.stock()) == (10, 7), "an order system books it"
    bench.move_ledger("A-1", -3)
    await bench.run(60)

    async def at_the_shop() -> None:
        bench.cart.cancel_order(number, bench.agenda.now, restock=True)
        await bench.run(80)

    async def at_the_ledger() -> None:
        bench.pos.receive(bench.products["A-1"], "1", 3, bench.agenda.now)
        bench.heard("pos")
        await bench.run(80)

    for act in (at_the_shop, at_the_ledger) if first == "shop" else (at_the_ledger, at_the_shop):
        await act()
    await bench.run(60)
    assert (bench.ledger(), bench.stock()) == (10, 10)
    assert bench.ours("pos") == [], "the ledger's own restock is the only one there"
