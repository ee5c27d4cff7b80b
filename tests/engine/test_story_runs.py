"""Runs that write: a push in portions that live changes overtake, stopped, crashed, resumed, and taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from inventory_sync.engine import previews
from inventory_sync.engine.routes import RefusedByRule
from inventory_sync.engine.runs import control, portions, pushes, undo
from inventory_sync.store import db
from tests.engine.bench import ADJUST, Bench, Setup
from tests.engine.bench_house import SMAREGI_SWITCHES
from tests.engine.conftest import Furnish

SLOW = replace(SMAREGI_SWITCHES, writes_per_second=4)
"""A ledger that takes so few writes a second that a push to it lasts ten seconds."""

CODES = tuple(f"C-{number:02}" for number in range(40))


@pytest.fixture(autouse=True)
def _small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few rows at a time that a run of forty takes a while."""
    monkeypatch.setattr(portions, "PORTION", 4)
    monkeypatch.setattr(portions, "OUTSTANDING", 8)


async def push(bench: Bench, source: str = "ledger", shop: str = "shop") -> int:
    """A person looks at the preview of a push and accepts it; says the run."""
    made = await previews.make_preview(bench.house, f"pos-{shop}", source=source)
    started = await pushes.start_push(bench.house, f"pos-{shop}", preview_id=made.id, actor="person")
    bench.wake()
    return started.run


async def take_back(bench: Bench, run: int) -> int:
    made = await undo.preview_undo(bench.house, run)
    started = await undo.start_undo(bench.house, run, preview_id=made.id, actor="person")
    bench.wake()
    return started.run


async def rows(bench: Bench, run: int, *states: str) -> list[dict[str, Any]]:
    return [line async for line in control.lines(bench.house, run, *states)]


async def over(bench: Bench, run: int) -> control.RunView:
    async def ended() -> bool:
        return (await control.show(bench.house, run)).state != "running"

    await bench.until(ended, seconds=300)
    await bench.run(15)
    return await control.show(bench.house, run)


async def some_done(bench: Bench, run: int, least: int = 5) -> None:
    async def done() -> bool:
        return (await control.show(bench.house, run)).rows.get("done", 0) >= least

    await bench.until(done, seconds=120)


def numbers(bench: Bench) -> list[tuple[int, int]]:
    return [(bench.ledger(code), bench.channel(code)) for code in CODES]


def apart(**route: Any) -> Setup:
    """Forty products of which the ledger has 20 each and the shop 5, kept apart until a person pushes."""
    return Setup(codes=CODES, ledger=20, channel=5, route={"align": "keep_difference", **route}, smaregi=SLOW)


@pytest.mark.row("S2-41")
async def test_a_push_from_the_ledger_tells_the_shop_what_the_ledger_has(running: Furnish) -> None:
    bench = await running(apart())
    assert bench.ours("shop") == []
    run = await over(bench, await push(bench))
    assert (run.state, run.done, run.total) == ("done", 40, 40)
    assert (run.up, run.down) == (600, 0)
    assert numbers(bench) == [(20, 20)] * 40
    assert [change.delta for change in bench.ours("shop")] == [15] * 40, "each cell once"
    assert bench.ours("pos") == []
    assert {op["cause"] for op in await bench.ops("shop")} == {"align"}


@pytest.mark.row("S2-42")
async def test_a_push_from_the_shop_tells_the_ledger_what_the_shop_has(running: Furnish) -> None:
    bench = await running(apart())
    run = await over(bench, await push(bench, "channel"))
    assert (run.state, run.done, run.up, run.down) == ("done", 40, 0, -600)
    assert numbers(bench) == [(5, 5)] * 40
    assert [change.delta for change in bench.ours("pos")] == [-15] * 40
    assert bench.ours("shop") == []


async def test_a_push_writes_nothing_before_its_preview_is_accepted_and_each_preview_once(running: Furnish) -> None:
    bench = await running(apart())
    made = await previews.make_preview(bench.house, "pos-shop", source="ledger")
    lines = [line async for line in previews.stored(bench.house, made.id)]
    assert [(line["value"], line["before"], line["after"], line["gap"]) for line in lines] == [
        (code, 5, 20, 15) for code in CODES
    ]
    await bench.run(60)
    assert bench.ours("shop") == []
    await pushes.start_push(bench.house, "pos-shop", preview_id=made.id, actor="person")
    with pytest.raises(RefusedByRule, match="accepted before"):
        await pushes.start_push(bench.house, "pos-shop", preview_id=made.id, actor="person")
    again = await previews.make_preview(bench.house, "pos-shop", source="ledger")
    with pytest.raises(RefusedByRule, match="still writes cells"):
        await pushes.start_push(bench.house, "pos-shop", preview_id=again.id, actor="person")
    [entry] = await bench.rows("select actor, after from audit where action = 'push.started'")
    assert (entry["actor"], entry["after"]["preview"], entry["after"]["rows"]) == ("person", made.id, 40)


