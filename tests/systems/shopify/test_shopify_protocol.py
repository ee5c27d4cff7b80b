from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.model.ids import ItemKey, LocationKey
from inventory_sync.systems.errors import Bug
from inventory_sync.systems.port import Condition, LevelReading, PlannedOp, PreparedRequest
from inventory_sync.systems.shopify import documents, protocol, shapes
from inventory_sync.systems.shopify.classify import UnexpectedAnswer
from inventory_sync.systems.shopify.cursors import ChangesCursor, ListCursor, read_changes, read_list, write
from tests.systems.shopify.shopify_support import ANNEX, ITEM, OTHER, PLACE, cell, item_node, level, op, page, variant

KEY = "0f5d7c3e-6f0b-4a52-9b8a-0d1b7a7f6f11"


def compose(*ops: PlannedOp) -> PreparedRequest:
    return protocol.compose_adjustment(ops, KEY, "demo", "2026-10")


def test_an_adjustment_is_these_bytes_and_no_others() -> None:
    prepared = compose(op("a", -3), op("b", -1, OTHER))
    query = orjson.dumps(documents.ADJUST.text)
    expected = (
        b'{"query":' + query + b',"variables":{"input":{"name":"available","reason":"correction",'
        b'"referenceDocumentUri":"gid://inventory-sync/Push/demo-0f5d7c3e-6f0b-4a52-9b8a-0d1b7a7f6f11","changes":['
        b'{"inventoryItemId":"gid://shopify/InventoryItem/53214089609522",'
        b'"locationId":"gid://shopify/Location/106318430514","delta":-3,"changeFromQuantity":null},'
        b'{"inventoryItemId":"gid://shopify/InventoryItem/53469430055218",'
        b'"locationId":"gid://shopify/Location/106318430514","delta":-1,"changeFromQuantity":null}]},'
        b'"key":"0f5d7c3e-6f0b-4a52-9b8a-0d1b7a7f6f11"},"operationName":"AdjustQuantities"}'
    )
    assert prepared == PreparedRequest("POST", "/admin/api/2026-10/graphql.json", expected, KEY, "2026-10")


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=250), st.sampled_from([1, -1]))
def test_the_same_ops_make_the_same_bytes_and_every_row_carries_the_null(deltas: list[int], sign: int) -> None:
    ops = [op(f"o{n}", sign * delta, f"gid://shopify/InventoryItem/{n}") for n, delta in enumerate(deltas)]
    prepared = compose(*ops)
    assert prepared == compose(*list(ops))
    rows = orjson.loads(prepared.body)["variables"]["input"]["changes"]
    assert [row["delta"] for row in rows] == [each.delta for each in ops]
    assert all("changeFromQuantity" in row and row["changeFromQuantity"] is None for row in rows)


@pytest.mark.parametrize(
    "ops",
    [
        (),
        tuple(op(f"o{n}", 1, f"gid://shopify/InventoryItem/{n}") for n in range(251)),
        (op("a", 1), op("b", -1, OTHER)),
        (op("a", 0),),
        (op("a", 1), op("b", 2)),
    ],
    ids=["empty", "too long", "two signs", "nothing", "a cell twice"],
)
def test_a_batch_against_the_rules_is_never_composed(ops: tuple[PlannedOp, ...]) -> None:
    with pytest.raises(Bug) as caught:
        compose(*ops)
    assert caught.value.code == "IS-SHP-036"


def test_an_activation_names_no_quantity() -> None:
    prepared = protocol.compose_activation(cell(), KEY, "2026-07")
    body = orjson.loads(prepared.body)
    assert prepared.path == "/admin/api/2026-07/graphql.json"
    assert body["variables"] == {"inventoryItemId": ITEM, "locationId": PLACE, "key": KEY}
    assert "available:" not in body["query"]
    assert "onHand" not in body["query"]


def test_a_stored_request_says_which_write_it_is() -> None:
    assert protocol.prepared_document(compose(op("a", 1))) is documents.ADJUST
    assert protocol.prepared_document(protocol.compose_activation(cell(), KEY, "2026-10")) is documents.ACTIVATE


@pytest.mark.parametrize("body", [b"", b"[]", b'{"operationName":"ReadLevels"}', b"{}"])
def test_a_stored_request_of_another_kind_is_not_sent(body: bytes) -> None:
    with pytest.raises(Bug):
        protocol.prepared_document(PreparedRequest("POST", "/x", body, KEY, "2026-10"))


