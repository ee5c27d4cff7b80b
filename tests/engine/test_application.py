"""Applying for external linking at MakeShop: what was named is kept and may be mended, and nothing runs before it is
granted; where a shop is linked with other software already, nobody has to apply."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from inventory_sync.engine import connections_care as care
from inventory_sync.engine import overview, routes
from inventory_sync.engine.connections import mark_broken
from inventory_sync.engine.connections_care import Desk as CareDesk
from inventory_sync.engine.named import RefusedByRule
from inventory_sync.engine.setup import approvals
from inventory_sync.engine.setup.business_days import JAPAN
from inventory_sync.engine.setup.steps import guide, say_done
from inventory_sync.store import db
from inventory_sync.systems.errors import Broken, BrokenKind
from inventory_sync.systems.steps import StepState
from tests.engine.apply_support import BOX, TILL_SECRET
from tests.engine.makeshop_desk import CLASSIC, MakeShopDesk
from tests.engine.test_approvals import CODES, MAKESHOP, Office

GIVEN = {
    "shop_name": "お茶の店",
    "user_name": "山田",
    "shop_id": "exampleshop",
    "shop_url": "https://shop.example.jp/ (適用中)、exampleshop.makeshop.example",
}
ROUTE = (
    f"connections:\n  pos: {{system: till, account: pos-account, secret: {TILL_SECRET}}}\n"
    + CLASSIC
    + "routes:\n  pos-cart:\n    ledger: pos\n    channel: cart\n    match: {channel_field: custom_code}\n"
    + "    pool: {ledger: ['1'], intake: '1'}\n"
)


pytestmark = pytest.mark.usefixtures("partners")


@pytest.fixture
async def office(pool: db.Pool) -> Office:
    made = Office(pool)
    await care.add(made.house, "cart", MAKESHOP, actor="tester")
    return made


async def apply_for(office: Office, given: dict[str, str], days: int | None = None) -> datetime:
    details = approvals.application(MAKESHOP, given)
    return await approvals.applied(
        office.house, "cart", CODES, at=office.at, days=days, actor="tester", details=details
    )


async def kept(office: Office) -> dict[str, Any]:
    found: dict[str, Any] = await office.pool.fetchval("select settings from connections where name = 'cart'")
    return found


async def states(office: Office) -> dict[str, StepState | None]:
    return {key: view.state for key, view in (await office.steps()).items()}


@pytest.mark.row("S4-6", "S4-10", "S4-11")
async def test_an_application_is_kept_with_what_it_named(office: Office) -> None:
    before = await states(office)
    assert (before["application"], before["apply_codes"]) == (StepState.NOT_READY, StepState.NOT_READY)
    await apply_for(office, GIVEN)
    after = await states(office)
    assert (after["application"], after["apply_codes"]) == (StepState.DONE, StepState.WAITING)
    assert (await kept(office))["shop_name"] == "お茶の店"
    assert (await kept(office))["user_name"] == "山田"
    [entry] = await office.pool.fetch("select after from audit where action = 'connection.applied_for'")
    assert entry["after"]["application"]["shop_id"] == "exampleshop"


@pytest.mark.row("S4-13")
@pytest.mark.parametrize(
    ("listed", "chosen"),
    [
        ("shop.example.jp", "shop.example.jp"),
        ("https://shop.example.jp/", "shop.example.jp"),
        ("exampleshop.makeshop.example, Shop.Example.jp(適用中)", "shop.example.jp"),
        ("適用中 shop.example.jp\nexampleshop.makeshop.example", None),
        ("shop.example.jp、exampleshop.makeshop.example", None),
        ("お茶の店", None),
    ],
)
async def test_of_several_domains_the_one_in_use_is_kept(office: Office, listed: str, chosen: str | None) -> None:
    if chosen is None:
        with pytest.raises(RefusedByRule) as refused:
            await apply_for(office, GIVEN | {"shop_url": listed})
        assert refused.value.code == "IS-CON-071"
        assert "shop_url" in refused.value.japanese
        assert await kept(office) == {}
        assert await office.state() == "created"
    else:
        await apply_for(office, GIVEN | {"shop_url": listed})
        assert (await kept(office))["shop_url"] == chosen


@pytest.mark.row("S4-7")
async def test_an_application_waits_and_is_brought_to_mind_after_a_week(office: Office) -> None:
    office.day(11, 30)  # a Monday
    await apply_for(office, GIVEN, days=5)
    assert await office.state() == "awaiting_approval"
    office.day(12, 7, 23)
    assert await approvals.remind(office.house) == 0
    office.day(12, 8)
    assert await approvals.remind(office.house) == 1
    [alert] = await office.alerts()
    assert (alert["code"], alert["subject"]) == ("approval_overdue", "cart")


@pytest.mark.row("S4-8")
async def test_an_application_with_a_mistake_is_mended_and_made_again(office: Office) -> None:
    await apply_for(office, GIVEN | {"shop_url": "wrong.example.jp", "shop_name": "お茶のみせ"})
    office.day(12, 1)
    assert await approvals.remind(office.house) == 1
    due = await apply_for(office, GIVEN)
    assert due == datetime(2026, 12, 5, tzinfo=JAPAN), "its days count from the new application"
    assert await office.alerts() == []
    assert ((await kept(office))["shop_url"], (await kept(office))["shop_name"]) == ("shop.example.jp", "お茶の店")
    said = await office.pool.fetch("select after from audit where action = 'connection.applied_for' order by id")
    assert [each["after"]["application"]["shop_name"] for each in said] == ["お茶のみせ", "お茶の店"]


@pytest.mark.parametrize("name", ["product_auth_code", "nothing"])
async def test_a_secret_or_an_unknown_name_is_no_part_of_an_application(office: Office, name: str) -> None:
    with pytest.raises(RefusedByRule, match="shop_url") as refused:
        await apply_for(office, {name: "anything"})
    assert refused.value.code == "IS-CON-070"
    assert await office.state() == "created"


@pytest.mark.row("S4-14", "S4-15", "S4-16")
async def test_a_shop_that_is_linked_with_other_software_already_applies_for_nothing(office: Office) -> None:
    assert (await states(office))["external_menu"] is StepState.ASK, "nobody can tell from here"
    view = (await office.steps())["external_menu"]
    assert "外部システム連携" in view.where_ja
    assert "商品・注文・会員" in view.where_ja
    await say_done(office.house, "cart", MAKESHOP, "external_menu", done=True, actor="tester")
    assert (await states(office))["external_menu"] is StepState.DONE
    assert await approvals.granted(office.house, "cart", CODES, actor="tester") == "created"
    found = await states(office)
    assert (found["apply_codes"], found["application"]) == (StepState.DONE, StepState.NOT_READY)
    assert await kept(office) == {}, "no data of the shop were asked for"
    office.day(12, 20)
    assert await approvals.remind(office.house) == 0


async def route_of(desk: MakeShopDesk) -> dict[str, Any]:
    return await overview.route(desk.house, "pos-cart")


async def turn(desk: MakeShopDesk) -> list[str]:
    return [each["state"] for each in (await route_of(desk))["steps"]]


@pytest.mark.row("S4-1", "S4-5", "S4-9")
async def test_nothing_goes_on_before_the_application_is_granted_and_its_grant_is_noticed(pool: db.Pool) -> None:
    desk = MakeShopDesk(pool)
    await desk.apply(ROUTE)
    number = (await desk.record("cart"))["id"]
    withdrawn = Broken("the use of the codes ended", kind=BrokenKind.SCOPE, remedy="apply again", code="IS-MKC-002")
    await mark_broken(desk.house, number, "cart", withdrawn)
    await approvals.applied(desk.house, "cart", CODES, at=None, days=1, actor="tester")

    with pytest.raises(RefusedByRule, match="external_link_not_approved:cart") as refused:
        await routes.start(desk.house, "pos-cart", preview_id=None, actor="tester")
    assert "外部データ連携利用申請が完了していません" in refused.value.japanese
    assert (await route_of(desk))["blocked_by"][0]["code"] == "external_link_not_approved"
    assert await turn(desk) == ["now", "later", "later", "later", "later"], "all later steps are locked"
    views = {view.step.key: view for view in await guide(desk.house, MAKESHOP, connection="cart", box=BOX)}
    assert views["apply_codes"].state is StepState.WAITING

    await care.verify(desk.house, "cart", CareDesk(desk.systems, desk.client, BOX, "tester"))
    assert (await desk.record("cart"))["state"] == "linked"
    views = {view.step.key: view for view in await guide(desk.house, MAKESHOP, connection="cart", box=BOX)}
    assert views["apply_codes"].state is StepState.DONE
    assert "external_link_not_approved" not in str((await route_of(desk))["blocked_by"])
    assert (await turn(desk))[0] == "done"
    assert await pool.fetch("select code from alerts where closed_at is null") == []
