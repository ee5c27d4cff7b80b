"""Applying pools, sets, code tables and terms: what is owed is never forgotten, and a change is aligned again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from inventory_sync.config import ConfigDocument, SetLine
from inventory_sync.engine import matching, routes
from inventory_sync.engine.apply_report import What
from inventory_sync.store import db
from tests.engine.apply_support import CONNECTIONS, PARTNERS, ROUTE, RUNNING, STOPPED, Desk

POOL = """\
    pool: {ledger: ["1", "2"], intake: "1", channel: "L1"}
"""
HEAD = CONNECTIONS + ROUTE.partition("    locations:")[0]
POOLED = HEAD + POOL


async def places(desk: Desk) -> list[tuple[Any, ...]]:
    found = await db.rows(desk.pool, "location_pairs_of", route_id=(await desk.route())["id"])
    return [(r["ledger_location"], r["channel_location"], r["pooled"], r["intake"]) for r in found]


async def components(desk: Desk) -> set[tuple[Any, ...]]:
    """Of every pair: its value, phase and shape, and the ledger item, store, ratio and intake of each component."""
    found = await desk.pool.fetch(
        "select p.value, p.phase, p.shape, i.codes ->> 'product_code' as code, l.key, k.ratio, k.intake "
        "from pairs p join components k on k.pair_id = p.id join cells c on c.id = k.ledger_cell "
        "join items i on i.id = c.item_id join locations l on l.id = c.location_id"
    )
    return {tuple(r) for r in found}


async def owed(desk: Desk, value: str = "A-1") -> dict[str, tuple[int, int]]:
    """What each store or item of a pair is owed, down and up."""
    found = await desk.pool.fetch(
        "select l.key || '/' || (i.codes ->> 'product_code') as where, k.owed_down, k.owed_up "
        "from pairs p join components k on k.pair_id = p.id join cells c on c.id = k.ledger_cell "
        "join items i on i.id = c.item_id join locations l on l.id = c.location_id where p.value = $1",
        value,
    )
    return {r["where"]: (r["owed_down"], r["owed_up"]) for r in found}


async def owe(desk: Desk, store: str, code: str, **columns: int) -> None:
    """What the engine would have noted of a pair's movements."""
    assigned = ", ".join(f"{name} = {units}" for name, units in columns.items())
    done = await desk.pool.execute(
        f"update components k set {assigned} from cells c, items i, locations l where c.id = k.ledger_cell "  # noqa: S608
        "and i.id = c.item_id and l.id = c.location_id and l.key = $1 and i.codes ->> 'product_code' = $2",
        store,
        code,
    )
    assert done != "UPDATE 0"


async def with_sets(desk: Desk, text: str, *lines: tuple[str, str, int]) -> ConfigDocument:
    document = await desk.read(text)
    [route] = document.routes
    return replace(document, routes=(replace(route, sets=tuple(SetLine(*line) for line in lines)),))


async def with_codes(desk: Desk, text: str, *codes: tuple[str, str]) -> ConfigDocument:
    document = await desk.read(text)
    [route] = document.routes
    return replace(document, routes=(replace(route, codes=codes),))


async def aligned(desk: Desk, document: str | ConfigDocument) -> None:
    """A route that ran under a document, and is stopped."""
    await desk.apply(document)
    await desk.import_catalogues()
    await desk.read_cells()
    made = await routes.make_preview(desk.house, "pos-shop")
    await routes.start(desk.house, "pos-shop", preview_id=made.id, actor="tester")
    await desk.pool.execute("update routes set state = 'stopped', stopped_by = 'file'")
    await desk.pool.execute("update pairs set phase = 'live' where phase = 'catching_up'")


async def phases(desk: Desk) -> set[str]:
    return {r["phase"] for r in await desk.pool.fetch("select distinct phase from pairs")}


# -- pools ---------------------------------------------------------------------------------------------------------


@pytest.mark.row("S4-26")
async def test_a_pool_pairs_every_chosen_store_with_one_location_and_one_of_them_takes_what_comes_back(
    desk: Desk,
) -> None:
    report = await desk.apply(POOLED)
    assert {f.field: f.after for f in report.routes[0].fields}["pool"] == {
        "ledger": ["1", "2"],
        "intake": "1",
        "channel": "L1",
    }
    await desk.import_catalogues()
    assert await places(desk) == [("1", "L1", True, True), ("2", "L1", True, False)]
    assert await components(desk) == {
        (code, "new", "pool", code, store, 1, store == "1") for code in ("A-1", "A-2") for store in ("1", "2")
    }
    assert not (await desk.apply(POOLED)).changed


