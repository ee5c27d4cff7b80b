"""A person confirms a gap that the brake holds: what is held of it ends, in whatever way the preview was accepted."""

from __future__ import annotations

import pytest

from inventory_sync.engine import previews
from inventory_sync.engine.runs import pushes
from tests.engine.bench import Bench, Setup
from tests.engine.conftest import Furnish
from tests.engine.safety_support import TWELVE, held, highest_told, set_ledger, sums_agree

HALF = TWELVE[:6]


async def half_is_zero(running: Furnish, shops: tuple[str, ...] = ("shop",)) -> Bench:
    bench = await running(Setup(codes=TWELVE, shops=shops, ledger=10))
    bench.off |= {"observe:pos"}  # the ledger's answer comes for all of them at once
    set_ledger(bench, dict.fromkeys(HALF, 0))
    await bench.run(20)
    bench.off.clear()
    await bench.run(30)
    assert await held(bench) == dict.fromkeys(HALF, -10)
    return bench


async def push_from(bench: Bench, source: str, shop: str = "shop") -> previews.Preview:
    made = await previews.make_preview(bench.house, f"pos-{shop}", source=source)
    await pushes.start_push(bench.house, f"pos-{shop}", preview_id=made.id, actor="person")
    bench.wake()
    await bench.rest(seconds=120)
    return made


async def no_alert_is_left(bench: Bench) -> None:
    async def closed() -> bool:
        return not await bench.alerts("brake")

    await bench.until(closed)


@pytest.mark.parametrize("stopped", [False, True], ids=["while the route runs", "while it is stopped"])
async def test_a_push_from_the_ledger_tells_what_was_held(running: Furnish, stopped: bool) -> None:
    bench = await half_is_zero(running)
    if stopped:
        await bench.stop()
    made = await push_from(bench, "ledger")
    assert made.summary["units_down"] == -60, "what is held is counted in what a person confirms"
    assert await held(bench) == {}
    assert [bench.channel(code) for code in TWELVE] == [0] * 6 + [10] * 6
    await no_alert_is_left(bench)
    await sums_agree(bench)


async def test_a_push_from_the_channel_puts_right_what_was_held_at_the_ledger(running: Furnish) -> None:
    bench = await half_is_zero(running)
    await push_from(bench, "channel")
    assert await held(bench) == {}
    assert {bench.ledger(code) for code in TWELVE} == {bench.channel(code) for code in TWELVE} == {10}
    assert highest_told(bench, TWELVE) <= 0
    await no_alert_is_left(bench)
    await sums_agree(bench)


async def test_a_rise_that_is_held_is_told_once_it_is_confirmed_and_a_sale_meanwhile_counts(running: Furnish) -> None:
    bench = await running(Setup(codes=("A-1", "B-2"), ledger=10))
    bench.move_ledger("A-1", 5000)
    await bench.rest()
    assert await held(bench) == {"A-1": 5000}
    made = await previews.make_preview(bench.house, "pos-shop", source="ledger")
    bench.move_channel("A-1", -3)
    await bench.rest()
    await pushes.start_push(bench.house, "pos-shop", preview_id=made.id, actor="person")
    bench.wake()
    await bench.rest(seconds=120)
    assert await held(bench) == {}
    assert bench.ledger("A-1") == bench.channel("A-1") == 5007
    await sums_agree(bench)


async def test_what_one_shop_confirmed_is_told_to_every_shop_that_lives_of_the_same_number(running: Furnish) -> None:
    bench = await half_is_zero(running, ("shop", "mart"))
    await push_from(bench, "ledger")
    assert await held(bench) == {}
    assert {bench.channel(code, shop) for code in HALF for shop in ("shop", "mart")} == {0}
    await no_alert_is_left(bench)


async def test_a_preview_that_was_made_before_something_was_held_confirms_nothing_of_it(running: Furnish) -> None:
    bench = await running(Setup(codes=TWELVE, ledger=10))
    made = await previews.make_preview(bench.house, "pos-shop", source="ledger")
    bench.off |= {"observe:pos"}
    set_ledger(bench, dict.fromkeys(HALF, 0))
    await bench.run(20)
    bench.off.clear()
    await bench.run(30)
    await pushes.start_push(bench.house, "pos-shop", preview_id=made.id, actor="person")
    bench.wake()
    await bench.rest(seconds=120)
    assert await held(bench) == dict.fromkeys(HALF, -10)
    assert {bench.channel(code) for code in TWELVE} == {10}
