"""Cells that are switched off at the shop: switched on without a number, read, and aligned as new pairs."""

from __future__ import annotations

from tests.engine.bench import ADJUST, Bench, Setup
from tests.engine.conftest import Furnish

ACTIVATE = "ActivateAtLocation"


def switched_off(old: int) -> Setup:
    """The shop stocks A-1 nowhere at this place any more; hidden, its old quantity is still there."""

    def off(bench: Bench) -> None:
        assert bench.shop().deactivate_level(bench.items["shop"]["A-1"], bench.place(), bench.agenda.now)

    return Setup(codes=("A-1", "B-2"), ledger={"A-1": 6, "B-2": 9}, channel={"A-1": old, "B-2": 9}, more=off)


async def test_a_cell_that_was_switched_off_is_switched_on_without_a_number_read_and_then_told(
    running: Furnish,
) -> None:
    bench = await running(switched_off(old=4))
    await bench.until(lambda: bench.channel() == 6)
    await bench.rest()
    shop, item = bench.shop(), bench.items["shop"]["A-1"]
    assert shop.is_active(item, bench.place())
    assert (bench.ledger(), bench.channel()) == (6, 6)
    told = [change for change in shop.log.changes if change.actor == "client"]
    assert [(change.item, change.delta, change.after) for change in told] == [(item, 2, 6)], "from what came back"
    kinds = [(op["kind"], op["delta"], op["state"]) for op in await bench.ops("shop")]
    assert kinds == [("activate", 0, "applied"), ("adjust", 2, "applied")]
    assert bench.ours("pos") == []
    bench.move_channel("A-1", -1)
    await bench.rest()
    assert (bench.ledger(), bench.channel()) == (5, 5)


async def test_an_old_quantity_above_the_target_is_taken_back_at_once(running: Furnish) -> None:
    bench = await running(switched_off(old=40))
    await bench.rest(seconds=120)
    assert bench.shop().is_active(bench.items["shop"]["A-1"], bench.place())
    assert (bench.ledger(), bench.channel()) == (6, 6)


async def test_a_cell_with_nothing_to_sell_stays_switched_off(running: Furnish) -> None:
    setup = switched_off(old=4)
    bench = await running(Setup(setup.codes, ledger={"A-1": 0, "B-2": 9}, channel=setup.channel, more=setup.more))
    await bench.run(120)
    assert not bench.shop().is_active(bench.items["shop"]["A-1"], bench.place())
    assert bench.requests("shop", ACTIVATE) == bench.requests("shop", ADJUST) == []
    assert await bench.ops("shop") == []

    bench.move_ledger("A-1", 3)
    await bench.until(lambda: bench.channel() == 3)
    await bench.rest()
    assert len(bench.requests("shop", ACTIVATE)) == 1
    assert bench.shop().is_active(bench.items["shop"]["A-1"], bench.place())


async def test_a_cell_that_is_switched_off_while_the_route_runs_is_never_written_blindly(running: Furnish) -> None:
    bench = await running(Setup(codes=("A-1", "B-2")))
    item = bench.items["shop"]["A-1"]
    assert bench.shop().deactivate_level(item, bench.place(), bench.agenda.now)
    bench.heard("shop")
    await bench.rest(seconds=120)
    assert bench.shop().is_active(item, bench.place()), "there is stock to sell, so it is switched on again"
    bench.move_ledger("A-1", -3)
    await bench.rest()
    assert (bench.ledger(), bench.channel()) == (7, 7)
