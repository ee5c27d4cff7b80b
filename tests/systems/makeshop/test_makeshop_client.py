from __future__ import annotations

import json
from datetime import timedelta

import pytest

from inventory_sync.model.ids import ItemKey
from inventory_sync.systems.errors import Broken, BrokenKind, Bug, RetryLater
from inventory_sync.systems.http import HttpRequest, HttpResponse
from inventory_sync.systems.makeshop.client import MakeShopClient
from inventory_sync.systems.makeshop.documents import UPDATE_PRODUCT, UPDATE_VARIATION
from inventory_sync.systems.port import (
    Condition,
    LevelPage,
    LevelReading,
)
from tests.systems.makeshop.makeshop_scripted import (
    MUG,
    RELATIVE,
    SHIRT,
    START,
    Scripted,
    answer,
    cell,
    connect,
    data,
    failed,
    forbidden,
    found_orders,
    patiently,
    product,
    products,
    stock,
    stock_row,
    variation,
)

SHOP = data(getShop={"shop": {"shopName": "見本の店", "shopUrl": "https://exampleshop.example.test/"}})


def next_second(partner: Scripted) -> None:
    partner.clock.advance(1.5)


# -- the connection test ---


def all_rights(request: HttpRequest) -> HttpResponse:
    query = json.loads(request.body)["query"]
    if "getShop" in query:
        return SHOP
    roots = ("searchProductQuantity", "searchProduct", "searchOrder", UPDATE_PRODUCT, UPDATE_VARIATION)
    root = next(each for each in roots if each in query)
    if root == "searchOrder":
        return data(notYet=found_orders())
    empty = {"searchProductQuantity": {"productQuantities": []}, "searchProduct": {"products": []}}
    return data(**{root: empty.get(root, {"failResult": []})})


async def test_a_connection_test_names_the_shop_and_says_what_is_still_to_do() -> None:
    client, partner = connect(handler=all_rights, webhook_secret=None)
    proven = await patiently(partner, client.verify)
    assert (proven.identity, proven.name) == ("https://exampleshop.example.test/", "見本の店")
    assert any("connection calibrate" in warning for warning in proven.warnings)
    assert any("webhook" in warning for warning in proven.warnings)
    calibrated, partner = connect(handler=all_rights, calibration=RELATIVE)
    assert (await patiently(partner, calibrated.verify)).warnings == ()


async def test_a_connection_test_keeps_the_rate_and_goes_on_where_it_was_cut_short() -> None:
    client, partner = connect(handler=all_rights)
    with pytest.raises(RetryLater):
        await client.verify()
    assert len(partner.requests) == 1
    await patiently(partner, client.verify)
    assert len(partner.requests) == 6
    assert partner.clock.now - START >= timedelta(seconds=5)


@pytest.mark.parametrize(
    "right",
    ["getShop", "searchProduct", "searchProductQuantity", "searchOrder", UPDATE_PRODUCT, UPDATE_VARIATION],
)
async def test_every_operation_that_is_not_approved_is_named_and_its_approval_is_enough(right: str) -> None:
    missing = {right}

    def handler(request: HttpRequest) -> HttpResponse:
        query = json.loads(request.body)["query"]
        return (
            failed(forbidden())
            if any(f"{each}(" in query or f"{each}{{" in query for each in missing)
            else all_rights(request)
        )

    client, partner = connect(handler=handler)
    with pytest.raises(Broken) as told:
        await patiently(partner, client.verify)
    assert told.value.kind is BrokenKind.SCOPE
    assert f": {right}" in told.value.message
    missing.clear()
    next_second(partner)
    assert (await patiently(partner, client.verify)).name == "見本の店"


async def test_the_connection_test_writes_no_row() -> None:
    client, partner = connect(handler=all_rights)
    await patiently(partner, client.verify)
    writes = [partner.variables(number) for number in range(6) if "mutation" in partner.query(number)]
    assert writes == [{"products": {"productQuantities": []}}, {"variations": {"variationQuantities": []}}]
    client, partner = connect(handler=all_rights, probe_writes=False)
    await patiently(partner, client.verify)
    assert not any("mutation" in partner.query(number) for number in range(len(partner.requests)))


