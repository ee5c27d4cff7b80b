"""The order connect → locations → fields → match → enable, and every blocker with its remedy in plain words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from inventory_sync.config import ConfigErrors
from inventory_sync.engine import decide, matching, overview, routes, stopping, watching
from inventory_sync.engine.route_words import WORDS, Step, blocker
from inventory_sync.engine.routes import RefusedByRule
from inventory_sync.engine.unmap import unmap
from tests.engine.apply_support import CONNECTIONS, PARTNERS, ROUTE, RUNNING, STOPPED, Desk

WATCHING = STOPPED + "    state: watching\n"
EMPTY_ROUTE = CONNECTIONS + ROUTE.partition("    locations:")[0]


async def shown(desk: Desk) -> dict[str, Any]:
    return await overview.route(desk.house, "pos-shop")


async def codes(desk: Desk) -> list[str]:
    return [each["code"] for each in (await shown(desk))["blocked_by"]]


async def turn(desk: Desk) -> str:
    [now] = [each["step"] for each in (await shown(desk))["steps"] if each["state"] == "now"]
    return str(now)


async def refusal(desk: Desk) -> RefusedByRule:
    with pytest.raises(RefusedByRule) as caught:
        await routes.start(desk.house, "pos-shop", preview_id=None, actor="tester")
    return caught.value


@pytest.mark.row("S2-39", "S2-50")
async def test_each_step_is_locked_until_the_ones_before_are_done(desk: Desk) -> None:
    await desk.apply(EMPTY_ROUTE)
    assert ((await shown(desk))["stage"], await turn(desk)) == ("draft", "locations")
    await desk.apply(STOPPED)
    assert ((await shown(desk))["stage"], await turn(desk)) == ("located", "match")
    assert not await matching.match_now(desk.house, "pos-shop", actor="tester")
    with pytest.raises(RefusedByRule) as caught:
        await watching.watch(desk.house, "pos-shop", actor="tester")
    assert caught.value.code == "IS-RTE-001"
    await desk.import_catalogues()
    assert ((await shown(desk))["stage"], await turn(desk)) == ("matched", "enable")
    assert (await shown(desk))["state"] == "stopped", "enabling is a separate act"
    await desk.read_cells()
    made = await routes.make_preview(desk.house, "pos-shop")
    await routes.start(desk.house, "pos-shop", preview_id=made.id, actor="tester")
    found = await shown(desk)
    assert (found["stage"], found["blocked_by"]) == ("running", [])
    assert {each["state"] for each in found["steps"]} == {"done"}
    await routes.stop(desk.house, "pos-shop", actor="tester")
    assert (await shown(desk))["stage"] == "stopped"


@pytest.mark.row("S4-4")
async def test_a_refusal_says_every_reason_with_its_remedy_in_both_languages(desk: Desk) -> None:
    await desk.apply(STOPPED)
    await desk.pool.execute("update connections set state = 'needs_action' where name = 'pos'")
    found = await refusal(desk)
    assert found.code == "IS-RTE-001"
    for text in ("connection_needs_action:pos", "catalogue_missing:shop", "nothing_matched", "remedy that", "serve"):
        assert text in str(found)
    assert "人の操作が必要です" in found.japanese
    assert "route show pos-shop" in found.japanese
    assert await codes(desk) == [
        "connection_needs_action",
        "catalogue_missing",
        "catalogue_missing",
        "nothing_matched",
    ]
    assert await turn(desk) == "connect", "the first thing that is missing comes first"


@pytest.mark.row("S4-21")
async def test_where_orders_are_the_source_no_route_runs_before_a_list_of_them_came(desk: Desk) -> None:
    await desk.prepare()
    await desk.pool.execute("update connections set orders_are_source = true where name = 'shop'")
    assert "order_intake_not_configured:shop" in str(await refusal(desk))
    assert "connection notify-url shop" in str(await refusal(desk))
    await desk.pool.execute("update connections set orders_swept_at = $1 where name = 'shop'", desk.house.now())
    assert "order_intake_not_configured" not in await codes(desk)


async def test_a_field_in_which_nothing_stands_is_named(desk: Desk) -> None:
    text = STOPPED + "    match: {ledger_field: other, channel_field: [sku]}\n"
    PARTNERS["shop-account"].codes = []
    await desk.apply(text)
    await desk.import_catalogues()
    [found] = [each for each in (await shown(desk))["blocked_by"] if each["step"] == "fields"]
    assert (found["code"], found["subject"]) == ("field_empty", "shop/sku")
    assert await turn(desk) == "fields"


@pytest.mark.row("S2-34")
async def test_fewer_ledger_locations_than_the_shop_has_are_a_warning_and_no_obstacle(desk: Desk) -> None:
    await desk.apply(STOPPED)
    [warning] = (await shown(desk))["warnings"]
    assert warning["code"] == "fewer_ledger_locations"
    assert "shop has 3 locations and pos only 2" in warning["en"]
    assert "fewer_ledger_locations" not in await codes(desk)
    PARTNERS["pos-account"].place("3", "Nagoya")
    await desk.pool.execute(
        "insert into locations (connection_id, key, name, active) "
        "select id, '3', 'Nagoya', true from connections where name = 'pos'"
    )
    assert (await shown(desk))["warnings"] == []
    other = ROUTE.replace("routes:\n", "").replace("pos-shop", "again").replace("L1", "L2")
    with pytest.raises(ConfigErrors, match="a location belongs to one route"):
        await desk.apply(STOPPED + other)


@pytest.mark.parametrize("code", sorted(WORDS))
def test_every_blocker_is_said_in_both_languages_with_a_remedy(code: str) -> None:
    found = blocker(code, "pos-shop", "shop")
    for text in (found.en, found.ja, found.remedy_en, found.remedy_ja):
        assert text
        assert "{" not in text
    assert found.document()["remedy"] == {"ja": found.remedy_ja, "en": found.remedy_en}


@pytest.mark.parametrize("code", ["unlinked", "uninstalled", "calibrated"])
def test_whatever_stops_a_route_by_itself_is_said_in_words(code: str) -> None:
    found = blocker(code, "pos-shop")
    assert "for the reason" not in found.en
    assert code not in found.ja


def test_a_reason_that_a_newer_version_stored_is_shown_as_it_is() -> None:
    found = blocker("moon_phase", "pos-shop")
    assert (found.step, found.key) == (Step.ENABLE, "moon_phase")
    assert "moon_phase" in found.en


# -- what a file says ------------------------------------------------------------------------------------------------


async def test_a_file_sets_a_route_watching_and_back(desk: Desk) -> None:
    report = await desk.apply(WATCHING)
    assert report.routes[0].state == "watching"
    assert any("--report" in step.en for step in report.next_steps)
    await desk.import_catalogues()
    await desk.read_cells()
    assert (await desk.route())["state"] == "watching", "matching does not end it"
    assert not (await desk.apply(WATCHING)).changed
    assert (await desk.apply(RUNNING)).routes[0].state == "blocked"
    assert (await desk.route())["blockers"] == ["watched"]
    made = await routes.make_preview(desk.house, "pos-shop")
    assert (await desk.apply(RUNNING, accept=made.id)).started == ("pos-shop",)
    assert (await desk.apply(WATCHING)).routes[0].state == "watching"
    assert (await desk.apply(STOPPED)).routes[0].state == "stopped"


async def test_a_file_never_undoes_a_persons_stop_by_watching(desk: Desk) -> None:
    await desk.prepare(WATCHING)
    await routes.stop(desk.house, "pos-shop", actor="somebody")
    assert (await desk.refusal(WATCHING)).code == "IS-RTE-005"
    await watching.watch(desk.house, "pos-shop", actor="somebody")
    assert not (await desk.apply(WATCHING)).changed


async def test_what_is_owed_is_not_forgotten_by_a_file(desk: Desk) -> None:
    await started(desk)
    await desk.pool.execute("update components set owed_down = -2")
    assert (await desk.refusal(WATCHING)).code == "IS-RTE-041"


# -- imports, stops and starts ---------------------------------------------------------------------------------------


async def started(desk: Desk) -> None:
    await desk.prepare()
    await desk.pool.execute("update cells set known = 5")
    made = await routes.make_preview(desk.house, "pos-shop")
    await routes.start(desk.house, "pos-shop", preview_id=made.id, actor="tester")
    while (await decide.decide(desk.house)).did:
        pass


@pytest.mark.row("S4-35", "S4-41")
async def test_no_route_starts_before_both_catalogues_are_in_as_a_whole(desk: Desk) -> None:
    await desk.apply(STOPPED)
    assert "catalogue_missing:shop" in str(await refusal(desk))
    await desk.pool.execute(
        "insert into items (connection_id, key, codes, name, tracked, bundle, import_id) "
        "select id, 'sku:A-1', '{\"sku\": \"A-1\"}', 'half an import', true, false, 99 from connections "
        "where name = 'shop'"
    )
    assert not await matching.match_now(desk.house, "pos-shop", actor="tester"), "half an import is none"
    await desk.import_catalogues()
    assert await codes(desk) == ["first_alignment"]


@pytest.mark.row("S4-36")
async def test_starts_and_stops_are_in_the_audit_log_with_who_and_what_before(desk: Desk) -> None:
    await started(desk)
    await routes.stop(desk.house, "pos-shop", actor="hanako")
    found = await desk.pool.fetch(
        "select actor, action, before, after from audit where action like 'route.st%' order by id"
    )
    assert [(r["actor"], r["action"], r["before"]["state"]) for r in found] == [
        ("tester", "route.started", "blocked"),
        ("hanako", "route.stopped", "running"),
    ]
    assert found[1]["after"] == {"state": "stopped"}


async def test_a_stop_notes_since_when_and_a_start_forgets_it(desk: Desk) -> None:
    await started(desk)
    assert (await desk.route())["stopped_since"] is None
    await routes.stop(desk.house, "pos-shop", actor="tester")
    assert (await desk.route())["stopped_since"] is not None
    await routes.stop(desk.house, "pos-shop", actor="tester")
    await routes.start(desk.house, "pos-shop", preview_id=None, actor="tester")
    assert (await desk.route())["stopped_since"] is None


async def test_what_an_unmapped_route_needs_is_named(desk: Desk) -> None:
    await started(desk)
    await unmap(desk.house, "pos-shop", confirmed=True, actor="tester")
    found = await shown(desk)
    assert (found["stage"], [each["code"] for each in found["blocked_by"]]) == ("located", ["unmapped"])
    assert "route match pos-shop" in found["blocked_by"][0]["remedy"]["en"]
    assert await turn(desk) == "match"
    await matching.match_now(desk.house, "pos-shop", actor="tester")
    assert (await shown(desk))["stage"] == "matched"
    assert (await shown(desk))["unread"] == 2, "both sides are read anew"


async def test_a_zeroed_route_says_so(desk: Desk) -> None:
    await started(desk)
    made = await stopping.preview_zero(desk.house, "pos-shop")
    await stopping.stop_and_zero(desk.house, "pos-shop", preview_id=made.id, actor="tester")
    assert await codes(desk) == ["zeroed"]
    with pytest.raises(RefusedByRule, match="accepted before"):
        await stopping.stop_and_zero(desk.house, "pos-shop", preview_id=made.id, actor="tester")


async def test_a_long_stop_is_shown_before_anybody_starts(desk: Desk) -> None:
    await started(desk)
    await routes.stop(desk.house, "pos-shop", actor="tester")
    assert await codes(desk) == []
    await desk.pool.execute("update routes set stopped_since = stopped_since - $1::interval", timedelta(days=31))
    assert await codes(desk) == ["long_stop"]
    assert (await refusal(desk)).code == "IS-RTE-048"
    await routes.make_preview(desk.house, "pos-shop")
    [entry] = await desk.pool.fetch("select * from audit where action = 'route.long_stop'")
    assert entry["after"]["waiting"] == 2
