"""Applying a configuration file: connections and locations, all of it or nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from inventory_sync.config import LocationPair
from inventory_sync.engine import overview
from inventory_sync.engine.apply_report import What
from inventory_sync.engine.routes import RefusedByRule
from inventory_sync.engine.stored import unseal
from inventory_sync.store import db
from inventory_sync.systems.errors import Broken, BrokenKind, RetryLater
from tests.engine.apply_support import (
    BOX,
    CONNECTIONS,
    PARTNERS,
    ROUTE,
    RUNNING,
    SHOP_SECRET,
    STOPPED,
    TILL_SECRET,
    Desk,
    second_till,
)

NEW_SECRET = "another-secret-9876543210"


async def secret_of(desk: Desk, name: str) -> dict[str, str]:
    record = await db.row(desk.pool, "connection_by_name", name=name)
    assert record is not None
    return unseal(BOX, name, record["secrets"])


# -- connections ---------------------------------------------------------------------------------------------------


@pytest.mark.row("S4-34")
async def test_a_first_apply_links_the_connections_and_leaves_the_route_off(desk: Desk) -> None:
    report = await desk.apply(STOPPED)
    assert [(c.name, c.what, c.state) for c in report.connections] == [
        ("pos", What.CREATED, "linked"),
        ("shop", What.CREATED, "linked"),
    ]
    assert (await desk.route())["state"] == "draft"
    await desk.import_catalogues()
    assert (await desk.route())["state"] == "stopped"


async def test_a_new_connection_is_imported_exactly_once(desk: Desk) -> None:
    await desk.apply(STOPPED)
    await desk.apply(STOPPED)
    await desk.import_catalogues()
    await desk.import_catalogues()
    assert await desk.pool.fetchval("select count(*) from runs where kind = 'import'") == 2


async def test_applying_twice_changes_nothing_and_asks_no_partner(desk: Desk) -> None:
    await desk.prepare(STOPPED)
    before = await desk.dump()
    calls = {name: partner.calls for name, partner in PARTNERS.items()}
    report = await desk.apply(STOPPED)
    assert not report.changed
    assert await desk.dump() == before
    assert {name: partner.calls for name, partner in PARTNERS.items()} == calls


@pytest.mark.row("S2-29", "S2-31")
async def test_a_connection_that_cannot_be_verified_leaves_nothing_half_saved_and_a_retry_works(desk: Desk) -> None:
    problem = (await desk.failure(STOPPED.replace(SHOP_SECRET, "wrong-secret-000000"))).problems[0]
    assert problem.subject == "connection shop"
    assert problem.code == "IS-DMO-001"
    assert "console" in problem.remedy
    report = await desk.apply(STOPPED)
    assert [c.what for c in report.connections] == [What.CREATED, What.CREATED]


async def test_every_connection_that_fails_is_named(desk: Desk) -> None:
    PARTNERS["pos-account"].secret = PARTNERS["shop-account"].secret = "changed at both partners"
    assert {p.subject for p in (await desk.failure(STOPPED)).problems} == {"connection pos", "connection shop"}


async def test_a_refused_credential_leaves_the_old_one_in_force(desk: Desk) -> None:
    await desk.apply(STOPPED)
    await desk.failure(STOPPED.replace(TILL_SECRET, "wrong-secret-000000") + "    publish: {buffer: 3}\n")
    assert await secret_of(desk, "pos") == {"secret": TILL_SECRET}
    assert (await desk.route())["buffer"] == 0


async def test_a_renewed_credential_of_the_same_shop_is_saved_and_asks_for_a_reconcile(desk: Desk) -> None:
    await desk.apply(STOPPED)
    PARTNERS["pos-account"].secret = NEW_SECRET
    report = await desk.apply(STOPPED.replace(TILL_SECRET, NEW_SECRET))
    assert [(c.name, c.what) for c in report.connections] == [("pos", What.CHANGED), ("shop", What.UNCHANGED)]
    assert await secret_of(desk, "pos") == {"secret": NEW_SECRET}
    wishes = await desk.pool.fetch("select n.name, w.kind from wishes w join connections n on n.id = w.connection_id")
    assert [tuple(w) for w in wishes] == [("pos", "reconcile")]


async def test_a_file_may_leave_out_a_stored_secret(desk: Desk) -> None:
    await desk.apply(STOPPED)
    report = await desk.apply(STOPPED.replace(f"    secret: {TILL_SECRET}\n", "    colour: red\n"))
    assert [f.field for f in report.connections[0].fields] == ["colour"]
    assert await secret_of(desk, "pos") == {"secret": TILL_SECRET}


@pytest.mark.row("S0-12")
async def test_a_credential_of_another_shop_is_refused(desk: Desk) -> None:
    await desk.apply(STOPPED)
    second_till()
    problem = (await desk.failure(STOPPED.replace("pos-account", "other-account"))).problems[0]
    assert problem.code == "IS-CON-002"
    assert "till-8" in problem.message


@pytest.mark.row("S0-12")
async def test_the_system_of_a_connection_never_changes(desk: Desk) -> None:
    document = await desk.read(STOPPED)
    await desk.apply(document)
    pos, shop = document.connections
    other = replace(document, connections=(replace(pos, system="stall"), shop))
    assert (await desk.failure(other)).problems[0].code == "IS-CON-001"


async def test_two_connections_to_one_shop_are_refused(desk: Desk) -> None:
    twin = CONNECTIONS + f"  twin: {{system: stall, account: shop-account, secret: {SHOP_SECRET}}}\n"
    assert (await desk.refusal(twin)).code == "IS-CON-003"


async def test_a_broken_connection_is_tried_again_by_the_same_file(desk: Desk) -> None:
    await desk.apply(STOPPED)
    await desk.pool.execute("update connections set state = 'needs_action', state_code = 'X' where name = 'pos'")
    report = await desk.apply(STOPPED)
    assert report.connections[0].what is What.CHANGED
    record = await db.row(desk.pool, "connection_by_name", name="pos")
    assert record is not None
    assert (record["state"], record["state_code"]) == ("linked", "")


async def test_a_busy_partner_is_neither_a_problem_nor_a_change(desk: Desk) -> None:
    async def busy() -> None:
        raise RetryLater("too many requests", after=2)

    PARTNERS["shop-account"].on_verify = busy
    before = await desk.dump()
    with pytest.raises(RetryLater):
        await desk.apply(STOPPED)
    assert await desk.dump() == before


async def test_a_connection_that_somebody_else_changes_meanwhile_is_not_overwritten(desk: Desk) -> None:
    async def meanwhile() -> None:
        await desk.pool.execute("update connections set version = version + 1 where name = 'pos'")

    await desk.apply(STOPPED)
    PARTNERS["pos-account"].on_verify = meanwhile
    with pytest.raises(RefusedByRule) as caught:
        await desk.apply(STOPPED.replace(f"{TILL_SECRET}\n", f"{TILL_SECRET}\n    colour: red\n"))
    assert caught.value.code == "IS-CON-005"
    record = await db.row(desk.pool, "connection_by_name", name="pos")
    assert record is not None
    assert "colour" not in record["settings"]


async def test_two_people_applying_at_once_do_not_mix(desk: Desk) -> None:
    outcomes = await asyncio.gather(desk.apply(STOPPED), desk.apply(STOPPED), return_exceptions=True)
    refused = [each for each in outcomes if isinstance(each, RefusedByRule)]
    assert [each.code for each in refused] == ["IS-CON-005"]
    assert await desk.pool.fetchval("select count(*) from connections") == 2
    assert await desk.pool.fetchval("select count(*) from runs") == 2


@pytest.mark.row("S0-42")
async def test_no_secret_stands_in_clear_in_any_table_or_report(desk: Desk) -> None:
    await desk.prepare(RUNNING)
    PARTNERS["pos-account"].secret = NEW_SECRET
    report = await desk.apply(RUNNING.replace(TILL_SECRET, NEW_SECRET))
    everything = repr(await desk.dump()) + repr(report.as_dict())
    for secret in (TILL_SECRET, SHOP_SECRET, NEW_SECRET):
        assert secret not in everything
        assert secret.encode().hex() not in everything


async def test_what_changed_is_in_the_audit_log(desk: Desk) -> None:
    await desk.apply(STOPPED)
    await desk.apply(STOPPED + "    publish: {buffer: 3}\n")
    rows = await desk.pool.fetch("select actor, action, subject, before, after from audit order by id")
    assert [(r["actor"], r["action"], r["subject"]) for r in rows] == [
        ("tester", "connection.created", "pos"),
        ("tester", "connection.created", "shop"),
        ("tester", "route.created", "pos-shop"),
        ("tester", "route.changed", "pos-shop"),
    ]
    assert (rows[-1]["before"]["buffer"], rows[-1]["after"]["buffer"]) == (0, 3)


async def test_the_daemon_is_told_at_the_commit(desk: Desk) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()

    def hear(_connection: object, _pid: int, _channel: str, payload: object) -> None:
        heard.put_nowait(str(payload))

    async with desk.pool.acquire() as listening:
        await listening.add_listener(db.CHANNEL, hear)
        await desk.apply(STOPPED, dry_run=True)
        assert heard.empty()
        await desk.apply(STOPPED)
        assert await asyncio.wait_for(heard.get(), 10) == "config"
        await listening.remove_listener(db.CHANNEL, hear)


async def test_a_credential_lost_at_the_partner_is_told_apart_from_a_busy_one(desk: Desk) -> None:
    async def gone() -> None:
        raise Broken("The shop does not exist.", kind=BrokenKind.GONE, remedy="Check the account.", code="IS-DMO-002")

    async def busy() -> None:
        raise RetryLater("too many requests", after=2)

    PARTNERS["pos-account"].on_verify, PARTNERS["shop-account"].on_verify = busy, gone
    assert [p.code for p in (await desk.failure(STOPPED)).problems] == ["IS-DMO-002"]


# -- locations -----------------------------------------------------------------------------------------------------


async def test_a_location_that_does_not_exist_is_refused_with_those_that_do(desk: Desk) -> None:
    problem = (await desk.failure(STOPPED.replace('channel: "L1"', 'channel: "L7"'))).problems[0]
    assert problem.subject == "route pos-shop, locations"
    assert "'L7'" in problem.message
    assert "L1 (Online), L2 (Depot), L3 (Fair)" in problem.remedy


async def test_a_location_that_must_not_be_mapped_is_refused_with_the_reason(desk: Desk) -> None:
    PARTNERS["shop-account"].place("APP", "Courier", mappable=False, note="it belongs to another app")
    problem = (await desk.failure(STOPPED.replace('channel: "L1"', 'channel: "APP"'))).problems[0]
    assert problem.code == "IS-RTE-011"
    assert "another app" in problem.message


async def test_a_location_opened_since_is_found_by_asking_the_partner(desk: Desk) -> None:
    await desk.apply(STOPPED)
    PARTNERS["pos-account"].place("3", "Kobe")
    report = await desk.apply(STOPPED.replace('ledger: "1"', 'ledger: "3"'))
    assert report.routes[0].what is What.CHANGED
    pairs = await db.rows(desk.pool, "location_pairs_of", route_id=(await desk.route())["id"])
    assert [(p["ledger_location"], p["ledger_name"]) for p in pairs] == [("3", "Kobe")]


@pytest.mark.row("S2-5")
async def test_surplus_locations_are_left_alone_and_said(desk: Desk) -> None:
    both = STOPPED + '      - {ledger: "2", channel: "L2"}\n'
    report = await desk.apply(both)
    await desk.import_catalogues()
    assert any("shop L3 (Fair)" in note.en for note in report.notes)
    cells = "select l.key from cells c join locations l on l.id = c.location_id group by l.key order by l.key"
    assert [r["key"] for r in await desk.pool.fetch(cells)] == ["1", "2", "L1", "L2"]


@pytest.mark.row("S2-4")
@pytest.mark.parametrize(("chosen", "left"), [(("L1", "L2"), "L3"), (("L2", "L3"), "L1"), (("L3", "L1"), "L2")])
async def test_of_three_locations_beside_two_a_person_chooses_two_and_the_third_is_listed_as_not_mapped(
    desk: Desk, chosen: tuple[str, str], left: str
) -> None:
    first, second = chosen
    text = STOPPED.replace('channel: "L1"', f'channel: "{first}"')
    await desk.apply(text + f'      - {{ledger: "2", channel: "{second}"}}\n')
    await desk.import_catalogues()
    shown = await overview.route(desk.house, "pos-shop")
    assert [(each["ledger"], each["channel"]) for each in shown["locations"]] == [("1", first), ("2", second)]
    assert [(each["connection"], each["key"]) for each in shown["unmapped_locations"]] == [("shop", left)]
    cells = "select distinct l.key from cells c join locations l on l.id = c.location_id where l.key like 'L%'"
    assert {row["key"] for row in await desk.pool.fetch(cells)} == set(chosen)


@pytest.mark.row("S2-3")
@pytest.mark.parametrize("second", [("1", "L2"), ("2", "L1")])
async def test_a_location_is_paired_once_by_the_database_itself(desk: Desk, second: tuple[str, str]) -> None:
    document = await desk.read(STOPPED)
    route = document.routes[0]
    doubled = replace(route, locations=(*route.locations, LocationPair(*second)))
    found = await desk.refusal(replace(document, routes=(doubled,)))
    assert found.code == "IS-RTE-009"


async def test_a_ledger_location_feeds_one_location_of_a_shop_over_all_routes(desk: Desk) -> None:
    await desk.apply(STOPPED)
    second = CONNECTIONS + ROUTE.replace("pos-shop", "second").replace('"L1"', '"L2"')
    assert (await desk.refusal(second)).code == "IS-RTE-009"


async def test_other_locations_suspend_the_old_pairs_and_match_again(desk: Desk) -> None:
    await desk.prepare(STOPPED)
    await desk.apply(STOPPED.replace('channel: "L1"', 'channel: "L2"'))
    rows = await desk.pool.fetch(
        "select l.key, p.phase from pairs p join cells c on c.id = p.channel_cell "
        "join locations l on l.id = c.location_id"
    )
    phases = {(r["key"], r["phase"]) for r in rows}
    assert phases == {("L1", "suspended"), ("L2", "new")}
