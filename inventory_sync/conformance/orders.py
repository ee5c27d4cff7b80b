"""Behaviours of orders: each is listed once as it stands, whatever became of it, and the level follows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from inventory_sync.conformance.book import Need, behaviour
from inventory_sync.conformance.rig import Door, Trouble
from inventory_sync.conformance.stage import NotApplicable, Stage, expect, expect_equal, refusal, take_lines
from inventory_sync.systems.errors import RetryLater
from inventory_sync.systems.port import Applied, CellRef, OrderClient, OrderLine, OrderState, Payment, WriteMode

MANY = 23  # orders; more than two pages of the larger sizes
PAGE_SIZES = (2, 5, 10)
SECOND = timedelta(seconds=1)
BAD_ANSWERS = (Trouble.HTML, Trouble.CUT, Trouble.BROKEN_OFF, Trouble.ERROR_BEFORE, Trouble.LOST_BEFORE)

Told = tuple[str, str, CellRef, int, OrderState]


def _told(lines: Iterable[OrderLine]) -> list[Told]:
    return sorted((each.order, each.line, each.cell, each.quantity, each.state) for each in lines)


def _ids(lines: Iterable[OrderLine]) -> list[tuple[str, str]]:
    return [(each.order, each.line) for each in lines]


async def _ordered(stage: Stage, *, provisional: bool = False) -> tuple[CellRef, str, datetime]:
    """A cell of 10 of which a customer ordered 3, the order's number, and an instant before it."""
    (cell,) = await stage.rig.stock([10])
    began = stage.rig.now()
    return cell, await stage.shop.order({cell: 3}, provisional=provisional), began


async def _line_of(stage: Stage, order: str, since: datetime) -> OrderLine:
    """The only line of an order, once it is listed."""
    lines = [each for each in await stage.recent_orders(since) if each.order == order]
    expect_equal(len(lines), 1, f"lines of order {order}")
    return lines[0]


@behaviour(
    "Every order of a window is listed, each line under one id, with its units by cell, whatever the size of a page.",
    Need.ORDERS,
)
async def every_order_is_listed_once(stage: Stage) -> None:
    began = stage.rig.now()
    await stage.shop.fill_orders(MANY)
    lines = await stage.recent_orders(began)
    until = stage.rig.now()
    units: dict[str, Counter[CellRef]] = {}
    for each in lines:
        units.setdefault(each.order, Counter())[each.cell] += each.quantity
    expect_equal(units, await stage.shop.held_orders(), "the units listed, by order and cell")
    expect(len(units) == MANY, "the rig has fewer orders than it was asked for")
    for size in PAGE_SIZES:
        paged = await stage.orders(began, until, stage.shop.client_with_order_pages_of(size))
        expect_equal(_told(paged), _told(lines), f"the lines in pages of {size}")


@behaviour("The cells of order lines are those of the catalogue, in every shape that items come in.", Need.ORDERS)
async def orders_name_cells_of_the_catalogue(stage: Stage) -> None:
    began = stage.rig.now()
    cells = await stage.rig.stock([10, 10, 10])
    await stage.shop.order(dict.fromkeys(cells, 1))
    await stage.shop.fill_orders(MANY)
    known = {item.key for item in await stage.catalogue()}
    lines = await stage.recent_orders(began)
    expect({line.cell for line in lines} >= set(cells), "an order does not name the cells that were ordered")
    foreign = [line.cell for line in lines if line.cell.item not in known]
    expect(not foreign, f"not in the catalogue: {foreign[:3]}")
    expect_equal({line.cell.location for line in lines}, {stage.rig.usable_location}, "the locations of order lines")


@behaviour("Orders that come in while pages turn put no older one out of the list.", Need.ORDERS)
async def orders_may_come_while_pages_turn(stage: Stage) -> None:
    began = stage.rig.now()
    await stage.shop.fill_orders(MANY)
    before = _told(await stage.recent_orders(began))
    (cell,) = await stage.rig.stock([100])
    client = cast(OrderClient, stage.shop.client_with_order_pages_of(5))
    found: dict[tuple[str, str], OrderLine] = {}
    until, cursor, turning = stage.rig.now(), None, True
    while turning:
        at: str | None = cursor
        page = await stage.patiently(lambda: client.orders(began, until, at))  # noqa: B023 - called at once
        take_lines(found, page)
        cursor, turning = page.cursor, page.cursor is not None
        await stage.shop.order({cell: 1})
    expect_equal([each for each in _told(found.values()) if each[2] != cell], before, "the older orders")


