"""Renew, relink and remove: what each does to a connection, its secrets, its routes and its journal."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from inventory_sync.engine import connections_care as care
from inventory_sync.engine import housekeeping, overview
from inventory_sync.engine.apply_report import MASK, ApplyFailed
from inventory_sync.engine.connections import mark_broken
from inventory_sync.engine.connections_care import Desk as CareDesk
from inventory_sync.engine.routes import NoSuch, RefusedByRule, make_preview, start
from inventory_sync.engine.stored import unseal
from inventory_sync.store import db
from inventory_sync.systems.errors import Broken, BrokenKind, InvalidSettings, RetryLater
from inventory_sync.systems.port import Verified
from tests.engine.apply_support import (
    BOX,
    CONNECTIONS,
    PARTNERS,
    RUNNING,
    SHOP_SECRET,
    STALL,
    SYSTEMS,
    Desk,
    second_till,
)

FRESH = "a-fresh-secret-9876543210"
UNINSTALLED = Broken("The app was removed.", kind=BrokenKind.UNINSTALLED, remedy="Install it again.", code="IS-DMO-003")
REFUSED = Broken("The secret is refused.", kind=BrokenKind.CREDENTIAL, remedy="Copy it again.", code="IS-DMO-001")


def carer(desk: Desk) -> CareDesk:
    return CareDesk(SYSTEMS, desk.client, BOX, "tester")


async def record_of(desk: Desk, name: str = "shop") -> db.Record:
    found = await db.row(desk.pool, "connection_by_name", name=name)
    assert found is not None
    return found


async def secret_of(desk: Desk, name: str = "shop") -> dict[str, str]:
    return unseal(BOX, name, (await record_of(desk, name))["secrets"])


async def running(desk: Desk) -> None:
    """A route that runs, with something in its journal."""
    await desk.prepare(RUNNING)
    await start(desk.house, "pos-shop", preview_id=(await make_preview(desk.house, "pos-shop")).id, actor="tester")
    cell = await desk.pool.fetchval("select min(channel_cell) from pairs")
    await desk.pool.execute(
        "insert into movements (cell_id, delta, before, after, asked_at, answered_at) values ($1, -1, 5, 4, $2, $2)",
        cell,
        desk.house.now(),
    )


async def uninstall(desk: Desk) -> None:
    await mark_broken(desk.house, (await record_of(desk))["id"], "shop", UNINSTALLED)


async def imports(desk: Desk, name: str = "shop") -> list[str]:
    found = await desk.pool.fetch(
        "select u.state from runs u join connections n on n.id = u.connection_id "
        "where n.name = $1 and u.kind = 'import' order by u.id",
        name,
    )
    return [each["state"] for each in found]


async def wishes(desk: Desk, name: str = "shop") -> set[str]:
    found = await desk.pool.fetch(
        "select w.kind from wishes w join connections n on n.id = w.connection_id where n.name = $1", name
    )
    return {each["kind"] for each in found}


async def kept(desk: Desk) -> dict[str, Any]:
    """What must outlive a link: the connection's number, its pairs, cells and journal."""
    return {
        "id": (await record_of(desk))["id"],
        "pairs": [tuple(r) for r in await desk.pool.fetch("select id, channel_cell, value from pairs order by id")],
        "cells": await desk.pool.fetchval("select count(*) from cells"),
        "items": await desk.pool.fetchval("select count(*) from items where not gone"),
        "journal": [tuple(r) for r in await desk.pool.fetch("select id, cell_id, delta from movements order by id")],
    }


# -- before there is a credential --------------------------------------------------------------------------------------


