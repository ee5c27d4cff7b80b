"""Empty and cut answers: a partner that shows nothing has not sold everything, and nothing is told of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from inventory_sync.engine import catalogue, poll
from inventory_sync.systems.port import Condition
from tests.engine.bench import ADJUST, Bench, Setup
from tests.engine.conftest import Furnish
from tests.engine.safety_support import TWELVE, never_told_too_high


class Cut:
    """A client some of whose answers are changed on the way."""

    def __init__(self, inner: Any, **changes: Callable[[Any], Any]) -> None:
        self._inner, self._changes = inner, changes

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        change = self._changes.get(name)
        if change is None:
            return found

        async def changed(*arguments: Any, **named: Any) -> Any:
            return change(await found(*arguments, **named))

        return changed


def cut(bench: Bench, partner: str, **changes: Callable[[Any], Any]) -> None:
    bench.lanes[partner].client = Cut(bench.lanes[partner].client, **changes)


async def imported(bench: Bench, partner: str) -> str:
    """The state in which a full import of a catalogue ends."""
    number = bench.partners[partner].connection_id
    assert await catalogue.start_import(bench.house, number)

    while await bench.rows("select id from runs where kind = 'import' and state = 'running'"):
        await bench.person(catalogue.import_page(bench.house, bench.lanes[partner]))
        await bench.run(0.5)
    [run] = await bench.rows("select state from runs where kind = 'import' order by id desc limit 1")
    return str(run["state"])


async def phases(bench: Bench) -> set[str]:
    return {r["phase"] for r in await bench.rows("select phase from pairs")}


async def trade_goes_on(bench: Bench, codes: tuple[str, ...]) -> None:
    before = bench.ledger(codes[0])
    bench.move_channel(codes[0], -2)
    await bench.rest(seconds=200)
    assert bench.ledger(codes[0]) == bench.channel(codes[0]) == before - 2
    bench.move_ledger(codes[-1], -3)
    await bench.rest(seconds=200)
    assert bench.ledger(codes[-1]) == bench.channel(codes[-1]), "a sale at the register reaches the shop"
    never_told_too_high(bench)


@pytest.mark.parametrize("partner", ["shop", "pos"])
@pytest.mark.parametrize("codes", [("A-1", "B-2"), TWELVE], ids=["of two items", "of twelve"])
async def test_an_empty_catalogue_is_not_believed_and_sales_flow(
    running: Furnish, codes: tuple[str, ...], partner: str
) -> None:
    bench = await running(Setup(codes=codes, ledger=10))
    cut(bench, partner, catalogue_page=lambda page: replace(page, items=(), levels=(), cursor=None))
    assert await imported(bench, partner) == "failed"
    [alert] = await bench.alerts("catalogue_vanished")
    assert (alert["subject"], alert["detail"]["listed"]) == (partner, 0)
    assert await phases(bench) == {"live"}
    assert await bench.rows("select id from items where gone") == []
    assert bench.requests("shop", ADJUST) == []
    await trade_goes_on(bench, codes)
    bench.lanes[partner].client = bench.client(bench.partners[partner])
    assert await imported(bench, partner) == "done"
    assert await bench.alerts("catalogue_vanished") == []
    never_told_too_high(bench)


async def test_a_catalogue_cut_in_the_middle_is_not_believed(running: Furnish) -> None:
    bench = await running(Setup(codes=TWELVE, ledger=10))
    cut(bench, "pos", catalogue_page=lambda page: replace(page, items=page.items[:4], cursor=None))
    assert await imported(bench, "pos") == "failed"
    assert await phases(bench) == {"live"}
    await trade_goes_on(bench, TWELVE)


async def test_a_list_of_locations_without_any_leaves_them_in_use(running: Furnish) -> None:
    bench = await running()
    cut(bench, "shop", locations=lambda found: [])
    await bench.person(catalogue.import_locations(bench.house, bench.lanes["shop"]))
    [alert] = await bench.alerts("catalogue_vanished")
    assert alert["detail"]["what"] == "locations"
    assert await bench.rows("select id from locations where not active") == []


async def test_many_items_gone_in_one_answer_are_looked_up_in_the_whole_catalogue(running: Furnish) -> None:
    bench = await running(Setup(codes=TWELVE, ledger=10))
    lane = bench.lanes["pos"]
    cut(bench, "pos", refresh=lambda found: replace(found, items=(), gone=tuple(bench.products.values())))
    await bench.person(catalogue.refresh(bench.house, bench.lanes["pos"], list(bench.products.values())))
    assert await bench.rows("select id from items where gone") == []
    assert lane.connection_id in {
        r["connection_id"] for r in await bench.rows("select connection_id from runs where kind = 'import'")
    }
    await bench.run(60)
    assert await phases(bench) == {"live"}


async def test_rows_that_vanish_from_an_answer_are_no_reading(running: Furnish) -> None:
    bench = await running(Setup(codes=TWELVE, ledger=10))
    cut(
        bench,
        "pos",
        read=lambda found: [replace(each, condition=Condition.ABSENT, quantity=None) for each in found],
    )
    bench.off |= {"observe:pos"}
    for code in TWELVE[:8]:
        bench.move_ledger(code, -1)
    await bench.run(20)
    bench.off.clear()
    await bench.run(40)
    [alert] = await bench.alerts("levels_vanished")
    assert (alert["subject"], alert["detail"]["listed"]) == ("pos", 0)
    assert await phases(bench) == {"live"}
    assert {bench.channel(code) for code in TWELVE} == {10}
    bench.move_channel("A-12", -2)
    await bench.run(20)
    assert bench.ledger("A-12") == 8, "sales are booked meanwhile"
    never_told_too_high(bench)

    bench.lanes["pos"].client = bench.client(bench.partners["pos"])
    await bench.run(90)
    await bench.rest()
    assert {bench.channel(code) for code in TWELVE[:8]} == {9}
    assert await bench.alerts("levels_vanished") == []


async def test_a_walk_over_all_levels_that_comes_back_empty_is_no_success(running: Furnish) -> None:
    bench = await running(Setup(codes=TWELVE, ledger=10))
    cut(bench, "pos", walk_levels=lambda page: replace(page, levels=(), cursor=None))
    [before] = await bench.rows("select reconciled_at from routes")
    assert await poll.start_reconcile(bench.house, bench.partners["pos"].connection_id)
    bench.wake()
    await bench.until(lambda: bench.alerts("levels_vanished"))
    [run] = await bench.rows("select state, error from runs where kind = 'reconcile' order by id desc limit 1")
    assert run["state"] == "failed"
    assert "0 levels where 12 are known" in run["error"]
    [after] = await bench.rows("select reconciled_at from routes")
    assert after == before
    assert bench.requests("shop", ADJUST) == []
    await trade_goes_on(bench, TWELVE)


async def test_more_sold_than_there_is_is_said_within_the_second_with_the_orders(running: Furnish) -> None:
    bench = await running(Setup(codes=("A-1",), shops=("shop", "mart"), ledger=3))
    bench.move_channel("A-1", -3, shop="shop")
    bench.move_channel("A-1", -2, shop="mart")
    await bench.until(lambda: bench.alerts("oversold"), seconds=30)
    alerts = await bench.alerts("oversold")
    assert alerts[0]["detail"]["effective"] == -2
    [found] = await bench.rows(
        "select min(asked_at) as heard from movements m join cells c on c.id = m.cell_id where m.delta = -2"
    )
    assert (alerts[0]["opened_at"] - found["heard"]).total_seconds() < 5
    bench.move_ledger("A-1", 9)
    await bench.rest()
    await bench.run(30)
    assert await bench.alerts("oversold") == []