@behaviour("An order at the edge of a window is missed by neither neighbour, to the fraction of a second.", Need.ORDERS)
async def an_order_at_the_edge_is_found(stage: Stage) -> None:
    lag = stage.capabilities.order_lag.total_seconds()
    for fraction in (0.0, 0.4, 0.95):
        await stage.rig.pause(_until_fraction(stage.rig.now(), fraction))
        earliest = stage.rig.now()
        _, order, _ = await _ordered(stage)
        latest = stage.rig.now()
        await stage.rig.pause(lag + 60.0)
        for edge in _edges(earliest, latest):
            windows = ((edge - timedelta(minutes=1), edge), (edge, edge + timedelta(seconds=30)))
            found = {line.order for since, until in windows for line in await stage.orders(since, until)}
            expect(order in found, f"placed at {latest}, in neither window around {edge}")
        past = await stage.orders(earliest - timedelta(hours=1), earliest - timedelta(minutes=10))
        expect(order not in {line.order for line in past}, "listed in a window that ended ten minutes before it")


def _until_fraction(now: datetime, fraction: float) -> float:
    """Seconds until the clock shows this fraction of a second."""
    return (fraction - now.microsecond / 1_000_000) % 1.0


def _edges(earliest: datetime, latest: datetime) -> Sequence[datetime]:
    """Edges next to an instant between the two: at it, at the whole seconds around it, and off by parts of one."""
    floor = latest.replace(microsecond=0)
    return (earliest, latest, floor, floor + SECOND, floor - SECOND, latest - 0.3 * SECOND, latest + 0.3 * SECOND)


@behaviour("An order lowers the level at once, and its line says placed, with its units and its time.", Need.ORDERS)
async def an_order_lowers_the_level(stage: Stage) -> None:
    cell, order, began = await _ordered(stage)
    expect_equal(await stage.quantity(cell), 7, "the level after an order of 3 of 10")
    line = await _line_of(stage, order, began)
    expect_equal((line.cell, line.quantity, line.state), (cell, 3, OrderState.PLACED), "the order's line")
    late = abs((line.placed_at - began).total_seconds())
    expect(line.placed_at.tzinfo is not None and late <= 1.5, f"placed at {began}, listed as {line.placed_at}")


@behaviour("What becomes of an order leaves its lines their ids: the same line, in another state.", Need.ORDERS)
async def line_ids_are_stable(stage: Stage) -> None:
    began = stage.rig.now()
    await stage.shop.fill_orders(MANY)
    before = await stage.recent_orders(began)
    orders = sorted({line.order for line in before})
    await stage.shop.ship_order(orders[0])
    await stage.shop.cancel_order(orders[1], restock=True)
    await stage.shop.cancel_order(orders[2], restock=False)
    after = await stage.orders(began, stage.rig.now())
    expect_equal(sorted(_ids(after)), sorted(_ids(before)), "the lines after shipping and cancelling")
    touched = orders[:3]
    expect_equal(
        [each for each in _told(after) if each[0] not in touched],
        [each for each in _told(before) if each[0] not in touched],
        "the lines of orders that nobody touched",
    )


@behaviour("A shipped order keeps its line and its units, and the level does not move again.", Need.ORDERS)
async def a_shipped_order_stays(stage: Stage) -> None:
    cell, order, began = await _ordered(stage)
    before = await _line_of(stage, order, began)
    await stage.shop.ship_order(order)
    after = await _line_of(stage, order, began)
    expect_equal((after.line, after.cell, after.quantity), (before.line, cell, 3), "the line of a shipped order")
    expect(after.state in (OrderState.SHIPPED, OrderState.PLACED), f"a shipped order is listed as {after.state}")
    expect_equal(await stage.quantity(cell), 7, "the level after shipping")


async def _cancel(stage: Stage, *, restock: bool) -> None:
    cell, order, began = await _ordered(stage)
    before = await _line_of(stage, order, began)
    await stage.shop.cancel_order(order, restock=restock)
    after = await _line_of(stage, order, began)
    expect_equal(after.state, OrderState.CANCELLED, "the state of a cancelled order")
    expect_equal((after.line, after.cell, after.quantity), (before.line, cell, 3), "the line of a cancelled order")
    expect_equal(await stage.quantity(cell), 10 if restock else 7, f"the level after a cancel, {restock=}")


@behaviour(
    "A cancelled order whose units went back keeps its line as cancelled; the level shows the units.", Need.ORDERS
)
async def a_cancel_with_restock_stays(stage: Stage) -> None:
    await _cancel(stage, restock=True)


@behaviour(
    "A cancelled order whose units did not go back keeps its line as cancelled; the level is as it was.", Need.ORDERS
)
async def a_cancel_without_restock_stays(stage: Stage) -> None:
    await _cancel(stage, restock=False)