async def test_a_store_of_a_pool_that_does_not_exist_is_refused_with_those_that_do(desk: Desk) -> None:
    problem = (await desk.failure(POOLED.replace('["1", "2"]', '["1", "9"]'))).problems[0]
    assert problem.code == "IS-RTE-010"
    assert "1 (Ginza), 2 (Osaka)" in problem.remedy


async def test_a_pool_that_names_no_location_of_the_channel_takes_the_only_one(desk: Desk) -> None:
    unnamed = POOLED.replace(', channel: "L1"', "")
    problem = (await desk.failure(unnamed)).problems[0]
    assert (problem.subject, problem.code) == ("route pos-shop, pool", "IS-RTE-017")
    assert "L1 (Online), L2 (Depot), L3 (Fair)" in problem.remedy
    del PARTNERS["shop-account"].places[1:]
    await desk.apply(unnamed)
    assert [place[1] for place in await places(desk)] == ["L1", "L1"]
    PARTNERS["shop-account"].place("L2", "Depot")
    assert not (await desk.apply(unnamed)).changed, "what was chosen stays chosen"


async def test_another_pool_is_an_alignment_and_what_is_owed_is_owed_to_the_new_intake(desk: Desk) -> None:
    await aligned(desk, POOLED)
    await owe(desk, "1", "A-1", owed_down=-3, owed_up=1)
    other = POOLED.replace('intake: "1"', 'intake: "2"')
    report = await desk.apply(other)
    assert report.routes[0].what is What.CHANGED
    assert await phases(desk) == {"new"}
    assert await owed(desk) == {"1/A-1": (0, 0), "2/A-1": (-3, 1)}
    assert (await desk.route())["blockers"] == ["alignment"]

    await desk.apply(other.replace('["1", "2"]', '["2"]'))
    assert await owed(desk) == {"2/A-1": (-3, 1)}


async def test_a_pool_of_a_running_route_does_not_change(desk: Desk) -> None:
    await aligned(desk, POOLED)
    await desk.pool.execute("update routes set state = 'running'")
    changed = POOLED.replace('intake: "1"', 'intake: "2"') + "    state: running\n"
    found = await desk.refusal(changed)
    assert found.code == "IS-RTE-006"
    assert "pool" in str(found)


async def test_a_pair_with_an_op_under_way_is_made_anew_only_after_that_settled(desk: Desk) -> None:
    await aligned(desk, POOLED)
    await owe(desk, "1", "A-1", owed_down=-1, sent_down=-2)
    other = POOLED.replace('["1", "2"]', '["2"]').replace('intake: "1"', 'intake: "2"')
    await desk.apply(other)
    found = {
        r["value"]: (r["phase"], r["phase_reason"])
        for r in await desk.pool.fetch("select value, phase, phase_reason from pairs")
    }
    assert found == {"A-1": ("suspended", "op under way"), "A-2": ("new", "matched again")}
    assert (await owed(desk))["1/A-1"] == (-1, 0)
    assert await matching.match_again(desk.house) == 0

    await owe(desk, "1", "A-1", owed_down=-3, sent_down=0)  # it was not carried out: it is owed again
    assert await matching.match_again(desk.house) == 1
    assert await phases(desk) == {"new"}
    assert await owed(desk) == {"2/A-1": (-3, 0)}
    assert await matching.match_again(desk.house) == 0


async def test_pairs_of_locations_become_a_pool_and_a_pool_becomes_pairs_again(desk: Desk) -> None:
    await aligned(desk, STOPPED)
    await owe(desk, "1", "A-1", owed_down=-2)
    await desk.apply(POOLED)
    assert {row[2] for row in await components(desk)} == {"pool"}
    assert await owed(desk) == {"1/A-1": (-2, 0), "2/A-1": (0, 0)}
    await desk.apply(STOPPED)
    assert await places(desk) == [("1", "L1", False, True)]
    assert {row[1:3] for row in await components(desk)} == {("new", "single")}
    assert await owed(desk) == {"1/A-1": (-2, 0)}


async def test_a_pooled_store_feeds_no_other_location_of_the_shop(desk: Desk) -> None:
    await desk.apply(POOLED)
    second = CONNECTIONS + ROUTE.replace("pos-shop", "second").replace('"L1"', '"L2"')
    assert (await desk.refusal(second)).code == "IS-RTE-009"


# -- sets and codes ------------------------------------------------------------------------------------------------


