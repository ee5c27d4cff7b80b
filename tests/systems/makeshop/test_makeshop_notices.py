from __future__ import annotations

import json
from datetime import timedelta

import pytest

from inventory_sync.systems.errors import MalformedNotice, UnauthorizedNotice
from inventory_sync.systems.makeshop.notices import MakeShopNoticeParser, sign
from inventory_sync.systems.port import CellHint, Notice, NoticeKind
from tests.systems.makeshop.makeshop_scripted import MUG, SECRET, SHIRT, START, TOKEN, settings

INSTALL = {"app_id": 100, "plan_id": 1, "app_name": "zaiko-sync", "shop_id": "exampleshop", "token": TOKEN}
UNINSTALL = {"app_id": 100, "app_name": "zaiko-sync", "shop_id": "exampleshop"}
NOW = str(int(START.timestamp()))


def parser(**changes: object) -> MakeShopNoticeParser:
    return MakeShopNoticeParser(settings(**changes), lambda: START, iter("abcdefgh").__next__)


def signed(
    body: object,
    event: str = "",
    *,
    stamp: str = NOW,
    secret: str = SECRET,
    recipe: str = "timestamp_body",
    encoding: str = "hex",
    query: str = "",
) -> tuple[dict[str, str], bytes]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signature = sign(secret.encode(), stamp, raw, recipe, encoding).decode()
    headers = {"x-makeshop-signature": signature, "x-makeshop-request-timestamp": stamp, ":method": "POST"}
    return {**headers, ":token": event, ":query": query}, raw


def read(body: object, event: str = "", **more: str) -> Notice:
    return parser().parse(*signed(body, event, **more))


@pytest.mark.parametrize(
    ("body", "event", "kind"),
    [
        (INSTALL, "install", NoticeKind.ACCESS),
        (INSTALL, "", NoticeKind.ACCESS),
        (UNINSTALL, "uninstall", NoticeKind.UNINSTALLED),
        (UNINSTALL, "", NoticeKind.UNINSTALLED),
        (UNINSTALL, "consent", NoticeKind.ACCESS),
        ({"anything": 1}, "order", NoticeKind.ORDERS),
        ({"shop_id": "x", "orderNumbers": ["P1"]}, "", NoticeKind.ORDERS),
        ({"anything": 1}, "product", NoticeKind.CATALOGUE),
        ({"shop_id": "x", "productCodes": [SHIRT]}, "", NoticeKind.CATALOGUE),
        ({"shop_id": "x", "memberId": "1"}, "", NoticeKind.OTHER),
        ({}, "", NoticeKind.ORDERS),
        ({"shop_id": "x"}, "", NoticeKind.ORDERS),
        ({"shop_id": "x", "event": "product"}, "", NoticeKind.CATALOGUE),
        ({"shop_id": "x", "systemCode": SHIRT}, "", NoticeKind.CATALOGUE),
        (UNINSTALL, "some-unguessable-token", NoticeKind.UNINSTALLED),
    ],
)
def test_an_event_is_told_by_the_address_and_else_by_the_body(body: object, event: str, kind: NoticeKind) -> None:
    assert read(body, event).kind is kind


def test_an_event_may_be_named_in_the_query() -> None:
    assert read({}, "some-unguessable-token", query="event=order").kind is NoticeKind.ORDERS
    assert read({}, "order", query="event=install").kind is NoticeKind.ORDERS


def test_products_that_a_notice_names_are_looked_up_again_wherever_they_stand() -> None:
    found = read(
        {"data": {"products": [{"systemCode": SHIRT}, {"system_code": MUG, "name": "x"}, {"productCode": SHIRT}]}},
        "product",
    )
    assert found.catalogue == (SHIRT, MUG)
    assert CellHint(f"P:{SHIRT}") in found.cells


def test_twelve_digits_that_are_no_product_code_are_let_alone() -> None:
    assert read({"memberId": "260514000001", "products": ["123"]}, "product").catalogue == ()


def test_an_order_notice_says_nothing_but_that_there_are_orders() -> None:
    found = read({"orderNumber": "P1", "buyer": {"name": "someone"}, "systemCode": SHIRT}, "order")
    assert (found.cells, found.catalogue, found.sent_at) == ((), (), START)
    assert "someone" not in repr(found)


def test_the_token_of_an_installation_is_not_in_the_notice() -> None:
    assert TOKEN not in repr(read(INSTALL, "install"))


