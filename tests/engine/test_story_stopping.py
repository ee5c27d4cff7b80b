"""Stopping: which numbers stay where, a channel told 0 by a person's wish, and starts after a long stop."""

from __future__ import annotations

from datetime import timedelta

import pytest

from inventory_sync.engine import orders, poll, route_states, stopping
from inventory_sync.engine.routes import NoSuch, RefusedByRule
from inventory_sync.store import db
from tests.engine.bench import ADJUST, Bench, Setup
from tests.engine.conftest import Furnish


async def zero(bench: Bench) -> int:
    made = await stopping.preview_zero(bench.house, "pos-shop")
    done = await stopping.stop_and_zero(bench.house, "pos-shop", preview_id=made.id, actor="person")
    bench.wake()
    return int(done["zeroed"])


async def state(bench: Bench) -> tuple[str, list[str]]:
    [route] = await bench.rows("select state, blockers from routes where name = 'pos-shop'")
    return route["state"], route["blockers"]


async def test_a_stop_says_which_numbers_stay_where(running: Furnish) -> None:
    bench = await running(Setup(codes=("A-1", "B-2"), ledger={"A-1": 10, "B-2": 0}))
    await bench.stop()
    [counted] = await stopping.counts_left(bench.house, "pos-shop")
    assert (counted["cells"], counted["on_sale"], counted["units"], counted["under_way"]) == (2, 1, 10, 0)
    bench.move_ledger("A-1", -4)
    bench.move_channel("A-1", -1)
    await bench.run(60)
    numbers = {each["value"]: each for each in await stopping.numbers_left(bench.house, "pos-shop")}
    assert (numbers["A-1"]["channel"], numbers["A-1"]["ledger"]) == (9, 5)
    assert (numbers["A-1"]["ledger_moved"], numbers["A-1"]["channel_moved"]) == (-4, -1)
    assert numbers["B-2"]["channel"] == 0


# -- told 0 ---


async def test_nothing_is_told_zero_before_its_preview_is_accepted(running: Furnish) -> None:
    bench = await running(Setup(codes=("A-1", "B-2"), ledger={"A-1": 10, "B-2": 0}))
    made = await stopping.preview_zero(bench.house, "pos-shop")
    assert (made.summary["zero"], made.summary["nothing"], made.summary["units_down"]) == (1, 1, -10)
    await bench.run(60)
    assert (await state(bench))[0] == "running"
    assert bench.requests("shop", ADJUST) == []
    with pytest.raises(NoSuch):
        await bench.start(preview_id=made.id)
    with pytest.raises(NoSuch):
        await stopping.stop_and_zero(bench.house, "pos-shop", preview_id="no such", actor="person")


async def test_a_channel_is_told_zero_in_relative_ops_and_the_route_stands_still(running: Furnish) -> None:
    bench = await running(Setup(codes=("A-1", "B-2"), ledger=10))
    assert await zero(bench) == 2
    await bench.rest()
    assert (bench.channel("A-1"), bench.channel("B-2"), bench.ledger("A-1")) == (0, 0, 10)
    told = [(op["delta"], op["cause"]) for op in await bench.ops("shop")][-2:]
    assert told == [(-10, "zero"), (-10, "zero")]
    assert await state(bench) == ("stopped", ["zeroed"])
    bench.move_ledger("A-1", 5)
    bench.shop().adjust_by_person(bench.items["shop"]["B-2"], bench.place(), 3, bench.agenda.now)
    bench.heard("shop")
    await bench.run(60)
    assert (bench.channel("A-1"), bench.channel("B-2")) == (0, 3), "what a person does afterwards is left alone"
    [entry] = await bench.rows("select * from audit where action = 'route.zeroed'")
    assert (entry["before"]["state"], entry["after"]["cells"]) == ("running", 2)


