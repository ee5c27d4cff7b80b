"""The values and rights a shop's administrator copies and ticks: each step opens, is refused, and is done by itself.

Real Shopify adapter against its simulator's core.
"""

from __future__ import annotations

from typing import Any

import pytest

from inventory_sync.engine import connections_care as care
from inventory_sync.engine.setup.steps import guide
from inventory_sync.store import db
from tests.engine.apply_support import BOX
from tests.engine.test_guide_steps import APP, CUSTOM, FOUR, SYSTEMS, TOKEN, Office, shopify_office


async def why(office: Office, key: str) -> str:
    """What the guide says beside a step, in English."""
    views = await guide(office.house, SYSTEMS["shopify"], connection="it", public_url=None, box=BOX)
    return next(view.detail_en for view in views if view.step.key == key)


async def told(pool: db.Pool) -> Any:
    return await care.connection_named(pool, "it")


@pytest.mark.row("S2-8", "S2-9", "S2-10", "S2-11")
@pytest.mark.parametrize(("step", "given"), [("custom_app", CUSTOM), ("create_app", APP)])
async def test_the_app_exists_once_the_shop_accepts_it_whatever_its_name(
    pool: db.Pool, step: str, given: dict[str, str]
) -> None:
    office = await shopify_office(pool, static_token=TOKEN)
    assert await office.of("shopify", step) == ["not_ready"]
    asked = next(each for each in SYSTEMS["shopify"].steps if each.key == step)
    assert asked.fields == (), "the app's name is free, so nobody is asked for it"
    await office.apply("shopify", **given)
    assert await office.of("shopify", step) == ["done"]


@pytest.mark.row("S2-13", "S2-14", "S2-15", "S2-16")
@pytest.mark.parametrize("lacking", ["write_inventory", "read_inventory", "read_products", "read_locations"])
async def test_each_of_the_four_scopes_is_missed_by_name_and_the_step_is_done_once_it_is_granted(
    pool: db.Pool, lacking: str
) -> None:
    office = await shopify_office(pool, static_token=TOKEN, scopes=FOUR)
    granted = [scope for scope in FOUR if scope not in (lacking, "write_inventory" if "read_inv" in lacking else "")]
    office.simulator.grant_scopes(granted, office.now)  # writing inventory grants reading it
    await office.refused(office.apply("shopify", **CUSTOM))
    assert await office.of("shopify", "custom_scopes") == ["not_ready"]
    assert lacking in await why(office, "custom_scopes")
    assert (await told(pool))["state"] != "linked"
    office.simulator.grant_scopes(FOUR, office.now)
    await office.apply("shopify", **CUSTOM)
    assert await office.of("shopify", "custom_scopes") == ["done"]
    assert (await told(pool))["state"] == "linked"


@pytest.mark.row("S2-18", "S2-24", "S2-25", "S2-27")
async def test_a_token_that_is_lost_is_made_anew_by_a_new_install_and_never_shown_again(pool: db.Pool) -> None:
    office = await shopify_office(pool, static_token=TOKEN)
    assert await office.of("shopify", "custom_token", "custom_secret") == ["not_ready", "not_ready"]
    await office.apply("shopify", **CUSTOM)
    assert await office.of("shopify", "custom_token", "custom_secret") == ["done", "done"]
    shown = repr(care.shown(await told(pool), SYSTEMS["shopify"], BOX))
    assert TOKEN not in shown, "it is write-only: whoever lost it cannot read it here"
    stored = await pool.fetchval("select secrets::text from connections where name = 'it'")
    assert TOKEN not in stored
    assert CUSTOM["api_secret"] not in stored
    office.simulator.access.static_token = "shpat_made_by_a_new_install"
    await office.refused(care.verify(office.house, "it", office.desk))
    assert await office.of("shopify", "custom_token", "custom_secret") == ["not_ready", "done"]
    assert "IS-SHP-010" in await why(office, "custom_token")
    await care.renew(office.house, "it", {"access_token": "shpat_made_by_a_new_install"}, office.desk)
    assert await office.of("shopify", "custom_token") == ["done"]


@pytest.mark.row("S2-26")
async def test_an_older_custom_app_works_without_its_api_key(pool: db.Pool) -> None:
    office = await shopify_office(pool, static_token=TOKEN)
    await office.apply("shopify", **CUSTOM)
    assert "credentials" not in await office.states("shopify")
    assert (await told(pool))["state"] == "linked"


@pytest.mark.row("S2-26")
async def test_an_app_of_2026_gives_a_client_id_which_is_asked_for_and_proven(pool: db.Pool) -> None:
    office = await shopify_office(pool, static_token=TOKEN)
    assert await office.of("shopify", "credentials") == ["not_ready"]
    await office.refused(office.apply("shopify", **APP | {"client_id": "of-another-app"}))
    assert await office.of("shopify", "credentials") == ["not_ready"]
    await office.apply("shopify", **APP)
    assert await office.of("shopify", "credentials") == ["done"]