# -- proof of origin ---


@pytest.mark.parametrize("recipe", ["timestamp_body", "body", "timestamp"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_every_recipe_is_a_switch_and_a_notice_signed_by_another_is_refused(recipe: str, encoding: str) -> None:
    chosen = parser(signature_recipe=recipe, signature_encoding=encoding)
    assert chosen.parse(*signed({}, "order", recipe=recipe, encoding=encoding)).kind is NoticeKind.ORDERS
    for other in {"timestamp_body", "body", "timestamp"} - {recipe}:
        with pytest.raises(UnauthorizedNotice):
            chosen.parse(*signed({}, "order", recipe=other, encoding=encoding))
    with pytest.raises(UnauthorizedNotice):
        chosen.parse(*signed({}, "order", recipe=recipe, encoding={"hex": "base64", "base64": "hex"}[encoding]))


def test_a_notice_that_was_changed_on_its_way_is_refused() -> None:
    headers, body = signed({"order": 1}, "order")
    forgeries = [
        (headers, body + b" "),
        ({**headers, "x-makeshop-signature": ""}, body),
        ({**headers, "x-makeshop-signature": "秘"}, body),
        ({**headers, "x-makeshop-request-timestamp": str(int(NOW) + 1)}, body),
        ({**headers, "x-makeshop-request-timestamp": ""}, body),
        ({name: value for name, value in headers.items() if name != "x-makeshop-signature"}, body),
        signed({"order": 1}, "order", secret="another-secret"),
    ]
    for forged in forgeries:
        with pytest.raises(UnauthorizedNotice):
            parser().parse(*forged)


@pytest.mark.parametrize("seconds", [-601, 601, -86_400])
def test_a_notice_from_another_time_is_refused(seconds: int) -> None:
    with pytest.raises(UnauthorizedNotice) as told:
        read({}, "order", stamp=str(int(NOW) + seconds))
    assert told.value.code == "IS-MKS-052"


@pytest.mark.parametrize("seconds", [-599, 0, 599])
def test_a_notice_of_these_minutes_is_taken(seconds: int) -> None:
    assert read({}, "order", stamp=str(int(NOW) + seconds)).sent_at == START + timedelta(seconds=seconds)


def test_a_time_in_milliseconds_is_understood() -> None:
    assert read({}, "order", stamp=f"{NOW}000").sent_at == START


@pytest.mark.parametrize("stamp", ["", "now", "-1", "９" * 10, "1" * 17])
def test_a_time_that_is_none_is_refused(stamp: str) -> None:
    with pytest.raises(UnauthorizedNotice):
        read({}, "order", stamp=stamp)


def test_without_a_secret_nothing_can_prove_itself() -> None:
    with pytest.raises(UnauthorizedNotice) as told:
        parser(webhook_secret=None).parse(*signed({}, "order"))
    assert told.value.code == "IS-MKS-050"


def test_a_notice_of_another_shop_is_refused() -> None:
    with pytest.raises(UnauthorizedNotice) as told:
        parser(shop_id="othershop").parse(*signed(UNINSTALL, "uninstall"))
    assert told.value.code == "IS-MKS-053"
    assert parser(shop_id="exampleshop").parse(*signed(UNINSTALL, "uninstall")).kind is NoticeKind.UNINSTALLED


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"\xff{}", b"<html>", b'{"a":'])
def test_a_good_signature_on_an_unreadable_body_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedNotice):
        parser().parse(*signed(body, "order"))


def test_an_uninstall_has_to_look_like_one() -> None:
    with pytest.raises(MalformedNotice):
        read({"orders": ["P1"]}, "uninstall")


# -- ids ---


def test_a_delivery_that_is_repeated_has_one_id_and_two_events_have_two() -> None:
    first, again = read({"a": 1}, "order"), read({"a": 1}, "order")
    assert first.id == again.id
    others = [read({"a": 2}, "order"), read({"a": 1}, "product"), read({"a": 1}, "order", stamp=str(int(NOW) + 1))]
    assert len({first.id, *(each.id for each in others)}) == 4


def test_without_a_time_every_delivery_counts_as_new() -> None:
    chosen = parser(signature_recipe="body")
    headers, body = signed({"a": 1}, "order", recipe="body")
    del headers["x-makeshop-request-timestamp"]
    first, second = chosen.parse(headers, body), chosen.parse(headers, body)
    assert first.id != second.id
    assert first.sent_at is None
