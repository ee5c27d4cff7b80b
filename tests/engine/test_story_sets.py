"""Sets and packs: one listing is made of several items, shows the smallest quotient, and takes of all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inventory_sync.engine import routes
from inventory_sync.store import db
from tests.engine.bench import ADJUST, Bench, Setup
from tests.engine.conftest import Furnish

SET = {"SET": {"A-1": 1, "B-2": 2}}


def listed(*codes: str, stock: int = 0) -> Callable[[Bench], None]:
    """Listings of the shop that no item of the ledger goes with."""

    def add(bench: Bench) -> None:
        for code in codes:
            [bench.items["shop"][code]] = bench.shop().add_product(
                code, [code], bench.agenda.now, stock=stock, policy="CONTINUE"
            )

    return add


def house(**more: Any) -> Setup:
    """Ten of the one and nine of the other, each listed by itself, and a set of one and two."""
    given = {"codes": ("A-1", "B-2"), "ledger": {"A-1": 10, "B-2": 9}, "sets": SET, "more": listed("SET")}
    return Setup(**{**given, **more})


def ledger(bench: Bench) -> tuple[int, int]:
    return bench.ledger("A-1"), bench.ledger("B-2")


def shop(bench: Bench) -> tuple[int, int, int]:
    return bench.channel("A-1"), bench.channel("B-2"), bench.channel("SET")


async def report(bench: Bench) -> dict[str, Any]:
    found: dict[str, Any] = (await routes.route_named(bench.pool, "pos-shop"))["match_report"]
    return found


async def test_a_set_shows_the_smallest_whole_quotient_and_its_preview_says_how_it_comes_about(
    furnished: Furnish,
) -> None:
    bench = await furnished(house())
    preview = await bench.preview()
    lines = {r["value"]: r for r in await db.rows(bench.pool, "preview_page", id=preview.id, after=0, limit=1000)}
    assert (lines["SET"]["action"], lines["SET"]["before"], lines["SET"]["after"]) == ("write_channel", 0, 4)
    assert lines["SET"]["why_en"].endswith("(the smallest of A-1 10÷1=10, B-2 9÷2=4)")
    assert lines["A-1"]["action"] == lines["B-2"]["action"] == "nothing"
    found = await report(bench)
    assert found["sets"] == [
        {
            "value": "SET",
            "components": [{"value": "A-1", "ratio": 1}, {"value": "B-2", "ratio": 2}],
            "listings": 1,
        }
    ]
    assert (found["matched"], found["complaints_count"], found["ambiguous_count"]) == (3, 0, 0)

    await bench.start(preview_id=preview.id)
    await bench.rest()
    assert shop(bench) == (10, 9, 4)


async def test_a_sold_set_lowers_each_component_by_its_ratio_and_their_own_listings_with_them(
    running: Furnish,
) -> None:
    bench = await running(house())
    bench.move_channel("SET", -1)
    await bench.rest()
    assert ledger(bench) == (9, 7)
    assert shop(bench) == (9, 7, 3)
    assert sorted(change.delta for change in bench.ours("pos")) == [-2, -1]

    bench.move_channel("SET", 1)  # the order is cancelled and restocked
    await bench.rest()
    assert ledger(bench) == (10, 9)
    assert shop(bench) == (10, 9, 4)


async def test_a_component_that_is_sold_by_itself_lowers_the_set_only_where_it_is_the_scarcest(
    running: Furnish,
) -> None:
    bench = await running(house())
    bench.move_channel("A-1", -3)
    await bench.rest()
    assert shop(bench) == (7, 9, 4)
    bench.move_ledger("B-2", -2)
    await bench.rest()
    assert ledger(bench) == (7, 7)
    assert shop(bench) == (7, 7, 3)
    bench.move_ledger("A-1", -6)
    await bench.rest()
    assert shop(bench) == (1, 7, 1)


async def test_a_set_and_its_component_sold_at_once_are_both_booked(running: Furnish) -> None:
    bench = await running(house())
    bench.move_channel("SET", -2)
    bench.move_channel("B-2", -1)
    bench.move_ledger("A-1", -1)
    await bench.rest()
    assert ledger(bench) == (7, 4)
    assert shop(bench) == (7, 4, 2)


async def test_a_pack_of_six_is_a_set_of_one(running: Furnish) -> None:
    bench = await running(Setup(codes=("A-1",), ledger=20, sets={"SIX": {"A-1": 6}}, more=listed("SIX")))
    assert bench.channel("SIX") == 3
    bench.move_channel("SIX", -1)
    bench.move_channel("A-1", -3)
    await bench.rest()
    assert bench.ledger("A-1") == bench.channel("A-1") == 11
    assert bench.channel("SIX") == 1


async def test_after_a_difference_in_one_part_of_a_set_the_others_are_read_before_the_shop_is_told(
    running: Furnish,
) -> None:
    bench = await running(house(ledger={"A-1": 4, "B-2": 4}))
    assert bench.channel("SET") == 2
    bench.off |= {"poll", "reconcile"}
    bench.move_ledger("B-2", 4)
    bench.pos.legacy_change(bench.products["A-1"], "1", -3, bench.agenda.now)  # which is told by nobody
    await bench.run(60)
    assert bench.channel("SET") == 1
    told = [change.after for change in bench.ours("shop") if change.item == bench.items["shop"]["SET"]]
    assert max(told) == 1, "the set was never told four, which the first part alone would have given"


async def test_a_set_with_an_unknown_component_is_reported_and_never_written(running: Furnish) -> None:
    sets = {"SET": {"A-1": 1, "b-2": 1}, "NOBODY": {"A-1": 2}}
    bench = await running(house(sets=sets, more=listed("SET", stock=7)))
    found = await report(bench)
    assert found["matched"] == 2
    complaints = {(each["trouble"], each["value"]): each for each in found["complaints"]}
    assert set(complaints) == {("unknown_component", "SET"), ("no_such_listing", "NOBODY")}
    assert "'b-2'" in complaints["unknown_component", "SET"]["en"]
    assert '"B-2"' in complaints["unknown_component", "SET"]["en"], "what is almost the same is named"
    assert {each["value"]: each["listings"] for each in found["sets"]} == {"SET": 0, "NOBODY": 0}
    assert [each["value"] for each in found["channel_unmatched"]] == ["SET"]

    bench.move_channel("SET", -1)
    bench.move_ledger("A-1", -1)
    await bench.rest()
    assert ledger(bench) == (9, 9)
    assert bench.channel("SET") == 6
    assert bench.requests("pos", "/add") == []


async def test_a_code_that_names_a_set_and_an_item_matches_neither(running: Furnish) -> None:
    bench = await running(Setup(codes=("A-1", "B-2"), sets={"B-2": {"A-1": 2}}))
    [ambiguous] = (await report(bench))["ambiguous"]
    assert (ambiguous["value"], ambiguous["why"]) == ("B-2", "set_and_item")
    bench.move_ledger("A-1", -4)
    bench.move_ledger("B-2", -1)
    await bench.rest()
    assert (bench.channel("A-1"), bench.channel("B-2")) == (6, 10)
    assert len(bench.requests("shop", ADJUST)) == 1
