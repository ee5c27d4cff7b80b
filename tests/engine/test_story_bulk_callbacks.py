"""Callbacks of bulk writes: one that comes early, twice, knows nothing or stays away, and what is done then."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from inventory_sync.engine import bulk
from inventory_sync.sandbox.kernel import Fault, FaultKind
from tests.engine.bulk_support import (
    ANY_BULK,
    CODES,
    ROWS,
    SOON,
    TOKEN,
    _few_are_enough,
    bulks,
    callbacks,
    numbers,
    over,
    push,
    sent,
    setup,
    singles,
    trouble,
)
from tests.engine.conftest import Furnish
from tests.engine.explain_support import ask

__all__ = ["_few_are_enough"]


async def test_the_address_that_is_stored_with_a_batch_holds_no_secret(running: Furnish) -> None:
    bench = await running(setup())
    await push(bench)
    await sent(bench)
    [left] = bulks(bench)[:1]
    assert TOKEN.encode() in left.body
    for batch in await bench.rows("select request, path, key from batches"):
        assert TOKEN.encode() not in bytes(batch["request"])
        assert TOKEN not in batch["path"] + batch["key"]


@pytest.mark.parametrize("body", ["brief", "object", "empty"])
async def test_a_callback_that_says_nothing_of_its_rows_is_as_good(running: Furnish, body: str) -> None:
    bench = await running(setup(bulk_callback_body=body))
    run = await over(bench, await push(bench))
    assert run.rows == {"done": ROWS}
    assert callbacks(bench) == len(bulks(bench)) > 0
    called = await bench.rows("select called_at from batches where kind = 'bulk'")
    assert all(batch["called_at"] is not None for batch in called)
    assert len(bench.ours("pos")) == ROWS


async def test_a_callback_that_comes_twice_changes_nothing_the_second_time(running: Furnish) -> None:
    bench = await running(setup(bulk_callback="twice"))
    run = await over(bench, await push(bench))
    await bench.run(30)
    assert callbacks(bench) == 2 * len(bulks(bench))
    assert (run.rows, len(bench.ours("pos"))) == ({"done": ROWS}, ROWS)
    assert await trouble(bench) == []


async def test_a_callback_before_anything_was_done_only_starts_the_search(running: Furnish) -> None:
    bench = await running(setup(bulk_callback_first=True, bulk_callback_delay=0.0, bulk_delay=25.0))
    run = await over(bench, await push(bench))
    assert (run.rows, len(bench.ours("pos"))) == ({"done": ROWS}, ROWS)
    assert len(singles(bench)) < ROWS / 2


async def test_a_callback_that_overtakes_the_answer_is_remembered(running: Furnish) -> None:
    bench = await running(setup(bulk_callback_first=True, bulk_callback_delay=0.0, bulk_delay=0.0))
    bench.faults("pos").queue(ANY_BULK, Fault(FaultKind.DELAY, 3.0))
    run = await push(bench)
    await bench.until(lambda: callbacks(bench) >= 1)
    await bench.run(1)
    first = (await bench.rows("select state, called_at from batches where kind = 'bulk' order by composed_at, id"))[0]
    assert (first["state"], first["called_at"] is not None) == ("sent", True)
    assert (await over(bench, run)).rows == {"done": ROWS}
    assert len(bench.ours("pos")) == ROWS


async def test_without_a_callback_the_memo_says_it_all_the_same(running: Furnish) -> None:
    bench = await running(setup(bulk_callback="never"))
    run = await push(bench)
    await over(bench, run, seconds=90)
    assert (len(bench.ours("pos")), numbers(bench)) == (ROWS, [(5, 5)] * ROWS)
    assert await trouble(bench) == []


async def test_after_a_callback_stayed_away_nothing_goes_by_bulk_for_a_while(
    running: Furnish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "REST", timedelta(minutes=5))
    bench = await running(setup(pos=SOON, bulk_delay=45.0, bulk_callback="never"))
    await over(bench, await push(bench), seconds=200)
    assert await bulk.worth_it(bench.house, bench.lanes["pos"]) is None
    await bench.run(300)
    assert await bulk.worth_it(bench.house, bench.lanes["pos"]) is not None


async def test_callbacks_that_stay_away_are_one_alert_until_one_arrives_again(
    running: Furnish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "REST", timedelta(0))
    bench = await running(setup(pos=SOON, bulk_delay=45.0, bulk_callback="never"))
    run = await push(bench)
    await bench.run(20)
    assert await bench.alerts("callbacks_missing") == []
    await over(bench, run, seconds=200)
    missed = await bench.rows("select id from batches where missed_at is not null")
    [alert] = await bench.rows("select subject, detail, closed_at from alerts where code = 'callbacks_missing'")
    assert (alert["subject"], alert["closed_at"]) == ("pos", None)
    assert alert["detail"]["batch"] in {each["id"] for each in missed}
    shown = await ask(bench, CODES[0])
    assert ("アラート発生: コールバックの未着", "alert opened: callbacks stay away") in [
        (each.ja, each.en) for each in shown.events
    ]
    bench.pos.switches = replace(bench.pos.switches, bulk_callback="once", bulk_delay=1.5)
    for code in CODES:
        bench.move_channel(code, 2)
    await bench.rest(seconds=300)
    await over(bench, await push(bench))
    assert await bench.alerts("callbacks_missing") == []
    assert len(await bench.rows("select id from alerts where code = 'callbacks_missing'")) == 1


async def test_the_alert_of_callbacks_closes_where_none_is_to_come_any_more(running: Furnish) -> None:
    bench = await running(setup(pos=SOON, bulk_delay=45.0, bulk_callback="never"))
    await over(bench, await push(bench), seconds=200)
    assert len(await bench.alerts("callbacks_missing")) == 1
    await bench.run(1000)
    assert len(await bench.alerts("callbacks_missing")) == 1
    await bench.rows(
        "update connections set settings = settings || jsonb_build_object('bulk', false) where name = 'pos'"
    )
    await bench.run(1000)
    assert await bench.alerts("callbacks_missing") == []


async def test_an_unknown_callback_is_kept_and_changes_nothing(running: Furnish) -> None:
    bench = await running(setup())
    definition = bench.partners["pos"]
    assert definition.parser is not None
    from inventory_sync.engine import intake

    notice = definition.parser.parse_callback(  # type: ignore[attr-defined]
        {":token": TOKEN, ":query": "request=never-sent"}, b'[{"requestId":99}]'
    )
    await bench.person(intake.keep(bench.house, [intake.Arrival(definition.connection_id, notice, bench.agenda.now)]))
    bench.wake()
    await bench.run(5)
    [kept] = await bench.rows("select state, requests from inbox where topic = 'stock:bulk'")
    assert (kept["state"], kept["requests"]) == ("ignored", ["never-sent", "99"])
    assert bench.ours("pos") == []
