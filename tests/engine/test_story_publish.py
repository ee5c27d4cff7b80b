"""Publish rules of single codes: each kind, told as a run that a person confirmed, and taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from inventory_sync.engine import previews
from inventory_sync.engine.explain import explain
from inventory_sync.engine.explain.causes import Cause
from inventory_sync.engine.publishing import listing
from inventory_sync.engine.publishing.table import Override
from inventory_sync.engine.routes import RefusedByRule
from inventory_sync.ledger.files.problems import FileRefused
from inventory_sync.store import db
from tests.engine.bench import Bench, Setup
from tests.engine.conftest import Furnish
from tests.engine.publish_support import imported, told

CODES = ("A-1", "A-2", "A-3")


def channels(bench: Bench) -> list[int]:
    return [bench.channel(code) for code in CODES]


@pytest.mark.parametrize(
    ("row", "shown", "then"),
    [
        ("buffer\nA-2,3\n", 7, 5),
        ("percent\nA-2,50\n", 5, 4),
        ("max\nA-2,4\n", 4, 4),
        ("end_when\nA-2,9\n", 10, 0),
        ("offset\nA-2,-2\n", 8, 6),
        ("offset\nA-2,5\n", 15, 13),
    ],
)
async def test_a_rule_of_one_code_is_told_at_once_and_holds_for_what_sells_afterwards(
    running: Furnish, row: str, shown: int, then: int
) -> None:
    bench = await running(Setup(codes=CODES))
    done = await imported(bench, f"code,{row}")
    assert done.applied
    await bench.rest()
    assert channels(bench) == [10, shown, 10]
    bench.move_ledger("A-2", -2)
    await bench.rest()
    assert channels(bench) == [10, then, 10]
    assert bench.ours("pos") == []


async def test_a_change_is_shown_first_and_changes_nothing_until_it_is_confirmed(running: Furnish) -> None:
    bench = await running(Setup(codes=CODES))
    shown = await imported(bench, "code,buffer,offset\nA-1,3,\nA-2,,5\nA-3,0,\n", confirmed=False)
    assert not shown.applied
    assert [(c.code, c.shows, c.before, c.after, c.beyond) for c in shown.cells] == [
        ("A-1", 10, 10, 7, 0),
        ("A-2", 10, 10, 15, 5),
    ], "and pre-orders are said to be more than there is"
    await bench.rest()
    assert channels(bench) == [10, 10, 10]
    assert await bench.rows("select 1 from publish_overrides") == []
    assert await bench.rows("select 1 from audit where action = 'publish.imported'") == []

    assert not (await imported(bench, "code,buffer\nA-1,3\n", dry_run=True)).applied
    run = await told(bench, "code,buffer,offset\nA-1,3,\nA-2,,5\nA-3,0,\n")
    assert (run.kind, run.state, run.total, run.rows) == ("publish", "done", 2, {"done": 2})
    assert channels(bench) == [7, 15, 10]
    assert {op["cause"] for op in await bench.ops("shop")} == {"align"}
    [entry] = await bench.rows("select actor, subject, before, after from audit where action = 'publish.imported'")
    assert (entry["actor"], entry["subject"], entry["before"]) == ("person", "pos-shop", {})
    assert entry["after"] == {"A-1": {"buffer": 3}, "A-2": {"offset": 5}, "A-3": {"buffer": 0}}
    again = await imported(bench, "code,buffer,offset\nA-1,3,\nA-2,,5\nA-3,0,\n")
    assert (again.set, again.unchanged, again.cells, again.run) == (0, 3, (), None)


async def test_an_empty_row_takes_back_and_a_whole_file_takes_back_what_it_does_not_name(running: Furnish) -> None:
    bench = await running(Setup(codes=CODES))
    await told(bench, "code,buffer\nA-1,3\nA-2,4\nA-3,5\n")
    assert channels(bench) == [7, 6, 5]
    done = await imported(bench, "code,buffer\nA-1,\n")
    assert (done.taken_back, done.set) == (1, 0)
    await bench.rest()
    assert channels(bench) == [10, 6, 5]
    await told(bench, "code,buffer\nA-2,1\n", whole=True)
    assert channels(bench) == [10, 9, 10]
    assert [r["code"] for r in await bench.rows("select code from publish_overrides")] == ["A-2"]


async def test_a_rule_comes_before_its_item_and_outlives_its_mapping(running: Furnish) -> None:
    bench = await running(Setup(codes=("A-1",)))
    done = await imported(bench, "code,buffer\nA-1,3\nNEW-1,2\na-1,1\n")
    assert [(each.code, each.near) for each in done.unknown] == [("NEW-1", ""), ("a-1", "A-1")]
    assert "case" in done.unknown[1].en
    await bench.rest()
    assert bench.channel("A-1") == 7
    _, found = await listing.listed(bench.house, "pos-shop")
    assert [(each.override.code, each.pairs) for each in found] == [("A-1", 1), ("NEW-1", 0), ("a-1", 0)]

    await bench.rows("update pairs set value = 'OTHER'")
    _, found = await listing.listed(bench.house, "pos-shop")
    assert [each.pairs for each in found] == [0, 0, 0]
    await bench.rows("update pairs set value = 'NEW-1'")
    async with db.transaction(bench.pool) as conn:
        await db.run(conn, "put_due_route", route_id=(await bench.pair("NEW-1"))["route_id"])
    bench.wake()
    await bench.rest()
    assert bench.channel("A-1") == 8, "whatever goes by that code now is told by its rule"


async def test_an_offset_ends_by_itself_once_its_last_day_is_over(running: Furnish) -> None:
    bench = await running(Setup(codes=CODES))
    soon = bench.agenda.now + timedelta(minutes=3)
    await told(
        bench,
        [
            Override("A-1", offset=5, until=soon),
            Override("A-2", offset=-4, until=soon + timedelta(minutes=2)),
            Override("A-3", offset=2),
        ],
    )
    assert channels(bench) == [15, 6, 12]
    found = await explain(bench.house, "A-1")
    [offset] = [each for each in found.lines[0].findings if each.cause is Cause.OFFSET]
    assert f"through {soon:%Y-%m-%d}" in offset.en

    await bench.run((soon - bench.agenda.now).total_seconds() + 30)
    await bench.rest()
    assert channels(bench) == [10, 6, 12]
    found = await explain(bench.house, "A-1")
    assert Cause.OFFSET_ENDED in found.causes
    assert Cause.OFFSET not in found.causes
    await bench.run(120)
    await bench.rest()
    assert channels(bench) == [10, 10, 12]
    over = await told(bench, "code,offset,until\nA-3,7,2020-01-01\n")
    assert (over.rows, channels(bench)) == ({"done": 1}, [10, 10, 10]), "a day that is over adds nothing"


async def test_an_item_that_is_left_out_is_not_told_and_its_sales_are_carried_all_the_same(running: Furnish) -> None:
    bench = await running(Setup(codes=CODES))
    done = await imported(bench, "code,exclude\nA-2,yes\n")
    assert [(c.code, c.before, c.after) for c in done.cells] == [("A-2", 10, None)]
    assert done.run is None
    await bench.rest()
    bench.move_ledger("A-2", -4)
    bench.move_channel("A-2", -1)
    await bench.rest()
    assert (bench.ledger("A-2"), bench.channel("A-2")) == (5, 9)
    assert bench.ours("shop") == []
    found = await explain(bench.house, "A-2")
    assert found.lines[0].findings[0].cause is Cause.NOT_PUBLISHED
    assert Cause.OVERRIDE in found.causes

    shown = await imported(bench, "code,exclude\nA-2,\n", confirmed=False)
    assert [(c.code, c.shows, c.before, c.after, c.again) for c in shown.cells] == [("A-2", 9, None, 5, True)]
    await told(bench, "code,exclude\nA-2,\n")
    assert (bench.ledger("A-2"), bench.channel("A-2")) == (5, 5)
    bench.move_channel("A-2", -1)
    await bench.rest()
    assert (bench.ledger("A-2"), bench.channel("A-2")) == (4, 4)


async def test_an_item_that_is_left_out_before_the_first_alignment_sells_and_is_not_told(furnished: Furnish) -> None:
    bench = await furnished(Setup(codes=CODES, channel=6))
    await imported(bench, "code,exclude\nA-2,yes\n")
    shown = await bench.preview()
    lines = {line["value"]: line async for line in previews.stored(bench.house, shown.id)}
    assert (lines["A-2"]["action"], lines["A-2"]["after"]) == ("nothing", 6)
    await bench.start(preview_id=shown.id)
    await bench.rest(seconds=120)
    assert channels(bench) == [10, 6, 10]
    bench.move_channel("A-2", -2)
    await bench.rest()
    assert (bench.ledger("A-2"), bench.channel("A-2")) == (8, 4)


async def test_each_rule_is_named_by_explain_with_its_arithmetic(running: Furnish) -> None:
    bench = await running(Setup(codes=CODES))
    await told(bench, "code,buffer,percent,max,end_when,offset\nA-1,2,50,,,\nA-2,,,4,,1\nA-3,,,,10,\n")
    assert channels(bench) == [3, 5, 0]
    [one] = (await explain(bench.house, "A-1")).lines
    assert [each.cause for each in one.findings] == [Cause.PERCENT, Cause.BUFFER, Cause.OVERRIDE, Cause.EQUAL]
    assert one.findings[2].en.startswith("For this code alone buffer, percent is set, by person at ")
    [two] = (await explain(bench.house, "A-2")).lines
    assert [each.cause for each in two.findings][:2] == [Cause.OFFSET, Cause.CAP]
    assert two.sum_en.endswith("10 − cap 4 6 + offset 1 = 5")
    [three] = (await explain(bench.house, "A-3")).lines
    assert (
        three.en
        == "shop / Tokyo shows 0. No more than 10 are left, and the publish rule ends there: the channel is told 0."
    )
    assert three.sum_en.endswith("10 − ends at 10 10 = 0")


async def test_what_the_brake_would_hold_is_said_so(running: Furnish) -> None:
    codes = tuple(f"B-{number}" for number in range(8))
    bench = await running(Setup(codes=codes))
    few = await imported(bench, "code,end_when\n" + "".join(f"{code},50\n" for code in codes[:3]), confirmed=False)
    assert (len(few.cells), few.braked) == (3, 0)
    many = await imported(bench, "code,end_when\n" + "".join(f"{code},50\n" for code in codes[:6]), confirmed=False)
    assert (len(many.cells), many.braked) == (6, 6)
    far = await imported(bench, f"code,offset\n{codes[0]},5000\n", confirmed=False)
    assert far.braked == 1
    lower = await imported(bench, "code,buffer\n" + "".join(f"{code},5\n" for code in codes), confirmed=False)
    assert lower.braked == 0, "what falls and is not gone is told at once"


async def test_a_file_that_cannot_be_meant_changes_nothing(running: Furnish) -> None:
    bench = await running(Setup(codes=("0049", "4901234567890", "A-1")))
    with pytest.raises(FileRefused) as refused:
        await imported(bench, "code,buffer\nA-1,3\n49,3\n4.90E+12,3\n=A1+A2,3\n")
    assert [(each.code, each.row) for each in refused.value.problems] == [
        ("IS-PUB-008", 3),
        ("IS-PUB-008", 4),
        ("IS-PUB-007", 5),
    ]
    assert "'0049' was probably meant" in refused.value.problems[0].text()
    assert "'0049'" in refused.value.problems[0].text("ja")
    assert await bench.rows("select 1 from publish_overrides") == []
    assert (await imported(bench, 'code,buffer\n="0049",3\n')).applied


async def test_where_the_channel_wins_no_rule_may_hide_how_much_there_is(running: Furnish) -> None:
    bench = await running(Setup(codes=CODES, route={"align": "channel_wins"}))
    with pytest.raises(FileRefused) as refused:
        await imported(bench, "code,buffer,percent,end_when\nA-1,3,,\nA-2,,50,\nA-3,,,2\n")
    assert [(each.code, each.row) for each in refused.value.problems] == [("IS-PUB-010", 3), ("IS-PUB-010", 4)]
    await told(bench, "code,buffer\nA-1,3\n")
    assert channels(bench) == [7, 10, 10]


async def test_a_push_from_the_channel_leaves_out_what_does_not_say_how_much_there_is(running: Furnish) -> None:
    bench = await running(Setup(codes=CODES, ledger=20, channel=5, route={"align": "keep_difference"}))
    await told(bench, "code,percent\nA-2,50\n")
    made = await previews.make_preview(bench.house, "pos-shop", source="channel")
    lines = {line["value"]: line["action"] async for line in previews.stored(bench.house, made.id)}
    assert lines == {"A-1": "write_ledger", "A-2": "excluded", "A-3": "write_ledger"}


async def test_a_route_that_never_writes_the_channel_has_nothing_to_publish(furnished: Furnish) -> None:
    bench = await furnished(Setup(codes=CODES, route={"direction": "channel_to_ledger", "align": "channel_wins"}))
    with pytest.raises(RefusedByRule) as refused:
        await imported(bench, "code,buffer\nA-1,3\n")
    assert refused.value.code == "IS-PUB-012"


async def test_a_rule_that_is_set_while_the_route_stands_still_is_told_once_it_runs(running: Furnish) -> None:
    bench = await running(Setup(codes=CODES))
    await bench.stop()
    done = await imported(bench, "code,buffer\nA-1,3\n")
    assert (done.applied, done.run) == (True, None)
    await bench.rest()
    assert channels(bench) == [10, 10, 10]
    await bench.start()
    await bench.rest()
    assert channels(bench) == [7, 10, 10]
