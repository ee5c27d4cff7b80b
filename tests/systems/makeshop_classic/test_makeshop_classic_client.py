"""The adapter against the simulated shop, which shares no code with it: every switch played both ways."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from inventory_sync.model.ids import ItemKey, LocationKey
from inventory_sync.systems.errors import (
    Broken,
    BrokenKind,
    Bug,
    InvalidSettings,
    PartnerError,
    RetryLater,
    Unreadable,
)
from inventory_sync.systems.http import NoAnswer, NotSent
from inventory_sync.systems.makeshop.classic import ClassicSwitches
from inventory_sync.systems.makeshop.classic.account import account_of
from inventory_sync.systems.port import (
    CellRef,
    ChangeSource,
    Condition,
    EvidenceKind,
    OrderState,
    WriteMode,
)
from tests.systems.makeshop_classic.classic_support import (
    START,
    answering,
    cell_of,
    fails,
    option,
    product,
    settings,
    story,
)

LONG_AGO, SOON = START - timedelta(days=1), START + timedelta(hours=1)


# -- what it is ---


def test_it_declares_absolute_writes_and_orders_as_the_source_of_changes() -> None:
    able = story().client.capabilities
    assert (able.writes, able.change_source, able.evidence) == (
        WriteMode.ABSOLUTE,
        ChangeSource.ORDERS,
        EvidenceKind.LEVEL,
    )
    assert able.serial
    assert able.has_orders
    assert not able.polls_levels
    assert able.order_lag == timedelta(seconds=10)
    assert story(adapter=ClassicSwitches()).client.capabilities.order_lag == timedelta(seconds=130)


@pytest.mark.row("S4-18", "S4-19")
def test_a_password_over_twelve_characters_is_refused_with_what_to_do_first() -> None:
    good = settings()
    long = good.model_copy(update={"admin_password": type(good.admin_password)("パスワード123456789")})
    with pytest.raises(InvalidSettings) as caught:
        account_of(long)
    assert caught.value.field == "admin_password"
    assert "at MakeShop first" in caught.value.remedy
    twelve = good.model_copy(update={"admin_password": type(good.admin_password)("パスワード1234567")})
    assert account_of(twelve).admin_password == "パスワード1234567"
    assert "1234567" not in repr(account_of(twelve))


def test_a_missing_code_is_named() -> None:
    for name in ("order_auth_code", "product_auth_code", "admin_password", "shop_id"):
        with pytest.raises(InvalidSettings, match=name):
            account_of(settings().model_copy(update={name: None}))


@pytest.mark.row("S4-17")
async def test_an_administrator_whose_id_is_left_out_is_the_shop_id() -> None:
    told = story(changes={"admin_id": None})
    await fails(told, Broken, told.client.verify)
    told.shop.credentials.main = "exampleshop"
    told.shop.change_password("secret-12345")
    assert (await told.patiently(told.client.verify)).identity == "exampleshop"


# -- connecting ---


@pytest.mark.row("S4-20")
async def test_the_connection_test_proves_each_credential_by_itself() -> None:
    told = story()
    found = await told.patiently(told.client.verify)
    assert found.identity == "exampleshop"
    assert told.shop.log.requests == {"orders.get": 1, "product.auth": 1, "upload.auth": 1}
    assert told.violations() == []
    for name, says in (
        ("order_auth_code", "order authentication code"),
        ("product_auth_code", "product authentication code"),
        ("admin_password", "administrator ID or password"),
    ):
        told = story(changes={name: "wrong"})
        error = await fails(told, Broken, told.client.verify)
        assert error.kind is BrokenKind.CREDENTIAL
        assert says in error.message
        assert error.remedy


async def test_a_sub_administrator_is_refused_with_the_reason() -> None:
    told = story(changes={"admin_id": "clerk", "admin_password": "clerk-pw"})
    told.shop.add_sub_administrator("clerk", "clerk-pw")
    error = await fails(told, Broken, told.client.verify)
    assert "sub-administrator" in error.remedy


@pytest.mark.parametrize("refusal", ["words", "status"])
async def test_a_wrong_order_code_is_a_credential_however_it_is_refused(refusal: str) -> None:
    told = story(changes={"order_auth_code": "wrong"}, order_refusal=refusal)
    error = await fails(told, Broken, lambda: told.client.orders(LONG_AGO, SOON, None))
    assert (error.kind, error.code) == (BrokenKind.CREDENTIAL, "IS-MKC-001")


async def test_the_shop_is_its_only_location() -> None:
    assert [each.key for each in await story().client.locations()] == ["shop"]


async def test_the_catalogue_never_comes_from_here() -> None:
    client = story().client
    for ask in (client.catalogue_page(None), client.refresh(["P:000000000084"])):
        with pytest.raises(Bug, match="product CSV and option CSV"):
            await ask


# -- orders ---


async def test_orders_in_all_three_states_are_lines() -> None:
    told = story()
    mug = told.shop.add_product(told.clock(), code="MUG", stock=10)
    red, blue = told.shop.add_variations(told.clock(), ["R", "B"], stock=[5, 5])
    placed = told.shop.place_order([(mug, 2), (red, 1)], told.clock())
    cancelled = told.shop.place_order([(blue, 1)], told.clock())
    told.shop.cancel_order(str(cancelled), told.clock())
    open_one = told.shop.place_order([(red, 3)], told.clock(), provisional=True)
    told.clock.advance(5)
    found = await told.all_orders(LONG_AGO, SOON)
    assert {(each.order, each.cell, each.quantity, each.state) for each in found} == {
        (placed, cell_of(mug), 2, OrderState.PLACED),
        (placed, cell_of(red), 1, OrderState.PLACED),
        (cancelled, cell_of(blue), 1, OrderState.CANCELLED),
        (open_one, cell_of(red), 3, OrderState.PROVISIONAL),
    }
    told.shop.vanish_order(str(open_one), told.clock())
    assert len(await told.all_orders(LONG_AGO, SOON)) == 3
    assert told.violations() == []


@pytest.mark.parametrize("ends", ["both", "start", "neither"])
@pytest.mark.parametrize("keeps", ["oldest", "newest"])
async def test_more_orders_than_one_list_holds_are_all_found_once(ends: str, keeps: str) -> None:
    told = story(order_window=ends, order_cap_keeps=keeps)
    mug = told.shop.add_product(told.clock(), stock=1000)
    numbers = []
    for number in range(250):
        numbers.append(told.shop.sell(mug, 1, told.clock()))
        told.clock.advance(2 if number % 50 else 0.25)
    told.clock.advance(5)
    found = await told.all_orders(START, told.clock())
    assert sorted(each.order for each in found) == sorted(map(str, numbers))
    assert told.violations() == []


async def test_a_second_with_too_many_orders_is_reported_and_does_not_stop_the_rest(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told = story(order_cap=100)
    mug = told.shop.add_product(told.clock(), stock=1000)
    for _ in range(120):
        told.shop.sell(mug, 1, told.clock())
    told.clock.advance(60)
    late = told.shop.sell(mug, 1, told.clock())
    told.clock.advance(10)
    found = await told.all_orders(START - timedelta(seconds=30), told.clock())
    assert len(found) == 101
    assert found[-1].order == late
    assert "orders_beyond_cap" in caplog.text


async def test_the_list_ends_two_minutes_ago_unless_switched_off() -> None:
    careful = story(adapter=ClassicSwitches())
    mug = careful.shop.add_product(careful.clock(), stock=10)
    careful.shop.sell(mug, 1, careful.clock())
    careful.clock.advance(60)
    assert await careful.all_orders(LONG_AGO, SOON) == []
    assert (await careful.client.orders(careful.clock(), SOON, None)).lines == ()
    careful.clock.advance(70)
    assert len(await careful.all_orders(LONG_AGO, SOON)) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "euc-jp", "shift_jis"])
@pytest.mark.parametrize("place", ["orderdetail", "delivery"])
async def test_every_encoding_and_nesting_names_the_same_items(encoding: str, place: str) -> None:
    told = story(xml_encoding=encoding, lines_under=place, date_form="%Y-%m-%d %H:%M:%S")
    (red,) = told.shop.add_variations(told.clock(), ["S～M <&> "], stock=[5])
    told.shop.sell(red, 1, told.clock())
    told.clock.advance(2)
    assert [each.cell for each in await told.all_orders(LONG_AGO, SOON)] == [cell_of(red)]


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (answering(200, b"<html>maintenance</html>"), RetryLater, "IS-MKC-008"),
        (answering(200, b"not xml"), RetryLater, "IS-MKC-010"),
        (answering(200, b"<orders><order/></orders>"), Bug, "IS-MKC-010"),
        (answering(200, b'<!DOCTYPE x [<!ENTITY a "b">]><orders/>'), RetryLater, "IS-MKC-010"),
        (answering(503), RetryLater, "IS-MKC-008"),
        (answering(429, retry_after="30"), RetryLater, "IS-MKC-008"),
        (answering(404), Broken, "IS-MKC-007"),
        (answering(302), Broken, "IS-MKC-007"),
        (answering(403, b"<html>"), Broken, "IS-MKC-006"),
        (answering(400), Bug, "IS-MKC-011"),
        (NoAnswer("GET https://x/?token=order-code-0001"), RetryLater, "IS-MKC-009"),
        (NotSent("not a URL: token=order-code-0001"), RetryLater, "IS-MKC-009"),
    ],
)
async def test_every_other_answer_to_an_order_list_has_its_meaning(
    answer: Any, kind: type[PartnerError], code: str
) -> None:
    told = story()
    told.wire.steps = [answer]
    told.clock.advance(2)
    with pytest.raises(kind) as caught:
        await told.client.orders(LONG_AGO, SOON, None)
    assert caught.value.code == code
    assert "order-code-0001" not in caught.value.message
    if isinstance(caught.value, RetryLater):
        assert caught.value.after == (30 if "429" in caught.value.message else caught.value.after) > 0


async def test_a_block_is_waited_out_for_long() -> None:
    told = story()
    told.shop.credentials.blocked_until = START + timedelta(hours=1)
    error = await fails(told, Broken, lambda: told.client.orders(LONG_AGO, SOON, None))
    assert error.kind is BrokenKind.LOCKED
    assert error.retry_after is not None
    assert error.retry_after >= 600


# -- reading ---


@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize("uses", [0, 1])
async def test_products_are_read_by_key_and_options_cannot_be(as_text: bool, uses: int) -> None:
    told = story(numbers_as_text=as_text, access_uses=uses)
    mug = told.shop.add_product(told.clock(), stock=7)
    free = told.shop.add_product(told.clock(), stock=None)
    (red,) = told.shop.add_variations(told.clock(), ["R"], stock=[5])
    cells = [cell_of(red), cell_of(mug), cell_of(free), product("000000000999")]
    found: dict[CellRef, Any] = {}
    for _ in range(20):
        waiting = [each for each in cells if each not in found]
        if not waiting:
            break
        for each in await told.patiently(lambda asked=waiting: told.client.read(asked, changed_since=None)):  # type: ignore[misc]
            found[each.cell] = (each.condition, each.quantity)
        told.clock.advance(1)
    assert found == {
        cell_of(red): (Condition.UNREADABLE, None),
        cell_of(mug): (Condition.ACTIVE, 7),
        cell_of(free): (Condition.UNTRACKED, None),
        product("000000000999"): (Condition.GONE, None),
    }
    assert told.violations() == []


async def test_options_are_answered_without_a_request() -> None:
    told = story()
    (reading,) = await told.client.read([option("000000000084", "R")], changed_since=None)
    assert reading.condition is Condition.UNREADABLE
    assert told.wire.sent == []


async def test_an_access_address_is_asked_anew_before_it_ends() -> None:
    told = story()
    mug = told.shop.add_product(told.clock(), stock=7)
    for _ in range(4):
        await told.patiently(lambda: told.client.read([cell_of(mug)], changed_since=None))
        told.clock.advance(200)
    assert told.shop.log.requests == {"product.auth": 2, "product.search": 4}
    assert told.violations() == []


async def test_a_revoked_access_is_renewed_and_a_revoked_code_breaks_the_connection() -> None:
    told = story()
    mug = told.shop.add_product(told.clock(), stock=7)
    await told.patiently(lambda: told.client.read([cell_of(mug)], changed_since=None))
    told.shop.credentials.revoke()
    told.clock.advance(2)
    (reading,) = await told.patiently(lambda: told.client.read([cell_of(mug)], changed_since=None))
    assert reading.quantity == 7
    told.shop.credentials.revoke()
    told.shop.credentials.product_allowed = False
    error = await fails(told, Broken, lambda: told.client.read([cell_of(mug)], changed_since=None))
    assert error.code == "IS-MKC-002"


async def test_all_products_are_walked_page_by_page_as_hints() -> None:
    told = story()
    items = told.shop.seed_catalogue(120, told.clock(), initial=lambda number: number)
    levels = []
    cursor: str | None = None
    while True:
        page = await told.patiently(lambda at=cursor: told.client.walk_levels(at))  # type: ignore[misc]
        levels += page.levels
        cursor = page.cursor
        if cursor is None:
            break
    assert [(each.cell, each.quantity) for each in levels] == [(cell_of(item), at) for at, item in enumerate(items)]
    assert told.shop.log.requests["product.search"] == 4
    assert told.violations() == []


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[1]",
        b'{"result_data": {"status_code": 200, "product_list": [{}]}}',
        b'{"result_data": {"status_code": 200, "product_list": "x"}}',
        b'{"result_data": {"status_code": 200, "product_list": [{"brand_code": "000000000084", "stock": "1.5"}]}}',
        b'{"result_data": {"status_code": 200, "product_list": [{"brand_code": "000000000085", "stock": "1"}]}}',
    ],
)
async def test_an_answer_of_another_form_is_no_reading(body: bytes) -> None:
    told = story()
    told.shop.add_product(told.clock(), stock=7)
    told.wire.steps = [None, answering(200, body)]
    error = await fails(told, Bug, lambda: told.client.read([product("000000000084")], changed_since=None))
    assert error.code == "IS-MKC-010"


@pytest.mark.parametrize("body", [b"nonsense", b'{"result_data": {"status_co', b"<!DOCTYPE html><html>0</html>"])
async def test_an_answer_that_is_no_whole_one_is_asked_for_again(body: bytes) -> None:
    told = story()
    told.shop.add_product(told.clock(), stock=7)
    told.wire.steps = [None, answering(200, body)]
    (reading,) = await told.patiently(lambda: told.client.read([product("000000000084")], changed_since=None))
    assert reading.quantity == 7
    assert told.shop.log.requests["product.search"] == 1


async def test_a_cell_of_another_kind_is_refused() -> None:
    client = story().client
    for cell in (CellRef(ItemKey("N:000000000084:1"), LocationKey("shop")), CellRef(ItemKey("P:1"), LocationKey("2"))):
        with pytest.raises(Bug):
            await client.read([cell], changed_since=None)


async def test_an_access_address_outside_makeshop_is_not_followed() -> None:
    told = story()
    told.wire.steps = [answering(200, b"https://evil.example/api/product/search/?access_token=1")]
    error = await fails(told, Bug, lambda: told.client.walk_levels(None))
    assert "outside MakeShop" in error.message
    assert [request.url for request in told.wire.sent] == ["https://www.makeshop.jp/api/product/auth/"]


async def test_another_address_from_the_settings_keeps_every_call() -> None:
    told = story(changes={"base_url": "http://127.0.0.1:9/shop"})
    told.shop.add_product(told.clock(), stock=7)
    told.wire.shop = told.shop
    told.wire.steps = [
        answering(200, b"https://www.makeshop.jp/api/product/search/?shop_id=a&access_token=b"),
        answering(200, b'{"result_data": {"status_code": 200, "product_list": []}}'),
    ]
    await told.patiently(lambda: told.client.walk_levels(None))
    assert [request.url for request in told.wire.sent] == [
        "http://127.0.0.1:9/shop/api/product/auth/",
        "http://127.0.0.1:9/shop/api/product/search/?shop_id=a&access_token=b",
    ]


# -- pace and the rest ---


async def test_everything_together_stays_strictly_serial_at_one_request_a_second() -> None:
    told = story()
    mug = told.shop.add_product(told.clock(), stock=100)
    (red,) = told.shop.add_variations(told.clock(), ["R"], stock=[50])
    await told.patiently(told.client.verify)
    for number in range(30):
        told.shop.sell(mug, 1, told.clock())
        await told.patiently(lambda: told.client.orders(LONG_AGO, SOON, None))
        await told.patiently(lambda: told.client.read([cell_of(mug)], changed_since=None))
        await told.write((cell_of(red), number))
    assert told.violations() == []
    assert told.shop.stock(red) == 29


async def test_a_new_client_sends_nothing_before_its_budget_fills() -> None:
    told = story()
    for ask in (
        lambda: told.client.orders(LONG_AGO, SOON, None),
        lambda: told.client.read([product("000000000084")], changed_since=None),
        told.client.verify,
    ):
        with pytest.raises(RetryLater) as caught:
            await ask()
        assert caught.value.after > 0
    assert told.wire.sent == []


async def test_what_makeshop_does_not_have_is_said() -> None:
    client = story().client
    with pytest.raises(Unreadable):
        await client.history(product("000000000084"), LONG_AGO)
    with pytest.raises(Bug):
        client.compose_activation(product("000000000084"), "k")
    assert (await client.changed_levels(LONG_AGO, SOON, None)).levels == ()
    assert (await client.ensure_subscriptions("https://x")).created == ()