async def test_a_sale_overtakes_the_push_that_is_under_way(running: Furnish) -> None:
    bench = await running(apart())
    run = await push(bench, "channel")
    await some_done(bench, run, 2)
    waiting = await rows(bench, run, "confirmed")
    assert len(waiting) > 10, "much of the push is still to come"
    sold = str(waiting[-1]["value"])
    bench.move_channel(sold, -2)
    await bench.until(lambda: bench.ledger(sold) == 3, seconds=5)
    written = {change.item for change in bench.ours("pos")}
    assert len(written) < 35, "the product that was sold did not wait for those before it"
    assert [change.delta for change in bench.ours("pos") if change.item == bench.products[sold]] == [-17]
    assert (await over(bench, run)).rows == {"done": 40}
    assert numbers(bench) == [(3, 3) if code == sold else (5, 5) for code in CODES]


async def test_a_push_that_is_stopped_leaves_the_rest_alone_and_goes_on_when_asked(running: Furnish) -> None:
    bench = await running(apart())
    run = await push(bench, "channel")
    await some_done(bench, run)
    stopped = await control.stop(bench.house, run, actor="person")
    assert stopped.state == "stopped"
    await bench.rest()
    written = len(bench.ours("pos"))
    assert 5 <= written < 40
    await bench.run(120)
    assert len(bench.ours("pos")) == written
    assert len(await rows(bench, run, "proposed")) == 40 - written
    assert {r["kept"] for r in await bench.rows("select kept from pairs")} == {0, -15}, "the rest is as it was"

    traded = str((await rows(bench, run, "proposed"))[0]["value"])
    bench.move_ledger(traded, -1)
    await bench.rest()
    assert bench.channel(traded) == 4, "trade goes on, and the difference stays"
    await control.resume(bench.house, run, actor="person")
    bench.wake()
    done = await over(bench, run)
    assert (done.state, done.done, done.total) == ("done", 40, 40)
    assert done.rows == {"done": 40}
    expected = dict.fromkeys(CODES, (5, 5)) | {traded: (4, 4)}
    assert numbers(bench) == [expected[code] for code in CODES]
    assert sorted(change.delta for change in bench.ours("pos")) == [-15] * 40


async def test_what_changed_while_the_push_was_stopped_is_skipped_and_listed(furnished: Furnish) -> None:
    bench = await furnished(Setup(codes=CODES, ledger=20, channel=5, route={"align": "channel_wins"}, smaregi=SLOW))
    await bench.start(preview_id=(await bench.preview()).id)
    [record] = await bench.rows("select id from runs where kind = 'push'")
    await some_done(bench, record["id"])
    await control.stop(bench.house, record["id"], actor="person")
    await bench.rest()
    left = [str(line["value"]) for line in await rows(bench, record["id"], "proposed")]
    assert left
    bench.move_ledger(left[0], -3)
    await bench.rest()
    assert bench.channel(left[0]) == 5, "a pair nobody confirmed is not told anything"
    await control.resume(bench.house, record["id"], actor="person")
    bench.wake()
    done = await over(bench, record["id"])
    assert done.rows == {"done": 39, "skipped": 1}
    [line] = await rows(bench, record["id"], "skipped")
    assert (line["value"], line["reason"]) == (left[0], "changed since the preview")
    assert numbers(bench) == [(17, 5) if code == left[0] else (5, 5) for code in CODES]
    assert (await bench.pair(left[0]))["phase"] == "new"


@pytest.mark.parametrize("source", ["ledger", "channel"])
async def test_a_push_goes_on_after_the_process_died(running: Furnish, source: str) -> None:
    bench = await running(apart())
    run = await push(bench, source)
    for least in (3, 15, 28):
        await some_done(bench, run, least)
        await bench.crash()
    done = await over(bench, run)
    assert (done.state, done.rows) == ("done", {"done": 40})
    told, ours = (20, bench.ours("shop")) if source == "ledger" else (5, bench.ours("pos"))
    assert numbers(bench) == [(told, told)] * 40
    assert len(ours) == 40, "no cell is written twice"