async def test_a_set_has_a_component_for_each_of_its_parts(desk: Desk) -> None:
    PARTNERS["shop-account"].codes = ["A-1", "SET"]
    document = await with_sets(desk, STOPPED, ("SET", "A-1", 1), ("SET", "A-2", 3))
    report = await desk.apply(document)
    assert {f.field: f.after for f in report.routes[0].fields}["sets"].startswith("2 lines")
    await desk.import_catalogues()
    assert await components(desk) == {
        ("A-1", "new", "single", "A-1", "1", 1, True),
        ("SET", "new", "set", "A-1", "1", 1, True),
        ("SET", "new", "set", "A-2", "1", 3, True),
    }
    assert not (await desk.apply(document)).changed


async def test_another_ratio_makes_the_set_anew_and_leaves_the_others_alone(desk: Desk) -> None:
    PARTNERS["shop-account"].codes = ["A-1", "SET"]
    await aligned(desk, await with_sets(desk, STOPPED, ("SET", "A-1", 1), ("SET", "A-2", 3)))
    await owe(desk, "1", "A-2", owed_down=-1)
    report = await desk.apply(await with_sets(desk, STOPPED, ("SET", "A-1", 1), ("SET", "A-2", 2)))
    [change] = report.routes[0].fields
    assert (change.field, change.after) == ("sets", "2 lines, 0 added, 0 removed, 1 changed")
    assert {(row[0], row[1]) for row in await components(desk)} == {("A-1", "live"), ("SET", "new")}
    assert (await owed(desk, "SET"))["1/A-2"] == (-1, 0)
    assert (await desk.route())["blockers"] == ["alignment"]


async def test_a_part_in_another_parts_place_takes_over_what_is_owed(desk: Desk) -> None:
    for account in PARTNERS.values():
        account.codes = ["A-1", "A-2", "A-3"]
    PARTNERS["shop-account"].codes = ["SET"]
    await aligned(desk, await with_sets(desk, STOPPED, ("SET", "A-1", 1), ("SET", "A-2", 3)))
    await owe(desk, "1", "A-1", owed_down=-1)
    await owe(desk, "1", "A-2", owed_down=-2)
    await desk.apply(await with_sets(desk, STOPPED, ("SET", "A-1", 1), ("SET", "A-3", 3)))
    assert await owed(desk, "SET") == {"1/A-1": (-1, 0), "1/A-3": (-2, 0)}


async def test_a_part_that_still_owes_is_not_taken_out_of_its_set(desk: Desk) -> None:
    PARTNERS["shop-account"].codes = ["SET"]
    await aligned(desk, await with_sets(desk, STOPPED, ("SET", "A-1", 1), ("SET", "A-2", 3)))
    await owe(desk, "1", "A-2", owed_down=-1)
    smaller = await with_sets(desk, STOPPED, ("SET", "A-1", 1))
    assert (await desk.refusal(smaller)).code == "IS-RTE-016"
    await owe(desk, "1", "A-2", owed_down=0)
    assert (await desk.apply(smaller)).changed
    assert {row[3] for row in await components(desk)} == {"A-1"}


async def test_a_set_that_is_no_set_any_more_is_written_no_more(desk: Desk) -> None:
    PARTNERS["shop-account"].codes = ["A-1", "SET"]
    await aligned(desk, await with_sets(desk, STOPPED, ("SET", "A-1", 2)))
    await desk.apply(STOPPED)
    assert {(row[0], row[1]) for row in await components(desk)} == {("A-1", "live"), ("SET", "suspended")}


async def test_a_code_table_pairs_and_a_changed_line_pairs_otherwise(desk: Desk) -> None:
    PARTNERS["shop-account"].codes = ["theirs"]
    await desk.apply(await with_codes(desk, STOPPED, ("theirs", "A-1")))
    await desk.import_catalogues()
    assert {(row[0], row[3]) for row in await components(desk)} == {("A-1", "A-1")}
    await desk.apply(await with_codes(desk, STOPPED, ("theirs", "A-2"), ("nobody", "A-1")))
    assert {(row[0], row[3]) for row in await components(desk)} == {("A-2", "A-2")}
    report = (await desk.route())["match_report"]
    assert report["codes_count"] == 2
    assert [each["trouble"] for each in report["complaints"]] == ["no_such_channel_code"]
    again = await desk.apply(await with_codes(desk, STOPPED, ("theirs", "A-2"), ("nobody", "A-1")))
    assert [note.code for note in again.notes if "route show pos-shop" in note.en] == ["IS-RTE-023"]
    [audit] = await desk.pool.fetch("select before, after from audit where action = 'route.changed'")
    assert audit["before"]["match.table"] == {"lines": 1, "changed": [["theirs", "A-1"]]}
    assert audit["after"]["match.table"]["changed"] == [["theirs", "A-2"], ["nobody", "A-1"]]


