"""A connection that becomes invalid, frozen or unlinked while trade goes on, and what comes back with it."""

from __future__ import annotations

import pytest

from inventory_sync.engine import catalogue
from inventory_sync.engine.named import RefusedByRule
from inventory_sync.sandbox.shopify.simulator import ShopStatus
from inventory_sync.store import db
from tests.engine.bench import ADJUST, Bench, Setup
from tests.engine.conftest import Furnish

TWO = Setup(shops=("shop", "mall"))


async def connection(bench: Bench, name: str = "shop") -> db.Record:
    found = await db.row(bench.pool, "connection_by_name", name=name)
    assert found is not None
    return found


async def try_again(bench: Bench, name: str = "shop") -> None:
    await bench.pool.execute("update connections set retry_at = $1 where name = $2", bench.agenda.now, name)
    await bench.run(5)


@pytest.mark.row("S1-64", "S1-65")
async def test_an_invalid_connection_is_left_alone_keeps_what_waits_and_alerts_once(running: Furnish) -> None:
    bench = await running(TWO)
    bench.shop().access.rotate_secret("shpss_another_secret")
    bench.shop().access.revoke_oldest_secret(bench.agenda.now)
    bench.heard("shop")
    await bench.until(lambda: bench.alerts("connection_broken"), seconds=90)
    assert (await connection(bench))["state"] == "needs_action"
    bench.begin()
    bench.move_ledger("A-1", -3)
    await bench.until(lambda: bench.channel(shop="mall") == 7)
    await bench.run(120)
    assert bench.requests("shop", "") == [], "nothing is asked while it is invalid"
    assert len(await bench.rows("select id from alerts where code = 'connection_broken'")) == 1
    cell = await bench.cell("A-1")
    assert (cell["known"], cell["gap"]) == (10, -3), "what is to be told waits"

    bench.partners["shop"].settings = bench.partners["shop"].settings.model_copy(
        update={"client_secret": type(bench.partners["shop"].settings.client_secret)("shpss_another_secret")}
    )
    partner = bench.partners["shop"]
    assert partner.definition.make_notice_parser is not None
    partner.parser = partner.definition.make_notice_parser(partner.settings)
    await try_again(bench)
    await bench.rest(seconds=180)
    assert (await connection(bench))["state"] == "linked"
    assert bench.channel() == 7
    assert await bench.alerts("connection_broken") == []


@pytest.mark.row("S1-6")
async def test_a_frozen_shop_is_tried_slowly_is_visible_and_gets_its_update_when_it_thaws(running: Furnish) -> None:
    bench = await running()
    bench.shop().status = ShopStatus.FROZEN
    bench.move_ledger("A-1", -4)
    await bench.until(lambda: bench.alerts("connection_broken"), seconds=90)
    record = await connection(bench)
    assert record["state"] == "broken"
    assert (record["retry_at"] - bench.agenda.now).total_seconds() > 600
    bench.begin()
    await bench.run(300)
    assert bench.requests("shop", ADJUST) == []
    bench.shop().status = ShopStatus.OPEN
    await try_again(bench)
    await bench.rest(seconds=180)
    assert bench.channel() == 6


@pytest.mark.row("S0-47", "S0-48")
async def test_an_uninstalled_shop_loses_its_catalogue_and_no_number_anywhere(running: Furnish) -> None:
    bench = await running(TWO)
    bench.move_channel("A-1", -1)
    await bench.rest()
    journal = await bench.rows("select id from movements order by id")
    bench.shop().uninstall(bench.agenda.now)
    bench.heard("shop")
    await bench.until(lambda: bench.alerts("connection_broken"), seconds=90)
    bench.begin()
    await bench.run(60)
    assert (await connection(bench))["catalogue_import"] is None
    assert (bench.ledger(), bench.channel(), bench.channel(shop="mall")) == (9, 9, 9)
    assert bench.ours("shop") == bench.ours("mall") == bench.ours("pos") == []
    assert (await bench.rows("select id from movements order by id"))[: len(journal)] == journal
    states = await bench.rows("select name, state from routes order by name")
    assert [tuple(r) for r in states] == [("pos-mall", "running"), ("pos-shop", "blocked")]
    assert await bench.rows("select id from pairs where route_id = (select id from routes where name = 'pos-shop')")


@pytest.mark.row("S0-52", "S0-53")
async def test_a_shop_that_comes_back_is_fetched_whole_and_told_nothing_until_a_person_starts_it(
    running: Furnish,
) -> None:
    bench = await running()
    bench.shop().uninstall(bench.agenda.now)
    bench.heard("shop")
    await bench.until(lambda: bench.alerts("connection_broken"), seconds=90)
    bench.move_ledger("A-1", -3)
    await bench.run(30)
    bench.shop().reinstall()
    await try_again(bench)
    await bench.run(60)
    assert (await connection(bench))["state"] == "linked"
    lane = bench.lanes["shop"]
    assert await db.row(bench.pool, "running_run", kind="import", connection_id=lane.connection_id) is not None
    with pytest.raises(RefusedByRule, match="catalogue_missing:shop"):
        await bench.start(preview_id=(await bench.preview()).id)
    while await db.row(bench.pool, "running_run", kind="import", connection_id=lane.connection_id) is not None:
        await bench.person(catalogue.import_page(bench.house, lane))
    assert (await connection(bench))["catalogue_import"] is not None
    assert bench.channel() == 10
    await bench.start(preview_id=(await bench.preview()).id)
    await bench.rest(seconds=120)
    assert bench.channel() == 7


@pytest.mark.row("S1-45")
async def test_only_the_stores_that_were_chosen_give_stock_and_take_sales(running: Furnish) -> None:
    def a_third_store(bench: Bench) -> None:
        bench.pos.seed_catalogue(0, bench.agenda.now, stores=("1", "2", "9"))

    bench = await running(Setup(stores=("1", "2"), pool="1", more=a_third_store))
    assert bench.channel() == 20
    bench.begin()
    bench.pos.receive(bench.products["A-1"], "9", 50, bench.agenda.now)
    bench.heard("pos")
    await bench.run(30)
    assert bench.channel() == 20, "a store that was not chosen gives nothing"
    bench.move_channel("A-1", -4)
    await bench.until(lambda: bench.ledger(store="1") == 6)
    await bench.rest()
    assert {change.location for change in bench.ours("pos")} == {"1"}
    assert int(bench.pos.stock(bench.products["A-1"], "9")) == 50
