"""What a channel is told is never more than is known to be there."""

from __future__ import annotations

from inventory_sync.store import db
from tests.engine.bench import ADJUST, Bench, Setup
from tests.engine.conftest import Furnish


async def heard_of_the_ledger(bench: Bench, code: str) -> None:
    """Something is said to have changed at the ledger, and nobody has looked yet."""
    bench.off |= {"observe:pos", "poll", "causes"}
    await db.run(bench.pool, "mark_cells", ids=[(await bench.cell(code, "pos"))["id"]], now=bench.agenda.now)


async def test_a_ledger_cell_that_is_not_read_yet_holds_back_increases(running: Furnish) -> None:
    bench = await running(Setup(shops=("shop", "mall")))
    await heard_of_the_ledger(bench, "A-1")
    bench.move_channel("A-1", 3, shop="mall")
    await bench.until(lambda: bench.ledger() == 13)
    await bench.run(60)
    assert bench.channel() == 10
    assert bench.ours("shop") == []
    assert (await bench.cell("A-1", "shop"))["blocked"] == "ledger_dirty"

    bench.off.clear()
    await bench.rest()
    assert (bench.ledger(), bench.channel(), bench.channel(shop="mall")) == (13, 13, 13)


async def test_a_ledger_cell_that_is_not_read_yet_holds_back_no_decrease(running: Furnish) -> None:
    bench = await running(Setup(shops=("shop", "mall")))
    await heard_of_the_ledger(bench, "A-1")
    began = bench.agenda.now
    bench.move_channel("A-1", -3, shop="mall")
    await bench.until(lambda: bench.channel() == 7, seconds=20)
    assert (await bench.cell("A-1", "pos"))["marked_at"] is not None
    assert (await bench.cell("A-1", "pos"))["read_asked_at"] < began
    assert [change.delta for change in bench.ours("shop")] == [-3]


async def test_a_rise_at_one_channel_is_told_to_the_other_only_when_the_ledger_has_it(running: Furnish) -> None:
    bench = await running(Setup(shops=("shop", "mall")))
    bench.off.add("push:pos")
    bench.move_channel("A-1", 4, shop="mall")
    bench.move_channel("A-1", -1)
    await bench.until(lambda: bench.channel(shop="mall") == 13)
    await bench.run(60)
    assert (bench.ledger(), bench.channel()) == (10, 9), "the fall was told, the rise was not"
    bench.off.clear()
    await bench.rest()
    assert (bench.ledger(), bench.channel(), bench.channel(shop="mall")) == (13, 13, 13)


async def test_a_channel_below_zero_stays_there_until_there_is_something_to_sell(running: Furnish) -> None:
    bench = await running()
    bench.move_channel("A-1", -12)
    await bench.rest()
    await bench.run(60)
    assert (bench.ledger(), bench.channel()) == (-2, -2)
    assert bench.ours("shop") == []
    assert (await bench.cell())["blocked"] == "below_zero"
    bench.move_ledger("A-1", 2)
    await bench.rest()
    await bench.run(60)
    assert (bench.ledger(), bench.channel()) == (0, -2), "there is still nothing to sell"
    assert bench.requests("shop", ADJUST) == []

    bench.move_ledger("A-1", 3)
    await bench.rest()
    assert (bench.ledger(), bench.channel()) == (3, 3)
    assert [change.delta for change in bench.ours("shop")] == [5]


async def test_more_sold_than_there_is_alerts_until_there_is_stock_again(running: Furnish) -> None:
    bench = await running()
    bench.move_channel("A-1", -12)
    await bench.until(lambda: bench.alerts("oversold"), seconds=40)
    [alert] = await bench.alerts("oversold")
    assert alert["detail"]["effective"] == -2
    assert "A-1" in alert["subject"]
    bench.move_ledger("A-1", 5)
    await bench.rest()
    await bench.run(20)
    assert await bench.alerts("oversold") == []


async def test_what_is_gone_is_told_before_what_is_there_again(running: Furnish) -> None:
    codes = ("UP-1", "UP-2", "DOWN", "GONE")
    bench = await running(Setup(codes=codes, ledger=10))
    bench.off.add("push")
    for code, units in (("UP-1", 5), ("UP-2", 5), ("DOWN", -4), ("GONE", -10)):
        bench.move_ledger(code, units)
    waiting = "select count(*) from cells where gap <> 0"

    async def all_wait() -> bool:
        return bool(await bench.pool.fetchval(waiting) == 4)

    await bench.until(all_wait)
    bench.off.clear()
    await bench.rest()
    order = [(bench.items["shop"]["GONE"], -10), (bench.items["shop"]["DOWN"], -4)]
    told = [(change.item, change.delta) for change in bench.ours("shop")]
    assert sorted(told[:2]) == sorted(order)
    assert [delta for _, delta in told[2:]] == [5, 5]
    assert len(bench.requests("shop", ADJUST)) == 2, "decreases and increases are apart"