def test_a_request_carries_token_and_type_and_goes_to_the_shop() -> None:
    request = protocol.request("https://demo-jp.myshopify.com", "/admin/x", "shpat_1", b"{}", 10)
    assert (request.method, request.url) == ("POST", "https://demo-jp.myshopify.com/admin/x")
    assert request.headers == {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "X-Shopify-Access-Token": "shpat_1",
    }


RECORDED_READ = orjson.loads(
    '{"nodes":[{"__typename":"InventoryItem","id":"gid://shopify/InventoryItem/53214089609522","sku":"TS-RED-M",'
    '"tracked":true,"updatedAt":"2026-11-20T02:11:09Z","inventoryLevels":{"nodes":['
    '{"id":"gid://shopify/InventoryLevel/143273001266?inventory_item_id=53214089609522","isActive":true,'
    '"updatedAt":"2026-11-21T05:03:12Z","location":{"id":"gid://shopify/Location/106318430514"},"quantities":['
    '{"name":"available","quantity":5,"updatedAt":"2026-11-21T05:03:12Z"},{"name":"on_hand","quantity":7,"updatedAt":null},'
    '{"name":"committed","quantity":2,"updatedAt":"2026-11-21T05:01:40Z"},{"name":"incoming","quantity":0,"updatedAt":null}]},'
    '{"id":"gid://shopify/InventoryLevel/143273034034?inventory_item_id=53214089609522","isActive":false,'
    '"updatedAt":"2026-11-02T00:00:00Z","location":{"id":"gid://shopify/Location/106318463282"},"quantities":['
    '{"name":"available","quantity":7,"updatedAt":"2026-10-01T09:33:02Z"}]}],'
    '"pageInfo":{"hasNextPage":false,"endCursor":"eyJsYXN0X2lkIjo1Njc3NjU1NjU0NDMwNn0="}}},null]}'
)
GONE = "gid://shopify/InventoryItem/999999999999"


def test_the_recorded_read_gives_every_condition_its_cell() -> None:
    first, second = protocol.read_nodes(RECORDED_READ, [ITEM, GONE])
    elsewhere = LocationKey("gid://shopify/Location/1")
    wanted = [LocationKey(PLACE), LocationKey(ANNEX), elsewhere]
    readings, cut = protocol.settle_cells(ItemKey(ITEM), wanted, first)
    assert readings == [
        LevelReading(cell(), Condition.ACTIVE, 5, datetime(2026, 11, 21, 5, 3, 12, tzinfo=UTC), committed=2),
        LevelReading(cell(location=ANNEX), Condition.INACTIVE, None, datetime(2026, 10, 1, 9, 33, 2, tzinfo=UTC)),
        LevelReading(cell(location=elsewhere), Condition.ABSENT, None),
    ]
    assert cut is None
    gone, _ = protocol.settle_cells(ItemKey(GONE), wanted[:1], second)
    assert gone == [LevelReading(cell(GONE), Condition.GONE, None)]


def test_an_untracked_item_has_no_reading_at_any_location() -> None:
    node = item_node(ITEM, [level(5)], after="more", tracked=False)
    readings, cut = protocol.settle_cells(ItemKey(ITEM), [LocationKey(PLACE), LocationKey(ANNEX)], node)
    assert {(each.condition, each.quantity) for each in readings} == {(Condition.UNTRACKED, None)}
    assert cut is None


def test_levels_of_an_untracked_item_carry_no_number_in_a_list_either() -> None:
    found = protocol.read_item_levels(item_node(ITEM, [level(5)], tracked=False))
    assert found.levels[LocationKey(PLACE)] == LevelReading(cell(), Condition.UNTRACKED, None)


def test_a_cell_missing_from_a_cut_list_is_not_absent() -> None:
    node = item_node(ITEM, [level(5)], after="more")
    readings, cut = protocol.settle_cells(ItemKey(ITEM), [LocationKey(PLACE), LocationKey(ANNEX)], node)
    assert [each.quantity for each in readings] == [5]
    assert cut is not None
    assert cut.after == "more"
    _, nothing_missing = protocol.settle_cells(ItemKey(ITEM), [LocationKey(PLACE)], node)
    assert nothing_missing is None


def test_a_level_without_its_number_is_no_reading_and_not_absent() -> None:
    readings, cut = protocol.settle_cells(ItemKey(ITEM), [LocationKey(PLACE)], item_node(ITEM, [level(None)]))
    assert (readings, cut) == ([], None)


