"""The simulated Smaregi accepts bulk writes, carries them out later and calls back, in every way a switch allows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from inventory_sync.sandbox.smaregi import SmaregiSimulator
from tests.sandbox.smaregi_support import Answer, Caller, after, contract_with

URL = "https://sync.example.jp/callbacks/smaregi/pos/t?request=1"


def row(product: str, amount: int = -3, memo: str = "is:1", store: str = "1") -> dict[str, Any]:
    return {"productId": product, "storeId": store, "stockAmount": str(amount), "stockHistory": {"memo": memo}}


def send(simulator: SmaregiSimulator, *rows: dict[str, Any], url: object = URL) -> Answer:
    body = {"stock": list(rows), "callbackUrl": url}
    return Caller(simulator).call("POST", "/stock/add/bulk", after(0), body=body)


def test_an_accepted_write_is_carried_out_later_and_told_once() -> None:
    simulator, [first, second] = contract_with(10, 20)
    answer = send(simulator, row(first), row(second, 5, "is:2"))
    assert (answer.status, answer.body["callbackUrl"]) == (202, URL)
    assert simulator.advance(after(1)) == []
    assert (simulator.stock(first, "1"), simulator.stock(second, "1")) == (10, 20)
    assert simulator.next_due() == after(1.5)
    assert simulator.advance(after(1.5)) == []
    assert (simulator.stock(first, "1"), simulator.stock(second, "1")) == (7, 25)
    [delivery] = simulator.advance(after(2))
    assert (delivery.url, delivery.headers["content-type"]) == (URL, "application/json;charset=UTF-8")
    told = json.loads(delivery.body)
    assert {each["requestId"] for each in told} == {answer.body["requestId"]}
    assert [each["status"] for each in told] == ["success", "success"]
    [history] = Caller(simulator).history(first, after(3))
    assert (history["memo"], history["amount"], history["id"]) == ("is:1", "-3", told[0]["stockHistoryId"])
    simulator.delivered(delivery, 200, after(3))
    assert simulator.log.requests["callback.200"] == 1
    assert simulator.log.violations == []
    assert simulator.next_due() is None


@pytest.mark.parametrize(("how", "times"), [("once", 1), ("twice", 2), ("never", 0)])
def test_the_callback_comes_as_often_as_the_switch_says(how: str, times: int) -> None:
    simulator, [product] = contract_with(10, bulk_callback=how)
    send(simulator, row(product))
    simulator.advance(after(1.5))
    assert len(simulator.advance(after(10))) == times
    assert simulator.stock(product, "1") == 7


def test_the_callback_may_come_before_anything_was_done() -> None:
    simulator, [product] = contract_with(10, bulk_callback_first=True, bulk_callback_delay=0.0)
    send(simulator, row(product))
    assert len(simulator.advance(after(0))) == 1
    assert simulator.stock(product, "1") == 10


@pytest.mark.parametrize(
    ("body", "told"), [("empty", None), ("object", {"requestId": 123456}), ("brief", [{"requestId": 123456}])]
)
def test_the_callback_may_say_less(body: str, told: object) -> None:
    simulator, [product] = contract_with(10, bulk_callback_body=body)
    send(simulator, row(product))
    simulator.advance(after(1.5))
    [delivery] = simulator.advance(after(5))
    assert (json.loads(delivery.body) if delivery.body else None) == told


def test_a_row_that_fails_is_left_out_and_the_others_are_done() -> None:
    simulator, [first, second] = contract_with(10, 10)
    send(simulator, row(first), row(second, store="9"), row("7999999"))
    simulator.advance(after(1.5))
    [delivery] = simulator.advance(after(5))
    assert [each["status"] for each in json.loads(delivery.body)] == ["success", "error", "error"]
    assert (simulator.stock(first, "1"), simulator.stock(second, "1")) == (7, 10)


def test_a_row_that_fails_may_have_the_whole_request_refused() -> None:
    simulator, [first] = contract_with(10, bulk_bad_row="refused")
    assert send(simulator, row(first), row("7999999")).status == 404
    simulator.advance(after(5))
    assert simulator.stock(first, "1") == 10


@pytest.mark.parametrize(
    ("rows", "url", "rule"),
    [
        ([row("8000001", 1)] * 101, URL, "bulk_size"),
        ([row("8000001", 0)], URL, "bulk_zero"),
        ([row("8000001", 2_000_000_000)], URL, "stock_range"),
        ([row("8000001", 1, "m" * 101)], URL, "memo_length"),
        ([row("8000001", 1)], "ftp://sync.example.jp", "callback_url"),
        ([row("8000001", 1)], "https://sync.example.jp/" + "a" * 500, "callback_url"),
        ([row("8000001", 1)], None, "callback_url"),
    ],
)
def test_a_write_over_a_documented_limit_is_refused_and_counted(rows: list[Any], url: object, rule: str) -> None:
    simulator, _ = contract_with(10)
    assert send(simulator, *rows, url=url).status == 400
    assert [violation.rule for violation in simulator.log.violations] == [rule]
    assert simulator.next_due() is None
