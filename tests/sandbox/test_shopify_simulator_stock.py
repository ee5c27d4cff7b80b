"""Stock reads and writes of the Shopify simulator, against answers recorded from live shops."""

from __future__ import annotations

import pytest

from inventory_sync.sandbox.shopify import BatchMode, InactiveWrite, MissingLevelWrite, ShopifySwitches
from tests.sandbox.shopify_support import NAMES, ShopUnderTest

UNKNOWN_ITEM = "gid://shopify/InventoryItem/999999999999"
UNKNOWN_LOCATION = "gid://shopify/Location/999999999999"


@pytest.fixture
def shop() -> ShopUnderTest:
    return ShopUnderTest()


def test_a_set_answers_as_recorded(shop: ShopUnderTest) -> None:
    shop.simulator.adjust_by_person(shop.item, shop.location, -10, shop.now)
    row = {"inventoryItemId": shop.item, "locationId": shop.location, "quantity": 5, "changeFromQuantity": 0}
    given = {"name": "available", "reason": "correction", "referenceDocumentUri": "gid://a/b/1", "quantities": [row]}
    answer = shop.run("09", input=given, key="k")
    group = answer["data"]["inventorySetQuantities"]["inventoryAdjustmentGroup"]
    line = {"delta": 5, "quantityAfterChange": None, "item": {"id": shop.item}, "location": {"id": shop.location}}
    assert group["changes"] == [{"name": "available"} | line, {"name": "on_hand"} | line]
    assert group["createdAt"] == "2026-11-21T05:03:12Z"
    assert group["reason"] == "correction"
    assert group["referenceDocumentUri"] == "gid://a/b/1"
    assert answer["data"]["inventorySetQuantities"]["userErrors"] == []
    assert answer["extensions"]["cost"]["requestedQueryCost"] == 13
    assert answer["extensions"]["cost"]["actualQueryCost"] == 13


def test_a_write_that_changes_nothing_answers_with_no_group_and_no_error(shop: ShopUnderTest) -> None:
    assert shop.set({"quantity": 10}) == {"inventoryAdjustmentGroup": None, "userErrors": []}
    assert shop.adjust(0) == {"inventoryAdjustmentGroup": None, "userErrors": []}


def test_a_stale_compare_value_changes_nothing(shop: ShopUnderTest) -> None:
    payload = shop.set({"quantity": 3, "changeFromQuantity": 9})
    assert payload["inventoryAdjustmentGroup"] is None
    [error] = payload["userErrors"]
    assert error["code"] == "CHANGE_FROM_QUANTITY_STALE"
    assert error["field"] == ["input", "quantities", "0", "changeFromQuantity"]
    assert error["message"] == "The changeFromQuantity argument no longer matches the persisted quantity."
    assert shop.shown() == 10
    assert shop.simulator.log.changes == []


def test_a_stale_row_can_be_left_unnamed() -> None:
    shop = ShopUnderTest(ShopifySwitches(stale_field_named=False))
    assert shop.adjust(1, changeFromQuantity=4)["userErrors"][0]["field"] is None


def test_setting_on_hand_moves_available_by_the_same_amount(shop: ShopUnderTest) -> None:
    shop.simulator.sell(shop.item, shop.location, 2, shop.now)
    payload = shop.set({"quantity": 12, "changeFromQuantity": 10}, name="on_hand")
    assert [line["delta"] for line in payload["inventoryAdjustmentGroup"]["changes"]] == [2, 2]
    assert (shop.shown(), shop.shown(name="committed"), shop.shown(name="on_hand")) == (10, 2, 12)