@behaviour("An order that a person edits keeps the id of its line, with the units it has now.", Need.ORDERS)
async def an_edited_order_shows_its_units(stage: Stage) -> None:
    cell, order, began = await _ordered(stage)
    before = await _line_of(stage, order, began)
    for units in (1, 5):
        await stage.shop.edit_order(order, cell, units)
        after = await _line_of(stage, order, began)
        expect_equal((after.line, after.quantity), (before.line, units), "the edited line")
        expect_equal(await stage.quantity(cell), 10 - units, "the level after the edit")
    await stage.shop.edit_order(order, cell, 0)
    lines = await stage.recent_orders(began)
    expect_equal(sum(line.quantity for line in lines), 0, "the units of an order edited to nothing")


@behaviour("An order says whether it is paid for, and says so under the same line once it is.", Need.ORDERS)
async def an_order_says_whether_it_is_paid(stage: Stage) -> None:
    cell, paid, began = await _ordered(stage)
    first = await _line_of(stage, paid, began)
    if first.payment is None:
        raise NotApplicable("it does not say whether orders are paid")
    expect_equal(first.payment, Payment.PAID, "a paid order")
    order = await stage.shop.order({cell: 2}, paid=False)
    before = await _line_of(stage, order, began)
    expect_equal(before.payment, Payment.UNPAID, "an order that is still to be paid")
    await stage.shop.pay_order(order)
    expect_equal(
        await _line_of(stage, order, began), replace(before, payment=Payment.PAID), "the order once it is paid"
    )


@behaviour(
    "A provisional order holds stock if it is said to, and becomes a placed one under the same line.", Need.ORDERS
)
async def a_provisional_order_may_settle(stage: Stage) -> None:
    cell, order, began = await _ordered(stage, provisional=True)
    before = await _provisional(stage, cell, order, began)
    await stage.shop.settle_order(order)
    after = await _line_of(stage, order, began)
    expect_equal((after.cell, after.quantity, after.state), (cell, 3, OrderState.PLACED), "the settled order")
    expect(not before or after.line == before[0].line, "the line has another id now")
    expect_equal(await stage.quantity(cell), 7, "the level once the order is settled")


@behaviour("A provisional order that fails is listed no more, and what it held is back in the level.", Need.ORDERS)
async def a_provisional_order_may_vanish(stage: Stage) -> None:
    cell, order, began = await _ordered(stage, provisional=True)
    await _provisional(stage, cell, order, began)
    await stage.shop.vanish_order(order)
    expect_equal(await stage.recent_orders(began), [], "the orders left")
    expect_equal(await stage.quantity(cell), 10, "the level once the order is gone")


async def _provisional(stage: Stage, cell: CellRef, order: str, began: datetime) -> list[OrderLine]:
    """The lines of a provisional order of 3 of 10, which are as the rig and the capabilities say."""
    lines = await stage.recent_orders(began)
    shown = stage.shop.provisional_shows
    expect_equal([line.state for line in lines], [] if shown is None else [shown], "the provisional order as listed")
    expect(all((line.order, line.quantity) == (order, 3) for line in lines), f"another order is listed: {lines}")
    held = 3 if stage.capabilities.provisional_counts else 0
    expect_equal(await stage.quantity(cell), 10 - held, "the level while the order is provisional")
    return lines


@behaviour(
    "An order at the very instant of a write is listed, and the number says what the write left of it.", Need.ORDERS
)
async def an_order_at_the_instant_of_a_write_is_listed(stage: Stage) -> None:
    (cell,) = await stage.rig.stock([10])
    expect_equal(await stage.quantity(cell), 10, "the number that the write is composed from")
    sent = await stage.plan((cell, -1), known={cell: 10})
    began = stage.rig.now()
    stage.shop.order_at_next_write(cell, 4)
    expect(isinstance(await stage.send_one(sent), Applied), "the write was not carried out")
    lines = await stage.recent_orders(began - SECOND)
    expect_equal([(line.cell, line.quantity) for line in lines], [(cell, 4)], "the order that came in between")
    left = 9 if stage.capabilities.writes is WriteMode.ABSOLUTE else 5
    expect_equal(await stage.quantity(cell), left, "the number after an order of 4 and a write of 10 less 1")


@behaviour(
    "An unreadable list of orders is no list: nothing is missing from it when it is asked for again.", Need.ORDERS
)
async def a_bad_answer_hides_no_order(stage: Stage) -> None:
    began = stage.rig.now()
    await stage.shop.fill_orders(5)
    whole = _told(await stage.recent_orders(began))
    until = stage.rig.now()
    for trouble in stage.playable(Door.ORDERS, BAD_ANSWERS):
        await stage.rested()
        stage.trouble(Door.ORDERS, trouble)
        client = cast(OrderClient, stage.client)
        error = await refusal(RetryLater, client.orders(began, until, None))
        expect(error.after > 0, f"{trouble}: no time to wait")
        await stage.rig.pause(error.after)
        expect_equal(_told(await stage.orders(began, until)), whole, f"the orders after {trouble}")
