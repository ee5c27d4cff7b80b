"""The fields by which a route matches: chosen by a person, checked against the catalogues, kept by version."""

from __future__ import annotations

from typing import Any

import pytest

from inventory_sync.engine import matching, overview
from tests.engine.apply_support import STOPPED, Desk

BY_OTHER = STOPPED + "    match: {ledger_field: other, channel_field: [other]}\n"
CROSSED = STOPPED + "    match: {ledger_field: other, channel_field: [sku]}\n"


async def step(desk: Desk, name: str) -> str:
    steps: list[Any] = (await overview.route(desk.house, "pos-shop"))["steps"]
    return next(each["state"] for each in steps if each["step"] == name)


async def version(desk: Desk) -> int:
    found: int = await desk.pool.fetchval("select version from routes where name = 'pos-shop'")
    return found


@pytest.mark.row("S2-36")
async def test_a_field_is_chosen_on_each_side_and_the_step_is_done_once_the_two_hold_the_same_codes(desk: Desk) -> None:
    await desk.apply(CROSSED)
    await desk.import_catalogues()
    assert (await step(desk, "match"), (await overview.route(desk.house, "pos-shop"))["counts"]["pairs"]) == ("now", 0)
    await desk.apply(BY_OTHER)
    assert await matching.match_now(desk.house, "pos-shop", actor="tester")
    assert await step(desk, "match") == "done"
    shown = await overview.route(desk.house, "pos-shop")
    assert (shown["ledger_field"], list(shown["channel_fields"])) == ("other", ["other"])
    assert shown["counts"]["pairs"] > 0


@pytest.mark.row("S2-37")
async def test_a_changed_route_is_saved_as_a_new_version_and_an_unchanged_one_is_not(desk: Desk) -> None:
    await desk.apply(STOPPED)
    first = await version(desk)
    await desk.apply(STOPPED)
    assert await version(desk) == first
    await desk.apply(BY_OTHER)
    assert await version(desk) > first
    assert (await overview.route(desk.house, "pos-shop"))["ledger_field"] == "other"
    last = await desk.pool.fetchrow(
        "select before, after from audit where action like 'route%' order by id desc limit 1"
    )
    assert last["before"] != last["after"]
