"""Matching: codes are compared code point by code point, and what does not match is reported and never written."""

from __future__ import annotations

from typing import Any

import pytest

from inventory_sync.engine import routes
from tests.engine.bench import ADJUST, Bench, Setup
from tests.engine.conftest import Furnish

NEAR = {
    "ABC-1": ("ABC-1 ", "blank"),
    "ABC-2": ("abc-2", "case"),
    "ABC-3": ("ＡＢＣ-3", "width"),
    "00123": ("123", "leading_zero"),
}


def almost(bench: Bench) -> None:
    """The ledger has each code, the shop has what a person would take for it."""
    for code, (other, _) in NEAR.items():
        product = bench.pos.add_product(code, bench.agenda.now)
        bench.pos.receive(product, "1", 5, bench.agenda.now)
        bench.products[code] = product
        [bench.items["shop"][code]] = bench.shop().add_product(
            f"Product {code}", [other], bench.agenda.now, stock=20, policy="CONTINUE"
        )


async def report(bench: Bench) -> dict[str, Any]:
    found = await routes.route_named(bench.pool, "pos-shop")
    kept: dict[str, Any] = found["match_report"]
    return kept


@pytest.mark.row("S2-35")
@pytest.mark.row("S2-38")
@pytest.mark.row("S4-31")
async def test_codes_that_almost_match_are_reported_with_the_difference_and_never_written(running: Furnish) -> None:
    bench = await running(Setup(more=almost))
    found = await report(bench)

    assert found["matched"] == 1
    assert [row["value"] for row in found["ledger_unmatched"]] == list(NEAR)
    assert [row["value"] for row in found["channel_unmatched"]] == [other for other, _ in NEAR.values()]
    assert {(near["ledger"], near["channel"]): near["kinds"] for near in found["near_misses"]} == {
        (code, other): [kind] for code, (other, kind) in NEAR.items()
    }
    assert all(near["en"] and near["ja"] for near in found["near_misses"])
    [blank] = [near["en"] for near in found["near_misses"] if near["ledger"] == "ABC-1"]
    assert "U+0020" in blank

    for code in ("A-1", *NEAR):
        bench.move_ledger(code, -1)
        bench.move_channel(code, -2)
    await bench.rest()
    assert (bench.ledger(), bench.channel()) == (7, 7)
    for code in NEAR:
        assert (bench.ledger(code), bench.channel(code)) == (4, 18)
    assert {change.item for change in bench.ours("shop")} == {bench.items["shop"]["A-1"]}
    assert {change.item for change in bench.ours("pos")} == {bench.products["A-1"]}


def twice(bench: Bench) -> None:
    """One code of the ledger belongs to two listings of the shop."""
    product = bench.pos.add_product("T-1", bench.agenda.now)
    bench.pos.receive(product, "1", 5, bench.agenda.now)
    bench.products["T-1"] = product
    items = bench.shop().add_product("Twice", ["T-1", "T-1"], bench.agenda.now, stock=20, policy="CONTINUE")
    bench.items["shop"] |= {"T-1": items[0], "T-1 again": items[1]}


@pytest.mark.row("S2-38")
async def test_a_code_that_stands_twice_on_a_side_matches_nothing(running: Furnish) -> None:
    bench = await running(Setup(more=twice))
    found = await report(bench)

    assert (found["matched"], found["ambiguous_count"]) == (1, 1)
    [ambiguous] = found["ambiguous"]
    assert ambiguous["value"] == "T-1"
    assert (len(ambiguous["ledger"]), len(ambiguous["channel"])) == (1, 2)
    assert (found["ledger_unmatched_count"], found["channel_unmatched_count"]) == (0, 0)

    bench.move_ledger("T-1", -1)
    for code in ("T-1", "T-1 again"):
        bench.move_channel(code, -2)
    await bench.rest()
    assert bench.ledger("T-1") == 4
    assert [bench.channel(code) for code in ("T-1", "T-1 again")] == [18, 18]
    assert bench.ours("shop") == bench.ours("pos") == []


def odd_ones(bench: Bench) -> None:
    """Codes of both sides: one is not tracked and one a bundle at the shop, one is not managed at the ledger."""
    now = bench.agenda.now
    for code in ("UNTRACKED", "BUNDLE", "UNMANAGED"):
        product = bench.pos.add_product(code, now, managed=code != "UNMANAGED")
        bench.pos.receive(product, "1", 5, now)
        bench.products[code] = product
        [bench.items["shop"][code]] = bench.shop().add_product(
            code, [code], now, stock=20, tracked=code != "UNTRACKED", bundle=code == "BUNDLE", policy="CONTINUE"
        )


async def test_untracked_items_and_bundle_parents_are_listed_with_the_reason_and_never_written(
    running: Furnish,
) -> None:
    bench = await running(Setup(more=odd_ones))
    found = await report(bench)

    assert found["matched"] == 1
    assert {(row["value"], row["reason"]) for row in found["excluded"]["channel"]} == {
        ("UNTRACKED", "untracked"),
        ("BUNDLE", "bundle"),
    }
    assert {(row["value"], row["reason"]) for row in found["excluded"]["ledger"]} == {("UNMANAGED", "untracked")}
    for code in ("UNTRACKED", "BUNDLE"):
        bench.move_ledger(code, -1)
    for code in ("BUNDLE", "UNMANAGED"):
        bench.move_channel(code, -2)
    bench.move_channel("UNTRACKED", 3)
    await bench.rest()
    assert bench.ours("shop") == bench.ours("pos") == []
    assert bench.requests("shop", ADJUST) == bench.requests("pos", "/add") == []


async def test_an_item_whose_tracking_is_switched_off_is_written_no_more(running: Furnish) -> None:
    bench = await running()
    bench.shop().set_tracked(bench.items["shop"]["A-1"], False, bench.agenda.now)
    bench.heard("shop")
    await bench.rest()
    bench.move_ledger("A-1", -4)
    await bench.rest()
    await bench.run(90)

    assert (await bench.pair())["phase"] == "suspended"
    assert bench.ours("shop") == []
    assert bench.requests("shop", ADJUST) == []


async def test_a_code_that_changes_while_the_route_runs_parts_the_pair(running: Furnish) -> None:
    bench = await running()
    bench.shop().change_sku(bench.items["shop"]["A-1"], "A-1 ", bench.agenda.now)
    bench.heard("shop")
    await bench.rest()
    bench.move_ledger("A-1", -4)
    bench.move_channel("A-1", -1)
    await bench.run(90)

    assert (bench.ledger(), bench.channel()) == (6, 9)
    [near] = (await report(bench))["near_misses"]
    assert (near["ledger"], near["channel"], near["kinds"]) == ("A-1", "A-1 ", ["blank"])
