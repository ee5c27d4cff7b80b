"""A connection that does not work is marked with a reason and a remedy, and delays nobody else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inventory_sync.engine import catalogue
from inventory_sync.engine.routes import RefusedByRule
from inventory_sync.sandbox.shopify.simulator import ShopStatus
from inventory_sync.store import db
from tests.engine.bench import ADJUST, Bench, Setup
from tests.engine.conftest import Furnish

TWO = Setup(shops=("shop", "mall"))


async def connection(bench: Bench, name: str = "shop") -> db.Record:
    found = await db.row(bench.pool, "connection_by_name", name=name)
    assert found is not None
    return found


async def route_state(bench: Bench, shop: str) -> str:
    [route] = await bench.rows("select state from routes where name = $1", f"pos-{shop}")
    return str(route["state"])


async def its_time_has_come(bench: Bench, name: str = "shop") -> None:
    """A connection that does not work is due to be tried again, instead of letting an hour pass."""
    await bench.pool.execute("update connections set retry_at = $1 where name = $2", bench.agenda.now, name)
    await bench.run(5)


def secret_revoked(bench: Bench) -> None:
    bench.shop().access.rotate_secret("shpss_another_secret")
    bench.shop().access.revoke_oldest_secret(bench.agenda.now)


def scope_removed(bench: Bench) -> None:
    bench.shop().grant_scopes(("read_products", "read_inventory", "read_locations"), bench.agenda.now)


def frozen(bench: Bench) -> None:
    bench.shop().status = ShopStatus.FROZEN


def locked(bench: Bench) -> None:
    bench.shop().status = ShopStatus.LOCKED


FAULTS: dict[str, tuple[Callable[[Bench], None], str]] = {
    "its secret was revoked": (secret_revoked, "needs_action"),
    "a right was withdrawn": (scope_removed, "needs_action"),
    "the shop is frozen (402)": (frozen, "broken"),
    "the shop is locked (423)": (locked, "broken"),
}


@pytest.mark.row("S0-9")
@pytest.mark.parametrize(("breaks", "state"), FAULTS.values(), ids=list(FAULTS))
async def test_a_connection_that_breaks_says_why_and_what_to_do_and_the_other_shop_goes_on(
    running: Furnish, breaks: Callable[[Bench], None], state: str
) -> None:
    bench = await running(TWO)
    began = bench.agenda.now
    breaks(bench)
    bench.heard("shop")
    bench.move_ledger("A-1", -3)
    await bench.until(lambda: bench.channel(shop="mall") == 7)
    await bench.until(lambda: bench.alerts("connection_broken"), seconds=90)

    record = await connection(bench)
    assert record["state"] == state
    assert record["state_since"] >= began
    assert record["state_code"].startswith("IS-SHP-")
    assert record["state_reason"]
    assert record["state_remedy"]
    [alert] = await bench.alerts("connection_broken")
    assert (alert["subject"], alert["detail"]["remedy"]) == ("shop", record["state_remedy"])
    assert "secret" not in alert["detail"]["reason"].replace("client secret", "")
    assert bench.channel() == 10
    assert bench.ours("shop") == []

    bench.move_channel("A-1", -2, shop="mall")
    await bench.until(lambda: bench.ledger() == 5)
    assert (await connection(bench, "mall"))["state"] == (await connection(bench, "pos"))["state"] == "linked"
    assert await route_state(bench, "mall") == "running"


@pytest.mark.row("S0-9")
async def test_a_shop_that_is_thawed_goes_on_where_it_stood(running: Furnish) -> None:
    bench = await running(TWO)
    frozen(bench)
    bench.move_ledger("A-1", -3)
    await bench.until(lambda: bench.alerts("connection_broken"), seconds=90)
    assert (await connection(bench))["retry_at"] > bench.agenda.now
    bench.move_channel("A-1", -1)
    bench.shop().status = ShopStatus.OPEN
    await its_time_has_come(bench)
    await bench.rest(seconds=120)
    assert (await connection(bench))["state"] == "linked"
    assert await bench.alerts("connection_broken") == []
    assert (bench.ledger(), bench.channel(), bench.channel(shop="mall")) == (6, 6, 6)
    assert [change.delta for change in bench.ours("pos")] == [-1]


@pytest.mark.row("S0-45")
async def test_an_app_that_was_removed_unlinks_the_shop_and_stops_its_routes(running: Furnish) -> None:
    bench = await running(TWO)
    bench.shop().uninstall(bench.agenda.now)
    bench.heard("shop")
    await bench.until(lambda: bench.alerts("connection_broken"), seconds=90)
    record = await connection(bench)
    assert record["state"] == "unlinked"
    assert record["retry_at"] is None, "no outage that time mends"
    assert record["state_reason"]
    assert record["state_remedy"]
    assert await route_state(bench, "shop") == "blocked"

    bench.begin()
    bench.move_ledger("A-1", -3)
    await bench.until(lambda: bench.channel(shop="mall") == 7)
    await bench.run(120)
    assert bench.requests("shop", "") == [], "an unlinked shop is left alone"
    assert await route_state(bench, "mall") == "running"
    with pytest.raises(RefusedByRule, match="connection_unlinked:shop"):
        await bench.start("shop")


@pytest.mark.row("S0-53")
async def test_an_app_that_was_installed_again_writes_nothing_until_a_person_starts_the_route(
    running: Furnish,
) -> None:
    bench = await running()
    bench.shop().uninstall(bench.agenda.now)
    bench.heard("shop")
    await bench.until(lambda: bench.alerts("connection_broken"), seconds=90)
    bench.move_ledger("A-1", -3)
    await bench.run(30)
    bench.shop().reinstall()
    await its_time_has_come(bench)
    await bench.run(60)
    assert (await connection(bench))["state"] == "linked"
    assert bench.ours("shop") == bench.ours("pos") == []
    assert bench.requests("shop", ADJUST) == []
    with pytest.raises(RefusedByRule, match="catalogue_missing:shop"):
        await bench.start()

    while await db.row(bench.pool, "running_run", kind="import", connection_id=bench.lanes["shop"].connection_id):
        await bench.person(catalogue.import_page(bench.house, bench.lanes["shop"]))
    with pytest.raises(RefusedByRule, match="aligned again"):
        await bench.start()

    await bench.start(preview_id=(await bench.preview()).id)
    await bench.rest()
    assert (bench.ledger(), bench.channel()) == (7, 7)


async def test_a_ledger_that_refuses_its_scope_breaks_alone_and_recovers_when_it_is_approved(
    running: Furnish,
) -> None:
    bench = await running()
    bench.pos.remove_scope("pos.stock:write")
    bench.move_channel("A-1", -2)
    await bench.until(lambda: bench.alerts("connection_broken"), seconds=90)
    record = await connection(bench, "pos")
    assert record["state"] == "needs_action"
    assert record["state_code"].startswith("IS-SM")
    assert bench.ledger() == 10
    [op] = await bench.ops("pos")
    assert op["state"] == "not_applied"

    bench.pos.approve_scope("pos.stock:write")
    await its_time_has_come(bench, "pos")
    await bench.rest(seconds=120)
    assert (bench.ledger(), bench.channel()) == (8, 8)
    assert [change.delta for change in bench.ours("pos")] == [-2]