@pytest.mark.row("S1-8", "S1-41")
async def test_a_connection_may_exist_before_its_credentials_and_nothing_is_asked_of_its_partner(desk: Desk) -> None:
    await care.add(desk.house, "shop", STALL, actor="tester")
    record = await record_of(desk)
    assert (record["state"], record["identity"], record["secrets"]) == ("created", None, None)
    with pytest.raises(RefusedByRule) as caught:
        await care.verify(desk.house, "shop", carer(desk))
    assert caught.value.code == "IS-CON-032"
    assert PARTNERS["shop-account"].calls == 0
    with pytest.raises(RefusedByRule) as taken:
        await care.add(desk.house, "shop", STALL, actor="tester")
    assert taken.value.code == "IS-CON-035"


@pytest.mark.row("S0-6")
async def test_a_connection_that_waited_fetches_its_catalogue_once_it_is_proven_and_only_once(desk: Desk) -> None:
    await care.add(desk.house, "shop", STALL, actor="tester")
    assert await imports(desk) == []
    await desk.failure(CONNECTIONS.replace(SHOP_SECRET, "wrong-secret-000000"))
    assert await imports(desk) == []
    await desk.apply(CONNECTIONS)
    assert await imports(desk) == ["running"]
    await desk.apply(CONNECTIONS)
    await care.verify(desk.house, "shop", carer(desk))
    assert await imports(desk) == ["running"]


@pytest.mark.row("S0-8")
async def test_items_are_matched_only_once_a_whole_catalogue_is_in(desk: Desk) -> None:
    await desk.apply(RUNNING)
    run = await desk.pool.fetchval("select max(id) from runs where kind = 'import'")
    await desk.pool.execute(
        "insert into items (connection_id, key, codes, name, tracked, bundle, import_id) "
        "select connection_id, 'sku:A-1', '{\"sku\": \"A-1\"}', 'Item', true, false, id from runs where id = $1",
        run,
    )
    assert (await desk.route())["matched_at"] is None
    await desk.import_catalogues()
    record = await record_of(desk)
    assert record["catalogue_import"] is not None
    assert record["catalogue_at"] is not None
    assert (await desk.route())["matched_at"] is not None
    done = await desk.pool.fetchval("select done from runs where id = $1", record["catalogue_import"])
    assert done == len(PARTNERS["shop-account"].codes)


@pytest.mark.row("S0-7")
async def test_the_overview_shows_how_far_the_first_import_is(desk: Desk) -> None:
    await desk.apply(CONNECTIONS)
    await desk.pool.execute("update runs set done = 1700 where kind = 'import'")
    shown = {each["name"]: each for each in (await overview.overview(desk.house))["connections"]}
    assert (shown["shop"]["importing"], shown["shop"]["catalogue_at"]) == (1700, None)
    await desk.import_catalogues()
    shown = {each["name"]: each for each in (await overview.overview(desk.house))["connections"]}
    assert (shown["shop"]["importing"], shown["shop"]["items"]) == (None, 2)


@pytest.mark.row("S1-2")
async def test_no_route_starts_on_a_connection_that_is_not_proven(desk: Desk) -> None:
    await desk.prepare(RUNNING)
    preview = await make_preview(desk.house, "pos-shop")
    await mark_broken(desk.house, (await record_of(desk))["id"], "shop", REFUSED)
    with pytest.raises(RefusedByRule, match="connection_needs_action:shop"):
        await start(desk.house, "pos-shop", preview_id=preview.id, actor="tester")
    await desk.pool.execute("update connections set state = 'created' where name = 'shop'")
    with pytest.raises(RefusedByRule, match="connection_created:shop"):
        await start(desk.house, "pos-shop", preview_id=preview.id, actor="tester")


# -- renew -------------------------------------------------------------------------------------------------------------


@pytest.mark.row("S1-10", "S1-65")
async def test_a_renewed_credential_is_proven_saved_and_followed_by_a_full_reconcile_with_the_route_running(
    desk: Desk,
) -> None:
    await running(desk)
    before = await kept(desk)
    await mark_broken(desk.house, before["id"], "shop", REFUSED)
    PARTNERS["shop-account"].secret = FRESH
    done = await care.renew(desk.house, "shop", {"secret": FRESH}, carer(desk))
    assert done.state == "linked"
    assert done.change is not None
    assert [(f.field, f.before, f.after) for f in done.change.fields] == [("secret", MASK, MASK)]
    assert await secret_of(desk) == {"secret": FRESH}
    assert "reconcile" in await wishes(desk)
    assert await imports(desk) == ["done"]
    assert (await desk.route())["state"] == "running"
    assert await kept(desk) == before
    assert not await desk.pool.fetchval("select count(*) from alerts where closed_at is null")


