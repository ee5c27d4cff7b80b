from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from inventory_sync.model.ids import ItemKey, LocationKey
from inventory_sync.systems.errors import Broken, Bug, RetryLater
from inventory_sync.systems.http import HttpRequest, NoAnswer
from inventory_sync.systems.port import CellRef, Condition, LevelReading
from inventory_sync.systems.smaregi.client import SmaregiClient
from inventory_sync.systems.smaregi.reading import KEY_CALLS, LIST_PAGES
from tests.systems.smaregi.smaregi_scripted import (
    CELL,
    START,
    Answer,
    Scripted,
    answer,
    connect,
    level,
    problem,
    product,
)

JUST_NOW = START - timedelta(seconds=20)


def cell(item: int, location: str = "1") -> CellRef:
    return CellRef(ItemKey(str(item)), LocationKey(location))


class Shop:
    """Answers stock reads from a table; `listed` names the products that the list of recent changes shows."""

    def __init__(self, stock: Mapping[tuple[str, str], str], listed: range = range(0), products: bool = True) -> None:
        self.stock = dict(stock)
        self.listed = {str(number) for number in listed}
        self.products = products
        self.lists: list[dict[str, str]] = []
        self.keys: list[str] = []
        self.special: dict[str, Answer] = {}

    def __call__(self, request: HttpRequest) -> Answer:
        query = dict(parse_qsl(urlsplit(request.url).query))
        if "/products" in request.url:
            return answer([product(query["product_id"])] if self.products else [])
        rows = [level(amount, item, store) for (item, store), amount in self.stock.items()]
        if "product_id" not in query:
            self.lists.append(query)
            return self.special.get("list", answer([row for row in rows if row["productId"] in self.listed]))
        self.keys.append(query["product_id"])
        if query["product_id"] in self.special:
            return self.special[query["product_id"]]
        return answer(
            [
                row
                for row in rows
                if row["productId"] == query["product_id"] and query.get("store_id") in (None, row["storeId"])
            ]
        )


def stocked(count: int) -> dict[tuple[str, str], str]:
    return {(str(number), "1"): str(number * 10) for number in range(1, count + 1)}


def opened(shop: Shop, **changes: object) -> tuple[SmaregiClient, Scripted]:
    return connect(handler=shop, **changes)  # type: ignore[arg-type]


def numbers(readings: object) -> dict[str, int | None]:
    return {reading.cell.item: reading.quantity for reading in readings}  # type: ignore[attr-defined]


async def test_a_few_cells_are_read_by_key_in_the_order_asked() -> None:
    shop = Shop(stocked(3), listed=range(1, 4))
    client, partner = opened(shop)
    readings = await client.read([cell(3), cell(1), cell(2), cell(1)], changed_since=JUST_NOW)
    assert list(numbers(readings).items()) == [("3", 30), ("1", 10), ("2", 20)]
    assert shop.lists == []
    assert dict(parse_qsl(urlsplit(partner.requests[0].url).query))["store_id"] == "1"


async def test_many_cells_are_read_by_one_list_of_recent_changes() -> None:
    shop = Shop(stocked(50), listed=range(1, 51))
    client, partner = opened(shop)
    readings = await client.read([cell(number) for number in range(1, 41)], changed_since=JUST_NOW)
    assert numbers(readings) == {str(number): number * 10 for number in range(1, 41)}
    assert len(partner.requests) == 1
    asked = shop.lists[0]
    assert asked["upd_date_time-from"] == "2026-01-10T11:54:40+09:00"  # five minutes before the oldest mark
    assert (asked["limit"], asked["sort"]) == ("1000", "productId,storeId")


async def test_what_the_list_lacks_is_read_by_key() -> None:
    shop = Shop(stocked(8), listed=range(1, 7))
    client, _ = opened(shop)
    readings = await client.read([cell(number) for number in range(1, 9)], changed_since=JUST_NOW)
    assert numbers(readings) == {str(number): number * 10 for number in range(1, 9)}
    assert shop.keys == ["7", "8"]


@pytest.mark.parametrize("since", [None, START - timedelta(days=2)])
async def test_without_a_recent_mark_no_list_is_asked(since: object) -> None:
    shop = Shop(stocked(5), listed=range(1, 6))
    client, _ = opened(shop)
    await client.read([cell(number) for number in range(1, 6)], changed_since=since)  # type: ignore[arg-type]
    assert shop.lists == []


async def test_a_list_too_long_for_a_reading_is_cut_and_the_rest_read_by_key() -> None:
    shop = Shop(stocked(5))
    shop.special["list"] = answer([level("1", str(number)) for number in range(2001, 3001)])
    client, _ = opened(shop, reads_per_second=100)
    readings = await client.read([cell(number) for number in range(1, 6)], changed_since=JUST_NOW)
    assert [query["page"] for query in shop.lists] == [str(page) for page in range(1, LIST_PAGES + 1)]
    assert numbers(readings) == {str(number): number * 10 for number in range(1, 6)}


async def test_a_list_made_too_slowly_is_no_reading() -> None:
    shop = Shop(stocked(4), listed=range(1, 5))
    client, _ = opened(shop, latency=3.0)
    await client.read([cell(number) for number in range(1, 5)], changed_since=JUST_NOW)
    assert shop.keys == ["1", "2", "3", "4"]