async def test_a_sale_while_a_channel_is_told_zero_is_neither_lost_nor_doubled(running: Furnish) -> None:
    bench = await running()
    bench.move_channel("A-1", -2)
    await zero(bench)
    await bench.run(60)
    assert bench.channel() <= 0
    with pytest.raises(RefusedByRule, match="aligned again .zeroed."):
        await bench.start()
    await bench.start(preview_id=(await bench.preview()).id)
    await bench.rest()
    assert (bench.ledger(), bench.channel()) == (8, 8)
    assert sum(change.delta for change in bench.ours("pos")) == -2


async def test_a_start_ends_what_was_still_to_be_told_zero(running: Furnish) -> None:
    bench = await running()
    bench.off |= {"push:shop"}
    await zero(bench)
    await bench.run(10)
    await bench.start(preview_id=(await bench.preview()).id)
    bench.off.clear()
    await bench.rest()
    assert (bench.ledger(), bench.channel()) == (10, 10)
    assert bench.ours("shop") == []


@pytest.mark.parametrize(
    ("route", "code"),
    [
        ({"direction": "channel_to_ledger", "align": "keep_difference"}, "IS-RTE-045"),
        ({"align": "channel_wins"}, "IS-RTE-047"),
    ],
)
async def test_some_routes_cannot_tell_their_channel_zero(running: Furnish, route: dict[str, str], code: str) -> None:
    bench = await running(Setup(route=route))
    with pytest.raises(RefusedByRule) as caught:
        await stopping.preview_zero(bench.house, "pos-shop")
    assert caught.value.code == code


async def test_a_route_that_never_ran_has_no_numbers_of_its_own_to_take_away(furnished: Furnish) -> None:
    bench = await furnished()
    with pytest.raises(RefusedByRule, match="never started"):
        await stopping.preview_zero(bench.house, "pos-shop")


# -- a long stop ---


def test_a_stop_is_long_when_partners_can_be_asked_about_its_beginning_no_more() -> None:
    assert min(orders.LONGEST_REACH, poll.LONGEST_WINDOW) == route_states.LONG_STOP


async def long_ago(bench: Bench) -> None:
    """The stop lies back for longer than anything is read back."""
    past = route_states.LONG_STOP + timedelta(minutes=1)
    await bench.pool.execute("update routes set stopped_since = stopped_since - $1::interval", past)


async def test_a_start_after_a_long_stop_is_an_alignment_that_shows_what_both_sides_did(running: Furnish) -> None:
    bench = await running(Setup(codes=("A-1", "B-2", "C-3"), ledger=10))
    await bench.stop()
    bench.move_ledger("A-1", 5)
    bench.move_channel("A-1", -2)
    bench.move_ledger("B-2", 4)
    bench.move_channel("B-2", 4)
    await bench.run(60)
    await long_ago(bench)
    with pytest.raises(RefusedByRule, match="more than 30 days") as caught:
        await bench.start()
    assert caught.value.code == "IS-RTE-048"
    assert bench.requests("shop", ADJUST) == []

    preview = await bench.preview()
    lines = {row["value"]: row for row in await db.rows(bench.pool, "preview_page", id=preview.id, after=0, limit=1000)}
    assert set(lines) == {"A-1", "B-2", "C-3"}, "every pair, those that did not move too"
    assert "since the stop: +5 in the ledger; in the channel +0 by rises and -2 by falls" in lines["A-1"]["why_en"]
    assert "台帳 +4、チャネルの増 +4" in lines["B-2"]["why_ja"]
    assert "since the stop" not in lines["C-3"]["why_en"]
    assert (lines["A-1"]["before"], lines["A-1"]["after"]) == (8, 13)

    await bench.start(preview_id=preview.id)
    await bench.rest()
    assert (bench.ledger("A-1"), bench.channel("A-1")) == (13, 13), "what fell is delivered, the ledger wins"
    assert (bench.ledger("B-2"), bench.channel("B-2")) == (14, 14), "goods entered on both sides count once"
    assert await state(bench) == ("running", [])


async def test_a_short_stop_needs_no_preview_and_a_running_route_has_none(running: Furnish) -> None:
    bench = await running()
    await bench.stop()
    await bench.run(10)
    await bench.start()
    await bench.rest()
    [route] = await bench.rows("select stopped_since from routes")
    assert route["stopped_since"] is None
