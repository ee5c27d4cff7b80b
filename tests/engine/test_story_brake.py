"""The brake: too many cells at once go up or to zero, or one jumps; a person lets it go, and sales flow meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest

from inventory_sync.engine import held as service
from inventory_sync.engine.routes import RefusedByRule
from tests.engine.bench import Bench, Setup
from tests.engine.conftest import Furnish
from tests.engine.safety_support import TWELVE, held, never_told_too_high, set_channel, set_ledger, sums_agree

HALF = TWELVE[:6]


async def release(bench: Bench, *, lasting: timedelta | None = None) -> list[service.Released]:
    done = await service.release(bench.house, ["pos-shop"], actor="person", lasting=lasting)
    bench.wake()
    return done


async def twelve(running: Furnish, **more: object) -> Bench:
    return await running(Setup(codes=TWELVE, ledger=10, **more))  # type: ignore[arg-type]


async def half_go_to_zero(bench: Bench) -> None:
    bench.off |= {"observe:pos"}  # the ledger's answer comes for all of them at once
    set_ledger(bench, dict.fromkeys(HALF, 0))
    await bench.run(30)
    bench.off.clear()
    await bench.run(60)


async def test_a_ledger_that_reports_zero_for_half_its_items_is_held_and_sales_flow(running: Furnish) -> None:
    bench = await twelve(running)
    await half_go_to_zero(bench)
    assert await held(bench) == dict.fromkeys(HALF, -10)
    [alert] = await bench.alerts("brake")
    assert (alert["subject"], alert["detail"]["cells"], alert["detail"]["to_zero"]) == ("pos-shop", 6, 6)
    assert {bench.channel(code) for code in HALF} == {10}, "the shop goes on selling what it had"

    bench.move_channel("A-01", -3)
    bench.move_channel("A-12", -2)
    bench.move_ledger("A-11", -1)
    await bench.rest()
    assert (bench.ledger("A-01"), bench.channel("A-01")) == (-3, 7), "the sale is booked, and nothing is fought over"
    assert (bench.ledger("A-12"), bench.channel("A-12")) == (8, 8)
    assert (bench.ledger("A-11"), bench.channel("A-11")) == (9, 9)
    never_told_too_high(bench)
    assert {change.item for change in bench.ours("shop")} == {bench.items["shop"]["A-11"]}, "a register sale flows"
    await sums_agree(bench)


async def test_what_is_held_is_told_when_a_person_lets_it_go(running: Furnish) -> None:
    bench = await twelve(running)
    await half_go_to_zero(bench)
    [done] = await release(bench)
    assert done.movements == 6
    await bench.rest()
    assert {bench.channel(code) for code in HALF} == {0}
    assert await bench.alerts("brake") == []
    assert await held(bench) == {}
    [entry] = await bench.rows("select actor, before from audit where action = 'brake.released'")
    assert (entry["actor"], entry["before"]["movements"]) == ("person", 6)
    await sums_agree(bench)


async def test_a_release_lets_go_what_the_person_was_shown_and_nothing_younger(running: Furnish) -> None:
    bench = await running(Setup(codes=("A-1", "B-2"), ledger=10))
    bench.move_ledger("A-1", 5000)
    await bench.rest()
    shown = await service.show(bench.house)
    bench.move_ledger("B-2", 7000)
    await bench.rest()
    assert await held(bench) == {"A-1": 5000, "B-2": 7000}
    [done] = await service.release(bench.house, ["pos-shop"], actor="person", seen=shown.seen)
    bench.wake()
    assert (done.movements, done.codes, done.younger) == (1, ("A-1",), 1)
    await bench.rest()
    assert (bench.channel("A-1"), bench.channel("B-2")) == (5010, 10)
    assert await bench.alerts("brake") != [], "what nobody saw waits, and says so"
    [entry] = await bench.rows("select before, after from audit where action = 'brake.released'")
    assert (entry["before"]["movements"], entry["after"]["movements"]) == (2, 1)
    await release(bench)
    await bench.rest()
    assert bench.channel("B-2") == 7010
    assert await bench.alerts("brake") == []
    await sums_agree(bench)


async def test_a_ledger_that_takes_its_zeros_back_ends_what_is_held_by_itself(running: Furnish) -> None:
    bench = await twelve(running)
    await half_go_to_zero(bench)
    bench.move_channel("A-01", -3)
    await bench.rest()
    set_ledger(bench, {"A-01": 7} | dict.fromkeys(TWELVE[1:5], 10) | {"A-06": 8})
    await bench.run(30)
    await bench.rest()
    assert await held(bench) == {}
    assert [bench.channel(code) for code in HALF] == [7, 10, 10, 10, 10, 8]
    assert await bench.alerts("brake") == []
    never_told_too_high(bench)
    await sums_agree(bench)


async def test_a_ledger_that_has_more_of_everything_is_held_and_what_flowed_before_is_taken_back(
    running: Furnish,
) -> None:
    bench = await twelve(running)
    for code in TWELVE[:8]:
        bench.move_ledger(code, 50)
        await bench.run(6)
    await bench.run(30)
    assert await held(bench) == dict.fromkeys(TWELVE[:8], 50)
    await bench.rest()
    assert {bench.channel(code) for code in TWELVE} == {10}
    bench.move_channel("A-01", -4)
    await bench.rest()
    assert (bench.ledger("A-01"), bench.channel("A-01")) == (56, 6)
    await release(bench)
    await bench.rest()
    assert (bench.channel("A-01"), bench.channel("A-02")) == (56, 60)
    await sums_agree(bench)


async def test_one_cell_that_jumps_is_held_by_itself(running: Furnish) -> None:
    bench = await running(Setup(codes=("A-1", "B-2"), ledger=10))
    bench.move_ledger("A-1", 5000)
    bench.move_ledger("B-2", 900)
    await bench.rest()
    assert await held(bench) == {"A-1": 5000}
    assert (bench.channel("A-1"), bench.channel("B-2")) == (10, 910)
    set_ledger(bench, {"A-1": 12})
    await bench.rest()
    assert await held(bench) == {}, "the mistake was mended"
    assert bench.channel("A-1") == 12
    bench.move_ledger("A-1", 5000)
    await bench.rest()
    assert await held(bench) == {"A-1": 5000}, "a level that was held is not the highest it ever had"
    await sums_agree(bench)


async def test_a_few_deliveries_and_many_sales_are_no_matter_for_the_brake(running: Furnish) -> None:
    bench = await twelve(running)
    for code in TWELVE[:4]:
        bench.move_ledger(code, 5)
    for code in TWELVE:
        bench.move_channel(code, -2)
    for code in TWELVE:
        bench.move_ledger(code, -1)
    await bench.rest()
    assert await held(bench) == {}
    assert {bench.channel(code) for code in TWELVE[:4]} == {12}
    assert {bench.channel(code) for code in TWELVE[4:]} == {7}


async def test_orders_that_sell_everything_are_sales(running: Furnish) -> None:
    bench = await twelve(running)
    bench.off |= {"observe:shop"}
    for code in TWELVE:
        bench.move_channel(code, -10)
    await bench.run(20)
    bench.off.clear()
    await bench.rest()
    assert await held(bench) == {}
    assert {bench.ledger(code) for code in TWELVE} == {0}


async def test_sales_at_the_till_that_empty_many_items_flow_once_the_ledger_says_so(running: Furnish) -> None:
    bench = await twelve(running)
    bench.off |= {"observe:pos"}
    for code in HALF:
        bench.move_ledger(code, -10)
    await bench.run(20)
    bench.off.clear()
    await bench.until(lambda: bench.alerts("brake"))
    await bench.run(60)
    await bench.rest()
    assert await held(bench) == {}
    assert {bench.channel(code) for code in HALF} == {0}
    await bench.until(_closed(bench))


def _closed(bench: Bench):  # type: ignore[no-untyped-def]
    async def closed() -> bool:
        return not await bench.alerts("brake")

    return closed


async def test_a_channel_that_goes_to_zero_or_up_everywhere_is_not_carried_into_the_ledger(running: Furnish) -> None:
    bench = await twelve(running)
    bench.off |= {"observe:shop"}
    set_channel(bench, dict.fromkeys(TWELVE[:4], 0) | dict.fromkeys(TWELVE[4:8], 90))
    await bench.run(20)
    bench.off.clear()
    await bench.run(60)
    assert await held(bench) == dict.fromkeys(TWELVE[:4], -10) | dict.fromkeys(TWELVE[4:8], 80)
    assert bench.ours("pos") == [], "nothing is posted"
    assert bench.ours("shop") == [], "and nobody is fought"
    bench.move_channel("A-05", -3)
    bench.move_ledger("A-06", -2)
    await bench.rest()
    assert bench.ledger("A-05") == 7
    assert (bench.channel("A-05"), bench.channel("A-06")) == (87, 88)
    await release(bench)
    await bench.rest()
    assert [bench.ledger(code) for code in ("A-01", "A-05", "A-06", "A-07")] == [0, 87, 88, 90]
    assert [bench.channel(code) for code in ("A-01", "A-05", "A-06", "A-07")] == [0, 87, 88, 90]
    await sums_agree(bench)


async def test_two_shops_of_one_ledger_are_held_alike_and_sell_on(running: Furnish) -> None:
    bench = await running(Setup(codes=TWELVE, shops=("shop", "mart"), ledger=10))
    bench.off |= {"observe:pos"}
    set_ledger(bench, dict.fromkeys(HALF, 0))
    await bench.run(20)
    bench.off.clear()
    await bench.run(30)
    assert {each["subject"] for each in await bench.alerts("brake")} == {"pos-shop", "pos-mart"}
    bench.move_channel("A-01", -3, shop="mart")
    await bench.rest()
    assert (bench.channel("A-01", "shop"), bench.channel("A-01", "mart")) == (7, 7)
    await release(bench)
    await bench.rest()
    assert (bench.channel("A-01", "shop"), bench.channel("A-01", "mart")) == (0, 0)
    await bench.until(_closed(bench))


async def test_goods_moved_between_the_stores_of_a_pool_pass(running: Furnish) -> None:
    bench = await running(Setup(codes=HALF, stores=("1", "2"), pool="1", ledger=10))
    bench.off |= {"observe:pos"}
    for code in HALF:
        bench.move_ledger(code, -10, store="1")
        bench.move_ledger(code, 10, store="2")
    await bench.run(20)
    bench.off.clear()
    await bench.rest()
    assert await held(bench) == {}
    assert {bench.channel(code) for code in HALF} == {20}


async def test_the_brake_stays_off_for_as_long_as_a_person_says(running: Furnish) -> None:
    bench = await twelve(running)
    with pytest.raises(RefusedByRule, match="24 hours"):
        await release(bench, lasting=timedelta(days=3))
    [done] = await release(bench, lasting=timedelta(minutes=30))
    assert done.off_until is not None
    for code in TWELVE:
        bench.move_ledger(code, 5)
    await bench.rest()
    assert {bench.channel(code) for code in TWELVE} == {15}
    assert (await service.show(bench.house)).off.keys() == {"pos-shop"}
    await bench.run(31 * 60)
    for code in TWELVE:
        bench.move_ledger(code, 5)
    await bench.run(60)
    assert len(await held(bench)) == 12
    assert {bench.channel(code) for code in TWELVE} == {15}


async def test_a_preview_that_a_person_accepts_ends_what_is_held(running: Furnish) -> None:
    bench = await twelve(running)
    bench.off |= {"observe:pos"}
    set_ledger(bench, dict.fromkeys(HALF, 0))
    await bench.run(20)
    bench.off.clear()
    await bench.run(30)
    assert len(await held(bench)) == 6
    await bench.stop()
    await bench.pool.execute("update pairs set phase = 'new'")
    preview = await bench.preview()
    assert preview.summary["units_down"] == -60, "a person is shown what the ledger says, held or not"
    await bench.start(preview_id=preview.id)
    await bench.rest()
    assert await held(bench) == {}
    assert {bench.channel(code) for code in HALF} == {0}
    await sums_agree(bench)


async def test_the_brake_shows_each_movement_with_its_cell(running: Furnish) -> None:
    bench = await running(Setup(codes=("A-1",), ledger=10))
    bench.move_ledger("A-1", 5000)
    await bench.rest()
    [shown] = (await service.show(bench.house)).movements
    assert (shown.route, shown.reason, shown.side, shown.code) == ("pos-shop", "brake", "ledger", "A-1")
    assert (shown.before, shown.after, shown.units) == (10, 5010, 5000)
    assert await service.routes_held(bench.house) == ["pos-shop"]
