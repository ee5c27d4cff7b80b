"""Stopping, starting again, and a database that is not the one it was."""

from __future__ import annotations

import pytest

from inventory_sync.engine import installation
from inventory_sync.engine.routes import RefusedByRule
from tests.engine.bench import ADJUST, Bench, Setup
from tests.engine.conftest import Furnish
from tests.simulation.world import INSTALLATION


async def state(bench: Bench, shop: str = "shop") -> tuple[str, list[str]]:
    [route] = await bench.rows("select state, blockers from routes where name = $1", f"pos-{shop}")
    return route["state"], route["blockers"]


async def settled_in(bench: Bench) -> None:
    """Start a route that ran before, and let both sides be read."""
    await bench.start()
    await bench.rest(seconds=120)


# -- stop and start ---


async def test_nothing_leaves_while_a_route_is_stopped_and_everything_is_delivered_on_start(running: Furnish) -> None:
    bench = await running(Setup(codes=("A-1", "B-2"), ledger=10))
    await bench.stop()
    bench.move_ledger("A-1", -2)
    bench.move_channel("A-1", -1)
    bench.move_ledger("B-2", 4)
    await bench.run(120)
    assert bench.requests("shop", ADJUST) == bench.requests("pos", "/add") == []
    assert (bench.ledger("A-1"), bench.channel("A-1")) == (8, 9)
    assert {row["delta"] for row in await bench.rows("select delta from movements")} == {-2, -1, 4}

    await settled_in(bench)
    assert (bench.ledger("A-1"), bench.channel("A-1")) == (7, 7)
    assert (bench.ledger("B-2"), bench.channel("B-2")) == (14, 14)
    assert [change.delta for change in bench.ours("pos")] == [-1]
    assert sorted(change.delta for change in bench.ours("shop")) == [-2, 4]


async def test_what_nobody_told_while_stopped_is_found_on_start(running: Furnish) -> None:
    bench = await running()
    await bench.stop()
    bench.off |= {"intake", "observe", "poll", "reconcile"}
    bench.move_ledger("A-1", -3)
    bench.move_channel("A-1", -2)
    await bench.run(60)
    bench.off.clear()
    await settled_in(bench)
    assert (bench.ledger(), bench.channel()) == (5, 5)


async def test_an_op_under_way_at_the_stop_still_gets_its_outcome(running: Furnish) -> None:
    bench = await running()
    bench.move_ledger("A-1", -3)
    await bench.until(lambda: bench.requests("shop", ADJUST))
    await bench.stop()
    await bench.rest()
    assert [op["state"] for op in await bench.ops("shop")][-1] == "applied"
    assert (bench.ledger(), bench.channel()) == (7, 7)
    assert (await bench.cell())["known"] == 7


async def test_where_both_sides_rose_while_stopped_falls_are_delivered_and_the_rises_wait_for_a_person(
    running: Furnish,
) -> None:
    bench = await running()
    await bench.stop()
    bench.move_ledger("A-1", 5)
    bench.move_channel("A-1", -2)
    await bench.run(20)
    bench.move_channel("A-1", 5)
    await bench.run(20)
    await bench.start()
    await bench.run(60)

    pair = await bench.pair()
    assert (pair["phase"], pair["phase_reason"]) == ("waiting", "both_rose")
    assert [change.delta for change in bench.ours("pos")] == [-2], "the fall is delivered, the rise is not"
    assert bench.ours("shop") == []
    assert (bench.ledger(), bench.channel()) == (13, 13)

    preview = await bench.preview()
    await bench.start(preview_id=preview.id)
    await bench.rest()
    assert (await bench.pair())["phase"] == "live"
    assert (bench.ledger(), bench.channel()) == (13, 13), "one delivery of goods, entered on both sides, counts once"
    assert [change.delta for change in bench.ours("pos")] == [-2]


