"""`explain` of what moved a number, of what is on its way, and of what may be older than it seems."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from inventory_sync.engine.explain import Cause
from inventory_sync.sandbox.kernel import Fault, FaultKind
from inventory_sync.sandbox.smaregi.trade import OfflineSale
from tests.engine.bench import ADJUST, Bench, Setup
from tests.engine.bench_house import SHOPIFY_SWITCHES
from tests.engine.conftest import Furnish
from tests.engine.explain_support import ask, causes, line, told


def counted(bench: Bench) -> None:
    bench.pos.count(bench.products["A-1"], "1", 7, bench.agenda.now)


def returned(bench: Bench) -> None:
    bench.pos.return_goods(bench.products["A-1"], "1", 2, bench.agenda.now)


def transferred(bench: Bench) -> None:
    bench.pos.transfer(bench.products["A-1"], "1", "2", 2, bench.agenda.now)


def received(bench: Bench) -> None:
    bench.pos.receive(bench.products["A-1"], "1", 2, bench.agenda.now)


def another_app(bench: Bench) -> None:
    bench.pos.foreign_api_change(bench.products["A-1"], "1", -2, bench.agenda.now, memo="importer")


@pytest.mark.parametrize(
    ("act", "cause"),
    [
        (counted, Cause.COUNTED),
        (returned, Cause.RETURNED),
        (transferred, Cause.TRANSFERRED),
        (received, Cause.RECEIVED),
        (another_app, Cause.OTHER_APP),
    ],
)
async def test_what_moved_the_ledger_is_named_with_before_and_after(
    running: Furnish, act: Callable[[Bench], None], cause: Cause
) -> None:
    bench = await running(Setup(stores=("1", "2")))
    act(bench)
    bench.heard("pos")
    await bench.rest()
    await bench.run(40)
    made = await line(bench)
    assert [each.cause for each in made.findings] == [cause, Cause.EQUAL]
    assert f"10 became {bench.ledger()}" in made.en
    assert f"10 から {bench.ledger()}" in made.ja
    assert bench.channel() == bench.ledger()


async def test_a_sale_of_a_register_that_was_offline_says_when_it_was_made_and_how_late_it_came(
    running: Furnish,
) -> None:
    bench = await running()
    sold_at = bench.agenda.now - timedelta(hours=2)
    bench.pos.offline_burst([OfflineSale(bench.products["A-1"], "1", 3, sold_at)], bench.agenda.now)
    bench.heard("pos")
    await bench.rest()
    await bench.run(40)
    made = await line(bench)
    assert [each.cause for each in made.findings] == [Cause.LATE_SALE, Cause.SOLD, Cause.EQUAL]
    assert "arrived 2 h late: the register was offline" in made.en
    [moved] = [each for each in (await ask(bench)).events if each.kind == "movement"]
    assert moved.lag_s is not None
    assert 7200 <= moved.lag_s < 7260


async def test_a_sale_at_the_shop_is_carried_to_the_ledger(running: Furnish) -> None:
    bench = await running()
    bench.move_channel("A-1", -2)
    await bench.rest()
    found = await ask(bench)
    assert [each.cause for each in found.lines[0].findings] == [Cause.CHANNEL_SOLD, Cause.EQUAL]
    assert told(found.events, "movement", "shop") == [(10, 8, "")]
    assert told(found.events, "write", "pos") == [(10, 8, "live")]


async def test_a_write_whose_answer_was_lost_is_in_doubt(running: Furnish) -> None:
    bench = await running()
    bench.faults("shop").queue(ADJUST, *[Fault(FaultKind.RESET_BEFORE)] * 6)
    bench.move_ledger("A-1", -3)

    async def doubted() -> bool:
        return bool(await bench.rows("select 1 from ops where state = 'in_doubt'"))

    await bench.until(doubted)
    made = await line(bench)
    assert made.findings[0].cause is Cause.IN_DOUBT
    assert made.en.startswith(
        "shop / Tokyo shows 10 and should show 7. A write of −3 to shop / Tokyo was never answered"
    )
    await bench.rest(seconds=240)
    assert Cause.IN_DOUBT not in await causes(bench)
    assert any("times" in each.en for each in (await ask(bench)).events if each.kind == "write")


async def test_a_reading_that_may_be_older_than_the_change_is_said_and_when_it_is_read_again(
    running: Furnish,
) -> None:
    bench = await running(Setup(shopify=replace(SHOPIFY_SWITCHES, read_lag=2.0)))
    await bench.run(10)  # what was read before no longer delays the next reading
    bench.move_channel("A-1", -2)

    async def looked() -> bool:
        return bool(await bench.rows("select 1 from cells where read_answered_at >= marked_at"))

    await bench.until(looked)
    made = await line(bench)
    assert made.shows == 10
    assert bench.channel() == 8
    assert made.findings[0].cause is Cause.OLDER_READING
    assert "the partner's reading may be older than it; it is read again at 03:" in made.en
    await bench.rest()
    assert Cause.OLDER_READING not in await causes(bench)
    assert (await line(bench)).shows == 8


async def test_a_level_that_is_not_active_at_its_place(furnished: Furnish) -> None:
    def switched_off(bench: Bench) -> None:
        assert bench.shop().deactivate_level(bench.items["shop"]["A-1"], bench.place(), bench.agenda.now)

    bench = await furnished(Setup(codes=("A-1", "B-2"), ledger={"A-1": 0, "B-2": 9}, channel=9, more=switched_off))
    await bench.start(preview_id=(await bench.preview()).id)
    await bench.run(60)
    assert (await causes(bench))[0] is Cause.INACTIVE
    assert "is inactive: it is not stocked at this place" in (await line(bench)).en


async def test_more_sold_than_there_is(running: Furnish) -> None:
    bench = await running()
    bench.move_ledger("A-1", -10)
    bench.move_channel("A-1", -3)
    await bench.rest()
    await bench.run(20)
    assert Cause.OVERSOLD in await causes(bench)


async def test_a_write_whose_outcome_was_never_learnt_leaves_the_number_uncertain(running: Furnish) -> None:
    bench = await running(Setup(pos={"history": False}))
    bench.faults("pos").queue("POST /*/pos/stock/*/add", Fault(FaultKind.RESET_AFTER))
    bench.move_channel("A-1", -2)
    await bench.rest(seconds=240)
    made = await line(bench)
    assert Cause.UNCERTAIN in [each.cause for each in made.findings]
    assert "up to 2 too low" in made.en
    assert any("the lower number is believed" in each.en for each in (await ask(bench)).events)
