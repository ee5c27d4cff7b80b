"""Several listings of one item, and codes that a person wrote down for what no field says."""

from __future__ import annotations

from typing import Any

import pytest

from inventory_sync.engine import routes
from tests.engine.bench import Bench, Setup
from tests.engine.conftest import Furnish


def twice(bench: Bench) -> None:
    """One code of the ledger stands at two listings of the shop."""
    product = bench.pos.add_product("T-1", bench.agenda.now)
    bench.pos.receive(product, "1", 8, bench.agenda.now)
    bench.products["T-1"] = product
    items = bench.shop().add_product("Twice", ["T-1", "T-1"], bench.agenda.now, stock=8, policy="CONTINUE")
    bench.items["shop"] |= {"T-1": items[0], "T-1 again": items[1]}


async def report(bench: Bench) -> dict[str, Any]:
    found: dict[str, Any] = (await routes.route_named(bench.pool, "pos-shop"))["match_report"]
    return found


def both(bench: Bench) -> tuple[int, int]:
    return bench.channel("T-1"), bench.channel("T-1 again")


async def test_two_listings_of_one_item_show_the_same_stock_and_a_sale_on_one_lowers_the_other(
    running: Furnish,
) -> None:
    bench = await running(Setup(more=twice, terms={"listings": "same"}))
    assert (await report(bench))["ambiguous_count"] == 0
    bench.move_channel("T-1", -3)
    await bench.rest()
    assert bench.ledger("T-1") == 5
    assert both(bench) == (5, 5)
    assert [change.delta for change in bench.ours("pos")] == [-3]

    bench.move_channel("T-1", -1)
    bench.move_channel("T-1 again", -1)
    bench.move_ledger("T-1", -1)
    await bench.rest()
    assert bench.ledger("T-1") == 2
    assert both(bench) == (2, 2)


def many_in_the_shop(bench: Bench) -> None:
    bench.shop().add_product("More", ["A-1", "A-1 "], bench.agenda.now, stock=3, policy="CONTINUE")


@pytest.mark.row("S4-31")
async def test_only_listings_with_the_very_code_share_the_stock(running: Furnish) -> None:
    bench = await running(Setup(more=many_in_the_shop, terms={"listings": "same"}))
    found = await report(bench)
    assert found["matched"] == 2
    assert [each["value"] for each in found["channel_unmatched"]] == ["A-1 "]


def foreign(bench: Bench) -> None:
    """A listing whose code only a person knows the meaning of, and one whose line of the table leads nowhere."""
    for code in ("theirs", "lost"):
        [bench.items["shop"][code]] = bench.shop().add_product(
            code, [code], bench.agenda.now, stock=10, policy="CONTINUE"
        )
    product = bench.pos.add_product("OURS", bench.agenda.now)
    bench.pos.receive(product, "1", 10, bench.agenda.now)
    bench.products["OURS"] = product


async def test_a_persons_code_table_pairs_what_no_field_pairs_and_what_it_gets_wrong_is_reported(
    running: Furnish,
) -> None:
    table = {"theirs": "OURS", "lost": "ours", "nobody": "A-1"}
    bench = await running(Setup(more=foreign, code_table=table))
    found = await report(bench)
    assert (found["matched"], found["codes_count"]) == (2, 3)
    complaints = {each["value"]: each for each in found["complaints"]}
    assert {value: each["trouble"] for value, each in complaints.items()} == {
        "lost": "no_such_ledger_code",
        "nobody": "no_such_channel_code",
    }
    assert '"OURS"' in complaints["lost"]["en"]
    assert complaints["lost"]["ja"]

    bench.move_channel("theirs", -2)
    bench.move_channel("lost", -2)
    bench.move_ledger("OURS", -1)
    await bench.rest()
    assert (bench.ledger("OURS"), bench.channel("theirs"), bench.channel("lost")) == (7, 7, 8)


async def test_a_persons_code_table_goes_before_the_code_that_the_listing_carries(running: Furnish) -> None:
    bench = await running(Setup(codes=("A-1", "B-2"), code_table={"A-1": "B-2", "B-2": "A-1"}))
    bench.move_ledger("A-1", -4)
    await bench.rest()
    assert (bench.channel("A-1"), bench.channel("B-2")) == (10, 6)