@pytest.mark.row("S4-30")
async def test_an_item_matches_by_either_field_and_two_fields_that_disagree_match_nothing(desk: Desk) -> None:
    # the stall's items have the codes `sku` and `other`, which is the sku behind an x
    PARTNERS["pos-account"].codes = ["J-1", "xO-2", "D-3", "xD-3"]
    PARTNERS["shop-account"].codes = ["J-1", "O-2", "D-3", "N-4"]
    await desk.prepare(STOPPED + "    match: {ledger_field: product_code, channel_field: [sku, other]}\n")
    assert {(row[0], row[3]) for row in await components(desk)} == {("J-1", "J-1"), ("xO-2", "xO-2")}
    report = (await desk.route())["match_report"]
    assert [(each["value"], each["why"], each["ledger"], each["channel"]) for each in report["ambiguous"]] == [
        (value, "fields_disagree", ["Item D-3", "Item xD-3"], ["Item D-3"]) for value in ("D-3", "xD-3")
    ]
    assert report["channel_unmatched_count"] == 1
    assert [(each["value"], each["field"]) for each in report["channel_unmatched"]] == [
        ("N-4", "sku"),
        ("xN-4", "other"),
    ]


# -- terms ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "column", "value"),
    [
        ("    sales: expect\n", "sales", "expect"),
        ("    quantity: {ledger: on_hand}\n", "ledger_basis", "on_hand"),
        ("    direction: ledger_to_channel\n", "sales", "expect"),
    ],
)
async def test_who_books_and_which_number_counts_change_only_while_stopped_and_are_aligned_again(
    desk: Desk, lines: str, column: str, value: str
) -> None:
    await aligned(desk, STOPPED)
    await desk.pool.execute("update routes set state = 'running'")
    assert (await desk.refusal(RUNNING + lines)).code == "IS-RTE-006"
    await desk.pool.execute("update routes set state = 'stopped'")
    await desk.apply(STOPPED + lines)
    assert (await desk.route())[column] == value
    assert await phases(desk) == {"new"}
    report = await desk.apply(RUNNING + lines)
    assert report.started == ()
    assert (await desk.route())["blockers"] == ["alignment"]


async def test_a_route_that_owes_the_ledger_something_is_not_made_one_way(desk: Desk) -> None:
    await aligned(desk, STOPPED)
    await owe(desk, "1", "A-1", owed_down=-1)
    one_way = STOPPED + "    direction: ledger_to_channel\n"
    assert (await desk.refusal(one_way)).code == "IS-RTE-015"
    await owe(desk, "1", "A-1", owed_down=0)
    assert (await desk.apply(one_way)).changed


async def test_the_time_for_booking_changes_at_any_time(desk: Desk) -> None:
    await aligned(desk, STOPPED + "    sales: expect\n")
    await desk.pool.execute("update routes set state = 'running'")
    await desk.apply(RUNNING + "    sales: expect\n    booked_within: 3d\n")
    assert ((await desk.route())["booked_within"], await phases(desk)) == (259_200, {"live"})


async def test_all_routes_of_a_ledger_agree_whether_ordered_goods_are_in_its_number(desk: Desk) -> None:
    await desk.apply(STOPPED)
    second = CONNECTIONS + ROUTE.replace("pos-shop", "second").replace('"1"', '"2"').replace('"L1"', '"L2"')
    found = await desk.refusal(second + "    quantity: {ledger: on_hand}\n")
    assert found.code == "IS-RTE-014"
    assert "pos-shop" in str(found)
    assert (await desk.apply(second + "    quantity: {ledger: stock_minus_layaway}\n")).changed


async def test_listings_that_may_share_are_matched_again(desk: Desk) -> None:
    PARTNERS["shop-account"].codes = ["A-1", "A-2"]
    await desk.apply(await with_codes(desk, STOPPED, ("A-2", "A-1")))
    await desk.import_catalogues()
    assert {row[0] for row in await components(desk)} == set()
    same = await with_codes(desk, STOPPED + "    listings: same\n", ("A-2", "A-1"))
    await desk.apply(same)
    assert len(await desk.pool.fetch("select 1 from pairs where value = 'A-1'")) == 2
