from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest

from inventory_sync.systems.errors import Bug, Doubt, RetryLater, Unreadable
from inventory_sync.systems.http import HttpRequest, HttpResponse, NoAnswer, NotSent
from inventory_sync.systems.makeshop.documents import UPDATE_PRODUCT, UPDATE_VARIATION
from inventory_sync.systems.port import (
    Applied,
    NotApplied,
    Rejected,
    SubscriptionReport,
)
from tests.systems.makeshop.makeshop_scripted import (
    MUG,
    RELATIVE,
    SHIRT,
    START,
    answer,
    cell,
    connect,
    data,
    failed,
    forbidden,
    found_orders,
    op,
    order,
    patiently,
    product,
    products,
)

DONE = data(updateProductQuantity={"failResult": []})


# -- orders ---


async def test_orders_of_every_delivery_state_come_in_one_request() -> None:
    client, partner = connect(
        data(
            notYet=found_orders(order("P1")),
            shipped=found_orders(order("P2", "0004", "Y")),
            cancelled=found_orders(order("P3", "0004", "C")),
            returned=found_orders(),
        )
    )
    found = await client.orders(START - timedelta(minutes=1), START, None)
    assert [(line.order, line.state.value) for line in found.lines] == [
        ("P1", "placed"),
        ("P2", "shipped"),
        ("P3", "cancelled"),
    ]
    assert found.cursor is None
    sent = partner.variables()
    assert {name: each["deliveryStatus"] for name, each in sent.items()} == {
        "notYet": "N",
        "shipped": "Y",
        "cancelled": "C",
        "returned": "R",
    }
    assert (sent["notYet"]["startOrderDate"], sent["notYet"]["endOrderDate"]) == ("20260817115900", "20260817120001")


async def test_only_the_searches_that_go_on_turn_their_pages() -> None:
    def handler(request: HttpRequest) -> HttpResponse:
        asked = json.loads(request.body)["variables"]
        rows = {1: [order("P1"), order("P2")], 2: [order("P3")]}
        return data(
            **{
                name: found_orders(*rows.get(each["page"], []), count=3) if name == "notYet" else found_orders()
                for name, each in asked.items()
            }
        )

    client, partner = connect(handler=handler)
    first = await client.orders(START, START, None)
    second = await patiently(partner, lambda: client.orders(START, START, first.cursor))
    assert [line.order for line in (*first.lines, *second.lines)] == ["P1", "P2", "P3"]
    assert second.cursor is None
    assert set(partner.variables()) == {"notYet"}
    assert partner.variables()["notYet"]["page"] == 2


async def test_the_states_may_be_searched_one_after_the_other() -> None:
    def handler(request: HttpRequest) -> HttpResponse:
        ((name, asked),) = json.loads(request.body)["variables"].items()
        rows = {("notYet", 1): ["P1"], ("notYet", 2): ["P2"], ("cancelled", 1): ["P3"]}.get((name, asked["page"]), [])
        return data(**{name: found_orders(*map(order, rows), count=2 if name == "notYet" else len(rows))})

    client, partner = connect(handler=handler, orders_at_once=False)
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(5):
        page = await patiently(partner, lambda at=cursor: client.orders(START, START, at))
        seen += [line.order for line in page.lines]
        cursor = page.cursor
    assert (seen, cursor) == (["P1", "P2", "P3"], None)


async def test_orders_may_be_searched_without_a_delivery_state() -> None:
    client, partner = connect(data(any=found_orders(order("P1"))), order_filter="none", order_page_size=50)
    assert len((await client.orders(START, START, None)).lines) == 1
    assert "deliveryStatus" not in partner.variables()["any"]
    assert partner.variables()["any"]["limit"] == 50


async def test_a_provisional_order_is_told_by_the_payment_codes_of_the_settings() -> None:
    client, _ = connect(
        data(any=found_orders(order("P1", "5555"))), order_filter="none", provisional_payment_codes=["5555"]
    )
    (line,) = (await client.orders(START, START, None)).lines
    assert line.state.value == "provisional"


# -- writes ---


async def test_a_write_is_sent_to_the_byte_as_it_was_composed() -> None:
    client, partner = connect(DONE)
    ops = [op(f"P:{SHIRT}", -2, 6)]
    prepared = client.compose(ops, "key")
    assert await client.send(prepared, ops) == {"op1": Applied()}
    assert partner.requests[-1].body == prepared.body
    assert partner.requests[-1].url == "https://app-api.makeshop.jp/v1/graphql"


async def test_the_calibration_decides_how_a_write_is_composed() -> None:
    ops = [op(f"P:{SHIRT}", -2, 6)]
    for calibration, code, number in (({}, 0, 6), (RELATIVE, 1, -2), ({"absolute_type": "1"}, 1, 6)):
        client, _ = connect(calibration=calibration)
        (row,) = json.loads(client.compose(ops, "key").body)["variables"]["products"]["productQuantities"]
        assert (row["quantityCalculationType"], row["quantity"]) == (code, number)


