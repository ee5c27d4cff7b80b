"""`explain` of codes that do or do not match, and of numbers that the route's rule makes what they are."""

from __future__ import annotations

from inventory_sync.engine.explain import Cause
from tests.engine.bench import Bench, Setup
from tests.engine.conftest import Furnish
from tests.engine.explain_rule_stories import odd_ones, only_in_the_shop
from tests.engine.explain_support import ask, causes, line, told, unpaired


async def test_codes_that_do_not_match_are_explained_each_with_its_reason(furnished: Furnish) -> None:
    bench = await furnished(Setup(more=odd_ones))

    assert (await unpaired(bench, "LONELY-1"))["ledger"] == (
        Cause.UNMATCHED,
        'shop has no item with the same code as "LONELY-1" of pos, so it is not matched.',
    )
    assert (await unpaired(bench, "LONELY-2"))["channel"][0] is Cause.UNMATCHED

    cause, said = (await unpaired(bench, "ABC-1"))["ledger"]
    assert cause is Cause.NEAR_MISS
    assert '"abc-1"' in said
    assert "case" in said
    cause, said = (await unpaired(bench, "abc-1"))["channel"]
    assert cause is Cause.NEAR_MISS
    assert "pos has almost the same code" in said

    found = await unpaired(bench, "TWICE")
    assert {side: cause for side, (cause, _) in found.items()} == {
        "ledger": Cause.AMBIGUOUS,
        "channel": Cause.AMBIGUOUS,
    }
    assert "several items of the channel have it" in found["ledger"][1]


async def test_items_that_cannot_be_linked_name_the_side_that_is_the_reason(furnished: Furnish) -> None:
    bench = await furnished(Setup(more=odd_ones))

    for code, cause, side in (
        ("UNTRACKED", Cause.UNTRACKED, "shop"),
        ("UNMANAGED", Cause.UNTRACKED, "pos"),
        ("BUNDLE", Cause.BUNDLE, "shop"),
    ):
        found = await ask(bench, code)
        assert {said.cause for _, said in found.unpaired} == {cause}
        assert all(said.en.startswith(f"At {side}, ") for _, said in found.unpaired)


async def test_a_code_that_nobody_knows_is_said_with_the_nearest_codes(furnished: Furnish) -> None:
    bench = await furnished(Setup(more=odd_ones))
    found = await ask(bench, "abc 1")
    assert found.causes == {Cause.UNKNOWN_CODE}
    assert {(near.code, near.connection) for near in found.nearest} == {("ABC-1", "pos"), ("abc-1", "shop")}
    assert '"abc␠1"' in found.en
    assert "「ABC-1」(pos)" in found.ja
    assert [near.code for near in (await ask(bench, "LONELY-3")).nearest] == ["LONELY-1", "LONELY-2"]
    assert (await ask(bench, "nothing like it")).nearest == ()


async def test_a_name_of_an_item_at_its_partner_finds_it_too(running: Furnish) -> None:
    bench = await running()
    found = await ask(bench, bench.items["shop"]["A-1"])
    assert [made.place for made in found.lines] == ["shop / Tokyo"]


async def test_the_rule_of_the_route_is_named_with_its_arithmetic(running: Furnish) -> None:
    bench = await running(Setup(ledger=40, route={"buffer": 2, "percent": 50, "maximum": 15}))
    made = await line(bench)

    assert [each.cause for each in made.findings] == [Cause.CAP, Cause.PERCENT, Cause.BUFFER, Cause.EQUAL]
    assert made.sum_en == "ledger pos / Store 1: 40 − 50 percent of it 20 − buffer 2 − cap 15 3 = 15"
    assert made.steps[-1].result == made.target == bench.channel() == 15
    assert made.en == "shop / Tokyo shows 15. A cap lets the channel show 15 units at most."
    assert made.ja.startswith("shop / Tokyo は 15 です。")


async def test_a_number_that_is_as_the_ledger_says_is_explained_by_who_moved_it_last(running: Furnish) -> None:
    bench = await running()
    assert await causes(bench) == [Cause.EQUAL]
    bench.move_ledger("A-1", -3)
    await bench.rest()
    await bench.run(40)
    assert await causes(bench) == [Cause.SOLD, Cause.EQUAL]
    assert "made 10 become 7" in (await line(bench)).en


async def test_the_timeline_tells_a_change_from_the_partners_own_time_to_the_acknowledged_number(
    running: Furnish,
) -> None:
    bench = await running()
    bench.move_ledger("A-1", -3)
    await bench.rest()
    await bench.run(40)
    events = (await ask(bench)).events

    assert list(events) == sorted(events, key=lambda each: each.at)
    assert told(events, "movement", "pos") == [(10, 7, "sale")]
    assert told(events, "write", "shop") == [(10, 7, "live")]
    assert any(each.kind == "notice" and each.place == "pos / Store 1" for each in events)
    assert any(each.kind == "person" and "route.started" in each.en for each in events)
    [written] = [each for each in events if each.kind == "write"]
    assert written.lag_s is not None
    assert 0 < written.lag_s < 5
    assert all(each.ja and each.en for each in events)


async def test_a_timeline_is_bounded_and_says_how_much_it_leaves_out(running: Furnish) -> None:
    bench = await running()
    for _ in range(4):
        bench.move_ledger("A-1", -1)
        await bench.rest()
    whole, part = await ask(bench), await ask(bench, limit=3)
    assert part.events == whole.events[-3:]
    assert part.left_out > 0
    assert whole.left_out == 0


async def test_a_set_and_its_component_are_both_found_by_either_code(running: Furnish) -> None:
    def pack(bench: Bench) -> None:
        only_in_the_shop(bench, "PACK")

    bench = await running(Setup(codes=("A-1", "B-1"), ledger=12, sets={"PACK": {"A-1": 2, "B-1": 1}}, more=pack))
    found = await ask(bench, "PACK")
    [made] = found.lines
    assert made.target == 6
    assert "÷ 2 for each set: 6" in made.sum_en
    assert {made.value for made in (await ask(bench, "A-1")).lines} == {"A-1", "PACK"}
