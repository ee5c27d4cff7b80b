"""Watching: everything is read and decided, nothing is written, and the tool in use is measured by it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from inventory_sync.engine import watching
from inventory_sync.engine.routes import NoSuch, RefusedByRule
from tests.engine.bench import ADJUST, Bench, Setup
from tests.engine.conftest import Furnish


async def watch(bench: Bench, shop: str = "shop", **options: Any) -> dict[str, Any]:
    done = await watching.watch(bench.house, f"pos-{shop}", actor="person", **options)
    bench.wake()
    await bench.rest(seconds=120)
    return done


async def found(bench: Bench, shop: str = "shop") -> dict[str, Any]:
    return await watching.report(bench.house, f"pos-{shop}")


def tool_writes(bench: Bench, code: str, units: int, shop: str = "shop") -> None:
    """The tool in use tells the channel something."""
    bench.shop(shop).adjust_by_person(bench.items[shop][code], bench.place(shop), units, bench.agenda.now)
    bench.heard(shop)


def written(bench: Bench) -> list[Any]:
    """Every change of ours at any partner since the beginning."""
    return [c for p in bench.partners.values() for c in p.simulator.log.changes if c.actor == "client"]


@pytest.mark.row("S3-1", "S3-40")
async def test_a_watching_route_writes_nothing_whatever_moves(furnished: Furnish) -> None:
    bench = await furnished(Setup(codes=("A-1", "B-2"), ledger=10, channel=4))
    assert (await watch(bench))["pairs"] == 2
    bench.move_ledger("A-1", -3)
    bench.move_channel("A-1", -1)
    bench.move_ledger("B-2", 5)
    await bench.run(120)
    assert written(bench) == []
    assert bench.requests("shop", ADJUST) == bench.requests("pos", "/add") == []
    [route] = await bench.rows("select state, blockers from routes")
    assert (route["state"], route["blockers"]) == ("watching", ["watched"])
    cells = await bench.rows(
        "select blocked, gap from cells where connection_id = $1", bench.partners["shop"].connection_id
    )
    assert {(c["blocked"], c["gap"]) for c in cells} == {("watching", 0)}, "it is decided, and not written"


async def test_what_a_watching_route_finds_is_posted_nowhere_and_counts_in_no_other_route(furnished: Furnish) -> None:
    bench = await furnished(Setup(shops=("shop", "second"), ledger=10))
    await watch(bench)
    await bench.start("second", (await bench.preview("second")).id)
    await bench.rest(seconds=120)
    bench.begin()
    bench.move_channel("A-1", -2, "shop")
    await bench.run(60)
    assert bench.ours("pos") == bench.ours("second") == []
    assert (bench.ledger(), bench.channel(shop="second")) == (10, 10)
    owed = await bench.rows("select sum(owed_down) as down from components")
    assert owed[0]["down"] == 0

    bench.move_channel("A-1", -1, "second")
    await bench.rest()
    assert bench.ledger() == 9, "the route that runs goes on"
    assert bench.channel() == 8, "and the watched channel is told nothing of it"


async def test_the_report_says_how_late_the_tool_in_use_was(furnished: Furnish) -> None:
    bench = await furnished(Setup(codes=("A-1", "B-2"), ledger=10))
    await watch(bench)
    bench.move_ledger("A-1", -3)
    await bench.run(300)
    tool_writes(bench, "A-1", -3)
    bench.move_ledger("B-2", 4)
    await bench.run(30)
    tool_writes(bench, "B-2", 4)
    await bench.run(30)
    report = await found(bench)
    assert (report["changes"], report["reached"], report["never"], report["open"]) == (2, 2, 0, 0)
    assert 295 <= report["longest_s"] <= 310
    assert 28 <= report["worst"][1]["late_s"] <= 40
    assert 160 <= report["median_s"] <= 175
    assert report["oversold_units"] == 0
    assert [(w["value"], w["before"], w["wanted"]) for w in report["worst"]] == [("A-1", 10, 7), ("B-2", 10, 14)]
    assert report["now"] == {"cells": 2, "differ": 0, "too_high": 0}


async def test_a_change_that_the_channel_never_came_to_show_is_called_never(
    furnished: Furnish, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = await furnished()
    await watch(bench)
    bench.move_ledger("A-1", -3)
    await bench.run(300)
    assert (await found(bench))["open"] == 1
    monkeypatch.setattr(watching, "NEVER", timedelta(minutes=4))
    report = await found(bench)
    assert (report["never"], report["open"], report["median_s"]) == (1, 0, None)
    assert report["now"]["too_high"] == 1


async def test_what_the_channel_sold_while_it_was_late_is_an_oversell_that_would_not_have_been(
    furnished: Furnish,
) -> None:
    bench = await furnished(Setup(ledger=2))
    await watch(bench)
    bench.move_ledger("A-1", -2)
    await bench.run(60)
    bench.move_channel("A-1", -1)
    await bench.run(60)
    report = await found(bench)
    assert (report["sold_units"], report["oversold_units"], report["oversold_cells"]) == (1, 1, 1)


async def test_a_sale_that_the_tool_books_in_the_ledger_is_no_oversell(furnished: Furnish) -> None:
    bench = await furnished(Setup(ledger=2))
    await watch(bench)
    bench.off |= {"observe:shop", "poll:shop"}
    bench.move_channel("A-1", -2)
    bench.move_ledger("A-1", -2)
    await bench.run(20)
    bench.off.clear()
    bench.wake()
    await bench.run(60)
    report = await found(bench)
    assert report["changes"] == report["reached"] == 1
    assert report["oversold_units"] == report["sold_units"] == 0, "what was sold before the change was heard of"


async def test_the_report_names_codes_that_will_never_match(furnished: Furnish) -> None:
    def add(bench: Any) -> None:
        shop = bench.partners["shop"].simulator
        shop.add_product("Odd", ["A-2 "], bench.agenda.now, locations=shop.location_ids(), stock=1, policy="CONTINUE")
        bench.partners["pos"].simulator.add_product("A-2", bench.agenda.now)

    bench = await furnished(Setup(more=add))
    await watch(bench)
    never = (await found(bench))["never_matching"]
    assert (never["matched"], never["near_misses_count"]) == (1, 1)
    assert [(m["ledger"], m["channel"]) for m in never["near_misses"]] == [("A-2", "A-2 ")]


async def test_from_watching_to_running_is_an_alignment(furnished: Furnish) -> None:
    bench = await furnished(Setup(codes=("A-1", "B-2"), ledger=10, channel=4))
    await watch(bench)
    bench.move_channel("A-1", -1)
    await bench.rest()
    with pytest.raises(RefusedByRule, match="never aligned"):
        await bench.start()
    preview = await bench.preview()
    bench.move_channel("B-2", -1)
    await bench.rest()
    await bench.start(preview_id=preview.id)
    await bench.rest(seconds=120)
    assert (bench.ledger("A-1"), bench.channel("A-1")) == (10, 10)
    assert bench.ours("pos") == [], "what moved while it was watching is posted by nobody"
    assert (bench.ledger("B-2"), bench.channel("B-2")) == (10, 3)
    assert (await bench.pair("B-2"))["phase"] == "waiting", "its gap is no longer the one that was shown"
    bench.move_channel("B-2", -1)
    await bench.rest()
    assert bench.ledger("B-2") == 9, "from the start on its sales are booked"


async def test_a_route_that_ran_is_aligned_anew_after_it_watched(running: Furnish) -> None:
    bench = await running()
    with pytest.raises(RefusedByRule) as caught:
        await watch(bench)
    assert caught.value.code == "IS-RTE-052"
    await watch(bench, confirmed=True)
    bench.move_ledger("A-1", -4)
    await bench.run(30)
    await bench.stop()
    with pytest.raises(RefusedByRule, match="aligned again .watched."):
        await bench.start()
    assert bench.ours("shop") == []
    await bench.start(preview_id=(await bench.preview()).id)
    await bench.rest()
    assert (bench.ledger(), bench.channel()) == (6, 6)


async def test_what_is_still_owed_to_the_ledger_is_told_before_a_route_watches(running: Furnish) -> None:
    bench = await running()
    await bench.stop()
    bench.move_channel("A-1", -3)
    await bench.run(30)
    with pytest.raises(RefusedByRule, match="owe the ledger 3 units") as caught:
        await watching.watch(bench.house, "pos-shop", actor="person")
    assert caught.value.code == "IS-RTE-041"
    with pytest.raises(RefusedByRule, match="3 units .not 2."):
        await watching.watch(bench.house, "pos-shop", actor="person", forget_owed=2)
    assert (await watch(bench, forget_owed=3))["forgotten"] == 3
    with pytest.raises(RefusedByRule) as caught:
        await watching.watch(bench.house, "pos-shop", actor="person")
    assert caught.value.code == "IS-RTE-050"


async def test_there_is_no_report_without_a_trial_and_none_without_a_route(running: Furnish) -> None:
    bench = await running()
    with pytest.raises(RefusedByRule, match="never watching"):
        await found(bench)
    with pytest.raises(NoSuch):
        await watching.report(bench.house, "nowhere")


async def test_what_trials_found_is_kept_within_bounds(furnished: Furnish, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = await furnished()
    await watch(bench)
    monkeypatch.setattr(watching, "SPANS_PER_PAIR", 2)
    for _ in range(4):
        bench.move_ledger("A-1", -1)
        await bench.run(20)
    assert (await found(bench))["changes"] <= 3
    assert await watching.drop_old(bench.house, retention=timedelta(days=30)) <= 1
    assert [s["wanted"] for s in await bench.rows("select wanted from watch_spans order by id")] == [7, 6]
    assert await watching.drop_old(bench.house, retention=timedelta(0)) == 2