async def test_a_write_without_rows_that_is_refused_for_having_none_proves_the_right_all_the_same() -> None:
    def handler(request: HttpRequest) -> HttpResponse:
        return (
            failed({"message": "must not be empty"}, status=422) if b"mutation" in request.body else all_rights(request)
        )

    client, partner = connect(handler=handler)
    assert (await patiently(partner, client.verify)).name == "見本の店"


async def test_a_shop_without_an_address_is_not_taken_for_any() -> None:
    client, partner = connect(
        handler=lambda request: (
            data(getShop={"shop": {"shopName": "x"}}) if b"getShop" in request.body else all_rights(request)
        )
    )
    with pytest.raises(Bug):
        await patiently(partner, client.verify)


async def test_the_shop_is_the_only_location() -> None:
    client, partner = connect(shop_id="exampleshop")
    (place,) = await client.locations()
    assert (place.key, place.name, place.active, place.mappable) == ("shop", "exampleshop", True, True)
    assert partner.requests == []


# -- catalogue ---


async def test_a_catalogue_ends_at_an_empty_page_and_never_at_a_short_one() -> None:
    rows = [product(f"{number:012}") for number in range(845)]

    def handler(request: HttpRequest) -> HttpResponse:
        page = json.loads(request.body)["variables"]["input"]["page"]
        return products(*rows[(page - 1) * 200 : page * 200])  # 200 rows though 1,000 were asked for

    client, partner = connect(handler=handler, page_limit=1000)
    found: list[ItemKey] = []
    cursor: str | None = None
    while True:
        page = await patiently(partner, lambda at=cursor: client.catalogue_page(at))
        found += [item.key for item in page.items]
        cursor = page.cursor
        if cursor is None:
            break
    assert found == [f"P:{number:012}" for number in range(845)]
    assert partner.variables(0)["input"] == {"page": 1, "limit": 1000}


async def test_a_catalogue_whose_pages_repeat_ends_and_lists_nothing_twice() -> None:
    client, partner = connect(handler=lambda _: products(product(), product(MUG)))
    first = await client.catalogue_page(None)
    second = await patiently(partner, lambda: client.catalogue_page(first.cursor))
    assert (len(first.items), second.items, second.cursor) == (2, (), None)


async def test_a_page_that_is_no_page_is_neither_the_end_nor_empty() -> None:
    for response in (answer(b"<html>"), data(searchProduct=None), answer({"data": None})):
        client, _ = connect(response)
        with pytest.raises((RetryLater, Bug)):
            await client.catalogue_page(None)


async def test_items_are_looked_up_by_system_code_and_what_is_not_there_is_gone() -> None:
    shirt = product(variationShowType=1, variations=[variation("A"), variation("B", two="L")])

    def handler(request: HttpRequest) -> HttpResponse:
        codes = json.loads(request.body)["variables"]["input"]["systemCodes"]
        return products(*([shirt] if SHIRT in codes else []))

    client, partner = connect(handler=handler)
    keys = [f"V:{SHIRT}:A", f"V:{SHIRT}:Z", f"P:{SHIRT}", f"P:{MUG}", MUG]
    found = await patiently(partner, lambda: client.refresh(keys))
    assert [item.key for item in found.items] == [f"V:{SHIRT}:A"]
    assert set(found.gone) == {f"V:{SHIRT}:Z", f"P:{SHIRT}", f"P:{MUG}", MUG}
    assert [partner.variables(number)["input"]["systemCodes"] for number in range(2)] == [[SHIRT, MUG], [MUG]]


async def test_a_product_looked_up_by_its_code_brings_all_its_variations() -> None:
    shirt = product(variationShowType=1, variations=[variation("A"), variation("B", two="L"), variation("")])
    client, _ = connect(products(shirt))
    found = await client.refresh([SHIRT])
    assert [item.key for item in found.items] == [f"V:{SHIRT}:A", f"V:{SHIRT}:B", f"N:{SHIRT}:3"]
    assert found.gone == ()


