"""What no notice told is found: by polling within seconds, by walking all levels at the latest."""

from __future__ import annotations

from datetime import timedelta

from inventory_sync.engine import poll
from inventory_sync.sandbox.faults import NoticeFaults
from tests.engine.bench import ADJUST, Setup
from tests.engine.conftest import Furnish


async def test_polling_finds_a_change_over_the_older_api_within_seconds(running: Furnish) -> None:
    bench = await running()
    began = bench.agenda.now
    bench.pos.legacy_change(bench.products["A-1"], "1", -4, began)
    bench.heard("pos")
    await bench.until(lambda: bench.channel() == 6, seconds=40)
    told = "select 1 from inbox where received_at >= $1 and connection_id = $2"
    assert await bench.rows(told, began, bench.partners["pos"].connection_id) == [], "nobody told us"
    assert bench.agenda.now - began < timedelta(seconds=30)


async def test_polling_finds_what_a_shop_never_told(running: Furnish) -> None:
    bench = await running()
    bench.notices("shop").faults = NoticeFaults(loss=1.0)
    bench.move_channel("A-1", -3)
    await bench.until(lambda: bench.ledger() == 7, seconds=90)
    assert [change.delta for change in bench.ours("pos")] == [-3]


async def test_a_walk_over_all_levels_finds_what_no_notice_and_no_poll_told(running: Furnish) -> None:
    bench = await running(Setup(codes=("A-1", "B-2")))
    bench.off |= {"poll", "reconcile"}
    for name in ("pos", "shop"):
        bench.notices(name).faults = NoticeFaults(loss=1.0)
    bench.pos.legacy_change(bench.products["A-1"], "1", -4, bench.agenda.now)
    bench.move_channel("B-2", -3)
    await bench.run(90)
    assert bench.ours("shop") == bench.ours("pos") == []
    assert bench.requests("shop", ADJUST) == []

    bench.off.discard("reconcile")
    for name in ("pos", "shop"):
        assert await poll.start_reconcile(bench.house, bench.partners[name].connection_id)
    await bench.until(lambda: (bench.channel("A-1"), bench.ledger("B-2")) == (6, 7))
    await bench.rest()
    done = await bench.rows("select state from runs where kind = 'reconcile'")
    assert {run["state"] for run in done} == {"done"}
    [route] = await bench.rows("select reconciled_at from routes")
    assert route["reconciled_at"] is not None
    assert [change.delta for change in bench.ours("shop")] == [-4]
    assert [change.delta for change in bench.ours("pos")] == [-3]


async def test_a_change_on_either_side_reaches_the_other_once_and_our_own_writes_come_back_as_nothing(
    running: Furnish,
) -> None:
    bench = await running()
    bench.move_ledger("A-1", -3)
    bench.move_channel("A-1", -2)
    await bench.rest()
    await bench.run(130)
    assert (bench.ledger(), bench.channel()) == (5, 5)
    assert [change.delta for change in bench.ours("pos")] == [-2]
    assert [change.delta for change in bench.ours("shop")] == [-3]
    moved = await bench.rows("select delta from movements order by delta")
    assert [row["delta"] for row in moved] == [-3, -2], "what people did, and nothing of ours"
    echoed = await bench.rows("select count(*) as notices from inbox where state = 'done'")
    assert echoed[0]["notices"] >= 4, "both partners told us of our own writes as well"