@pytest.mark.row("S2-43")
async def test_a_push_is_taken_back_exactly_although_sales_went_on(running: Furnish) -> None:
    bench = await running(apart())
    run = await push(bench)
    await some_done(bench, run, 1)
    bench.move_ledger(CODES[-1], -2)
    bench.move_channel(CODES[0], -1)
    await over(bench, run)
    bench.move_channel(CODES[1], -3)
    bench.move_ledger(CODES[2], 4)
    await bench.rest()
    with pytest.raises(RefusedByRule, match="stop it first"):
        await undo.preview_undo(bench.house, run)
    await bench.stop()
    made = await undo.preview_undo(bench.house, run)
    assert made.summary == {"run": run, "cells": 40, "units_up": 0, "units_down": -600}

    bench.begin()
    back = await take_back(bench, run)
    bench.move_channel(CODES[3], -2)
    done = await over(bench, back)
    assert (done.kind, done.state, done.done, done.total, done.undoes) == ("undo", "done", 40, 40, run)
    sold = {CODES[-1]: -2, CODES[0]: -1, CODES[1]: -3, CODES[2]: 4, CODES[3]: -2}
    assert [bench.channel(code) for code in CODES] == [5 + sold.get(code, 0) for code in CODES]
    assert [bench.ledger(code) for code in CODES] == [
        20 + (sold.get(code, 0) if code != CODES[3] else 0) for code in CODES
    ]
    assert [change.delta for change in bench.ours("shop")] == [-15] * 40, "one difference a cell"
    assert {op["cause"] for op in await bench.ops("shop")} >= {"undo"}

    with pytest.raises(RefusedByRule, match="aligned again .undone."):
        await bench.start()
    with pytest.raises(RefusedByRule, match="taken back by"):
        await undo.preview_undo(bench.house, run)
    await bench.run(60)
    assert [change.delta for change in bench.ours("shop")] == [-15] * 40, "nobody pushes it again"


async def test_a_push_that_was_stopped_and_taken_back_does_not_go_on(running: Furnish) -> None:
    bench = await running(apart())
    run = await push(bench, "channel")
    await some_done(bench, run)
    await control.stop(bench.house, run, actor="person")
    await bench.rest()
    await bench.stop()
    back = await take_back(bench, run)
    await over(bench, back)
    assert [bench.ledger(code) for code in CODES] == [20] * 40
    with pytest.raises(RefusedByRule, match=f"taken back by the run {back}"):
        await control.resume(bench.house, run, actor="person")
    assert (await control.show(bench.house, run)).state == "stopped"
    bench.wake()
    await bench.run(60)
    assert [bench.ledger(code) for code in CODES] == [20] * 40


async def test_an_undo_is_stopped_and_goes_on_and_survives_a_crash(running: Furnish) -> None:
    bench = await running(apart())
    run = await push(bench, "channel")
    await over(bench, run)
    await bench.stop()
    bench.begin()
    back = await take_back(bench, run)
    await some_done(bench, back, 4)
    await control.stop(bench.house, back, actor="person")
    await bench.rest()
    written = len(bench.ours("pos"))
    assert 4 <= written < 40
    await bench.run(60)
    assert len(bench.ours("pos")) == written
    await control.resume(bench.house, back, actor="person")
    bench.wake()
    await some_done(bench, back, written + 4)
    await bench.crash()
    done = await over(bench, back)
    assert (done.state, done.rows, done.up) == ("done", {"done": 40}, 600)
    assert [bench.ledger(code) for code in CODES] == [20] * 40
    assert len(bench.ours("pos")) == 40


async def test_a_push_on_a_stopped_route_writes_its_rows_and_nothing_else(running: Furnish) -> None:
    bench = await running(apart())
    await bench.stop()
    await bench.rest()
    run = await over(bench, await push(bench))
    assert (run.state, run.rows) == ("done", {"done": 40})
    assert numbers(bench) == [(20, 20)] * 40
    bench.begin()
    bench.move_ledger(CODES[0], -4)
    bench.move_channel(CODES[1], -2)
    await bench.run(60)
    assert bench.requests("shop", ADJUST) == []
    assert bench.ours("pos") == []
    await bench.start()
    await bench.rest(seconds=120)
    assert (bench.ledger(CODES[0]), bench.channel(CODES[0])) == (16, 16)
    assert (bench.ledger(CODES[1]), bench.channel(CODES[1])) == (18, 18)


async def test_a_stop_of_the_route_stops_its_push(running: Furnish) -> None:
    bench = await running(apart())
    run = await push(bench, "channel")
    await some_done(bench, run)
    await bench.stop()
    await bench.rest()
    view = await control.show(bench.house, run)
    assert (view.state, view.error) == ("stopped", "the route was stopped")
    written = len(bench.ours("pos"))
    await bench.run(60)
    assert len(bench.ours("pos")) == written < 40


