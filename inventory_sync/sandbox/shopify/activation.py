"""Making levels active and inactive over the API, and changing an item's tracking or SKU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inventory_sync.sandbox.shopify import texts
from inventory_sync.sandbox.shopify.catalogue import Catalogue
from inventory_sync.sandbox.shopify.core import Run
from inventory_sync.sandbox.shopify.mutations import Payload
from inventory_sync.sandbox.shopify.state import Item, Location, parse_gid
from inventory_sync.sandbox.shopify.texts import user_error
from inventory_sync.sandbox.shopify.webhooks import Occasion

_LIMIT = 1_000_000_000

ACTIVATE_EMPTY: Payload = {"inventoryLevel": None, "userErrors": []}
TOGGLE_EMPTY: Payload = {"inventoryItem": None, "inventoryLevels": None, "userErrors": []}
UPDATE_EMPTY: Payload = {"inventoryItem": None, "userErrors": []}
DEACTIVATE_EMPTY: Payload = {"userErrors": []}


def activate(run: Run, arguments: Mapping[str, Any], occasion: Occasion) -> Payload:
    """inventoryActivate: without a quantity an old level comes back with its old numbers."""
    item, location = run.shop.item(arguments["inventoryItemId"]), run.shop.location(arguments["locationId"])
    if item is None:
        return _refused(("inventoryItemId",), texts.UNKNOWN_ITEM)
    if location is None or not location.active:
        return _refused(("locationId",), texts.UNKNOWN_LOCATION)
    given = {name: arguments[name] for name in ("available", "onHand") if arguments.get(name) is not None}
    if len(given) == 2:
        message = texts.STOCKED_BOTH.format(location=location.name)
        return ACTIVATE_EMPTY | {"userErrors": [user_error((name,), message) for name in given]}
    if any(abs(quantity) > _LIMIT for quantity in given.values()):
        return _refused(tuple(given), texts.STOCKED_RANGE.format(location=location.name))
    level = run.shop.level(item.number, location.number)
    if level is not None and level.now.active:
        errors = [user_error((name,), texts.ALREADY_ACTIVE[name]) for name in given]
        return {"inventoryLevel": run.view(level), "userErrors": errors}
    available = given.get("available")
    if "onHand" in given:
        apart = level.now.quantity("on_hand") - level.now.quantity("available") if level else 0
        available = given["onHand"] - apart
    return {"inventoryLevel": run.view(run.core.stock.connect(item, location, available, occasion)), "userErrors": []}


def _refused(field: tuple[str, ...], message: str) -> Payload:
    return ACTIVATE_EMPTY | {"userErrors": [user_error(field, message)]}


def deactivate(run: Run, arguments: Mapping[str, Any], occasion: Occasion) -> Payload:
    """inventoryDeactivate: refused only where the item would be stocked nowhere."""
    found = parse_gid(arguments["inventoryLevelId"], "InventoryLevel")
    level = run.shop.level_by_gid(found) if found else None
    if level is None:
        gone = found is None or found.item not in run.shop.items
        message = texts.UNSTOCKED_GONE if gone else texts.UNSTOCKED_PLACE_GONE
        return {"userErrors": [user_error(None, message)]}
    if level.now.active:
        if _only_location(run, level.item):
            message = texts.ONLY_LOCATION.format(location=level.location.name)
            return {"userErrors": [user_error(None, message)]}
        run.core.stock.disconnect(level, occasion)
    return {"userErrors": []}


def bulk_toggle(run: Run, arguments: Mapping[str, Any], occasion: Occasion) -> Payload:
    """inventoryBulkToggleActivation: one item at many locations, all or nothing."""
    item = run.shop.item(arguments["inventoryItemId"])
    if item is None:
        error = user_error(("inventoryItemId",), texts.UNKNOWN_ITEM, "INVENTORY_ITEM_NOT_FOUND")
        return TOGGLE_EMPTY | {"userErrors": [error]}
    wanted: list[tuple[Location, bool]] = []
    for index, update in enumerate(arguments["inventoryItemUpdates"]):
        location = run.shop.location(update["locationId"])
        if location is None or not location.active:
            path = ("inventoryItemUpdates", str(index), "locationId")
            error = user_error(path, texts.UNKNOWN_LOCATION, "LOCATION_NOT_FOUND")
            return TOGGLE_EMPTY | {"userErrors": [error]}
        wanted.append((location, update["activate"]))
    return _toggle(run, item, wanted, occasion)


def _toggle(run: Run, item: Item, wanted: list[tuple[Location, bool]], occasion: Occasion) -> Payload:
    levels = run.shop.levels.get(item.number, {})
    active = {number for number, level in levels.items() if level.now.active}
    for location, activate_it in wanted:
        (active.add if activate_it else active.discard)(location.number)
    if not active:
        name = wanted[-1][0].name if wanted else ""
        message = texts.ONLY_LOCATION.format(location=name)
        code = "CANNOT_DEACTIVATE_FROM_ONLY_LOCATION"
        error = user_error(("inventoryItemUpdates", str(len(wanted) - 1), "locationId"), message, code)
        return TOGGLE_EMPTY | {"userErrors": [error]}
    touched = []
    for location, activate_it in wanted:
        level = run.shop.level(item.number, location.number)
        if activate_it and (level is None or not level.now.active):
            level = run.core.stock.connect(item, location, None, occasion)
        elif not activate_it and level is not None and level.now.active:
            run.core.stock.disconnect(level, occasion)
        if level is not None:
            touched.append(run.view(level))
    return {"inventoryItem": item, "inventoryLevels": touched, "userErrors": []}


def _only_location(run: Run, item: Item) -> bool:
    return sum(level.now.active for level in run.shop.levels[item.number].values()) == 1


def update_item(run: Run, arguments: Mapping[str, Any], occasion: Occasion) -> Payload:
    """inventoryItemUpdate, as far as tracking, shipping and the SKU go."""
    item = run.shop.item(arguments["id"])
    if item is None:
        return UPDATE_EMPTY | {"userErrors": [user_error(("id",), texts.UNKNOWN_ITEM)]}
    given = arguments["input"]
    catalogue = Catalogue(run.shop, run.core.stock, run.core.webhooks)
    if "sku" in given:
        catalogue.change_sku(item, given["sku"], occasion)
    if given.get("requiresShipping") is not None:
        item.requires_shipping = given["requiresShipping"]
    if given.get("tracked") is not None:
        catalogue.set_tracked(item, given["tracked"], occasion)
    return {"inventoryItem": item, "userErrors": []}