def test_an_inactive_level_without_a_number_is_inactive() -> None:
    readings, _ = protocol.settle_cells(
        ItemKey(ITEM), [LocationKey(PLACE)], item_node(ITEM, [level(None, active=False)])
    )
    assert readings == [LevelReading(cell(), Condition.INACTIVE, None)]


def test_a_number_below_zero_is_a_number_and_a_missing_stamp_is_none() -> None:
    found = protocol.read_item_levels(item_node(ITEM, [level(-10, at=None)]))
    assert found.levels[LocationKey(PLACE)] == LevelReading(cell(), Condition.ACTIVE, -10)


@pytest.mark.parametrize(
    ("nodes", "asked"),
    [([None], [ITEM, OTHER]), ([{"id": OTHER}, {"id": ITEM}], [ITEM, OTHER]), ("no list", [ITEM])],
)
def test_nodes_in_another_order_or_number_are_not_taken_for_deletions(nodes: Any, asked: list[str]) -> None:
    with pytest.raises(UnexpectedAnswer):
        protocol.read_nodes({"nodes": nodes}, asked)


@pytest.mark.parametrize("quantity", ["5", True, None, 1.5])
def test_a_quantity_that_is_no_integer_is_not_read(quantity: object) -> None:
    node = level(1)
    node["quantities"][0]["quantity"] = quantity
    with pytest.raises(UnexpectedAnswer):
        protocol.read_item_levels(item_node(ITEM, [node]))


@pytest.mark.parametrize("data", [{}, {"location": {"id": PLACE}}])
def test_changed_levels_in_another_shape_are_not_taken_for_none(data: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedAnswer):
        protocol.read_changed(data)


def test_changed_levels_of_a_location_that_is_gone_are_none() -> None:
    assert protocol.read_changed({"location": None}) == ([], None)


def test_changed_levels_name_their_items() -> None:
    changed = {**level(3), "item": {"id": OTHER, "tracked": True}}
    unread = {**level(None), "item": {"id": ITEM, "tracked": True}}
    found, after = protocol.read_changed({"location": {"id": PLACE, "inventoryLevels": page([changed, unread], "c")}})
    assert [(each.cell, each.quantity) for each in found] == [(cell(OTHER), 3)]
    assert after == "c"


def location(**changes: object) -> dict[str, object]:
    base = {"id": PLACE, "name": "Shop", "isActive": True, "isFulfillmentService": False, "fulfillmentService": None}
    return base | changes


def test_locations_that_cannot_be_paired_say_why() -> None:
    service = {"id": "gid://shopify/FulfillmentService/1", "serviceName": "Acme"}
    nodes = [
        location(),
        location(isActive=False),
        location(isFulfillmentService=True, fulfillmentService=service),
        location(isFulfillmentService=True),
    ]
    found, after = protocol.read_locations({"locations": page(nodes)})
    assert [each.mappable for each in found] == [True, False, False, False]
    assert found[0].note == ""
    assert "deactivated" in found[1].note
    assert "Acme" in found[2].note
    assert "of another company" in found[3].note
    assert after is None


def test_a_variant_becomes_an_item_with_exact_codes() -> None:
    found = protocol.read_variant(variant(node := item_node(ITEM, []) | {"sku": " ts-ｒed "}), node)
    assert found.codes == {"sku": " ts-ｒed ", "barcode": "4901234567894"}
    assert (found.key, found.name, found.tracked, found.bundle) == (ITEM, "Red shirt / M", True, False)
    assert (found.status, found.group) == ("ACTIVE", "gid://shopify/Product/9")


@pytest.mark.parametrize("empty", [None, ""])
def test_empty_codes_are_left_out_and_a_single_variant_has_its_products_name(empty: str | None) -> None:
    node = item_node(ITEM, []) | {"sku": empty}
    found = protocol.read_variant(variant(node, sku=empty, barcode=empty, title="Default Title"), node)
    assert (found.codes, found.name) == ({}, "Red shirt")


def test_gift_cards_and_untracked_items_are_untracked_and_bundles_are_marked() -> None:
    node = item_node(ITEM, [])
    product = {"id": "gid://shopify/Product/9", "title": "Card", "status": "ACTIVE", "isGiftCard": True}
    assert protocol.read_variant(variant(node, product=product), node).tracked is False
    untracked = item_node(ITEM, [], tracked=False)
    assert protocol.read_variant(variant(untracked), untracked).tracked is False
    assert protocol.read_variant(variant(node, requiresComponents=True), node).bundle is True