async def test_a_later_page_that_fails_costs_only_itself_and_a_first_one_everything() -> None:
    full = answer([level(str(number), str(number)) for number in range(1, 1001)])
    client, _ = connect(full, problem(503))
    readings = await client.read([cell(number) for number in range(1, 5)], changed_since=JUST_NOW)
    assert numbers(readings) == {"1": 1, "2": 2, "3": 3, "4": 4}
    client, _ = connect(problem(503))
    with pytest.raises(RetryLater):
        await client.read([cell(number) for number in range(1, 5)], changed_since=JUST_NOW)


async def test_a_cell_that_never_moved_is_absent_and_never_zero() -> None:
    client, partner = opened(Shop({}))
    assert await client.read([CELL], changed_since=JUST_NOW) == [LevelReading(CELL, Condition.ABSENT, None)]
    assert len(partner.requests) == 2


@pytest.mark.parametrize(
    ("answered", "condition"),
    [
        ([], Condition.GONE),
        ([product(stockControlDivision="1")], Condition.UNTRACKED),
        ([product(division="2")], Condition.UNTRACKED),
        ([product()], Condition.ABSENT),
    ],
)
async def test_a_missing_row_says_whether_the_product_is_there_at_all(answered: object, condition: Condition) -> None:
    client, _ = connect(answer([]), answer(answered))
    assert await client.read([CELL], changed_since=None) == [LevelReading(CELL, condition, None)]


async def test_cells_of_one_product_are_read_together() -> None:
    shop = Shop({("1", "1"): "4", ("1", "3"): "6"})
    client, partner = opened(shop)
    readings = await client.read([cell(1, "1"), cell(1, "2"), cell(1, "3")], changed_since=None)
    assert [(each.cell.location, each.condition, each.quantity) for each in readings] == [
        ("1", Condition.ACTIVE, 4),
        ("2", Condition.ABSENT, None),
        ("3", Condition.ACTIVE, 6),
    ]
    assert len(partner.requests) == 2


async def test_a_full_page_of_stores_proves_no_absence() -> None:
    client, partner = connect(answer([level("1", "1", str(number)) for number in range(1, 1001)]))
    readings = await client.read([cell(1, "1"), cell(1, "2000")], changed_since=None)
    assert [each.cell.location for each in readings] == ["1"]
    assert len(partner.requests) == 1


@pytest.mark.parametrize("row", [level("5", "9"), level("5", "8000001", "9"), level("?", "9")])
async def test_an_answer_about_other_cells_is_refused(row: object) -> None:
    client, _ = connect(answer([row]))
    with pytest.raises(Bug):
        await client.read([CELL], changed_since=None)


async def test_a_product_answer_about_another_product_is_refused() -> None:
    client, _ = connect(answer([]), answer([product("9")]))
    with pytest.raises(Bug):
        await client.read([CELL], changed_since=None)


async def test_an_unreadable_number_stays_dirty_beside_those_that_were_read() -> None:
    shop = Shop({("1", "1"): "4", ("1", "2"): "x", ("2", "1"): "y", ("3", "1"): "9"})
    client, _ = opened(shop)
    readings = await client.read([cell(1, "1"), cell(1, "2"), cell(2), cell(3)], changed_since=None)
    assert [(each.cell, each.quantity) for each in readings] == [(cell(1, "1"), 4), (cell(3), 9)]
    with pytest.raises(Bug) as caught:
        await client.read([cell(2)], changed_since=None)
    assert caught.value.code == "IS-SMR-010"


async def test_an_unreadable_number_in_the_list_is_asked_by_key() -> None:
    shop = Shop(stocked(4), listed=range(1, 5))
    shop.special["list"] = answer([level("x", "1"), *(level(str(number), str(number)) for number in range(2, 5))])
    client, _ = opened(shop)
    readings = await client.read([cell(number) for number in range(1, 5)], changed_since=JUST_NOW)
    assert numbers(readings) == {"1": 10, "2": 2, "3": 3, "4": 4}


@pytest.mark.parametrize("failure", [NoAnswer("reset"), problem(503), answer(b"<html>"), problem(400)])
async def test_one_cell_that_fails_does_not_cost_the_others(failure: Answer) -> None:
    shop = Shop(stocked(3))
    shop.special["2"] = failure
    client, _ = opened(shop)
    assert numbers(await client.read([cell(1), cell(2), cell(3)], changed_since=None)) == {"1": 10, "3": 30}
    with pytest.raises((RetryLater, Bug)):
        await client.read([cell(2)], changed_since=None)


async def test_a_broken_connection_is_said_whatever_else_was_read() -> None:
    shop = Shop(stocked(3))
    shop.special["2"] = problem(403)
    client, _ = opened(shop)
    with pytest.raises(Broken):
        await client.read([cell(1), cell(2), cell(3)], changed_since=None)


async def test_reads_by_key_are_bounded_per_call() -> None:
    shop = Shop(stocked(100))
    client, _ = opened(shop, reads_per_second=1000)
    readings = await client.read([cell(number) for number in range(1, 101)], changed_since=None)
    assert len(readings) == len(shop.keys) == KEY_CALLS


@pytest.mark.parametrize("rate", [4, 10, 50])
@pytest.mark.parametrize("moved", [True, False])
async def test_every_cell_is_read_in_the_end_on_the_smallest_budget_too(rate: int, moved: bool) -> None:
    shop = Shop(stocked(12) if moved else {})
    client, partner = opened(shop, reads_per_second=rate, full=False)
    waiting = [cell(number) for number in range(1, 13)]
    for _ in range(200):
        if not waiting:
            break
        try:
            done = {reading.cell for reading in await client.read(waiting, changed_since=JUST_NOW)}
        except RetryLater as error:
            partner.clock.advance(error.after)
        else:
            waiting = [each for each in waiting if each not in done]
    assert waiting == []
