"""Bulk writes: a push that the register carries out later, told by a callback that may come early, twice, or never."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from inventory_sync.engine import bulk, previews
from inventory_sync.engine.explain import Cause, Kind
from inventory_sync.engine.runs import control, pushes
from inventory_sync.sandbox.kernel import Fault, FaultKind
from tests.engine.bench import Bench, Setup
from tests.engine.bench_house import SMAREGI_SWITCHES
from tests.engine.conftest import Furnish
from tests.engine.explain_support import ask

ROWS = 16
CODES = tuple(f"C-{number:02}" for number in range(ROWS))
PUBLIC = "https://sync.example.jp"
TOKEN = "a-part-of-the-address-that-nobody-guesses"
ANY_BULK = "POST /*/pos/stock/add/bulk"
SOON = {"bulk_callback_seconds": 30, "bulk_late_effect_seconds": 150}
"""Declared times so short that a story of what comes after them is short."""

ROWS_UNDER_WAY = """
select p.value, i.key from ops o join batches b on b.id = o.batch_id join components k on k.ledger_cell = o.cell_id
join pairs p on p.id = k.pair_id join cells c on c.id = o.cell_id join items i on i.id = c.item_id
where b.kind = 'bulk' and b.state <> 'settled' order by o.id
"""


@pytest.fixture(autouse=True)
def _few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few rows are worth a bulk write that a story of sixteen has one or two."""
    monkeypatch.setattr(bulk, "LEAST", 5)


def setup(public: str | None = PUBLIC, pos: dict[str, Any] | None = None, **switches: Any) -> Setup:
    """Sixteen products of which the ledger has 20 each and the shop 5, kept apart until a person pushes."""
    return Setup(
        codes=CODES,
        ledger=20,
        channel=5,
        route={"align": "keep_difference"},
        smaregi=replace(SMAREGI_SWITCHES, **switches),
        pos={"callback_token": TOKEN, **(pos or {})},
        public_url=public,
    )


async def push(bench: Bench) -> int:
    """A person pushes the shop's numbers to the ledger."""
    made = await previews.make_preview(bench.house, "pos-shop", source="channel")
    started = await pushes.start_push(bench.house, "pos-shop", preview_id=made.id, actor="person")
    bench.wake()
    return started.run


async def sent(bench: Bench) -> None:
    await bench.until(lambda: bulks(bench))


async def over(bench: Bench, run: int, *, seconds: float = 300) -> control.RunView:
    async def ended() -> bool:
        return (await control.show(bench.house, run)).state != "running"

    await bench.until(ended, seconds=seconds)
    await bench.rest(seconds=seconds)
    return await control.show(bench.house, run)


def bulks(bench: Bench) -> list[Any]:
    return bench.requests("pos", "/add/bulk")


def singles(bench: Bench) -> list[Any]:
    return bench.requests("pos", "/add")


def callbacks(bench: Bench) -> int:
    return int(bench.pos.log.requests.get("callback.200", 0))


def numbers(bench: Bench) -> list[tuple[int, int]]:
    return [(bench.ledger(code), bench.channel(code)) for code in CODES]


def written(bench: Bench) -> dict[str, int]:
    """Units that we moved at each product of the ledger, whatever the way."""
    units: dict[str, int] = {}
    for change in bench.ours("pos"):
        units[change.item] = units.get(change.item, 0) + change.delta
    return units


async def trouble(bench: Bench) -> list[str]:
    """What a person would see of it: ops in doubt, and alerts."""
    doubts = await bench.rows("select id from ops where state = 'in_doubt'")
    return [str(r["id"]) for r in doubts] + [
        r["code"] for r in await bench.rows("select code from alerts where closed_at is null")
    ]


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


async def test_the_address_that_is_stored_with_a_batch_holds_no_secret(running: Furnish) -> None:
    bench = await running(setup())
    await push(bench)
    await sent(bench)
    [left] = bulks(bench)[:1]
    assert TOKEN.encode() in left.body
    for batch in await bench.rows("select request, path, key from batches"):
        assert TOKEN.encode() not in bytes(batch["request"])
        assert TOKEN not in batch["path"] + batch["key"]


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