@pytest.mark.row("S1-46")
async def test_a_credential_that_is_refused_is_not_saved_and_the_old_one_works_on(desk: Desk) -> None:
    await running(desk)
    before = await desk.dump()
    with pytest.raises(Broken):
        await care.renew(desk.house, "shop", {"secret": "wrong-secret-000000"}, carer(desk))
    assert await desk.dump() == before
    assert await secret_of(desk) == {"secret": SHOP_SECRET}
    assert (await care.verify(desk.house, "shop", carer(desk))).state == "linked"


async def test_a_busy_partner_leaves_everything_as_it_was(desk: Desk) -> None:
    async def busy() -> None:
        raise RetryLater("too many requests", after=2)

    await running(desk)
    PARTNERS["shop-account"].on_verify = busy
    before = await desk.dump()
    with pytest.raises(RetryLater):
        await care.renew(desk.house, "shop", {"secret": SHOP_SECRET}, carer(desk))
    with pytest.raises(RetryLater):
        await care.verify(desk.house, "shop", carer(desk))
    assert await desk.dump() == before


@pytest.mark.row("S0-42", "S1-60")
async def test_a_secret_is_replaced_by_an_explicit_command_and_is_shown_as_a_mask_only(desk: Desk) -> None:
    await desk.prepare(RUNNING)
    shown = care.shown(await record_of(desk), STALL, BOX)
    assert shown["secrets"] == {"secret": MASK}
    assert SHOP_SECRET not in repr(shown)
    with pytest.raises(InvalidSettings) as nothing:
        await care.renew(desk.house, "shop", {}, carer(desk))
    assert nothing.value.code == "IS-CON-036"
    with pytest.raises(InvalidSettings) as other:
        await care.renew(desk.house, "shop", {"colour": "red"}, carer(desk))
    assert other.value.field == "colour"
    PARTNERS["shop-account"].secret = FRESH
    await care.renew(desk.house, "shop", {"secret": FRESH}, carer(desk))
    everything = repr(await desk.dump())
    assert SHOP_SECRET not in everything
    assert FRESH not in everything


# -- the end of a link, and relink -------------------------------------------------------------------------------------


@pytest.mark.row("S0-46", "S0-47", "S0-48")
async def test_an_uninstall_ends_catalogue_imports_and_routes_and_keeps_what_was_known(desk: Desk) -> None:
    await running(desk)
    await desk.pool.execute(
        "insert into runs (kind, connection_id, state, started_at, updated_at) "
        "select 'reconcile', id, 'running', now(), now() from connections where name = 'shop'"
    )
    before = await kept(desk)
    await uninstall(desk)
    record = await record_of(desk)
    assert (record["state"], record["state_reason"], record["catalogue_import"]) == (
        "unlinked",
        "The app was removed.",
        None,
    )
    assert not await desk.pool.fetchval(
        "select count(*) from runs where state = 'running' and connection_id = $1", before["id"]
    )
    route = await desk.route()
    assert (route["state"], route["blockers"]) == ("blocked", ["uninstalled"])
    assert await kept(desk) == before
    for refused in (
        care.verify(desk.house, "shop", carer(desk)),
        care.renew(desk.house, "shop", {"secret": FRESH}, carer(desk)),
    ):
        with pytest.raises(RefusedByRule, match=r"The app was removed.*connection relink shop") as caught:
            await refused
        assert caught.value.code == "IS-CON-030"
    with pytest.raises(RefusedByRule, match="connection_unlinked:shop"):
        await start(desk.house, "pos-shop", preview_id=None, actor="tester")
    assert not await desk.pool.fetchval("select count(*) from ops"), "a missing catalogue is no stock of zero"
    gaps = await desk.pool.fetchval("select count(*) from cells where gap <> 0")
    assert gaps == 0


