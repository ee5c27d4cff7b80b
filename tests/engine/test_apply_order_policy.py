"""What a configuration file may say of unpaid orders and unknown items, and where it is refused."""

from __future__ import annotations

import pytest

from inventory_sync.config import ConfigErrors
from inventory_sync.store import db
from tests.engine.apply_support import SHOP_SECRET
from tests.engine.makeshop_desk import CLASSIC, MakeShopDesk


@pytest.fixture
def desk(partners: None, pool: db.Pool) -> MakeShopDesk:
    return MakeShopDesk(pool)


def shop(desk: MakeShopDesk, *lines: str) -> str:
    given = (f"access_token: {desk.graphql.token}", f"api_key: {desk.graphql.api_key}", *lines)
    return "connections:\n  cart:\n    system: makeshop\n" + "".join(f"    {line}\n" for line in given)


async def prove_relative(desk: MakeShopDesk) -> None:
    """What a calibration finds at a shop where differences can be written."""
    found = {"absolute_type": "0", "relative_type": "1", "variation_details": "list", "below_zero": "cut_off"}
    await db.run(desk.pool, "save_calibration", id=(await desk.record("cart"))["id"], calibration=found)


@pytest.mark.parametrize("unpaid", ["hold", "ignore"])
async def test_unpaid_orders_are_held_or_ignored_only_where_orders_are_the_source_of_changes(
    desk: MakeShopDesk, unpaid: str
) -> None:
    wanted = f"orders: {{unpaid: {unpaid}}}"
    await desk.apply(shop(desk))
    await prove_relative(desk)
    [problem] = (await desk.failure(shop(desk, wanted))).problems
    assert (problem.subject, problem.code) == ("connection cart, orders.unpaid", "IS-ORD-001")
    assert "have fallen already" in problem.message
    assert (await desk.record("cart"))["settings"].get("orders") is None, "nothing was saved"

    await desk.apply(shop(desk, "orders: {unpaid: reserve, unpaid_expires: 7d, unknown_sku: skip}"))
    await desk.apply(shop(desk, "relative_writes: false", wanted))  # numbers are set, and orders are the source
    assert (await desk.record("cart"))["settings"]["orders"]["unpaid"] == unpaid
    [problem] = (await desk.failure(shop(desk, wanted))).problems
    assert problem.code == "IS-ORD-001"


async def test_the_classic_api_takes_every_policy(desk: MakeShopDesk) -> None:
    await desk.apply("connections:\n" + CLASSIC + "    orders: {unpaid: hold, unpaid_expires: 12h}\n")
    told = (await desk.record("cart"))["settings"]["orders"]
    assert told == {"unpaid": "hold", "unpaid_expires": "12h", "unknown_sku": "keep"}


@pytest.mark.parametrize(
    ("orders", "said"),
    [
        ("{unpaid: later}", "'reserve', 'hold' or 'ignore'"),
        ("{unpaid: hold, unpaid_expires: soon}", "write a number and s, m, h or d"),
        ("{unpaid: ignore, unpaid_expires: 7d}", "they hold none"),
        ("{unknown_sku: drop}", "'keep' or 'skip'"),
        ("{unpayed: hold}", "unpayed"),
    ],
)
async def test_a_policy_that_has_no_meaning_is_refused_with_its_place(
    desk: MakeShopDesk, orders: str, said: str
) -> None:
    with pytest.raises(ConfigErrors) as caught:
        await desk.apply(shop(desk, f"orders: {orders}"))
    [error] = caught.value.errors
    assert error.field.startswith("connections.cart.orders")
    assert said in f"{error.field} {error.message}"


async def test_a_system_whose_levels_tell_everything_takes_no_policy_and_says_why(desk: MakeShopDesk) -> None:
    text = f"connections:\n  stall:\n    system: stall\n    account: shop-account\n    secret: {SHOP_SECRET}\n"
    with pytest.raises(ConfigErrors) as caught:
        await desk.apply(text + "    orders: {unpaid: hold}\n")
    [error] = caught.value.errors
    assert (error.field, "stock levels" in error.message) == ("connections.stall.orders", True)
