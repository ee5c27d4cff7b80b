"""Bulk writes: what a push that the register carries out later does to every row, whatever is lost on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from inventory_sync.engine.explain import Cause, Kind
from inventory_sync.engine.runs import control
from inventory_sync.sandbox.kernel import Fault, FaultKind
from tests.engine.bench import Bench, Setup
from tests.engine.bulk_support import (
    ANY_BULK,
    CODES,
    ROWS,
    SOON,
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

ROWS_UNDER_WAY = """
select p.value, i.key from ops o join batches b on b.id = o.batch_id join components k on k.ledger_cell = o.cell_id
join pairs p on p.id = k.pair_id join cells c on c.id = o.cell_id join items i on i.id = c.item_id
where b.kind = 'bulk' and b.state <> 'settled' order by o.id
"""


def written(bench: Bench) -> dict[str, int]:
    """Units that we moved at each product of the ledger, whatever the way."""
    units: dict[str, int] = {}
    for change in bench.ours("pos"):
        units[change.item] = units.get(change.item, 0) + change.delta
    return units


async def states(bench: Bench) -> list[str]:
    return [
        r["state"] for r in await bench.rows("select state from batches where kind = 'bulk' order by composed_at, id")
    ]


async def test_a_push_goes_by_bulk_and_each_row_is_done_once_its_memo_is_found(running: Furnish) -> None:
    bench = await running(setup())
    run = await over(bench, await push(bench))
    assert (run.state, run.rows) == ("done", {"done": ROWS})
    assert numbers(bench) == [(5, 5)] * ROWS
    assert written(bench) == {bench.products[code]: -15 for code in CODES}
    assert len(bench.ours("pos")) == ROWS, "each row took effect once"
    assert 1 <= len(bulks(bench)) <= 2
    assert len(singles(bench)) < ROWS / 2
    assert callbacks(bench) == len(bulks(bench))
    by_bulk = await bench.rows(
        "select o.reference, o.state from ops o join batches b on b.id = o.batch_id where b.kind = 'bulk'"
    )
    rows = {str(row.id) for history in bench.pos.history.values() for row in history}
    assert len(by_bulk) > ROWS / 2
    assert {op["state"] for op in by_bulk} == {"applied"}
    assert {op["reference"] for op in by_bulk} <= rows
    assert await trouble(bench) == []


async def test_an_accepted_batch_is_neither_done_nor_in_doubt_before_its_time(running: Furnish) -> None:
    bench = await running(setup(bulk_delay=60.0))
    run = await push(bench)
    await sent(bench)
    await bench.run(50)
    assert set(await states(bench)) == {"accepted"}
    waiting = await bench.rows("select o.state from ops o join batches b on b.id = o.batch_id where b.kind = 'bulk'")
    assert {op["state"] for op in waiting} == {"sent"}
    assert (await control.show(bench.house, run)).state == "running"
    assert await trouble(bench) == []
    assert (await over(bench, run)).rows == {"done": ROWS}
    assert numbers(bench) == [(5, 5)] * ROWS
    assert len(bench.ours("pos")) == ROWS


async def test_explain_says_of_a_row_under_way_that_the_partner_accepted_it(running: Furnish) -> None:
    bench = await running(setup(bulk_delay=60.0))
    run = await push(bench)
    await sent(bench)
    await bench.run(20)
    taken = (await bench.rows(ROWS_UNDER_WAY))[0]["value"]
    found = await ask(bench, taken)
    assert (found.ja, found.en) == (found.lines[0].ja, found.lines[0].en)
    assert found.lines[0].findings[0].cause is Cause.ACCEPTED
    assert "への −15 の書き込みは取引先が受け付け済みで、完了の確認を待っています。" in found.ja
    assert "was accepted by the partner, its confirmation is awaited." in found.en
    told = [(each.ja, each.en) for each in found.events if each.kind == Kind.WRITE]
    assert told == [
        (
            "当方の書き込み -15、取引先が受け付け済み・完了の確認待ち",
            "we wrote -15, accepted by the partner, its confirmation is awaited",
        )
    ]
    await over(bench, run)
    done = await ask(bench, taken)
    assert Cause.ACCEPTED not in done.causes
    assert ["acknowledged" in each.en for each in done.events if each.kind == Kind.WRITE] == [True]


async def test_live_changes_go_singly_and_before_the_rows_of_a_push(running: Furnish) -> None:
    bench = await running(setup(bulk_delay=20.0))
    bench.move_channel(CODES[-1], -2)
    await bench.until(lambda: bench.ledger(CODES[-1]) == 18)
    assert bulks(bench) == []
    run = await push(bench)
    assert (await over(bench, run)).state == "done"
    assert bulks(bench) != []
    assert numbers(bench)[:-1] == [(5, 5)] * (ROWS - 1)
    assert numbers(bench)[-1] == (3, 3)


async def test_what_is_sold_while_its_row_is_under_way_is_told_after_it(running: Furnish) -> None:
    bench = await running(setup(bulk_delay=30.0))
    run = await push(bench)
    await sent(bench)
    await bench.run(2)
    taken = (await bench.rows(ROWS_UNDER_WAY))[0]["value"]
    bench.move_channel(taken, -2)
    assert (await over(bench, run)).state == "done"
    assert (bench.ledger(taken), bench.channel(taken)) == (3, 3)
    assert sum(written(bench).values()) == ROWS * -15 - 2


@pytest.mark.parametrize(
    "fault",
    [Fault(FaultKind.RESET_AFTER), Fault(FaultKind.ERROR_AFTER), Fault(FaultKind.LATE, 20.0)],
    ids=["the answer was lost", "it was answered 503 and taken", "it arrived after we gave up"],
)
async def test_a_bulk_write_whose_answer_was_lost_is_never_sent_again(running: Furnish, fault: Fault) -> None:
    bench = await running(setup())
    bench.faults("pos").queue(ANY_BULK, fault)
    run = await push(bench)
    await over(bench, run)
    keys = [each.body for each in bulks(bench)]
    assert len(keys) == len(set(keys))
    assert (len(bench.ours("pos")), numbers(bench)) == (ROWS, [(5, 5)] * ROWS)


async def test_rows_of_a_bulk_write_that_was_lost_go_singly_once_it_cannot_land_any_more(running: Furnish) -> None:
    bench = await running(setup(pos=SOON))
    bench.faults("pos").queue(ANY_BULK, Fault(FaultKind.RESET_BEFORE))
    run = await push(bench)
    await sent(bench)
    lost = bulks(bench)[0]
    before = len(singles(bench))
    await bench.run(100)
    assert len(bench.ours("pos")) < ROWS
    await over(bench, run, seconds=600)
    late = [each for each in singles(bench)[before:] if each.at - lost.at >= timedelta(seconds=150)]
    assert len(late) >= 5
    for each in late:
        memo = each.body.split(b'"memo":"')[1].split(b'"')[0]
        assert memo in lost.body, "the same op id in every attempt"
    assert (len(bench.ours("pos")), numbers(bench)) == (ROWS, [(5, 5)] * ROWS)


async def test_a_bulk_write_that_lands_after_its_rows_were_repeated_is_taken_back(running: Furnish) -> None:
    bench = await running(setup(pos=SOON, bulk_delay=200.0, bulk_callback="never"))
    run = await push(bench)
    await over(bench, run, seconds=600)
    await bench.run(300)
    await bench.rest(seconds=600)
    assert written(bench) == {bench.products[code]: -15 for code in CODES}
    assert numbers(bench) == [(5, 5)] * ROWS
    doubled = await bench.rows("select doubles from ops where doubles > 0")
    compensated = await bench.rows("select units from compensations")
    assert len(doubled) == len(compensated) >= 5
    assert {row["units"] for row in compensated} == {15}


async def test_rows_that_a_bulk_write_left_out_go_singly(running: Furnish) -> None:
    bench = await running(setup())
    left_out = frozenset(bench.products[code] for code in CODES[:3])
    bench.pos.switches = replace(bench.pos.switches, bulk_drops=left_out)
    run = await over(bench, await push(bench), seconds=400)
    assert run.rows == {"done": ROWS}
    assert (len(bench.ours("pos")), numbers(bench)) == (ROWS, [(5, 5)] * ROWS)
    for item in left_out:
        assert [change.delta for change in bench.ours("pos") if change.item == item] == [-15]


async def test_a_row_that_cannot_be_carried_out_is_quarantined_by_its_own_single_answer(running: Furnish) -> None:
    bench = await running(setup(bulk_delay=5.0))
    run = await push(bench)
    await sent(bench)
    taken = (await bench.rows(ROWS_UNDER_WAY))[0]
    item = int(taken["key"])
    bench.pos.products[item] = replace(bench.pos.products[item], managed=False)
    bench.pos.switches = replace(bench.pos.switches, unmanaged_write="refused")
    await bench.until(lambda: bench.pos.log.requests.get("callback.200"))
    await bench.run(200)
    seen = await control.show(bench.house, run)
    assert (seen.state, seen.rows) == ("done", {"done": ROWS - 1, "failed": 1})
    [held] = await bench.rows("select code from quarantine")
    assert held["code"] == "IS-SMR-021"
    assert len(bench.ours("pos")) == ROWS - 1


async def test_a_bulk_write_refused_as_a_whole_sends_its_rows_singly(running: Furnish) -> None:
    bench = await running(setup(bulk_bad_row="refused"))
    bench.pos.switches = replace(bench.pos.switches, bulk_drops=frozenset({bench.products[CODES[0]]}))
    run = await over(bench, await push(bench), seconds=300)
    assert run.rows == {"done": ROWS}
    assert (len(bench.ours("pos")), numbers(bench)) == (ROWS, [(5, 5)] * ROWS)
    assert await trouble(bench) == []


@pytest.mark.parametrize(
    "given",
    [
        setup(public=None),
        setup(pos={"history": False}),
        setup(pos={"memo": False}),
        setup(pos={"bulk": False}),
        setup(pos={"callback_token": None}),
    ],
    ids=["no public address", "no history", "no memo", "switched off", "no callback address"],
)
async def test_where_a_row_could_not_be_looked_up_everything_goes_singly(running: Furnish, given: Setup) -> None:
    bench = await running(given)
    run = await over(bench, await push(bench))
    assert (run.rows, bulks(bench), len(singles(bench))) == ({"done": ROWS}, [], ROWS)
    assert numbers(bench) == [(5, 5)] * ROWS


async def test_a_history_that_ends_to_be_readable_leaves_the_lower_number_never_a_blind_repeat(
    running: Furnish,
) -> None:
    bench = await running(setup(pos=SOON))
    run = await push(bench)
    await sent(bench)
    bench.pos.switches = replace(bench.pos.switches, history_readable=False)
    before = {each.body for each in singles(bench)}
    await over(bench, run, seconds=600)
    again = [each for each in singles(bench) if each.body not in before]
    lost = bulks(bench)[0]
    for each in again:
        memo = each.body.split(b'"memo":"')[1].split(b'"')[0]
        assert memo not in lost.body, "a new op after the lower number, not a repeat"
    uncertain = await bench.alerts("uncertain")
    assert len(uncertain) == 1
    assert all(ledger <= 5 for ledger, _ in numbers(bench)), "at most the units of the write too low, never too high"


@pytest.mark.parametrize("moment", ["sent", "accepted", "called"])
async def test_a_process_that_dies_loses_no_row_and_doubles_none(running: Furnish, moment: str) -> None:
    bench = await running(setup(bulk_delay=8.0 if moment == "accepted" else 1.5))
    if moment == "sent":
        bench.faults("pos").queue(ANY_BULK, Fault(FaultKind.DELAY, 4.0))
    run = await push(bench)
    await sent(bench)
    if moment == "accepted":
        await bench.run(2)
    if moment == "called":
        await bench.until(lambda: callbacks(bench) >= 1)
    await bench.crash()
    await bench.run(5)
    assert (await over(bench, run, seconds=900)).rows == {"done": ROWS}
    assert (len(bench.ours("pos")), numbers(bench)) == (ROWS, [(5, 5)] * ROWS)