async def test_a_stopped_route_of_an_uninstalled_shop_has_to_be_aligned_again_too(desk: Desk) -> None:
    await running(desk)
    await desk.pool.execute("update routes set state = 'stopped', stopped_by = 'person'")
    await uninstall(desk)
    route = await desk.route()
    assert (route["state"], route["stopped_by"], route["blockers"]) == ("stopped", "person", ["uninstalled"])
    assert await desk.pool.fetchval("select array_agg(distinct phase) from pairs") == ["new"]


@pytest.mark.row("S0-51", "S0-52", "S0-53")
async def test_a_relink_takes_a_fresh_secret_fetches_everything_first_and_leaves_the_route_stopped(desk: Desk) -> None:
    await running(desk)
    await uninstall(desk)
    PARTNERS["shop-account"].secret = FRESH
    done = await care.relink(desk.house, "shop", {"secret": FRESH}, carer(desk))
    assert done.state == (await record_of(desk))["state"] == "linked"
    assert await secret_of(desk) == {"secret": FRESH}, "nothing of the old one is kept"
    assert await imports(desk) == ["done", "running"]
    assert {"locations", "reconcile"} <= await wishes(desk)
    assert (await desk.route())["state"] == "blocked"
    with pytest.raises(RefusedByRule, match="catalogue_missing:shop"):
        await start(desk.house, "pos-shop", preview_id=(await make_preview(desk.house, "pos-shop")).id, actor="tester")
    await desk.import_catalogues()
    await desk.read_cells()
    with pytest.raises(RefusedByRule, match="aligned again"):
        await start(desk.house, "pos-shop", preview_id=None, actor="tester")
    assert not await desk.pool.fetchval("select count(*) from ops")
    await start(desk.house, "pos-shop", preview_id=(await make_preview(desk.house, "pos-shop")).id, actor="tester")
    assert (await desk.route())["state"] == "running"


@pytest.mark.row("S0-10")
async def test_a_relink_keeps_the_connection_with_its_pairs_and_journal(desk: Desk) -> None:
    await running(desk)
    before = await kept(desk)
    await uninstall(desk)
    await care.relink(desk.house, "shop", {}, carer(desk))
    await desk.import_catalogues()
    assert await kept(desk) == before


@pytest.mark.row("S0-12")
async def test_a_relink_to_another_shop_is_refused_and_changes_nothing(desk: Desk) -> None:
    await running(desk)
    await uninstall(desk)
    PARTNERS["shop-account"] = replace(PARTNERS["shop-account"], identity="stall-10", secret=FRESH)
    before = await desk.dump()
    with pytest.raises(ApplyFailed) as caught:
        await care.relink(desk.house, "shop", {"secret": FRESH}, carer(desk))
    assert caught.value.problems[0].code == "IS-CON-002"
    assert await desk.dump() == before


@pytest.mark.row("S0-11")
async def test_a_connection_stays_with_its_kind_of_source_even_after_its_link_ended(desk: Desk) -> None:
    await desk.prepare(RUNNING)
    await care.remove(desk.house, "shop", actor="tester", confirmed=True)
    second_till()
    document = await desk.read(CONNECTIONS)
    _, shop = document.connections
    other = replace(document, connections=(replace(shop, system="till"),), routes=())
    assert (await desk.failure(other)).problems[0].code == "IS-CON-001"


async def test_a_connection_that_works_is_renewed_and_not_relinked(desk: Desk) -> None:
    await desk.prepare(RUNNING)
    with pytest.raises(RefusedByRule) as caught:
        await care.relink(desk.house, "shop", {"secret": FRESH}, carer(desk))
    assert caught.value.code == "IS-CON-031"


