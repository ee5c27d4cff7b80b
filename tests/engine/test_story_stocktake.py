"""A stock-take over open orders: what was counted more waits for a person, what was counted less flows at once."""

from __future__ import annotations

import pytest

from inventory_sync.engine import counting, stocktake
from inventory_sync.engine.held import release
from inventory_sync.engine.named import NoSuch, RefusedByRule
from tests.engine.bench import Bench, Setup
from tests.engine.conftest import Furnish
from tests.engine.safety_support import held, never_told_too_high, set_ledger, sums_agree

CODES = ("A-1", "B-2", "C-3", "D-4")


async def counting_begins(running: Furnish) -> Bench:
    bench = await running(Setup(codes=CODES, ledger=10))
    bench.move_channel("A-1", -3)
    await bench.rest()
    await stocktake.start(bench.house, "pos-shop", actor="clerk")
    return bench


async def count_shelves(bench: Bench) -> None:
    """The clerk counts what lies on the shelves: the three that are ordered and not shipped as well."""
    set_ledger(bench, {"A-1": 10, "B-2": 8, "C-3": 12})
    await bench.run(20)


async def test_goods_that_are_ordered_and_counted_are_not_sold_twice(running: Furnish) -> None:
    bench = await counting_begins(running)
    assert bench.ledger("A-1") == bench.channel("A-1") == 7
    await count_shelves(bench)
    bench.move_channel("D-4", -1)
    bench.move_channel("A-1", -2)
    await bench.rest()
    assert await held(bench) == {"A-1": 3, "C-3": 2}
    [alert] = await bench.alerts("stocktake")
    assert (alert["subject"], alert["detail"]["cells"], alert["detail"]["up"]) == ("pos-shop", 2, 5)
    assert [bench.channel(code) for code in CODES] == [5, 8, 10, 9], "sales and shortages flow, more is not told"
    assert [bench.ledger(code) for code in CODES] == [8, 8, 12, 9]
    never_told_too_high(bench)
    assert {change.item for change in bench.ours("pos")} == {bench.products["A-1"], bench.products["D-4"]}

    [kept] = await release(bench.house, ["pos-shop"], actor="clerk")
    assert (kept.movements, kept.counted) == (0, 2), "what is counted waits for the end of the count"
    shown = await stocktake.show(bench.house, "pos-shop")
    assert shown.started_by == "clerk"
    [first, second] = shown.cells
    assert (first.code, first.before, first.after, first.held, first.ordered) == ("A-1", 5, 8, 3, 5)
    assert first.doubtful
    assert (second.code, second.before, second.after, second.ordered, second.doubtful) == ("C-3", 10, 12, 0, False)
    await sums_agree(bench)


async def test_at_the_end_a_person_tells_on_what_is_right_and_keeps_the_rest(running: Furnish) -> None:
    bench = await counting_begins(running)
    await count_shelves(bench)
    shown = await stocktake.show(bench.house, "pos-shop")
    [first, _] = shown.cells
    with pytest.raises(NoSuch, match="999999"):
        await stocktake.end(bench.house, "pos-shop", actor="clerk", discard=[999999])
    done = await stocktake.end(bench.house, "pos-shop", actor="clerk", discard=[first.cell], seen=shown.seen)
    bench.wake()
    assert (done.released, done.left_held, done.younger, done.codes) == (1, 1, 0, ("C-3",))
    await bench.rest()
    assert (bench.channel("A-1"), bench.channel("C-3")) == (7, 12)
    assert await held(bench) == {"A-1": 3}
    assert (await stocktake.show(bench.house, "pos-shop")).started_at is None

    bench.move_ledger("A-1", -3)  # the ordered goods are taken off the shelf: this may be a sale, so it flows
    await bench.rest()
    assert (bench.ledger("A-1"), bench.channel("A-1")) == (7, 4), "never too high: a person says what the fall was"
    [entry] = await bench.rows("select actor, after from audit where action = 'stocktake.ended'")
    assert (entry["actor"], entry["after"]["left_held"]) == ("clerk", [first.cell])
    await sums_agree(bench)


async def test_the_end_tells_on_what_the_person_was_shown_and_nothing_younger(running: Furnish) -> None:
    bench = await counting_begins(running)
    await count_shelves(bench)
    shown = await stocktake.show(bench.house, "pos-shop")
    with pytest.raises(RefusedByRule, match="end --accept --seen NUMBER"):
        await stocktake.end(bench.house, "pos-shop", actor="clerk")
    bench.move_ledger("C-3", 5)
    bench.move_ledger("D-4", 6)
    await bench.run(20)
    assert await held(bench) == {"A-1": 3, "C-3": 7, "D-4": 6}
    done = await stocktake.end(bench.house, "pos-shop", actor="clerk", seen=shown.seen)
    bench.wake()
    assert (done.released, done.codes) == (2, ("A-1", "C-3"))
    assert (done.left_held, done.younger) == (2, 2)
    await bench.rest()
    assert await held(bench) == {"C-3": 5, "D-4": 6}
    assert [bench.channel(code) for code in CODES] == [10, 8, 12, 10]
    assert [each["detail"]["cells"] for each in await bench.alerts("stocktake")] != [], "something waits still"
    await sums_agree(bench)
    [let_go] = await release(bench.house, ["pos-shop"], actor="clerk")
    bench.wake()
    assert (let_go.movements, let_go.younger) == (2, 0)
    await bench.rest()
    assert [bench.channel(code) for code in CODES] == [10, 8, 17, 16]
    assert await bench.alerts("stocktake") == []


async def test_there_is_one_stock_take_at_a_time_and_none_to_end_without_one(running: Furnish) -> None:
    bench = await counting_begins(running)
    with pytest.raises(RefusedByRule, match="under way"):
        await stocktake.start(bench.house, "pos-shop", actor="clerk")
    await stocktake.end(bench.house, "pos-shop", actor="clerk")
    with pytest.raises(RefusedByRule, match="No stock-take"):
        await stocktake.end(bench.house, "pos-shop", actor="clerk")
    bench.move_ledger("C-3", 4)
    await bench.rest()
    assert bench.channel("C-3") == 14, "afterwards everything flows again"


async def test_a_count_settles_what_is_uncertain(running: Furnish) -> None:
    bench = await running(Setup(codes=CODES, ledger=10))
    await bench.pool.execute("update pairs set uncertain = 2 where value in ('A-1', 'B-2', 'D-4')")
    assert await counting.counted(bench.house, "pos-shop", "D-4", actor="clerk") == 2
    with pytest.raises(RefusedByRule, match="Nothing of D-4"):
        await counting.counted(bench.house, "pos-shop", "D-4", actor="clerk")
    with pytest.raises(NoSuch):
        await counting.counted(bench.house, "pos-shop", "Z-9", actor="clerk")

    await stocktake.start(bench.house, "pos-shop", actor="clerk")
    await bench.run(1)
    set_ledger(bench, {"A-1": 9})
    await bench.run(20)
    await bench.rest()
    done = await stocktake.end(bench.house, "pos-shop", actor="clerk")
    assert done.settled_units == 2
    left = {r["value"]: r["uncertain"] for r in await bench.rows("select value, uncertain from pairs")}
    assert left == {"A-1": 0, "B-2": 2, "C-3": 0, "D-4": 0}, "only what was counted"
