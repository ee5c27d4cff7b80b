"""Applying a configuration file: routes, and nothing a person decided is undone."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from inventory_sync.engine import routes
from inventory_sync.engine.apply_report import What
from inventory_sync.engine.routes import NoSuch, RefusedByRule
from inventory_sync.model import brake
from inventory_sync.store import db
from tests.engine.apply_support import (
    CONNECTIONS,
    PARTNERS,
    ROUTE,
    RUNNING,
    STOPPED,
    TILL_SECRET,
    Desk,
    second_till,
)

# -- routes --------------------------------------------------------------------------------------------------------


@pytest.mark.row("S2-39")
async def test_a_route_that_was_never_aligned_waits_for_its_preview(desk: Desk) -> None:
    report = await desk.apply(RUNNING)
    route = await desk.route()
    assert (route["state"], route["blockers"]) == ("blocked", ["first_alignment"])
    assert any("route preview pos-shop" in step.en for step in report.next_steps)
    with pytest.raises(RefusedByRule, match="nothing_matched"):
        await routes.start(desk.house, "pos-shop", preview_id=None, actor="tester")
    await desk.import_catalogues()
    await desk.read_cells()
    assert (await desk.route())["state"] == "blocked"
    made = await routes.make_preview(desk.house, "pos-shop")
    report = await desk.apply(RUNNING, accept=made.id)
    assert report.started == ("pos-shop",)
    assert (await desk.route())["state"] == "running"


async def test_accepting_twice_changes_nothing(desk: Desk) -> None:
    await desk.prepare()
    made = await routes.make_preview(desk.house, "pos-shop")
    await desk.apply(RUNNING, accept=made.id)
    before = await desk.dump()
    assert not (await desk.apply(RUNNING, accept=made.id)).changed
    assert await desk.dump() == before


async def test_a_preview_is_not_accepted_with_a_file_that_changes_what_it_showed(desk: Desk) -> None:
    await desk.prepare()
    made = await routes.make_preview(desk.house, "pos-shop")
    assert (await desk.refusal(RUNNING + "    publish: {buffer: 3}\n", accept=made.id)).code == "IS-RTE-012"
    assert (await desk.refusal(STOPPED, accept=made.id)).code == "IS-RTE-012"
    with pytest.raises(NoSuch):
        await desk.apply(RUNNING, accept="no such preview")


async def running(desk: Desk) -> None:
    """A route that was aligned and runs."""
    await desk.prepare()
    made = await routes.make_preview(desk.house, "pos-shop")
    await routes.start(desk.house, "pos-shop", preview_id=made.id, actor="tester")


@pytest.mark.parametrize("by", ["person", "brake"])
async def test_a_stop_by_a_person_or_a_brake_is_not_undone(desk: Desk, by: str) -> None:
    await running(desk)
    await routes.stop(desk.house, "pos-shop", actor="somebody")
    await desk.pool.execute("update routes set stopped_by = $1", by)
    found = await desk.refusal(RUNNING)
    assert found.code == "IS-RTE-005"
    assert "route start pos-shop" in str(found)
    assert not (await desk.apply(STOPPED)).changed
    assert (await desk.route())["stopped_by"] == by


async def test_a_file_stops_a_running_route_and_starts_it_again(desk: Desk) -> None:
    await running(desk)
    report = await desk.apply(STOPPED)
    assert [(f.before, f.after) for f in report.routes[0].fields] == [("running", "stopped")]
    assert (await desk.route())["state"] == "stopped"
    report = await desk.apply(RUNNING)
    assert report.started == ("pos-shop",)
    assert report.routes[0].state == "running"
    assert (await desk.route())["state"] == "running"


async def test_a_route_that_cannot_start_yet_changes_nothing(desk: Desk) -> None:
    await running(desk)
    await desk.apply(STOPPED)
    await desk.pool.execute("update pairs set phase = 'suspended'")
    assert (await desk.refusal(RUNNING + "    align: keep_difference\n")).code == "IS-RTE-001"


@pytest.mark.parametrize(
    "change",
    [
        "    match: {ledger_field: other, channel_field: other}\n",
        "    direction: channel_to_ledger\n    align: channel_wins\n",
    ],
)
async def test_what_decides_the_numbers_changes_only_while_the_route_is_stopped(desk: Desk, change: str) -> None:
    await running(desk)
    assert (await desk.refusal(RUNNING + change)).code == "IS-RTE-006"
    assert (await desk.refusal(RUNNING.replace('"L1"', '"L2"'))).code == "IS-RTE-006"
    await desk.apply(STOPPED + change)
    report = await desk.apply(RUNNING + change)
    assert report.started == ()
    route = await desk.route()
    assert (route["state"], route["blockers"]) == ("blocked", ["alignment"])


async def test_what_a_running_route_publishes_changes_as_a_run(desk: Desk) -> None:
    await running(desk)
    await desk.pool.execute("update run_rows set state = 'done'")  # its alignment is over
    change = "    publish: {buffer: 3, end_when: 1}\n"
    report = await desk.apply(RUNNING + change)
    assert {f.field: (f.before, f.after) for f in report.routes[0].fields} == {"buffer": (0, 3), "end_when": (0, 1)}
    route = await desk.route()
    assert (route["state"], route["buffer"], route["end_when"], route["blockers"]) == ("running", 3, 1, [])
    [run] = await desk.pool.fetch("select kind, state, total from runs where kind = 'publish'")
    assert (run["kind"], run["total"]) == ("publish", 2)
    assert {r["phase"] for r in await desk.pool.fetch("select phase from pairs")} == {"live"}
    assert (await desk.apply(RUNNING + change)).routes[0].fields == ()
    assert (await desk.refusal(RUNNING + "    publish: {percent: 50}\n    sales: expect\n")).code == "IS-RTE-006"


async def test_a_publish_rule_that_the_brake_would_hold_is_refused_while_the_route_runs(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(brake, "LEAST", 2)
    await running(desk)
    assert (await desk.refusal(RUNNING + "    publish: {percent: 0}\n")).code == "IS-PUB-013"
    assert (await desk.route())["percent"] == 100


async def test_another_publish_rule_must_be_confirmed_again(desk: Desk) -> None:
    await running(desk)
    await desk.apply(STOPPED)
    await desk.apply(STOPPED + "    publish: {buffer: 3}\n")
    assert [r["phase"] for r in await desk.pool.fetch("select distinct phase from pairs")] == ["new"]
    made = await routes.make_preview(desk.house, "pos-shop")
    changed = RUNNING + "    publish: {buffer: 3}\n"
    await desk.apply(changed)
    assert (await desk.apply(changed, accept=made.id)).started == ("pos-shop",)


async def test_another_match_field_matches_again(desk: Desk) -> None:
    PARTNERS["pos-account"].codes = ["A-1", "A-2"]
    PARTNERS["shop-account"].codes = ["A-1", "xA-2"]
    await desk.prepare(STOPPED)
    assert (await desk.route())["match_report"]["matched"] == 1
    await desk.apply(STOPPED + "    match: {ledger_field: other, channel_field: sku}\n")
    values = await desk.pool.fetch("select value, phase from pairs order by value")
    assert [tuple(v) for v in values] == [("A-1", "suspended"), ("xA-2", "new")]


async def test_the_connections_of_a_route_never_change(desk: Desk) -> None:
    await desk.apply(STOPPED)
    second_till()
    other = CONNECTIONS + f"  pos2: {{system: till, account: other-account, secret: {TILL_SECRET}}}\n"
    assert (await desk.refusal(other + ROUTE.replace("ledger: pos\n", "ledger: pos2\n"))).code == "IS-RTE-007"


@pytest.mark.row("S2-1")
async def test_a_route_joins_one_ledger_with_one_shop_and_another_ledger_has_a_route_of_its_own(desk: Desk) -> None:
    second_till()
    ledgers = CONNECTIONS + f"  pos2: {{system: till, account: other-account, secret: {TILL_SECRET}}}\n"
    second = ROUTE.partition("\n")[2].replace("pos-shop", "pos2-shop").replace("ledger: pos\n", "ledger: pos2\n")
    await desk.apply(ledgers + ROUTE + second.replace('"L1"', '"L2"'))
    await desk.import_catalogues()
    made = await desk.pool.fetch(
        """select distinct r.name, ledger.name as ledger, channel.name as channel, place.key
           from pairs p join routes r on r.id = p.route_id join components k on k.pair_id = p.id
           join cells l on l.id = k.ledger_cell join connections ledger on ledger.id = l.connection_id
           join cells c on c.id = p.channel_cell join connections channel on channel.id = c.connection_id
           join locations place on place.id = c.location_id order by r.name"""
    )
    assert [tuple(each) for each in made] == [("pos-shop", "pos", "shop", "L1"), ("pos2-shop", "pos2", "shop", "L2")]
    assert (await desk.refusal(ledgers + ROUTE.replace("ledger: pos\n", "ledger: pos2\n"))).code == "IS-RTE-007"


async def test_routes_in_a_circle_are_refused(desk: Desk) -> None:
    await desk.apply(STOPPED)
    back = 'routes:\n  back:\n    ledger: shop\n    channel: pos\n    locations: [{ledger: "L2", channel: "2"}]\n'
    assert (await desk.refusal(CONNECTIONS + back)).code == "IS-RTE-008"


async def test_a_route_to_nowhere_is_refused(desk: Desk) -> None:
    document = await desk.read(STOPPED)
    route = replace(document.routes[0], channel="nowhere")
    problem = (await desk.failure(replace(document, routes=(route,)))).problems[0]
    assert (problem.code, problem.subject) == ("IS-CFG-022", "route pos-shop, channel")


async def _until_somebody_waits(engine: db.Connection) -> None:
    """Until a lock is waited for; every look is a round trip to the database, in which others get on."""
    while not await engine.fetchval("select exists (select 1 from pg_locks where not granted)"):
        pass


async def test_a_deadlock_with_the_engine_is_tried_again(desk: Desk) -> None:
    await desk.prepare(STOPPED)
    async with desk.pool.acquire() as engine, engine.transaction():
        # Whoever looks for a deadlock first is the one that loses: never this connection.
        await engine.execute("set local deadlock_timeout = '1min'")
        await engine.execute("select id from pairs order by id for update")
        applying = asyncio.create_task(desk.apply(STOPPED + "    publish: {buffer: 3}\n"))
        await _until_somebody_waits(engine)
        await engine.execute("select id from routes for update")
    assert (await applying).routes[0].what is What.CHANGED
    assert (await desk.route())["buffer"] == 3


# -- dry run and prune ---------------------------------------------------------------------------------------------


async def test_a_dry_run_tells_the_same_and_changes_nothing(desk: Desk) -> None:
    before = await desk.dump()
    planned = await desk.apply(RUNNING, dry_run=True)
    assert await desk.dump() == before
    done = await desk.apply(RUNNING)
    assert replace(planned, dry_run=False) == done


async def test_a_dry_run_of_a_start_says_so_and_starts_nothing(desk: Desk) -> None:
    await desk.prepare()
    made = await routes.make_preview(desk.house, "pos-shop")
    assert (await desk.apply(RUNNING, accept=made.id, dry_run=True)).started == ("pos-shop",)
    assert (await desk.route())["state"] == "blocked"


async def test_what_the_file_does_not_name_is_left_alone(desk: Desk) -> None:
    await running(desk)
    assert not (await desk.apply(CONNECTIONS)).changed
    assert (await desk.route())["state"] == "running"


async def test_prune_stops_the_routes_and_retires_the_connections_that_are_not_named(desk: Desk) -> None:
    await running(desk)
    only_pos = CONNECTIONS.partition("  shop:")[0]
    report = await desk.apply(only_pos, prune=True)
    assert report.removed == ("route pos-shop", "connection shop")
    assert [r["phase"] for r in await desk.pool.fetch("select distinct phase from pairs")] == ["suspended"]
    record = await db.row(desk.pool, "connection_by_name", name="shop")
    assert record is not None
    assert (record["state"], record["secrets"]) == ("unlinked", None)
    before = await desk.dump()
    assert not (await desk.apply(only_pos, prune=True)).changed
    assert await desk.dump() == before


async def test_prune_keeps_a_connection_that_a_route_of_the_file_uses(desk: Desk) -> None:
    await desk.apply(STOPPED)
    only_pos = CONNECTIONS.partition("  shop:")[0]
    assert (await desk.apply(only_pos + ROUTE, prune=True)).removed == ()


async def test_a_removed_route_that_comes_back_is_aligned_again(desk: Desk) -> None:
    await running(desk)
    await desk.apply(CONNECTIONS, prune=True)
    await desk.apply(RUNNING)
    route = await desk.route()
    assert (route["state"], route["blockers"], route["stopped_by"]) == ("blocked", ["alignment"], "")
    assert [r["phase"] for r in await desk.pool.fetch("select distinct phase from pairs")] == ["new"]


async def test_another_route_takes_over_the_locations_of_a_removed_one(desk: Desk) -> None:
    await running(desk)
    second = RUNNING.replace("pos-shop", "second")
    report = await desk.apply(second, prune=True)
    assert report.removed == ("route pos-shop",)
    rows = await desk.pool.fetch("select r.name, p.phase from pairs p join routes r on r.id = p.route_id")
    assert {tuple(r) for r in rows} == {("second", "new")}
    made = await routes.make_preview(desk.house, "second")
    assert (await desk.apply(second, accept=made.id)).started == ("second",)