async def test_one_failed_row_leaves_its_neighbours_carried_out() -> None:
    ops = [op(f"P:{MUG}", -1, 4, 1), op(f"V:{SHIRT}:A", -1, 3, 2), op(f"V:{SHIRT}:B", -1, 3, 3)]
    failure = {"systemCode": SHIRT, "variationCustomCode": "B", "message": "該当するバリエーションが存在しません"}
    client, _ = connect(
        data(updateProductQuantity={"failResult": []}, updateVariationQuantity={"failResult": [failure]})
    )
    found = await client.send(client.compose(ops, "key"), ops)
    assert isinstance(found, dict)
    assert (found["op1"], found["op2"]) == (Applied(), Applied())
    assert isinstance(found["op3"], Rejected)


async def test_a_batch_of_which_one_part_is_not_approved_is_carried_out_in_the_other() -> None:
    ops = [op(f"P:{MUG}", -1, 4, 1), op(f"V:{SHIRT}:A", -1, 3, 2)]
    content = {UPDATE_PRODUCT: {"failResult": []}, UPDATE_VARIATION: None}
    client, _ = connect(failed(forbidden(UPDATE_VARIATION), content=content))
    found = await client.send(client.compose(ops, "key"), ops)
    assert isinstance(found, dict)
    assert found["op1"] == Applied()
    assert isinstance(found["op2"], NotApplied)


@pytest.mark.parametrize(
    "response", [NoAnswer("reset"), answer(b"<html>", 502), answer(b"<html>"), data(updateProductQuantity={})]
)
async def test_a_write_whose_answer_says_nothing_is_in_doubt(response: HttpResponse | Exception) -> None:
    client, _ = connect(response)
    ops = [op(f"P:{SHIRT}", -2, 6)]
    with pytest.raises(Doubt):
        await client.send(client.compose(ops, "key"), ops)


async def test_a_write_that_never_left_or_was_throttled_was_not_carried_out() -> None:
    ops = [op(f"P:{SHIRT}", -2, 6)]
    for response in (NotSent("no route"), answer({}, 429, retry_after="30")):
        client, _ = connect(response)
        with pytest.raises(RetryLater) as told:
            await client.send(client.compose(ops, "key"), ops)
        assert told.value.executed is False


async def test_after_a_throttle_nothing_leaves_before_its_time() -> None:
    client, partner = connect(answer({}, 429, retry_after="30"))
    with pytest.raises(RetryLater):
        await client.catalogue_page(None)
    assert client.budget.wait("orders", partner.clock.now) == pytest.approx(30.0)


async def test_the_group_of_a_cell_is_the_operation_that_writes_it() -> None:
    client, _ = connect()
    assert client.write_group(cell(f"P:{SHIRT}")) == client.write_group(cell(f"P:{MUG}"))
    assert client.write_group(cell(f"V:{SHIRT}:A")) != client.write_group(cell(f"P:{SHIRT}"))


async def test_nothing_is_switched_on_and_there_is_no_history_and_nothing_to_subscribe_to() -> None:
    client, partner = connect()
    with pytest.raises(Bug):
        client.compose_activation(cell(f"P:{SHIRT}"), "key")
    with pytest.raises(Unreadable):
        await client.history(cell(f"P:{SHIRT}"), START)
    assert await client.ensure_subscriptions("https://here.example.test/") == SubscriptionReport()
    assert partner.requests == []


# -- pace ---


async def test_a_new_client_sends_nothing_before_its_first_second() -> None:
    client, partner = connect(products(), full=False)
    with pytest.raises(RetryLater) as told:
        await client.catalogue_page(None)
    assert (told.value.after, told.value.executed, partner.requests) == (pytest.approx(1.0), False, [])
    partner.clock.advance(1.0)
    await client.catalogue_page(None)
    assert len(partner.requests) == 1


async def test_every_request_carries_the_time_it_was_sent_at() -> None:
    client, partner = connect(products(product()), products())
    first = await client.catalogue_page(None)
    partner.clock.advance(7200)
    await client.catalogue_page(first.cursor)
    stamps = [int(request.headers["x-timestamp"]) for request in partner.requests]
    assert stamps[1] - stamps[0] == 7200


async def test_calls_of_several_tasks_never_overlap() -> None:
    client, partner = connect(products(product()))
    ops = [op(f"P:{SHIRT}", -2, 6)]
    asked = [
        client.catalogue_page(None),
        client.orders(START, START, None),
        client.send(client.compose(ops, "key"), ops),
    ]
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert len(partner.requests) == 1
    assert sum(isinstance(each, RetryLater) for each in results) == 2
