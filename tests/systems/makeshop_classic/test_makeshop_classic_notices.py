"""Update notifications: only the token in the address counts, and everything else is taken as it comes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import SecretStr

from inventory_sync.systems.errors import UnauthorizedNotice
from inventory_sync.systems.makeshop.classic import ClassicNoticeParser, make_classic_notice_parser
from inventory_sync.systems.port import Notice, NoticeKind
from tests.systems.makeshop_classic.classic_support import SECRETS, Clock, settings

TOKEN = SECRETS[-1]
ORDER = "P180000007919630271"


def parse(
    *, token: str = TOKEN, query: str = "", body: bytes = b"", method: str = "POST", clock: Clock | None = None
) -> Notice:
    parser = ClassicNoticeParser(settings(), clock or Clock())
    return parser.parse({":method": method, ":token": token, ":query": query}, body)


@pytest.mark.parametrize(
    "call",
    [
        {"query": f"shop=exampleshop&order={ORDER}&cmd=order", "method": "GET"},
        {"query": f"shop/exampleshop/order/{ORDER}/cmd/order"},
        {"token": f"{TOKEN}/shop/exampleshop/order/{ORDER}/cmd/order"},
        {"body": f"shopid=exampleshop&ordernum={ORDER}&cmd=order".encode()},
        {"body": f'{{"shop": "exampleshop", "no": "{ORDER}", "cmd": "order"}}'.encode(), "method": "PUT"},
        {"body": f"<x><ordernum>{ORDER}</ordernum><cmd>order</cmd></x>".encode()},
        {"query": f"q={ORDER}&event=order"},
    ],
)
def test_the_order_number_is_found_wherever_it_stands(call: dict[str, str]) -> None:
    found = parse(**call)  # type: ignore[arg-type]
    assert found.kind is NoticeKind.ORDERS
    assert found.id.startswith(f"{ORDER}:")
    assert found.topic == "orders/order"


@pytest.mark.parametrize("query", ["", "shop=[SHOPID]&order=[ORDERNUM]&cmd=[CMD]", "%ff%fe=%00", "&&==;;", "a" * 5000])
def test_a_call_that_says_nothing_is_a_hint_all_the_same(query: str) -> None:
    found = parse(query=query, method="GET", body=b"\xff\x00\x80=")
    assert (found.kind, found.topic) == (NoticeKind.ORDERS, "orders")


@pytest.mark.parametrize("token", ["", "someone-elses", TOKEN[:-1], f"{TOKEN}x", TOKEN.upper(), "\udcff", "ü"])
def test_another_token_is_refused_and_not_quoted(token: str) -> None:
    with pytest.raises(UnauthorizedNotice) as caught:
        parse(token=token, query=f"order={ORDER}")
    assert not token or token not in caught.value.message


def test_without_a_token_nothing_is_let_in() -> None:
    for value in (None, SecretStr("")):
        parser = make_classic_notice_parser(settings(notify_token=value))
        with pytest.raises(UnauthorizedNotice, match="No notification token"):
            parser.parse({":token": ""}, b"")


def test_the_same_call_within_a_minute_is_one_notice_and_later_another() -> None:
    clock = Clock()
    call = {"query": f"order={ORDER}&cmd=status"}
    first = parse(**call, clock=clock)  # type: ignore[arg-type]
    clock.advance(59)
    assert parse(**call, clock=clock).id == first.id  # type: ignore[arg-type]
    clock.now += timedelta(seconds=1)
    assert parse(**call, clock=clock).id != first.id  # type: ignore[arg-type]


def test_calls_that_differ_in_anything_are_different_notices() -> None:
    calls = [
        {"query": f"order={ORDER}&cmd=order"},
        {"query": f"order={ORDER}&cmd=cancel"},
        {"query": "order=P180000007919630272&cmd=order"},
        {"body": f"order={ORDER}&cmd=order".encode()},
        {"token": f"{TOKEN}/order"},
    ]
    assert len({parse(**call).id for call in calls}) == len(calls)  # type: ignore[arg-type]


def test_a_customer_in_the_call_does_not_reach_the_notice() -> None:
    found = parse(body=f"ordernum={ORDER}&name=NAME&mail=a@example.com".encode())
    assert "NAME" not in repr(found)
    assert "example.com" not in repr(found)
