"""Alignment: nothing is written before a person saw the gaps; gaps are differences, so trade goes on meanwhile."""

from __future__ import annotations

import pytest

from inventory_sync.engine.routes import RefusedByRule
from inventory_sync.store import db
from tests.engine.bench import Bench, Setup
from tests.engine.conftest import Furnish


async def lines(bench: Bench, preview_id: str) -> dict[str, tuple[str, int, int]]:
    """What a preview shows: action, before, after of each code."""
    found = await db.rows(bench.pool, "preview_page", id=preview_id, after=0, limit=1000)
    return {row["value"]: (row["action"], row["before"], row["after"]) for row in found}


def untouched(bench: Bench) -> bool:
    return not any(change.actor == "client" for p in bench.partners.values() for change in p.simulator.log.changes)


@pytest.mark.row("S4-34")
async def test_a_first_start_shows_its_preview_and_writes_nothing_before_it_is_accepted(furnished: Furnish) -> None:
    bench = await furnished(Setup(codes=("A-1", "B-2"), ledger={"A-1": 10, "B-2": 5}, channel={"A-1": 4, "B-2": 5}))
    [route] = await bench.rows("select state from routes")
    assert route["state"] == "stopped"
    with pytest.raises(RefusedByRule, match="never aligned"):
        await bench.start()
    preview = await bench.preview()
    await bench.run(120)
    assert untouched(bench)
    assert await lines(bench, preview.id) == {"A-1": ("write_channel", 4, 10), "B-2": ("nothing", 5, 5)}

    await bench.start(preview_id=preview.id)
    await bench.rest()
    assert [(change.delta, change.after) for change in bench.ours("shop")] == [(6, 10)]
    assert bench.ours("pos") == []
    with pytest.raises(RefusedByRule, match="accepted before"):
        await bench.start(preview_id=preview.id)


async def test_trade_between_preview_and_acceptance_is_neither_lost_nor_doubled(furnished: Furnish) -> None:
    codes = ("A-1", "B-2", "C-3")
    bench = await furnished(Setup(codes=codes, ledger=20, channel=4))
    preview = await bench.preview()
    bench.move_channel("A-1", -1)
    bench.move_ledger("B-2", -3)
    bench.move_channel("C-3", -1)
    bench.move_ledger("C-3", -2)
    await bench.run(30)
    assert untouched(bench)

    done = await bench.start(preview_id=preview.id)
    assert done == {"aligned": 1, "changed": 2}, "a gap that is no longer the one shown is not confirmed by it"
    bench.move_channel("A-1", -2)
    await bench.rest(seconds=120)
    assert {code: (bench.ledger(code), bench.channel(code)) for code in codes} == {
        "A-1": (17, 17),
        "B-2": (17, 17),
        "C-3": (17, 17),
    }
    assert sum(change.delta for change in bench.ours("pos")) == -4, "every sale of the shop, once"


async def test_sales_while_the_alignment_is_on_its_way_are_kept(furnished: Furnish) -> None:
    bench = await furnished(Setup(ledger=20, channel=4))
    await bench.start(preview_id=(await bench.preview()).id)
    bench.move_channel("A-1", -3)
    bench.move_ledger("A-1", -2)
    await bench.rest(seconds=120)
    assert (bench.ledger(), bench.channel()) == (15, 15)


async def test_a_difference_that_is_kept_stays_while_both_sides_trade(furnished: Furnish) -> None:
    bench = await furnished(Setup(ledger=10, channel=4, route={"align": "keep_difference"}))
    preview = await bench.preview()
    assert await lines(bench, preview.id) == {"A-1": ("keep", 4, 4)}
    await bench.start(preview_id=preview.id)
    await bench.rest()
    assert untouched(bench)
    assert (await bench.pair())["kept"] == -6

    bench.move_ledger("A-1", 5)
    await bench.rest()
    assert (bench.ledger(), bench.channel()) == (15, 9)
    bench.move_channel("A-1", -1)
    await bench.rest()
    assert (bench.ledger(), bench.channel()) == (14, 8)


@pytest.mark.parametrize(("ledger", "channel"), [(10, 4), (4, 10)])
async def test_where_the_channel_wins_the_ledger_moves(furnished: Furnish, ledger: int, channel: int) -> None:
    bench = await furnished(Setup(ledger=ledger, channel=channel, route={"align": "channel_wins"}))
    preview = await bench.preview()
    assert await lines(bench, preview.id) == {"A-1": ("write_ledger", ledger, channel)}
    await bench.start(preview_id=preview.id)
    await bench.rest()
    assert [change.delta for change in bench.ours("pos")] == [channel - ledger]
    assert bench.ours("shop") == []
    bench.move_channel("A-1", -1)
    bench.move_ledger("A-1", 2)
    await bench.rest()
    assert (bench.ledger(), bench.channel()) == (channel + 1, channel + 1)


async def appears(bench: Bench, code: str, *, ledger: int, channel: int) -> None:
    """A product that is new on both sides while the route runs."""
    now = bench.agenda.now
    bench.products[code] = bench.pos.add_product(code, now)
    bench.pos.receive(bench.products[code], "1", ledger, now)
    [bench.items["shop"][code]] = bench.shop().add_product(
        code, [code], now, locations=bench.shop().location_ids(), stock=channel, policy="CONTINUE"
    )
    bench.heard("pos")
    bench.heard("shop")
    await bench.until(lambda: bench.rows("select 1 from pairs where value = $1", code))
    await bench.rest()


async def test_a_pair_that_appears_while_the_route_runs_is_aligned_singly_and_the_ledger_wins(
    running: Furnish,
) -> None:
    bench = await running()
    await appears(bench, "N-1", ledger=7, channel=3)
    assert (bench.ledger("N-1"), bench.channel("N-1")) == (7, 7)
    assert [(change.item, change.delta) for change in bench.ours("shop")] == [(bench.items["shop"]["N-1"], 4)]
    assert bench.ours("pos") == []
    assert (await bench.pair("N-1"))["phase"] == "live"


async def test_a_new_pair_that_would_move_far_waits_for_a_person_and_says_so(running: Furnish) -> None:
    bench = await running()
    await appears(bench, "N-1", ledger=100, channel=5)
    await bench.run(60)
    assert bench.channel("N-1") == 5
    assert bench.ours("shop") == []
    pair = await bench.pair("N-1")
    assert (pair["phase"], pair["phase_reason"]) == ("new", "large_move")
    [alert] = await bench.alerts("pairs_waiting")
    assert alert["detail"]["reason"] == "large_move"

    preview = await bench.preview()
    assert await lines(bench, preview.id) == {"N-1": ("write_channel", 5, 100)}
    await bench.start(preview_id=preview.id)
    await bench.rest()
    assert (bench.ledger("N-1"), bench.channel("N-1")) == (100, 100)
