"""What customers, people and the API do to levels of the Shopify simulator, and the log that is kept of it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory_sync.sandbox.shopify import ShopifySwitches
from tests.sandbox.shopify_support import NAMES, ShopUnderTest


@pytest.fixture
def shop() -> ShopUnderTest:
    return ShopUnderTest()


def numbers(shop: ShopUnderTest) -> tuple[int, int, int]:
    """available, committed, on_hand of the first cell."""
    return shop.shown(), shop.shown(name="committed"), shop.shown(name="on_hand")


def test_an_order_commits_and_its_shipment_leaves(shop: ShopUnderTest) -> None:
    order = shop.simulator.sell(shop.item, shop.location, 3, shop.now)
    assert order is not None
    assert numbers(shop) == (7, 3, 10)
    assert shop.simulator.fulfil(order, shop.now, 2) == 2
    assert numbers(shop) == (7, 1, 8)
    assert shop.simulator.fulfil(order, shop.now) == 1
    assert shop.simulator.fulfil(order, shop.now) == 0
    assert numbers(shop) == (7, 0, 7)


@pytest.mark.parametrize(("restock", "after"), [(True, (10, 0, 10)), (False, (7, 0, 7))])
def test_a_cancelled_order_restocks_only_if_asked(shop: ShopUnderTest, restock: bool, after: tuple[int, ...]) -> None:
    order = shop.simulator.sell(shop.item, shop.location, 3, shop.now)
    assert order is not None
    assert shop.simulator.cancel(order, shop.now, restock=restock) == 3
    assert numbers(shop) == after


def test_what_was_shipped_can_come_back(shop: ShopUnderTest) -> None:
    order = shop.simulator.sell(shop.item, shop.location, 3, shop.now)
    assert order is not None
    shop.simulator.fulfil(order, shop.now)
    assert shop.simulator.refund(order, 2, shop.now) == 2
    assert numbers(shop) == (9, 0, 9)


def test_a_sale_beyond_the_stock_depends_on_the_policy(shop: ShopUnderTest) -> None:
    assert not shop.simulator.sell(shop.item, shop.location, 11, shop.now)
    assert shop.simulator.log.changes == []
    shop.simulator.set_policy(shop.item, "CONTINUE", shop.now)
    assert shop.simulator.sell(shop.item, shop.location, 11, shop.now)
    assert numbers(shop) == (-1, 11, 10)


def test_an_inactive_level_sells_nothing(shop: ShopUnderTest) -> None:
    shop.simulator.deactivate_level(shop.item, shop.location, shop.now)
    assert not shop.simulator.sell(shop.item, shop.location, 1, shop.now)


def test_an_untracked_item_sells_without_counting(shop: ShopUnderTest) -> None:
    shop.simulator.set_tracked(shop.item, False, shop.now)
    assert shop.simulator.sell(shop.item, shop.location, 99, shop.now)
    assert numbers(shop) == (10, 0, 10)


def test_everything_that_changes_available_is_logged_with_who_did_it(shop: ShopUnderTest) -> None:
    simulator, item, place = shop.simulator, shop.item, shop.location
    order = simulator.sell(item, place, 2, shop.now)
    assert order is not None
    simulator.fulfil(order, shop.now, 1)
    simulator.cancel(order, shop.now)
    simulator.adjust_by_person(item, place, 4, shop.now)
    shop.adjust(-1, key="key-x")
    changes = simulator.log.changes
    assert [(each.delta, each.after, each.actor, each.cause) for each in changes] == [
        (-2, 8, "outside", "sale"),
        (1, 9, "outside", "cancellation"),
        (4, 13, "outside", "adjustment"),
        (-1, 12, "client", "inventoryAdjustQuantities"),
    ]
    assert [each.reference for each in changes] == [order.id, order.id, "", "key-x"]
    assert {(each.item, each.location) for each in changes} == {(item, place)}


def test_a_transfer_is_two_changes_of_one_action(shop: ShopUnderTest) -> None:
    shop.subscribe("INVENTORY_LEVELS_UPDATE")
    source, target = shop.locations
    assert shop.simulator.move_by_person(shop.item, source, target, 4, shop.now)
    assert (shop.shown(location=source), shop.shown(location=target)) == (6, 14)
    assert len({each.headers["X-Shopify-Event-Id"] for each in shop.webhooks()}) == 1


def test_the_total_counts_active_levels_only(shop: ShopUnderTest) -> None:
    assert shop.simulator.total(shop.item) == 20
    shop.simulator.deactivate_level(shop.item, shop.location, shop.now)
    assert shop.simulator.total(shop.item) == 10
    assert shop.simulator.available(shop.item, shop.location) == 10


def test_a_backup_brings_old_numbers_back_and_is_logged(shop: ShopUnderTest) -> None:
    before = shop.simulator.snapshot()
    shop.adjust(5)
    shop.simulator.set_by_person(shop.items[1], shop.location, 2, shop.now)
    shop.simulator.delete_item(shop.items[2], shop.now)
    assert shop.simulator.restore_backup(before, shop.now) == 2
    assert [shop.shown(), shop.shown(shop.items[1])] == [10, 10]
    restored = [each.delta for each in shop.simulator.log.changes if each.cause == "restore"]
    assert restored == [-5, 8]


def test_a_deleted_item_is_gone_from_reads_and_its_stock_from_the_count(shop: ShopUnderTest) -> None:
    assert shop.simulator.delete_item(shop.item, shop.now)
    answer = shop.run("04", itemIds=[shop.item], levels=10, names=NAMES)
    assert answer["data"]["nodes"] == [None]
    assert [(each.delta, each.after) for each in shop.simulator.log.changes] == [(-10, 0), (-10, 0)]
    assert not shop.simulator.delete_item(shop.item, shop.now)


def test_a_catalogue_can_be_seeded_with_the_odd_ones() -> None:
    shop = ShopUnderTest()
    shop.subscribe("PRODUCTS_CREATE")
    items = shop.simulator.seed_catalogue(
        20, shop.now, untracked=2, bundles=3, duplicate_skus=4, blank_skus=1, prefix="ODD-", stock=(1, 5)
    )
    nodes = shop.run("03_list", first=250, levels=10, names=NAMES)["data"]["productVariants"]["nodes"]
    seeded = [node for node in nodes if node["inventoryItem"]["id"] in items]
    assert sum(not node["inventoryItem"]["tracked"] for node in seeded) == 2
    assert sum(node["requiresComponents"] for node in seeded) == 3
    assert sum(node["sku"] == "ODD-000001" for node in seeded) == 5
    assert sum(node["sku"] == "" for node in seeded) == 1
    assert (shop.simulator.log.changes, shop.webhooks()) == ([], [])


# -- activation ---


def activate(shop: ShopUnderTest, **given: object) -> dict[str, object]:
    text = (
        "mutation A($item: ID!, $place: ID!, $available: Int, $onHand: Int, $key: String!) { inventoryActivate("
        "inventoryItemId: $item, locationId: $place, available: $available, onHand: $onHand) @idempotent(key: $key) {"
        ' inventoryLevel { id isActive quantities(names: ["available", "on_hand"]) { name quantity } }'
        " userErrors { field message } } }"
    )
    variables = {"item": shop.item, "place": shop.locations[1], "key": shop.new_key()} | given
    payload: dict[str, object] = shop.query(text, variables)["data"]["inventoryActivate"]
    return payload


def quantity(payload: dict[str, object]) -> int:
    level = payload["inventoryLevel"]
    assert isinstance(level, dict)
    return int(level["quantities"][0]["quantity"])


def test_a_reactivated_level_has_its_old_number(shop: ShopUnderTest) -> None:
    shop.simulator.deactivate_level(shop.item, shop.locations[1], shop.now)
    payload = activate(shop)
    assert (quantity(payload), payload["userErrors"]) == (10, [])
    assert shop.simulator.is_active(shop.item, shop.locations[1])


def test_a_new_level_starts_at_zero_or_at_the_given_number(shop: ShopUnderTest) -> None:
    [item] = shop.simulator.add_product("New", ["NEW-1"], shop.now)
    assert quantity(activate(shop, item=item)) == 0
    [other] = shop.simulator.add_product("New", ["NEW-2"], shop.now)
    assert quantity(activate(shop, item=other, onHand=50)) == 50
    assert shop.simulator.log.changes[-1].delta == 50


def test_an_active_level_takes_no_number(shop: ShopUnderTest) -> None:
    payload = activate(shop, available=3)
    message = "Not allowed to set available quantity when the item is already active at the location."
    assert payload["userErrors"] == [{"field": ["available"], "message": message}]
    assert quantity(payload) == 10
    assert activate(shop)["userErrors"] == []


def test_two_numbers_at_once_and_one_too_large_are_refused_as_recorded(shop: ShopUnderTest) -> None:
    payload = activate(shop, available=3, onHand=3)
    start = "The product couldn't be stocked at My Custom Location because "
    both = start + "not allowed to set available and on_hand quantities at the same time."
    expected = [{"field": [field], "message": both} for field in ("available", "onHand")]
    assert payload == {"inventoryLevel": None, "userErrors": expected}
    payload = activate(shop, onHand=1_000_000_001)
    large = start + "the quantity needs to be between -1 billion and 1 billion."
    assert payload == {"inventoryLevel": None, "userErrors": [{"field": ["onHand"], "message": large}]}


def test_an_item_must_stay_stocked_somewhere(shop: ShopUnderTest) -> None:
    text = "mutation D($id: ID!) { inventoryDeactivate(inventoryLevelId: $id) { userErrors { field message } } }"
    levels = shop.levels()
    first, second = (levels[place]["id"] for place in shop.locations)
    assert shop.query(text, {"id": second})["data"]["inventoryDeactivate"]["userErrors"] == []
    [error] = shop.query(text, {"id": first})["data"]["inventoryDeactivate"]["userErrors"]
    assert error["message"] == (
        "The product couldn't be unstocked from Shop location because products need to be stocked at a minimum of 1 "
        "location."
    )
    updates = [{"locationId": shop.location, "activate": False}]
    toggled = shop.run("11", inventoryItemId=shop.item, updates=updates)["data"]["inventoryBulkToggleActivation"]
    assert toggled["userErrors"][0]["code"] == "CANNOT_DEACTIVATE_FROM_ONLY_LOCATION"


def test_tracking_is_turned_on_over_the_api(shop: ShopUnderTest) -> None:
    [item] = shop.simulator.seed_catalogue(1, shop.now, untracked=1)
    answer = shop.run("12", id=item, input={"tracked": True})["data"]["inventoryItemUpdate"]
    assert (answer["inventoryItem"]["tracked"], answer["userErrors"]) == (True, [])
    shop.simulator.sell(item, shop.location, 1, shop.now)
    assert shop.shown(item) == 9


# -- rules that hold whatever happens ---


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), lag=st.sampled_from([0.0, 1.0]), cut=st.booleans())
def test_numbers_always_add_up(seed: int, lag: float, cut: bool) -> None:
    """on_hand is the sum of its parts, and start plus the log is what is there."""
    chance = random.Random(seed)
    shop = ShopUnderTest(ShopifySwitches(read_lag=lag, cut_off_at_zero=cut))
    open_orders = []
    for _ in range(25):
        shop.wait(chance.choice([0, 0.5, 2]))
        deed = chance.randrange(6)
        if deed == 0:
            open_orders.append(shop.simulator.sell(shop.item, shop.location, chance.randint(1, 4), shop.now))
        elif deed in (1, 2) and open_orders and (order := chance.choice(open_orders)):
            if deed == 1:
                shop.simulator.fulfil(order, shop.now, chance.randint(1, 3))
            else:
                shop.simulator.cancel(order, shop.now, restock=chance.random() < 0.5, quantity=chance.randint(1, 3))
        elif deed == 3:
            shop.adjust(chance.randint(-8, 8))
        elif deed == 4:
            shop.set({"quantity": chance.randint(0, 9)}, name=chance.choice(["available", "on_hand"]))
        else:
            shop.simulator.adjust_by_person(shop.item, shop.location, chance.randint(-5, 5), shop.now)
        available = shop.simulator.available(shop.item, shop.location)
        assert shop.simulator.on_hand(shop.item, shop.location) == available + shop.simulator.committed(
            shop.item, shop.location
        )
        assert available == 10 + sum(each.delta for each in shop.simulator.log.changes)
    shop.wait(lag)
    assert numbers(shop)[0] + numbers(shop)[1] == numbers(shop)[2]
