"""Somebody else writes the same numbers, and cells that run away: each is stopped with an alert, the rest sells on."""

from __future__ import annotations

import pytest

from inventory_sync.engine import quarantine
from inventory_sync.engine.named import NoSuch, RefusedByRule
from tests.engine.bench import ADJUST, Bench, Setup
from tests.engine.conftest import Furnish
from tests.engine.safety_support import never_told_too_high, raised

CODES = ("A-1", "B-2", "C-3", "D-4")
ONE_WAY = {"direction": "ledger_to_channel", "sales": "expect"}


async def state(bench: Bench, shop: str = "shop") -> tuple[str, list[str]]:
    [route] = await bench.rows("select state, blockers from routes where name = $1", f"pos-{shop}")
    return route["state"], route["blockers"]


async def undo(bench: Bench, codes: tuple[str, ...], number: int, rounds: int) -> None:
    """Another tool sets its own number again and again, as soon as ours is there."""
    for _ in range(rounds):
        for code in codes:
            bench.shop().set_by_person(bench.items["shop"][code], bench.place(), number, bench.agenda.now)
        bench.heard("shop")
        await bench.run(12)


async def test_two_writers_that_fight_over_several_items_block_the_route_and_other_shops_sell_on(
    running: Furnish,
) -> None:
    bench = await running(Setup(codes=CODES, shops=("shop", "mart"), ledger=10, route=ONE_WAY))
    await undo(bench, CODES[:3], 14, rounds=8)
    assert await state(bench) == ("blocked", ["second_writer"])
    [alert] = await bench.alerts("second_writer")
    assert (alert["subject"], alert["detail"]["routes"], alert["detail"]["items"]) == ("shop", ["pos-shop"], 3)
    never_told_too_high(bench)
    written = len(bench.requests("shop", ADJUST))
    await undo(bench, CODES[:3], 14, rounds=2)
    assert len(bench.requests("shop", ADJUST)) == written, "nothing more is written"
    assert await state(bench, "mart") == ("running", [])
    bench.move_ledger("D-4", -3)
    await bench.run(70)
    assert bench.channel("D-4", "mart") == 7
    bench.move_channel("C-3", -2, shop="mart")
    await bench.run(70)
    assert await state(bench, "mart") == ("running", [])
    never_told_too_high(bench)
    with pytest.raises(RefusedByRule, match="second_writer"):
        await bench.start()

    await bench.start(preview_id=(await bench.preview()).id)
    await bench.run(60)
    assert await state(bench) == ("running", [])
    assert [bench.channel(code) for code in CODES] == [10, 10, 8, 7], "the other tool was switched off"
    await bench.run(30)
    assert await bench.alerts("second_writer") == []


async def test_two_writers_that_fight_over_one_cell_stop_that_cell(running: Furnish) -> None:
    bench = await running(Setup(codes=CODES, ledger=10, route=ONE_WAY))
    await undo(bench, ("A-1",), 14, rounds=8)
    [alert] = await bench.alerts("runaway")
    assert alert["detail"]["course"] == "fought_over"
    assert await state(bench) == ("running", [])
    [kept] = await quarantine.listed(bench.house)
    assert (kept["code"], kept["excluded"]) == ("IS-SAF-001", False)
    bench.begin()
    bench.move_ledger("A-1", -2)
    bench.move_ledger("B-2", -2)
    await bench.run(30)
    assert [change.item for change in bench.ours("shop")] == [bench.items["shop"]["B-2"]], "the others sell on"
    assert bench.channel("B-2") == 8
    assert raised(bench) == []

    await quarantine.release(bench.house, [kept["cell_id"]], actor="person")
    bench.wake()
    await bench.run(60)
    assert bench.channel("A-1") == 8
    assert await bench.alerts("runaway") == []


async def test_a_cell_that_goes_up_and_down_by_the_same_number_is_stopped(running: Furnish) -> None:
    bench = await running(Setup(codes=CODES, ledger=10))
    for turn in range(10):
        bench.move_ledger("A-1", 4 if turn % 2 == 0 else -4)
        await bench.run(8)
    [alert] = await bench.alerts("runaway")
    assert alert["detail"]["course"] == "alternates"
    [kept] = await quarantine.listed(bench.house)
    assert kept["connection"] == "pos"


async def test_movements_that_grow_and_grow_stop_the_cell(running: Furnish) -> None:
    bench = await running(Setup(codes=CODES, ledger=10))
    for units in (3, 6, 12, 24, 48):
        bench.move_ledger("B-2", units)
        await bench.run(8)
    [alert] = await bench.alerts("runaway")
    assert alert["detail"]["course"] == "grows"


async def test_busy_trade_runs_away_from_nothing(running: Furnish) -> None:
    bench = await running(Setup(codes=CODES, ledger=50))
    for turn in range(12):
        bench.move_channel("A-1", -1)
        bench.move_ledger("A-1", -2 if turn % 3 else 5)
        await bench.run(6)
    await bench.rest()
    assert await bench.alerts("runaway") == await bench.alerts("second_writer") == []
    assert bench.ledger("A-1") == bench.channel("A-1")


async def test_a_cell_that_a_person_keeps_out_stays_out_until_a_person_lets_it_in(running: Furnish) -> None:
    bench = await running(Setup(codes=("A-1", "B-2"), ledger=10))
    cell = (await bench.cell("A-1"))["id"]
    assert await quarantine.exclude(bench.house, [cell], actor="person") == [cell]
    bench.wake()
    bench.move_ledger("A-1", -4)
    bench.move_ledger("B-2", -4)
    await bench.run(30)
    assert (bench.channel("A-1"), bench.channel("B-2")) == (10, 6)
    [kept] = await quarantine.listed(bench.house)
    assert (kept["excluded"], kept["code"]) == (True, "IS-SAF-002")
    with pytest.raises(RefusedByRule, match="keeps these cells out"):
        await quarantine.retry(bench.house, [cell], actor="person")
    with pytest.raises(NoSuch, match="999999"):
        await quarantine.exclude(bench.house, [cell, 999999], actor="person")
    await quarantine.release(bench.house, [cell], actor="person")
    bench.wake()
    await bench.rest()
    assert bench.channel("A-1") == 6
    entries = await bench.rows("select action from audit where action like 'quarantine%' order by id")
    actions = [entry["action"] for entry in entries]
    assert actions == ["quarantine.excluded", "quarantine.released"]