@pytest.mark.parametrize(
    ("row", "given", "field", "code", "message"),
    [
        (
            {"inventoryItemId": UNKNOWN_ITEM},
            {},
            ["input", "quantities", "0", "inventoryItemId"],
            "INVALID_INVENTORY_ITEM",
            "The specified inventory item could not be found.",
        ),
        (
            {"locationId": UNKNOWN_LOCATION},
            {},
            ["input", "quantities", "0", "locationId"],
            "INVALID_LOCATION",
            "The specified location could not be found.",
        ),
        (
            {"quantity": 1_000_000_001},
            {},
            ["input", "quantities", "0", "quantity"],
            "INVALID_QUANTITY_TOO_HIGH",
            "The quantity can't be higher than 1,000,000,000.",
        ),
        (
            {"quantity": -1_000_000_001},
            {},
            ["input", "quantities", "0", "quantity"],
            "INVALID_QUANTITY_TOO_LOW",
            "The quantity can't be lower than -1,000,000,000.",
        ),
        (
            {"quantity": -1},
            {"name": "on_hand"},
            ["input", "quantities", "0", "quantity"],
            "INVALID_QUANTITY_NEGATIVE",
            "The quantity can't be negative.",
        ),
        (
            {},
            {"name": "committed"},
            ["input", "name"],
            "INVALID_NAME",
            "The quantity name must be either 'available' or 'on_hand'.",
        ),
        (
            {},
            {"reason": "not_a_reason"},
            ["input", "reason"],
            "INVALID_REASON",
            "The specified reason is invalid. Valid values are: correction, cycle_count_available, damaged, "
            "movement_canceled, movement_created, movement_received, movement_updated, other, promotion, "
            "quality_control, received, reservation_created, reservation_deleted, reservation_updated, restock, "
            "safety_stock, shrinkage.",
        ),
    ],
)
def test_a_refused_set_is_told_as_recorded(
    shop: ShopUnderTest, row: dict[str, object], given: dict[str, str], field: list[str], code: str, message: str
) -> None:
    payload = shop.set({"quantity": 3} | row, **given)
    expected = [{"field": field, "message": message, "code": code}]
    assert payload == {"inventoryAdjustmentGroup": None, "userErrors": expected}


def test_an_unknown_item_and_location_are_both_told(shop: ShopUnderTest) -> None:
    payload = shop.adjust(1, inventoryItemId=UNKNOWN_ITEM, locationId=UNKNOWN_LOCATION)
    assert [error["code"] for error in payload["userErrors"]] == ["INVALID_INVENTORY_ITEM", "INVALID_LOCATION"]


def test_the_same_cell_twice_in_a_set_is_refused_on_both_rows(shop: ShopUnderTest) -> None:
    errors = shop.set({"quantity": 3}, {"quantity": 4})["userErrors"]
    assert [error["field"] for error in errors] == [["input", "quantities", str(n), "locationId"] for n in (0, 1)]
    assert {error["code"] for error in errors} == {"NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"}
    assert {error["message"] for error in errors} == {
        "The combination of inventoryItemId and locationId must be unique."
    }


@pytest.mark.parametrize("name", ["on_hand", "committed"])
def test_on_hand_and_committed_cannot_be_adjusted(shop: ShopUnderTest, name: str) -> None:
    change = {"inventoryItemId": shop.item, "locationId": shop.location, "delta": 1, "changeFromQuantity": None}
    given = {"name": name, "reason": "correction", "changes": [change]}
    [error] = shop.run("08", input=given, key="k")["data"]["inventoryAdjustQuantities"]["userErrors"]
    names = "available, damaged, incoming, quality_control, reserved, safety_stock"
    assert error["message"] == f"The specified quantity name is invalid. Valid values are: {names}."
    assert error["field"] == ["input", "name"]