async def test_a_first_alignment_is_a_run_that_can_be_stopped_too(furnished: Furnish) -> None:
    bench = await furnished(Setup(codes=CODES, ledger=20, channel=5, route={"align": "channel_wins"}, smaregi=SLOW))
    done = await bench.start(preview_id=(await bench.preview()).id)
    assert done == {"aligned": 40, "changed": 0}
    [view] = [each for each in await control.latest(bench.house) if each.kind == "push"]
    await some_done(bench, view.id)
    going = await control.show(bench.house, view.id)
    assert going.state == "running"
    assert going.rate > 0
    assert going.remaining is not None
    assert 0 < going.remaining < 120
    await control.stop(bench.house, view.id, actor="person")
    await bench.rest()
    left = await rows(bench, view.id, "proposed")
    assert 0 < len(left) < 40
    phases = {r["phase"] for r in await bench.rows("select phase from pairs where value = $1", left[0]["value"])}
    assert phases == {"new"}
    bench.move_channel(str(left[0]["value"]), -1)
    await bench.run(60)
    assert bench.ledger(str(left[0]["value"])) == 20, "nothing of an unconfirmed pair is told on"


@pytest.fixture
async def walking(running: Furnish) -> Bench:
    """A bench on which a walk over all levels of the ledger is under way."""
    return await running(Setup(codes=CODES[:3]))


async def test_a_walk_over_all_levels_knows_its_total_and_can_be_stopped_and_resumed(walking: Bench) -> None:
    from inventory_sync.engine import poll

    walking.off.add("reconcile")
    await poll.start_reconcile(walking.house, walking.partners["pos"].connection_id)
    [run] = [
        each for each in await control.latest(walking.house) if each.kind == "reconcile" and each.state == "running"
    ]
    assert run.total == 3
    assert (await control.stop(walking.house, run.id, actor="person")).state == "stopped"
    walking.off.clear()
    await walking.run(30)
    assert (await control.show(walking.house, run.id)).state == "stopped"
    assert (await control.resume(walking.house, run.id, actor="person")).state == "running"
    walking.wake()
    assert (await over(walking, run.id)).state == "done"


@pytest.mark.parametrize("pool", [None, "1"])
async def test_a_preview_shows_what_the_pairs_have_and_how_old_its_oldest_number_is(
    running: Furnish, pool: str | None
) -> None:
    bench = await running(Setup(codes=CODES[:3], stores=("1", "2"), pool=pool))
    await bench.stop()
    bench.move_channel(CODES[0], -3)
    bench.move_channel(CODES[1], 2)
    bench.move_ledger(CODES[2], -4, store="2")
    await bench.run(30)
    [route] = await bench.rows("select * from routes")
    phases = list(previews.PHASES["ledger"])
    async with db.transaction(bench.pool) as conn:
        pages = db.pages(conn, "preview_lines", 2, route_id=route["id"], phases=phases)
        shown = {r["id"]: (r["ledger_known"], r["ledger_readable"]) for page in [p async for p in pages] for r in page}
    found = await bench.rows("select pair_id, free, readable from pair_effective")
    assert shown == {r["pair_id"]: (r["free"], r["readable"]) for r in found}
    assert len({number for number, _ in shown.values()}) > 1
    made = await previews.make_preview(bench.house, "pos-shop", source="ledger")
    [oldest] = await bench.rows("select min(read_answered_at) as at from cells")
    assert made.summary["oldest_reading"] == oldest["at"].isoformat()


async def test_a_sale_that_is_just_on_its_way_does_not_take_its_product_out_of_the_push(running: Furnish) -> None:
    bench = await running(apart())
    made = await previews.make_preview(bench.house, "pos-shop", source="ledger")
    bench.off.add("push:shop")
    bench.move_ledger(CODES[3], -2)
    await bench.until(lambda: bench.rows("select 1 from cells where gap = -2"))
    started = await pushes.start_push(bench.house, "pos-shop", preview_id=made.id, actor="person")
    bench.wake()
    await bench.run(10)
    bench.off.clear()
    assert (await over(bench, started.run)).rows == {"done": 40}
    assert numbers(bench) == [(18, 18) if code == CODES[3] else (20, 20) for code in CODES]


async def test_a_sale_lowers_the_shop_at_once_although_the_push_is_to_raise_it_later(running: Furnish) -> None:
    bench = await running(apart())
    made = await previews.make_preview(bench.house, "pos-shop", source="ledger")
    bench.off.add("push:shop")
    started = await pushes.start_push(bench.house, "pos-shop", preview_id=made.id, actor="person")
    bench.wake()
    await bench.run(10)
    sold = str((await rows(bench, started.run, "confirmed"))[-1]["value"])
    bench.off.clear()
    bench.begin()
    bench.move_ledger(sold, -2)
    await bench.until(lambda: bench.channel(sold) == 3, seconds=10)
    assert (await over(bench, started.run)).rows == {"done": 40}
    assert [change.delta for change in bench.ours("shop") if change.item == bench.items["shop"][sold]] == [-2, 15]
    assert numbers(bench) == [(18, 18) if code == sold else (20, 20) for code in CODES]
