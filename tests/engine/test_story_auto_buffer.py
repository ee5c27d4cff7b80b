"""The automatic buffer: it rises while a product sells fast elsewhere, and falls again long after."""

from __future__ import annotations

from datetime import timedelta

from inventory_sync.engine.explain import Cause, explain
from inventory_sync.engine.publishing import keeping
from inventory_sync.engine.publishing.codes import show_code
from inventory_sync.model.auto_buffer import STAYS
from tests.engine.bench import Bench, Setup
from tests.engine.conftest import Furnish
from tests.engine.publish_support import imported, told

CODES = ("FAST", "SLOW")


async def sell(bench: Bench, times: int = 30, units: int = 3) -> None:
    """Sales at the register, one every ten seconds, each told to the shop."""
    for _ in range(times):
        bench.move_ledger("FAST", -units)
        await bench.run(10)
    await bench.rest()


async def buffers(bench: Bench) -> dict[str, int]:
    found = await bench.rows(
        "select p.value, u.buffer from pair_rules u join pairs p on p.id = u.pair_id order by p.value"
    )
    return {r["value"]: r["buffer"] for r in found}


async def slow(bench: Bench) -> None:
    """The partners took twenty seconds for every change of the last hours."""
    await bench.rows("update ops set settled_at = least(change_stamp, change_heard_at) + interval '20 seconds'")


async def test_it_is_off_until_a_person_asks_for_it(running: Furnish) -> None:
    bench = await running(Setup(codes=CODES, ledger=500))
    await sell(bench)
    await slow(bench)
    assert await keeping.reckon_buffers(bench.house) == 0
    assert await buffers(bench) == {"FAST": 0, "SLOW": 0}
    assert await bench.rows("select 1 from auto_buffers") == []


async def test_it_rises_under_heavy_sales_and_falls_long_after_and_shows_its_arithmetic(running: Furnish) -> None:
    bench = await running(Setup(codes=CODES, ledger=500))
    await imported(bench, "code,buffer\nFAST,auto\nSLOW,auto\n")
    await bench.run(70)
    assert await buffers(bench) == {"FAST": 0, "SLOW": 0}
    await sell(bench)
    await slow(bench)
    await keeping.reckon_buffers(bench.house)
    bench.wake()
    await bench.rest()
    high = await buffers(bench)
    assert high["FAST"] == 8, "90 units in 15 minutes are 2 in 20 seconds; 8 are enough 999 times of 1,000"
    assert high["SLOW"] == 0
    assert (bench.ledger("FAST"), bench.channel("FAST")) == (410, 402)
    assert bench.channel("SLOW") == 500

    [made] = await show_code(bench.house, "pos-shop", "FAST")
    assert made.auto_en == (
        "lag 20.0 s × 0.1000 units/s (90 in 15 min) = 2.00 units expected, 99.9 % of the time at most 8: 8"
    )
    assert "20.0 s × 0.1000 個/秒 (15 分で 90 個)" in made.auto_ja
    assert made.sum_en.endswith("410 − automatic buffer 8 = 402")
    found = await explain(bench.house, "FAST")
    assert Cause.AUTO_BUFFER in found.causes
    assert Cause.BUFFER not in found.causes

    now = bench.agenda.now
    bench.agenda.now = now + timedelta(hours=5)
    await keeping.reckon_buffers(bench.house)
    assert (await buffers(bench))["FAST"] == 8, "not at once"
    bench.agenda.now += STAYS
    await keeping.reckon_buffers(bench.house)
    assert (await buffers(bench))["FAST"] == 0
    assert len(await bench.rows("select 1 from auto_buffers")) == 1, "its fall still counts"
    bench.agenda.now += timedelta(hours=2)
    await keeping.reckon_buffers(bench.house)
    assert await bench.rows("select 1 from auto_buffers") == [], "what sells no more is reckoned no more"
    assert (await buffers(bench))["FAST"] == 0


async def test_a_route_bounds_it_and_a_code_may_have_its_own(running: Furnish) -> None:
    bench = await running(Setup(codes=CODES, ledger=500))
    await bench.rows("update routes set auto_buffer = true, buffer = 2, auto_most = 5")
    await told(bench, "code,buffer\nSLOW,4\n")
    assert await buffers(bench) == {"FAST": 2, "SLOW": 4}
    await sell(bench)
    await slow(bench)
    await keeping.reckon_buffers(bench.house)
    assert await buffers(bench) == {"FAST": 5, "SLOW": 4}
    [made] = await show_code(bench.house, "pos-shop", "FAST")
    assert made.auto_en.endswith("at most 8: 5 (2–5)")
    await bench.rows("update routes set auto_buffer = false")
    await keeping.reckon_buffers(bench.house)
    assert await buffers(bench) == {"FAST": 2, "SLOW": 4}
    assert await bench.rows("select 1 from auto_buffers") == []


async def test_what_this_channel_sells_itself_and_what_is_counted_asks_for_no_buffer(running: Furnish) -> None:
    bench = await running(Setup(codes=CODES, ledger=500))
    await imported(bench, "code,buffer\nFAST,auto\n")
    for _ in range(30):
        bench.move_channel("FAST", -3)
        await bench.run(10)
    await bench.rest()
    assert (bench.ledger("FAST"), bench.channel("FAST")) == (410, 410)
    await slow(bench)
    await keeping.reckon_buffers(bench.house)
    assert await buffers(bench) == {"FAST": 0, "SLOW": 0}


async def test_without_enough_measurements_the_smallest_holds_and_says_so(running: Furnish) -> None:
    bench = await running(Setup(codes=CODES, ledger=500))
    await imported(bench, "code,buffer\nFAST,auto\n")
    await sell(bench, times=5, units=20)
    await keeping.reckon_buffers(bench.house)
    assert (await buffers(bench))["FAST"] == 0
    [made] = await show_code(bench.house, "pos-shop", "FAST")
    assert made.auto_en.startswith("the lag is not measured yet (")
