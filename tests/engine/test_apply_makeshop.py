"""Connecting a MakeShop shop: proven at the shop before anything is saved, and what a route to it still needs."""

from __future__ import annotations

from importlib.resources import files

import pytest

from inventory_sync.config import ConfigErrors
from inventory_sync.engine import routes
from inventory_sync.engine.apply_report import What
from inventory_sync.engine.routes import RefusedByRule
from inventory_sync.engine.stored import open_settings, unseal
from inventory_sync.sandbox.makeshop_classic import ClassicMakeShopSimulator
from inventory_sync.store import db
from inventory_sync.systems.makeshop import definition as MAKESHOP
from tests.engine.apply_support import BOX, TILL_SECRET
from tests.engine.makeshop_desk import CLASSIC, MakeShopDesk

TILL = f"connections:\n  pos: {{system: till, account: pos-account, secret: {TILL_SECRET}}}\n"
ROUTE = "routes:\n  pos-cart:\n    ledger: pos\n    channel: cart\n    match: {channel_field: custom_code}\n"


@pytest.fixture
def desk(partners: None, pool: db.Pool) -> MakeShopDesk:
    return MakeShopDesk(pool)


def graphql(desk: MakeShopDesk, **changes: str) -> str:
    given = {"access_token": desk.graphql.token, "api_key": desk.graphql.api_key, **changes}
    return "connections:\n  cart:\n    system: makeshop\n" + "".join(f"    {k}: {v}\n" for k, v in given.items())


@pytest.mark.row("S0-23", "S0-27", "S0-28")
async def test_a_shop_is_proven_saved_and_its_catalogue_pulled_in_one_act_or_not_at_all(desk: MakeShopDesk) -> None:
    desk.graphql.seed_catalogue(30, desk.clock.now)
    with pytest.raises(ConfigErrors, match="Did you mean 'makeshop'"):
        await desk.apply(graphql(desk).replace("makeshop", "makeshp"))
    problem = (await desk.failure(graphql(desk, api_key="another-key"))).problems[0]
    assert (problem.subject, problem.code) == ("connection cart", "IS-MKS-010")
    assert await desk.pool.fetchval("select count(*) from connections") == 0

    report = await desk.apply(graphql(desk))
    assert [(c.name, c.what, c.state) for c in report.connections] == [("cart", What.CREATED, "linked")]
    run = await db.row(desk.pool, "running_run", kind="import", connection_id=(await desk.record("cart"))["id"])
    assert run is not None, "the first pull runs as soon as the connection is there"
    assert await desk.import_catalogue("cart", open_settings(MAKESHOP, await desk.record("cart"), BOX)) == 30
    assert not (await desk.apply(graphql(desk))).changed
    assert await desk.pool.fetchval("select count(*) from runs where kind = 'import'") == 1


@pytest.mark.row("S4-12", "S4-17")
@pytest.mark.parametrize(
    ("right", "wrong", "code"),
    [
        ("shop_id: exampleshop", "shop_id: othershop", "IS-MKC-001"),
        ("admin_id: shop-admin", "admin_id: somebody", "IS-MKC-003"),
        ("admin_password: secret-12345", "admin_password: secret-54321", "IS-MKC-003"),
    ],
)
async def test_shop_id_and_administrator_are_proven_at_the_shop_before_they_are_saved(
    desk: MakeShopDesk, right: str, wrong: str, code: str
) -> None:
    text = "connections:\n" + CLASSIC
    assert (await desk.failure(text.replace(right, wrong))).problems[0].code == code
    assert (await desk.apply(text)).connections[0].state == "linked"


@pytest.mark.row("S0-21", "S0-22")
async def test_a_refused_product_code_is_to_be_copied_again_from_its_place_and_never_issued_anew(
    desk: MakeShopDesk,
) -> None:
    text = "connections:\n" + CLASSIC
    problem = (await desk.failure(text.replace("product-code-0001", "product-code-0002"))).problems[0]
    place = "ショップ構築 > 設定 > API > 商品 > 認証コード"
    assert place in problem.remedy
    assert "Never issue a new one: others share it." in problem.remedy
    guides = files("inventory_sync.systems.makeshop")
    for language, warning in (("ja", "再発行はしないでください"), ("en", "Don't issue new codes")):
        guide = (guides / f"guide.{language}.md").read_text(encoding="utf-8")
        assert place in guide
        assert warning in guide
    assert (await desk.apply(text)).connections[0].state == "linked"


@pytest.mark.row("S4-22")
async def test_every_connection_gets_an_address_for_notices_that_nobody_can_guess_and_keeps_it(
    desk: MakeShopDesk,
) -> None:
    desk.classic["secondshop"] = ClassicMakeShopSimulator(shop="secondshop")
    text = "connections:\n" + CLASSIC + CLASSIC.replace("cart:", "second:").replace("exampleshop", "secondshop")
    await desk.apply(text)

    async def tokens() -> list[str]:
        found = [await desk.record(name) for name in ("cart", "second")]
        return [unseal(BOX, record["name"], record["secrets"])["notify_token"] for record in found]

    first, second = await tokens()
    assert first != second
    assert min(len(first), len(second)) >= 32, "192 bits in base 64"
    assert first not in repr(await desk.dump())
    report = await desk.apply(text + "    csv_encoding: utf-8\n")
    assert [each.what for each in report.connections] == [What.UNCHANGED, What.CHANGED]
    assert await tokens() == [first, second]


@pytest.mark.row("S4-24")
async def test_a_route_that_books_orders_does_not_start_before_it_is_said_where(desk: MakeShopDesk) -> None:
    text = TILL + CLASSIC + ROUTE
    await desk.apply(text)
    with pytest.raises(RefusedByRule, match="no_locations"):
        await routes.start(desk.house, "pos-cart", preview_id=None, actor="tester")
    with pytest.raises(ConfigErrors, match="takes what comes back"):
        await desk.apply(text + "    pool: {ledger: ['1', '2']}\n")
    await desk.apply(text + "    pool: {ledger: ['1', '2'], intake: '2'}\n")
    with pytest.raises(RefusedByRule) as files_are_missing:
        await routes.start(desk.house, "pos-cart", preview_id=None, actor="tester")
    assert "catalogue_missing:cart" in str(files_are_missing.value)
    assert "no_locations" not in str(files_are_missing.value)
