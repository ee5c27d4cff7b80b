"""An importer that nobody told us of books again what we post: the route is blocked until a person decides."""

from __future__ import annotations

import pytest

from inventory_sync.model.expected import BOOKED_TWICE_NAMED, BOOKED_TWICE_UNNAMED
from tests.engine.conftest import Furnish
from tests.engine.sales_support import Trading, trading

POST = {"sales": "post"}


async def sold_and_booked_again(trade: Trading, how: str) -> None:
    """One order, which we post, and which the importer books a little later."""
    trade.order()
    await trade.rest()
    trade.book(how=how)
    await trade.rest()
    await trade.bench.run(30)  # until the cause is known


async def state(trade: Trading) -> tuple[str, list[str]]:
    [route] = await trade.bench.rows("select state, blockers from routes")
    return route["state"], route["blockers"]


@pytest.mark.parametrize(
    ("how", "nameless", "times"),
    [
        ("program", False, BOOKED_TWICE_NAMED),
        ("till", False, BOOKED_TWICE_UNNAMED),
        ("till", True, BOOKED_TWICE_UNNAMED),
    ],
    ids=["by a program", "at the till", "by nobody knows what"],
)
async def test_orders_that_are_booked_again_and_again_block_the_route(
    furnished: Furnish, how: str, nameless: bool, times: int
) -> None:
    trade = await trading(furnished, nameless=nameless, route=POST, ledger=50)
    for _ in range(times - 1):
        await sold_and_booked_again(trade, how)
    assert await state(trade) == ("running", []), "once or twice may be an accident"
    await sold_and_booked_again(trade, how)
    assert await state(trade) == ("blocked", ["orders_booked_twice"])
    [alert] = await trade.bench.alerts("orders_booked_twice")
    assert alert["subject"] == "pos-shop"
    posted = len(trade.bench.ours("pos"))
    assert posted == times
    trade.order()
    await trade.bench.run(20)
    assert len(trade.bench.ours("pos")) == posted, "nothing more is booked until a person decides"


async def test_a_person_who_starts_the_route_again_is_believed(furnished: Furnish) -> None:
    trade = await trading(furnished, route=POST, ledger=50)
    for _ in range(BOOKED_TWICE_NAMED):
        await sold_and_booked_again(trade, "program")
    assert (await state(trade))[0] == "blocked"
    await trade.bench.start(preview_id=(await trade.bench.preview()).id)
    await trade.rest()
    trade.book(counts=False)  # the last of what the importer had left
    await trade.rest()
    await trade.bench.run(30)
    assert await state(trade) == ("running", [])
    assert await trade.bench.alerts("orders_booked_twice") == []


async def test_trade_at_the_counter_beside_the_shops_blocks_nothing(furnished: Furnish) -> None:
    trade = await trading(furnished, route=POST, ledger=50)
    for _ in range(BOOKED_TWICE_UNNAMED + 1):
        trade.order()
        await trade.rest()
        for _ in range(3):
            trade.counter_sale()
            await trade.rest()
    assert await state(trade) == ("running", [])
    assert trade.bench.ledger() == trade.bench.channel()
