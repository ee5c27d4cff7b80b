"""Doubt at the ledger: a write whose answer was lost is looked up by its memo before anything is repeated."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from inventory_sync.sandbox.kernel import Fault, FaultKind
from inventory_sync.sandbox.smaregi import SmaregiSwitches
from tests.engine.bench import Bench, Sent, Setup
from tests.engine.conftest import Furnish

ADD = "/add"
ANY_ADD = "POST /*/pos/stock/*/add"
LATE_EFFECT = timedelta(seconds=60)
SWITCHES = SmaregiSwitches(reads_per_second=50, writes_per_second=20)


def memo(sent: Sent) -> str:
    return str(json.loads(sent.body)["stockHistory"]["memo"])


def highest_told(bench: Bench, shop: str = "shop") -> int:
    """The highest number that our own increases ever made of a channel cell; 0 where we never raised one."""
    return max((change.after for change in bench.ours(shop) if change.delta > 0), default=0)


async def sold_online(bench: Bench, fault: Fault, *, units: int = -2) -> None:
    """Two units are sold at the shop, and the answer of the write that tells the ledger meets a fault."""
    bench.faults("pos").queue(ANY_ADD, fault)
    bench.move_channel("A-1", units)
    await bench.until(lambda: bench.requests("pos", ADD))


@pytest.mark.parametrize(
    "fault",
    [Fault(FaultKind.RESET_AFTER), Fault(FaultKind.ERROR_AFTER), Fault(FaultKind.LATE, 20.0)],
    ids=["the reply was lost", "it was answered 503 after it took effect", "it lands late, within the minute"],
)
async def test_a_write_whose_memo_is_in_the_history_is_never_repeated(running: Furnish, fault: Fault) -> None:
    bench = await running()
    await sold_online(bench, fault)
    await bench.rest(seconds=120)
    await bench.run(100)

    assert len(bench.requests("pos", ADD)) == 1
    [op] = await bench.ops("pos")
    assert (op["state"], op["attempts"], op["doubles"]) == ("applied", 1, 0)
    assert [change.delta for change in bench.ours("pos")] == [-2]
    assert (bench.ledger(), bench.channel()) == (8, 8)
    assert bench.ours("shop") == []


async def test_a_lost_write_is_repeated_once_after_a_minute_with_the_same_memo(running: Furnish) -> None:
    bench = await running()
    await sold_online(bench, Fault(FaultKind.RESET_BEFORE))
    await bench.rest(seconds=120)

    first, second = bench.requests("pos", ADD)
    assert second.at - first.at >= LATE_EFFECT
    assert first.body == second.body
    [op] = await bench.ops("pos")
    assert memo(first).endswith(f":{op['id']}")
    assert (op["state"], op["attempts"]) == ("applied", 2)
    assert [change.reference for change in bench.ours("pos")] == [memo(first)]
    assert (bench.ledger(), bench.channel()) == (8, 8)


async def test_a_write_that_lands_after_its_repeat_is_found_and_taken_back(running: Furnish) -> None:
    bench = await running()
    await sold_online(bench, Fault(FaultKind.LATE, 75.0))
    await bench.run(85)
    await bench.rest(seconds=180)

    first, second, third = bench.requests("pos", ADD)
    assert memo(first) == memo(second) != memo(third)
    assert [change.delta for change in bench.ours("pos")] == [-2, -2, +2]
    twice, back = await bench.ops("pos")
    assert (twice["state"], twice["doubles"]) == ("applied", 1)
    assert (back["cause"], back["delta"], back["state"]) == ("compensation", 2, "applied")
    [compensation] = await bench.rows("select * from compensations")
    assert (compensation["op_id"], compensation["units"]) == (twice["id"], 2)
    assert await bench.rows("select 1 from movements where cell_id = $1", twice["cell_id"]) == []
    assert (bench.ledger(), bench.channel()) == (8, 8)
    assert highest_told(bench) <= 8


async def test_an_increase_that_lands_twice_is_taken_back_before_anybody_is_told_too_much(running: Furnish) -> None:
    bench = await running(Setup(shops=("shop", "mall")))
    await sold_online(bench, Fault(FaultKind.LATE, 75.0), units=5)
    await bench.run(85)
    await bench.rest(seconds=180)

    assert [change.delta for change in bench.ours("pos")] == [5, 5, -5]
    assert (bench.ledger(), bench.channel(), bench.channel(shop="mall")) == (15, 15, 15)
    assert highest_told(bench, "mall") <= 15
    assert highest_told(bench) <= 15


async def test_a_memo_that_appears_late_is_waited_for(running: Furnish) -> None:
    bench = await running(Setup(smaregi=replace(SWITCHES, memo_lag=40.0)))
    await sold_online(bench, Fault(FaultKind.RESET_AFTER))
    await bench.rest(seconds=120)

    assert len(bench.requests("pos", ADD)) == 1
    assert [op["state"] for op in await bench.ops("pos")] == ["applied"]
    assert (bench.ledger(), bench.channel()) == (8, 8)


async def test_a_memo_that_appears_after_the_repeat_still_ends_right(running: Furnish) -> None:
    bench = await running(Setup(smaregi=replace(SWITCHES, memo_lag=90.0)))
    await sold_online(bench, Fault(FaultKind.RESET_AFTER))
    await bench.rest(seconds=240)
    await bench.run(240)
    await bench.rest(seconds=240)

    assert [change.delta for change in bench.ours("pos")] == [-2, -2, +2]
    assert len(await bench.rows("select 1 from compensations")) == 1
    assert (bench.ledger(), bench.channel()) == (8, 8)
    assert highest_told(bench) <= 8


UNREADABLE = {
    "the plan shows no history": Setup(smaregi=replace(SWITCHES, history_readable=False)),
    "the history is switched off": Setup(pos={"history": False}),
}


@pytest.mark.parametrize("setup", UNREADABLE.values(), ids=list(UNREADABLE))
@pytest.mark.parametrize(
    ("kind", "left"), [(FaultKind.RESET_AFTER, 6), (FaultKind.RESET_BEFORE, 8)], ids=["it took effect", "it was lost"]
)
async def test_without_a_history_the_lower_number_is_believed_and_said(
    running: Furnish, setup: Setup, kind: FaultKind, left: int
) -> None:
    bench = await running(setup)
    await sold_online(bench, Fault(kind))
    await bench.rest(seconds=180)
    await bench.run(70)

    first, second = bench.requests("pos", ADD)
    assert memo(first) != memo(second), "a new op, not a repeat"
    assert second.at - first.at >= LATE_EFFECT
    assert [op["state"] for op in await bench.ops("pos")] == ["lower_number", "applied"]
    assert (await bench.pair())["uncertain"] == 2
    [alert] = await bench.alerts("uncertain")
    assert alert["subject"] == "pos"
    assert (bench.ledger(), bench.channel()) == (left, left), "at most the two units too low"
    assert highest_told(bench) <= 8
