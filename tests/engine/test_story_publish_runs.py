"""A publish change on a running route is a run: falls first, overtaken by what sells, stopped and resumed."""

from __future__ import annotations

import pytest

from inventory_sync.engine import routes
from inventory_sync.engine.runs import control, portions, pushes
from inventory_sync.store import db
from tests.engine.bench import Bench, Setup
from tests.engine.conftest import Furnish
from tests.engine.publish_support import imported

CODES = tuple(f"C-{number:02}" for number in range(24))


@pytest.fixture(autouse=True)
def _small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """One row at a time, so that a run of twenty-four takes a while."""
    monkeypatch.setattr(portions, "PORTION", 1)
    monkeypatch.setattr(portions, "OUTSTANDING", 1)


def rules(column: str, units: int, codes: tuple[str, ...] = CODES) -> str:
    return f"code,{column}\n" + "".join(f"{code},{units}\n" for code in codes)


async def begun(bench: Bench, run: int, least: int = 3) -> None:
    async def done() -> bool:
        return (await control.show(bench.house, run)).rows.get("done", 0) >= least

    await bench.until(done, seconds=120)


async def over(bench: Bench, run: int) -> control.RunView:
    async def ended() -> bool:
        return (await control.show(bench.house, run)).state != "running"

    await bench.until(ended, seconds=300)
    await bench.rest()
    return await control.show(bench.house, run)


async def test_falls_are_told_before_rises_and_what_is_gone_first(running: Furnish) -> None:
    bench = await running(Setup(codes=CODES))
    text = "code,offset,end_when\n"
    text += "".join(f"{code},2,\n" for code in CODES[:8]) + "".join(f"{code},-3,\n" for code in CODES[8:16])
    text += "".join(f"{code},,10\n" for code in CODES[16:])
    run = (await imported(bench, text)).run
    assert run is not None
    view = await over(bench, run)
    assert (view.rows, view.up, view.down) == ({"done": 24}, 16, -24 - 80)
    deltas = [change.delta for change in bench.ours("shop")]
    assert deltas == [-10] * 8 + [-3] * 8 + [2] * 8


async def test_a_sale_overtakes_a_publish_run_and_is_told_by_the_new_rule(running: Furnish) -> None:
    bench = await running(Setup(codes=CODES))
    run = (await imported(bench, rules("buffer", 2))).run
    assert run is not None
    await begun(bench, run)
    waiting = [str(line["value"]) async for line in control.lines(bench.house, run, "confirmed")]
    assert len(waiting) > 10, "much of the run is still to come"
    sold = waiting[-1]
    bench.move_ledger(sold, -1)
    await bench.until(lambda: bench.channel(sold) == 7, seconds=10)
    assert len({change.item for change in bench.ours("shop")}) < 20, "it did not wait for those before it"
    assert (await over(bench, run)).rows == {"done": 24}
    assert [bench.channel(code) for code in CODES] == [7 if code == sold else 8 for code in CODES]


async def test_a_publish_run_that_is_stopped_leaves_the_rest_as_it_stands_until_it_goes_on(running: Furnish) -> None:
    bench = await running(Setup(codes=CODES))
    run = (await imported(bench, rules("offset", 4))).run
    assert run is not None
    await begun(bench, run)
    assert (await control.stop(bench.house, run, actor="person")).state == "stopped"
    bench.wake()
    await bench.rest()
    await bench.run(60)
    left = [str(line["value"]) async for line in control.lines(bench.house, run, "proposed")]
    assert 10 < len(left) < 22
    assert [bench.channel(code) for code in left] == [10] * len(left)

    bench.move_ledger(left[0], -1)
    await bench.rest()
    assert bench.channel(left[0]) == 13, "what something happens to is told by the rule that holds"
    assert bench.channel(left[1]) == 10
    await control.resume(bench.house, run, actor="person")
    bench.wake()
    view = await over(bench, run)
    assert (view.state, view.rows) == ("done", {"done": 24})
    assert [bench.channel(code) for code in CODES] == [13 if code == left[0] else 14 for code in CODES]


async def test_a_newer_change_takes_over_what_a_stopped_one_left(running: Furnish) -> None:
    bench = await running(Setup(codes=CODES))
    first = (await imported(bench, rules("offset", 4))).run
    assert first is not None
    await begun(bench, first)
    await control.stop(bench.house, first, actor="person")
    bench.wake()
    await bench.rest()
    second = (await imported(bench, rules("buffer", 1))).run
    assert second is not None
    await over(bench, second)
    assert [bench.channel(code) for code in CODES] == [9] * 24
    assert "proposed" not in (await control.show(bench.house, first)).rows


async def test_a_route_that_stops_meanwhile_puts_the_run_aside_and_its_start_tells_the_rest(running: Furnish) -> None:
    bench = await running(Setup(codes=CODES))
    run = (await imported(bench, rules("buffer", 2))).run
    assert run is not None
    await begun(bench, run)
    await bench.stop()
    await bench.rest()
    assert (await control.show(bench.house, run)).state == "stopped"
    told = [bench.channel(code) for code in CODES]
    assert told.count(10) > 5
    await bench.start()
    await bench.rest(seconds=300)
    assert [bench.channel(code) for code in CODES] == [8] * 24


async def test_the_rule_of_the_whole_route_is_told_to_every_pair_that_lives(running: Furnish) -> None:
    bench = await running(Setup(codes=CODES))
    async with db.transaction(bench.pool) as conn:
        route = await routes.route_named(conn, "pos-shop")
        await conn.execute("update routes set buffer = 3")
        started = await pushes.start_publish_run(bench.house, conn, route, actor="person")
    bench.wake()
    assert started.total == 24
    view = await over(bench, started.run)
    assert (view.kind, view.actor, view.rows) == ("publish", "person", {"done": 24})
    assert [bench.channel(code) for code in CODES] == [7] * 24