async def test_an_answer_about_other_products_is_not_used() -> None:
    client, _ = connect(products(product(MUG)))
    with pytest.raises(Bug):
        await client.refresh([SHIRT])


# -- levels ---


async def test_cells_are_read_by_the_system_codes_of_their_products_in_one_request() -> None:
    client, partner = connect(stock(stock_row(SHIRT, 8, A=5, B=3), stock_row(MUG, None)))
    cells = [cell(f"V:{SHIRT}:A"), cell(f"P:{MUG}"), cell(f"V:{SHIRT}:B")]
    found = await client.read(cells, changed_since=None)
    assert found == [
        LevelReading(cells[0], Condition.ACTIVE, 5),
        LevelReading(cells[1], Condition.UNTRACKED, None),
        LevelReading(cells[2], Condition.ACTIVE, 3),
    ]
    assert partner.variables()["input"] == {"page": 1, "limit": 200, "systemCodes": [SHIRT, MUG]}


async def test_a_filter_that_is_not_heeded_is_noticed() -> None:
    client, _ = connect(stock(stock_row(SHIRT), stock_row("000000000001")))
    with pytest.raises(Bug):
        await client.read([cell(f"P:{SHIRT}")], changed_since=None)


async def all_levels(client: MakeShopClient, partner: Scripted) -> list[LevelReading]:
    found: list[LevelReading] = []
    cursor: str | None = None
    for _ in range(20):
        page: LevelPage = await patiently(partner, lambda at=cursor: client.walk_levels(at))
        found += page.levels
        cursor = page.cursor
        if cursor is None:
            return found
    raise AssertionError("the walk did not end")


def small_shop(request: HttpRequest) -> HttpResponse:
    codes = [f"{number:012}" for number in range(5)]
    given = json.loads(request.body)["variables"]["input"]
    if "searchProductQuantity" in json.loads(request.body)["query"]:
        chosen = given.get("systemCodes", codes)
        page = [] if given["page"] > 3 else chosen if "systemCodes" in given else codes[2 * given["page"] - 2 :][:2]
        return stock(*(stock_row(code, int(code)) for code in page))
    return products(*(product(code, 0) for code in codes[2 * given["page"] - 2 :][:2]))


@pytest.mark.parametrize("how", ["all", "by_code"])
async def test_a_walk_lists_every_number_once_whichever_way_stock_can_be_listed(how: str) -> None:
    client, partner = connect(handler=small_shop, stock_list=how)
    found = await all_levels(client, partner)
    assert {reading.cell: reading.quantity for reading in found} == {
        cell(f"P:{number:012}"): number for number in range(5)
    }
    assert len(found) == 5
    quantities = [number for number in range(len(partner.requests)) if "Quantity" in partner.query(number)]
    assert all(("systemCodes" in partner.variables(number)["input"]) == (how == "by_code") for number in quantities)


async def test_a_walk_by_code_loses_no_product_to_a_page_that_was_cut() -> None:
    codes = [f"{number:012}" for number in range(7)]

    def handler(request: HttpRequest) -> HttpResponse:
        asked = json.loads(request.body)
        given = asked["variables"]["input"]
        if "searchProductQuantity" in asked["query"]:
            return stock(*[stock_row(code) for code in given["systemCodes"] if code != codes[4]][:3])
        return products(*(product(code) for code in codes if given["page"] == 1))

    client, partner = connect(handler=handler, stock_list="by_code")
    found = await all_levels(client, partner)
    assert sorted(reading.cell.item for reading in found) == [f"P:{code}" for code in codes if code != codes[4]]


async def test_there_is_no_list_of_changes() -> None:
    client, partner = connect()
    assert await client.changed_levels(START, START, None) == LevelPage((), None)
    assert partner.requests == []