async def test_a_pair_that_waits_still_delivers_what_falls(running: Furnish) -> None:
    bench = await running()
    await bench.stop()
    bench.move_ledger("A-1", 5)
    bench.move_channel("A-1", 5)
    await bench.run(20)
    await bench.start()
    await bench.run(30)
    assert (await bench.pair())["phase"] == "waiting"
    bench.move_channel("A-1", -4)
    await bench.run(30)
    assert bench.ledger() == 11
    assert [change.delta for change in bench.ours("pos")] == [-4]


# -- a restored database ---


async def nothing_before_a_person_aligned_it(bench: Bench, reason: str) -> None:
    """Every route stands still for `reason`; it is not started without a preview, and then it is right again."""
    assert await state(bench) == ("blocked", [reason])
    bench.move_ledger("A-1", -2)
    bench.move_channel("A-1", -1)
    await bench.run(120)
    assert bench.ours("shop") == bench.ours("pos") == []
    with pytest.raises(RefusedByRule, match=f"aligned again .{reason}."):
        await bench.start()
    await bench.stop()
    with pytest.raises(RefusedByRule, match="aligned again"):
        await bench.start()
    await bench.run(30)
    assert bench.ours("shop") == bench.ours("pos") == []

    await bench.start(preview_id=(await bench.preview()).id)
    await bench.rest(seconds=120)
    assert bench.channel() == bench.ledger() == 8, "the ledger wins: what was owed before is not known any more"
    assert bench.ours("pos") == []
    assert (await state(bench))[0] == "running"


async def test_a_database_with_another_identifier_writes_nothing_before_a_person_aligned_it(running: Furnish) -> None:
    bench = await running()
    assert await installation.check(bench.house)
    await bench.pool.execute("update installation set database_identifier = '7000000000000000001'")
    assert not await installation.check(bench.house)
    [alert] = await bench.alerts("restored")
    assert alert["detail"]["was"].startswith("7000000000000000001/")
    assert await installation.check(bench.house), "it is told once"
    await nothing_before_a_person_aligned_it(bench, "restored")


async def test_a_promoted_replica_shows_by_its_timeline(running: Furnish) -> None:
    bench = await running()
    await installation.check(bench.house)
    await bench.pool.execute("update installation set timeline = timeline + 1")
    assert not await installation.check(bench.house)
    assert await state(bench) == ("blocked", ["restored"])


async def test_a_memo_of_our_own_name_that_the_database_never_heard_of_stops_the_routes(running: Furnish) -> None:
    bench = await running()
    forgotten = f"is:{INSTALLATION}:{'0' * 32}"
    bench.pos.foreign_api_change(bench.products["A-1"], "1", -1, bench.agenda.now, memo=forgotten)
    bench.heard("pos")
    await bench.until(lambda: bench.alerts("restored"))
    assert await state(bench) == ("blocked", ["restored"])
    [alert] = await bench.alerts("restored")
    assert alert["detail"]["traces"] == ["0" * 32]


async def test_a_memo_of_another_installation_stops_the_routes_as_a_second_installation(running: Furnish) -> None:
    bench = await running()
    bench.pos.foreign_api_change(bench.products["A-1"], "1", -1, bench.agenda.now, memo=f"is:othername:{'1' * 32}")
    bench.heard("pos")
    await bench.until(lambda: bench.alerts("second_installation"))
    assert await state(bench) == ("blocked", ["second_installation"])
    bench.begin()
    bench.move_ledger("A-1", -2)
    await bench.run(60)
    assert bench.ours("shop") == []
    with pytest.raises(RefusedByRule):
        await bench.start()


async def test_a_memo_of_somebody_else_stops_nothing(running: Furnish) -> None:
    bench = await running()
    bench.pos.foreign_api_change(bench.products["A-1"], "1", -1, bench.agenda.now, memo="stock-take 棚卸")
    bench.heard("pos")
    await bench.rest()
    await bench.run(30)
    assert (await state(bench))[0] == "running"
    assert (bench.ledger(), bench.channel()) == (9, 9)