def test_other_states_need_a_ledger_document_and_move_on_hand(shop: ShopUnderTest) -> None:
    def adjust(name: str, ledger: str | None) -> dict[str, object]:
        change = {"inventoryItemId": shop.item, "locationId": shop.location, "delta": 3, "changeFromQuantity": None}
        given = {"name": name, "reason": "damaged", "changes": [change | {"ledgerDocumentUri": ledger}]}
        answer = shop.run("08", input=given, key=shop.new_key())
        payload: dict[str, object] = answer["data"]["inventoryAdjustQuantities"]
        return payload

    def code(payload: dict[str, object]) -> str:
        errors = payload["userErrors"]
        assert isinstance(errors, list)
        return str(errors[0]["code"])

    assert code(adjust("damaged", None)) == "INVALID_QUANTITY_DOCUMENT"
    assert code(adjust("damaged", "gid://shopify/Order/1")) == "INTERNAL_LEDGER_DOCUMENT"
    assert code(adjust("available", "ledger://a/1")) == "INVALID_AVAILABLE_DOCUMENT"
    assert adjust("damaged", "ledger://a/1")["userErrors"] == []
    assert adjust("incoming", "ledger://a/2")["userErrors"] == []
    assert (shop.shown(), shop.shown(name="on_hand"), shop.shown(name="incoming")) == (10, 13, 3)


def test_bundle_parents_cannot_be_written(shop: ShopUnderTest) -> None:
    [bundle] = shop.simulator.seed_catalogue(1, shop.now, bundles=1)
    [error] = shop.adjust(1, inventoryItemId=bundle)["userErrors"]
    assert error["code"] == "NON_MUTABLE_INVENTORY_ITEM"


def test_one_bad_row_keeps_the_whole_batch_from_happening(shop: ShopUnderTest) -> None:
    payload = shop.set({"quantity": 3}, {"quantity": 4, "inventoryItemId": UNKNOWN_ITEM})
    assert payload["inventoryAdjustmentGroup"] is None
    assert shop.shown() == 10


@pytest.mark.parametrize(("mode", "shown"), [(BatchMode.PARTIAL_SHOWN, True), (BatchMode.PARTIAL_HIDDEN, False)])
def test_a_batch_can_be_played_as_not_atomic(mode: BatchMode, shown: bool) -> None:
    shop = ShopUnderTest(ShopifySwitches(batch=mode))
    payload = shop.set({"quantity": 3}, {"quantity": 4, "inventoryItemId": UNKNOWN_ITEM})
    assert (payload["inventoryAdjustmentGroup"] is not None) is shown
    assert len(payload["userErrors"]) == 1
    assert shop.shown() == 3


def test_available_may_go_below_zero(shop: ShopUnderTest) -> None:
    shop.adjust(-15)
    assert shop.shown() == -5


def test_a_decrease_can_be_cut_off_at_zero() -> None:
    shop = ShopUnderTest(ShopifySwitches(cut_off_at_zero=True))
    assert shop.adjust(-15)["inventoryAdjustmentGroup"]["changes"][0]["delta"] == -10
    assert shop.shown() == 0
    assert [change.delta for change in shop.simulator.log.changes] == [-10]


def test_a_write_to_an_inactive_level_changes_the_hidden_number(shop: ShopUnderTest) -> None:
    shop.simulator.deactivate_level(shop.item, shop.location, shop.now)
    assert shop.adjust(5)["userErrors"] == []
    level = shop.levels()[shop.location]
    assert (level["isActive"], shop.shown()) == (False, 15)


def test_a_write_to_an_inactive_level_can_be_played_as_doing_nothing() -> None:
    shop = ShopUnderTest(ShopifySwitches(inactive_write=InactiveWrite.NO_OP))
    shop.simulator.deactivate_level(shop.item, shop.location, shop.now)
    assert shop.adjust(5) == {"inventoryAdjustmentGroup": None, "userErrors": []}
    assert shop.shown() == 10


