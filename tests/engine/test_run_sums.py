"""What the rows of a run sum up to: stored when it ends, asked for in two questions, and left when its rows are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory_sync.engine import housekeeping
from inventory_sync.engine.explain import explain
from inventory_sync.engine.lane import House
from inventory_sync.engine.named import RefusedByRule
from inventory_sync.engine.runs import control, keeping, portions, undo
from inventory_sync.store import db
from tests.engine.apply_support import Desk
from tests.engine.bench import Bench
from tests.engine.conftest import Furnish
from tests.engine.test_story_runs import _small_portions, apart, numbers, over, push, rows, some_done, take_back

__all__ = ["_small_portions"]

FEW = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
MONTH = timedelta(days=30)

OVER = ("done", "failed", "skipped")
OPEN = ("proposed", "confirmed", "released", "sent")


def lines_of(*states: str) -> st.SearchStrategy[list[tuple[str, int | None]]]:
    """Rows of a run: the state of each, and what it moved."""
    line = st.tuples(st.sampled_from(states), st.none() | st.integers(-(10**6), 10**6))
    return st.lists(line, max_size=12)


async def _cells(desk: Desk, least: int) -> list[tuple[int, int]]:
    """Pairs, and the channel cell of each, as many as are asked for."""
    if not await desk.pool.fetchval("select count(*) from pairs"):
        await desk.prepare()
    [channel] = await desk.pool.fetch(
        "select c.connection_id, c.location_id from pairs p join cells c on c.id = p.channel_cell limit 1"
    )
    while await desk.pool.fetchval("select count(*) from pairs") < least:
        await desk.pool.execute(
            "with i as (insert into items (connection_id, key, codes, name, tracked, bundle, import_id) "
            "  select $1, 'more-' || count(*), '{}', 'item', true, false, 1 from items returning id), "
            "c as (insert into cells (connection_id, item_id, location_id, known, condition) "
            "  select $1, i.id, $2, 5, 'active' from i returning id) "
            "insert into pairs (route_id, channel_cell, value, phase, phase_since, made_at) "
            "  select r.id, c.id, 'more-' || c.id, 'live', $3, $3 from c, routes r",
            channel["connection_id"],
            channel["location_id"],
            desk.house.now(),
        )
    return [
        (r["id"], r["channel_cell"]) for r in await desk.pool.fetch("select id, channel_cell from pairs order by id")
    ]


async def _run(desk: Desk, lines: Sequence[tuple[str, int | None]], kind: str = "publish") -> int:
    """A run under way with these rows."""
    cells, now = await _cells(desk, 12), desk.house.now()
    await desk.pool.execute("update run_rows set state = 'done' where state in ('confirmed', 'released')")
    run: int = await desk.pool.fetchval(
        "insert into runs (kind, route_id, started_at, updated_at, total) "
        "select $1, id, $2, $2, $3 from routes returning id",
        kind,
        now,
        len(lines),
    )
    await desk.pool.executemany(
        "insert into run_rows (run_id, pair_id, cell_id, side, rank, action, state, moved, since) "
        "values ($1, $2, $3, 'channel', 2, 'publish', $4, $5, $6)",
        [(run, pair, cell, state, moved, now) for (pair, cell), (state, moved) in zip(cells, lines, strict=False)],
    )
    return run


def _expected(lines: Sequence[tuple[str, int | None]]) -> tuple[dict[str, int], int, int]:
    moved = [units or 0 for _, units in lines]
    return dict(Counter(s for s, _ in lines)), sum(u for u in moved if u > 0), sum(u for u in moved if u < 0)


def _told(view: control.RunView) -> tuple[dict[str, int], int, int]:
    return view.rows, view.up, view.down


@FEW
@given(lines=lines_of(*OVER, *OPEN))
async def test_a_run_under_way_tells_what_its_rows_sum_up_to(desk: Desk, lines: list[tuple[str, int | None]]) -> None:
    run = await _run(desk, lines)
    view = await control.show(desk.house, run)
    assert _told(view) == _expected(lines)
    assert view.done == sum(state in OVER for state, _ in lines)
    assert list(view.rows) == sorted(view.rows)


@FEW
@given(lines=lines_of(*OVER))
async def test_the_sums_of_a_run_that_ended_are_those_of_its_rows_and_outlive_them(
    desk: Desk, lines: list[tuple[str, int | None]]
) -> None:
    run = await _run(desk, lines)
    async with db.transaction(desk.house.pool) as conn:
        await portions.finish_if_over(desk.house, conn, run)
    ended = await control.show(desk.house, run)
    assert (ended.state, ended.done, *_told(ended)) == ("done", len(lines), *_expected(lines))
    await desk.pool.execute("delete from run_rows where run_id = $1", run)
    assert await control.show(desk.house, run) == ended


async def test_what_a_stopped_run_hears_afterwards_counts(desk: Desk) -> None:
    run = await _run(desk, [("sent", None), ("proposed", None)])
    assert (await control.stop(desk.house, run, actor="person")).rows == {"proposed": 1, "sent": 1}
    await desk.pool.execute("update run_rows set state = 'done', moved = 4 where run_id = $1 and state = 'sent'", run)
    view = await control.show(desk.house, run)
    assert (view.state, view.done, *_told(view)) == ("stopped", 1, {"done": 1, "proposed": 1}, 4, 0)


async def test_a_run_that_a_program_of_the_version_before_ended_is_added_up_when_asked(desk: Desk) -> None:
    run = await _run(desk, [("done", 3), ("skipped", None)])
    now = desk.house.now()
    await desk.pool.execute("update runs set state = 'done', finished_at = $2 where id = $1", run, now)
    assert _told(await control.show(desk.house, run)) == ({"done": 1, "skipped": 1}, 3, 0)
    assert await keeping.drop_old(_later(desk.house), retention=MONTH) == 2
    assert _told(await control.show(desk.house, run)) == ({"done": 1, "skipped": 1}, 3, 0)


@pytest.mark.parametrize(("ended", "under_way", "asked"), [(30, 0, 1), (30, 1, 2), (25, 25, 2)])
async def test_a_list_of_runs_is_two_questions_at_most(desk: Desk, ended: int, under_way: int, asked: int) -> None:
    for number in range(ended + under_way):
        run = await _run(desk, [("done", number), ("failed", None)])
        if number < ended:
            async with db.transaction(desk.house.pool) as conn:
                await portions.finish_if_over(desk.house, conn, run)
    questions: list[Any] = []
    async with desk.pool.acquire() as conn:
        with conn.query_logger(questions.append):
            found = await control.latest(replace(desk.house, pool=conn))
    assert len(questions) == asked
    runs = [view for view in found if view.kind == "publish"]
    assert [view.up for view in runs] == list(reversed(range(ended + under_way)))
    assert {view.done for view in runs} == {2}
    assert sum(view.state == "running" for view in runs) == under_way


def _later(house: House, days: int = 31) -> House:
    """The same house so many days later."""

    def now() -> datetime:
        return house.now() + timedelta(days=days)

    return replace(house, ambient=replace(house.ambient, now=now))


async def _aligned(running: Furnish) -> Bench:
    """A bench whose first alignment, a run that kept every difference, is so long ago that its rows are gone."""
    bench = await running(apart())
    assert await keeping.drop_old(_later(bench.house), retention=MONTH) == 40
    return bench


async def _left(bench: Bench, run: int) -> int:
    [found] = await bench.rows("select count(*) as rows from run_rows where run_id = $1", run)
    return int(found["rows"])


async def test_the_rows_of_a_run_are_kept_for_a_while_and_its_sums_and_the_journal_for_ever(
    running: Furnish, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = await _aligned(running)
    run = (await over(bench, await push(bench))).id
    before = await control.show(bench.house, run)
    journal = await bench.rows("select id, run_id, delta from ops order by id")
    await bench.stop()
    await housekeeping.keep_house(_later(bench.house, 29), retention=MONTH)
    assert await _left(bench, run) == 40
    assert (await undo.preview_undo(bench.house, run)).summary["cells"] == 40

    explained = await explain(bench.house, "C-07", since=timedelta(days=1))
    assert (5, 20) in [(event.before, event.after) for event in explained.events]
    monkeypatch.setattr(keeping, "LINES_AT_ONCE", 15)
    later = _later(bench.house)
    assert await keeping.drop_old(later, retention=MONTH) == 15
    assert await _left(bench, run) == 25, "some at a time"
    with pytest.raises(RefusedByRule) as refused:
        await undo.preview_undo(bench.house, run)
    assert refused.value.code == "IS-RUN-014", "half of it is not taken back"
    assert [await keeping.drop_old(later, retention=MONTH) for _ in range(3)] == [15, 10, 0]

    after = await control.show(bench.house, run)
    assert after.lines_kept_days == 31
    assert replace(after, lines_deleted_at=None) == before
    assert (after.rows, after.up, after.down) == ({"done": 40}, 600, 0)
    assert await rows(bench, run, "done") == []
    assert await bench.rows("select id, run_id, delta from ops order by id") == journal
    assert await explain(bench.house, "C-07", since=timedelta(days=1)) == explained
    assert numbers(bench) == [(20, 20)] * 40


async def test_housekeeping_deletes_the_rows_of_old_runs(running: Furnish) -> None:
    bench = await _aligned(running)
    run = (await over(bench, await push(bench))).id
    await housekeeping.keep_house(_later(bench.house), retention=MONTH)
    assert await _left(bench, run) == 0


async def test_a_run_that_can_go_on_keeps_its_rows(running: Furnish) -> None:
    bench = await _aligned(running)
    run = await push(bench, "channel")
    await some_done(bench, run)
    assert await keeping.drop_old(_later(bench.house, 400), retention=MONTH) == 0, "it is under way"
    await control.stop(bench.house, run, actor="person")
    await bench.rest()
    assert await keeping.drop_old(_later(bench.house, 400), retention=MONTH) == 0, "it can be resumed"
    await control.resume(bench.house, run, actor="person")
    bench.wake()
    assert (await over(bench, run)).rows == {"done": 40}
    [op] = await bench.rows("select id from ops where run_id = $1 limit 1", run)
    await bench.pool.execute("update ops set state = 'in_doubt' where id = $1", op["id"])
    assert await keeping.drop_old(_later(bench.house), retention=MONTH) == 0, "a write of it is in doubt"
    await bench.pool.execute("update ops set state = 'applied' where id = $1", op["id"])
    assert await keeping.drop_old(_later(bench.house), retention=MONTH) == 40


async def test_what_is_left_of_a_stopped_run_that_a_newer_one_took_over_goes_too(running: Furnish) -> None:
    bench = await _aligned(running)
    run = await push(bench, "channel")
    await some_done(bench, run)
    await control.stop(bench.house, run, actor="person")
    await bench.rest()
    await over(bench, await push(bench, "channel"))
    stopped = await control.show(bench.house, run)
    assert (stopped.state, stopped.rows["skipped"]) == ("stopped", 40 - stopped.rows["done"])
    await keeping.drop_old(_later(bench.house), retention=MONTH)
    assert await _left(bench, run) == 0
    assert _told(await control.show(bench.house, run)) == _told(stopped)
    await control.resume(bench.house, run, actor="person")
    bench.wake()
    ended = await over(bench, run)
    assert (ended.state, ended.done, *_told(ended)) == ("done", 40, *_told(stopped)), "it had nothing to go on with"


async def test_a_run_that_is_taken_back_keeps_its_rows_until_its_route_was_aligned_again(running: Furnish) -> None:
    bench = await _aligned(running)
    run = (await over(bench, await push(bench, "channel"))).id
    await bench.stop()
    back = await take_back(bench, run)
    await some_done(bench, back, 4)
    await control.stop(bench.house, back, actor="person")
    await bench.rest()
    assert await keeping.drop_old(_later(bench.house), retention=MONTH) == 0, "the undo can be resumed"
    await control.resume(bench.house, back, actor="person")
    bench.wake()
    await over(bench, back)
    assert await keeping.drop_old(_later(bench.house), retention=MONTH) == 0, "the route waits because of it"
    with pytest.raises(RefusedByRule, match=f"taken back by the run {back}"):
        await undo.preview_undo(bench.house, run)
    await bench.start(preview_id=(await bench.preview()).id)
    await bench.rest()
    await keeping.drop_old(_later(bench.house), retention=MONTH)
    assert (await _left(bench, run), await _left(bench, back)) == (0, 0)


async def test_a_run_whose_mapping_was_deleted_has_nothing_to_take_back_and_keeps_its_sums(running: Furnish) -> None:
    bench = await _aligned(running)
    done = await over(bench, await push(bench))
    await bench.stop()
    await bench.pool.execute("delete from pairs")
    assert await control.show(bench.house, done.id) == done
    with pytest.raises(RefusedByRule) as refused:
        await undo.preview_undo(bench.house, done.id)
    assert refused.value.code == "IS-RUN-015"
    assert await keeping.drop_old(_later(bench.house), retention=MONTH) == 0
    after = await control.show(bench.house, done.id)
    assert after == done, "what was not there was not deleted by anybody"