def test_two_variants_of_one_item_are_one_item() -> None:
    node = item_node(ITEM, [level(5)])
    items, levels, numbers, _ = protocol.read_variants({"productVariants": page([variant(node, 1), variant(node, 2)])})
    assert [each.key for each in items] == [ITEM]
    assert len(levels) == 1
    assert numbers == [1, 2]


def test_an_item_without_a_variant_is_known_by_its_sku() -> None:
    node = {"id": ITEM, "sku": "A-1", "tracked": True, "variants": page([])}
    assert (protocol.read_lone_item(node).codes, protocol.read_lone_item(node).group) == ({"sku": "A-1"}, "")
    bare = protocol.read_lone_item({"id": ITEM, "sku": None, "tracked": False, "variants": None})
    assert (bare.codes, bare.name, bare.tracked) == ({}, "", False)


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (shapes.obj, []),
        (shapes.items, {}),
        (shapes.objects, [1]),
        (shapes.text, None),
        (shapes.flag, 1),
        (shapes.whole, True),
        (shapes.whole, "1.5"),
        (shapes.next_page, {"pageInfo": {"hasNextPage": True, "endCursor": None}}),
    ],
)
def test_what_has_another_type_is_not_converted(read: Any, value: object) -> None:
    with pytest.raises(UnexpectedAnswer):
        read(value)


def test_whole_numbers_beyond_53_bits_keep_every_digit() -> None:
    assert shapes.whole("9223372036854775807") == shapes.whole(9223372036854775807) == 2**63 - 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21T05:03:12Z", datetime(2026, 11, 21, 5, 3, 12, tzinfo=UTC)),
        ("2026-11-21T14:03:12+09:00", datetime(2026, 11, 21, 5, 3, 12, tzinfo=UTC)),
        ("2026-11-21T05:03:12.516267807Z", datetime(2026, 11, 21, 5, 3, 12, 516267, tzinfo=UTC)),
        ("2026-11-21T05:03:12", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_times_are_read_with_their_zone_or_not_at_all(text: str | None, expected: datetime | None) -> None:
    assert shapes.moment(text) == expected


def test_a_list_goes_on_page_by_page_until_shortly_before_shopify_ends_it() -> None:
    place: ListCursor | None = ListCursor()
    pages, number = 0, 0
    while place is not None and place.floor == 0:
        ids = list(range(number + 1, number + 251))
        number += 250
        pages += 1
        place = place.behind(ids, f"c{pages}")
    assert (pages, number) == (99, 24_750)
    assert place == ListCursor(floor=24_751, top=24_750)
    assert place.query == "id:>=24751"
    assert place.behind([24_751, 24_752], None) is None


def test_a_page_outside_its_window_shows_that_the_filter_was_ignored() -> None:
    with pytest.raises(Bug):
        ListCursor(floor=24_751, top=24_750).behind([1, 2], "c")


@pytest.mark.parametrize("ids", [[5, 3], [1, 2]])
def test_a_long_list_out_of_order_is_refused_where_a_window_would_have_to_follow(ids: list[int]) -> None:
    place = ListCursor(pages=97, top=4).behind(ids, "c")
    assert place is not None
    assert place.ordered is False
    with pytest.raises(Bug):
        place.behind([9], "d")
    assert place.behind([9], None) is None


def test_an_empty_page_changes_no_place() -> None:
    assert ListCursor(top=7).behind([], "c") == ListCursor("c", 1, 0, 7)


def test_cursors_survive_being_written() -> None:
    place = ListCursor("abc", 3, 10, 700, False)
    assert read_list(write(place)) == place
    assert read_list(None) == ListCursor()
    for changes in (ChangesCursor((PLACE, ANNEX), "x", 2), ChangesCursor(walk=place)):
        assert read_changes(write(changes) or "") == changes
    assert write(None) is None


@pytest.mark.parametrize("written", ["", "{", "[]", '{"locations":1}', '{"odd":1}', "null"])
def test_a_cursor_that_is_not_ours_is_refused(written: str) -> None:
    with pytest.raises(Bug):
        read_changes(written)
    with pytest.raises(Bug):
        read_list(written)


def test_changes_go_from_location_to_location_and_turn_into_a_walk_where_a_list_would_end() -> None:
    place = ChangesCursor((PLACE, ANNEX))
    assert place.behind("c") == ChangesCursor((PLACE, ANNEX), "c", 1)
    assert place.behind(None) == ChangesCursor((ANNEX,))
    assert ChangesCursor((ANNEX,)).behind(None) is None
    assert ChangesCursor((PLACE,), "c", 98).behind("d") == ChangesCursor(walk=ListCursor())