@pytest.mark.parametrize(("reading", "number"), [(MissingLevelWrite.CREATES_INACTIVE, 5), (MissingLevelWrite.NO_OP, 0)])
def test_a_write_where_there_was_never_a_level(reading: MissingLevelWrite, number: int) -> None:
    shop = ShopUnderTest(ShopifySwitches(missing_level_write=reading))
    [item] = shop.simulator.add_product("New", ["NEW-1"], shop.now, locations=[shop.locations[1]])
    assert shop.adjust(5, inventoryItemId=item)["userErrors"] == []
    assert shop.simulator.available(item, shop.location) == number
    assert not shop.simulator.is_active(item, shop.location)


def test_inactive_levels_are_hidden_unless_asked_for(shop: ShopUnderTest) -> None:
    shop.simulator.deactivate_level(shop.item, shop.location, shop.now)
    text = "query Q($id: ID!) { inventoryItem(id: $id) { inventoryLevels(first: 5) { nodes { location { id } } } } }"
    nodes = shop.query(text, {"id": shop.item})["data"]["inventoryItem"]["inventoryLevels"]["nodes"]
    assert [node["location"]["id"] for node in nodes] == [shop.locations[1]]
    assert set(shop.levels()) == set(shop.locations)


def test_a_read_by_id_looks_as_recorded(shop: ShopUnderTest) -> None:
    shop.simulator.sell(shop.item, shop.location, 2, shop.now)
    answer = shop.run("04", itemIds=[shop.item, UNKNOWN_ITEM], levels=10, names=NAMES)
    node, unknown = answer["data"]["nodes"]
    assert unknown is None
    assert (node["__typename"], node["sku"], node["tracked"]) == ("InventoryItem", "SKU-000001", True)
    level = node["inventoryLevels"]["nodes"][0]
    number = shop.item.rpartition("/")[2]
    assert level["id"] == f"gid://shopify/InventoryLevel/143273001266?inventory_item_id={number}"
    assert level["updatedAt"] == "2026-11-21T05:03:12Z"
    assert level["quantities"] == [
        {"name": "available", "quantity": 8, "updatedAt": "2026-11-21T05:03:12Z"},
        {"name": "on_hand", "quantity": 10, "updatedAt": None},
        {"name": "committed", "quantity": 2, "updatedAt": "2026-11-21T05:03:12Z"},
        {"name": "incoming", "quantity": 0, "updatedAt": None},
    ]
    assert answer["extensions"]["cost"]["requestedQueryCost"] == 15
    assert answer["extensions"]["cost"]["actualQueryCost"] == 9


def test_a_lagging_replica_shows_what_was_also_of_our_own_writes(shop: ShopUnderTest) -> None:
    shop.simulator.switches = ShopifySwitches(read_lag=2.0)
    shop.adjust(5)
    shop.wait(1.5)
    assert shop.shown() == 10
    shop.wait(0.5)
    assert shop.shown() == 15


def test_the_lag_can_be_drawn_for_each_read() -> None:
    lags = iter([0.0, 3.0, 0.0])
    shop = ShopUnderTest(read_lag=lambda: next(lags))
    shop.wait(10)
    shop.adjust(5)
    assert [shop.shown() for _ in range(3)] == [15, 10, 15]


def test_a_lagging_replica_does_not_show_a_level_before_it_was_made(shop: ShopUnderTest) -> None:
    shop.simulator.switches = ShopifySwitches(read_lag=2.0)
    [item] = shop.simulator.add_product("New", ["NEW-1"], shop.now)
    assert shop.levels(item) == {}
    shop.wait(2)
    assert len(shop.levels(item)) == 1


def test_250_rows_go_in_one_call(shop: ShopUnderTest) -> None:
    items = shop.simulator.seed_catalogue(250, shop.now, prefix="MANY-")
    payload = shop.set(*({"inventoryItemId": item, "quantity": 3} for item in items))
    assert len(payload["inventoryAdjustmentGroup"]["changes"]) == 500
    read = shop.run("04", itemIds=items, levels=10, names=NAMES)["data"]["nodes"]
    assert {node["inventoryLevels"]["nodes"][0]["quantities"][0]["quantity"] for node in read} == {3}