# -- remove ------------------------------------------------------------------------------------------------------------


async def test_a_removed_connection_has_no_secret_its_routes_stop_and_its_journal_stays(desk: Desk) -> None:
    await running(desk)
    before = await kept(desk)
    with pytest.raises(RefusedByRule, match=r"These routes stop: pos-shop.*--yes") as caught:
        await care.remove(desk.house, "shop", actor="tester", confirmed=False)
    assert caught.value.code == "IS-CON-034"
    assert (await record_of(desk))["state"] == "linked"
    done = await care.remove(desk.house, "shop", actor="tester", confirmed=True)
    assert (done.state, done.stopped) == ("unlinked", ("pos-shop",))
    record = await record_of(desk)
    assert (record["state"], record["secrets"], record["catalogue_import"]) == ("unlinked", None, None)
    assert (await desk.route())["state"] == "blocked"
    assert await kept(desk) == before
    said = await desk.pool.fetchrow("select actor, action, before, after from audit order by id desc limit 1")
    assert (said["actor"], said["action"], said["before"]["state"]) == ("tester", "connection.unlinked", "linked")
    with pytest.raises(InvalidSettings):
        await care.relink(desk.house, "shop", {}, carer(desk))
    await care.relink(desk.house, "shop", {"secret": SHOP_SECRET}, carer(desk))
    assert (await kept(desk))["id"] == before["id"]


async def test_a_connection_that_no_route_names_is_put_away_altogether(desk: Desk) -> None:
    await desk.apply(CONNECTIONS)
    done = await care.remove(desk.house, "shop", actor="tester", confirmed=True)
    assert done.removed
    with pytest.raises(NoSuch, match="Connections: pos"):
        await care.connection_named(desk.pool, "shop")


async def test_a_late_refusal_does_not_turn_an_unlinked_connection_into_a_broken_one(desk: Desk) -> None:
    await running(desk)
    await care.remove(desk.house, "shop", actor="tester", confirmed=True)
    await mark_broken(desk.house, (await record_of(desk))["id"], "shop", REFUSED)
    assert (await record_of(desk))["state"] == "unlinked"
    assert not await desk.pool.fetchval("select count(*) from alerts where closed_at is null")


# -- expiry ------------------------------------------------------------------------------------------------------------


class Expiring:
    """A partner that says until when its credential is good."""

    def __init__(self, desk: Desk, days: float) -> None:
        self.desk, self.days = desk, days

    def __call__(self, name: str, definition: Any, settings: Any) -> Any:
        inner = self.desk.client(name, definition, settings)
        expires_at = self.desk.house.now() + timedelta(days=self.days)

        class Client:
            async def verify(self) -> Verified:
                return replace(await inner.verify(), expires_at=expires_at)

            async def locations(self) -> Any:
                return await inner.locations()

        return Client()


async def test_a_credential_that_ends_soon_is_counted_down_until_it_is_renewed(desk: Desk) -> None:
    await desk.apply(CONNECTIONS)
    soon = CareDesk(SYSTEMS, Expiring(desk, 40), BOX, "tester")
    await care.verify(desk.house, "shop", soon)
    assert not await desk.pool.fetchval("select count(*) from alerts")
    await desk.pool.execute("update connections set credential_expires_at = credential_expires_at - interval '20 days'")
    await housekeeping.keep_house(desk.house, retention=timedelta(days=30))
    alert = await desk.pool.fetchrow("select * from alerts where closed_at is null")
    assert (alert["code"], alert["subject"], alert["detail"]["days_left"]) == ("credential_expires", "shop", 19)
    assert "connection renew shop" in alert["detail"]["remedy"]
    await care.renew(desk.house, "shop", {"secret": SHOP_SECRET}, CareDesk(SYSTEMS, Expiring(desk, 365), BOX, "tester"))
    assert not await desk.pool.fetchval("select count(*) from alerts where closed_at is null")
