"""The conversation with Shopify without a socket: requests as bytes, replies as the port's own types.

Endpoint, headers and body: shopify.dev/docs/api/admin-graphql. What an answer means is decided in `classify` and, row
by row of a write, in `outcomes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from inventory_sync.model.ids import ItemKey, LocationKey
from inventory_sync.systems.http import HttpRequest
from inventory_sync.systems.port import (
    CatalogueItem,
    CellRef,
    Condition,
    LevelReading,
    PartnerLocation,
    PlannedOp,
    PreparedRequest,
)
from inventory_sync.systems.shopify import documents
from inventory_sync.systems.shopify.classify import UnexpectedAnswer, bug
from inventory_sync.systems.shopify.documents import Document
from inventory_sync.systems.shopify.outcomes import COMMITTED, QUANTITY
from inventory_sync.systems.shopify.shapes import flag, items, moment, next_page, obj, objects, text, whole
from inventory_sync.systems.shopify.versions import endpoint

REASON = "correction"
REFERENCE = "gid://inventory-sync/Push/{installation}-{key}"
DEFAULT_VARIANT_TITLE = "Default Title"
NOTE_INACTIVE = "deactivated in Shopify: activate it under Settings > Locations"
NOTE_FULFILLMENT_SERVICE = "run by the fulfillment service {name}, which keeps the stock of this location itself"


def encode(document: Document, variables: Mapping[str, Any]) -> bytes:
    """The JSON body of an operation: the same bytes for the same variables, null members included."""
    return orjson.dumps({"query": document.text, "variables": variables, "operationName": document.name})


def request(base_url: str, path: str, token: str, body: bytes, timeout: float) -> HttpRequest:
    """The HTTP request that carries a body. `timeout` in seconds."""
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "X-Shopify-Access-Token": token,
    }
    return HttpRequest("POST", base_url + path, headers, body, timeout)


def compose_adjustment(ops: Sequence[PlannedOp], key: str, installation: str, version: str) -> PreparedRequest:
    """The request that carries out ops of one sign as differences, without comparing (`changeFromQuantity` null).

    Raises Bug for a batch that is empty, too long, of two signs, or names a cell twice.
    """
    if not 0 < len(ops) <= documents.PAGE:
        raise bug("IS-SHP-036", f"{len(ops)} rows")
    if any(op.delta == 0 for op in ops) or len({op.delta > 0 for op in ops}) > 1:
        raise bug("IS-SHP-036", "increases and decreases, or nothing, in one batch")
    if len({op.cell for op in ops}) < len(ops):
        raise bug("IS-SHP-036", "a cell occurs twice")
    changes = [
        {
            "inventoryItemId": op.cell.item,
            "locationId": op.cell.location,
            "delta": op.delta,
            "changeFromQuantity": None,
        }
        for op in ops
    ]
    variables = {
        "input": {
            "name": QUANTITY,
            "reason": REASON,
            "referenceDocumentUri": REFERENCE.format(installation=installation, key=key),
            "changes": changes,
        },
        "key": key,
    }
    return PreparedRequest("POST", endpoint(version), encode(documents.ADJUST, variables), key, version)


def compose_activation(cell: CellRef, key: str, version: str) -> PreparedRequest:
    """The request that stocks an item at a location without a number: a former one comes back, a new one is 0."""
    variables = {"inventoryItemId": cell.item, "locationId": cell.location, "key": key}
    return PreparedRequest("POST", endpoint(version), encode(documents.ACTIVATE, variables), key, version)


def prepared_document(prepared: PreparedRequest) -> Document:
    """Which of the two writes a stored request is. Raises Bug for one that is neither."""
    try:
        name = orjson.loads(prepared.body).get("operationName")
    except (orjson.JSONDecodeError, AttributeError) as error:
        raise bug("IS-SHP-036", "a stored request that is not JSON") from error
    for document in (documents.ADJUST, documents.ACTIVATE):
        if document.name == name:
            return document
    raise bug("IS-SHP-036", f"a stored request named {name!r}")


@dataclass(frozen=True, slots=True)
class Shop:
    """The shop as it names itself, and what the app was granted."""

    id: str
    name: str
    domain: str
    scopes: tuple[str, ...]


def read_shop(data: Mapping[str, Any]) -> Shop:
    shop = obj(data.get("shop"))
    granted = objects(obj(data.get("currentAppInstallation")).get("accessScopes"))
    return Shop(
        text(shop.get("id")),
        text(shop.get("name")),
        text(shop.get("myshopifyDomain")),
        tuple(sorted(text(each.get("handle")) for each in granted)),
    )


def read_locations(data: Mapping[str, Any]) -> tuple[list[PartnerLocation], str | None]:
    """Locations of a page, and the cursor of the next one."""
    connection = obj(data.get("locations"))
    return [_location(node) for node in objects(connection.get("nodes"))], next_page(connection)


def _location(node: Mapping[str, Any]) -> PartnerLocation:
    active = flag(node.get("isActive"))
    note = "" if active else NOTE_INACTIVE
    if flag(node.get("isFulfillmentService")):
        service = node.get("fulfillmentService")
        name = obj(service).get("serviceName") if service is not None else None
        note = NOTE_FULFILLMENT_SERVICE.format(name=name or "of another company")
    return PartnerLocation(LocationKey(text(node.get("id"))), text(node.get("name")), active, not note, note)


@dataclass(frozen=True, slots=True)
class ItemLevels:
    """The levels of one item as far as an answer showed them; `after`: where the rest begins, None if complete."""

    item: ItemKey
    levels: Mapping[LocationKey, LevelReading]
    after: str | None


def read_item_levels(node: Mapping[str, Any]) -> ItemLevels:
    """An inventory item's levels, by location. A level whose number is missing is left out: it is no reading."""
    item = ItemKey(text(node.get("id")))
    connection = obj(node.get("inventoryLevels"))
    tracked = flag(node.get("tracked"))
    levels: dict[LocationKey, LevelReading] = {}
    for level in objects(connection.get("nodes")):
        location = LocationKey(text(obj(level.get("location")).get("id")))
        reading = _reading(CellRef(item, location), tracked, level)
        if reading is not None:
            levels[location] = reading
    return ItemLevels(item, levels, next_page(connection))


def _reading(cell: CellRef, tracked: bool, level: Mapping[str, Any]) -> LevelReading | None:
    """A level as a reading; its stamp is the time of the number itself, since a level's own moves for other reasons."""
    if not tracked:
        return LevelReading(cell, Condition.UNTRACKED, None)
    told = {each.get("name"): each for each in objects(level.get("quantities"))}
    found = told.get(QUANTITY)
    stamp = moment(found.get("updatedAt")) if found else None
    if not flag(level.get("isActive")):
        return LevelReading(cell, Condition.INACTIVE, None, stamp)
    if found is None:
        return None
    committed = whole_or_negative(told[COMMITTED].get("quantity")) if COMMITTED in told else None
    return LevelReading(cell, Condition.ACTIVE, whole_or_negative(found.get("quantity")), stamp, committed=committed)


def whole_or_negative(value: Any) -> int:
    """A quantity, which may be below 0 (oversold, or sold on backorder)."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise UnexpectedAnswer("a quantity is missing")
    return value


def read_nodes(data: Mapping[str, Any], asked: Sequence[str]) -> list[Mapping[str, Any] | None]:
    """The answer to `nodes(ids:)` in the order asked, None for what does not exist.

    Raises UnexpectedAnswer where order or length differ from what was asked, since a gap would be taken for a deletion.
    """
    found = [None if each is None else obj(each) for each in items(data.get("nodes"))]
    if len(found) != len(asked):
        raise UnexpectedAnswer(f"{len(found)} nodes for {len(asked)} ids")
    for id_, node in zip(asked, found, strict=True):
        if node is not None and node.get("id") != id_:
            raise UnexpectedAnswer("nodes in another order than asked")
    return found


def settle_cells(
    item: ItemKey, wanted: Sequence[LocationKey], node: Mapping[str, Any] | None
) -> tuple[list[LevelReading], ItemLevels | None]:
    """Readings of an item's wanted cells, and the levels where more must be asked because the list was cut off."""
    if node is None:
        return [LevelReading(CellRef(item, each), Condition.GONE, None) for each in wanted], None
    if not flag(node.get("tracked")):
        return [LevelReading(CellRef(item, each), Condition.UNTRACKED, None) for each in wanted], None
    found = read_item_levels(node)
    shown = {text(obj(level.get("location")).get("id")) for level in objects(obj(node["inventoryLevels"])["nodes"])}
    readings = [found.levels[each] for each in wanted if each in found.levels]
    unseen = [each for each in wanted if each not in shown]
    if unseen and found.after is not None:
        return readings, found
    absent = [LevelReading(CellRef(item, each), Condition.ABSENT, None) for each in unseen]
    return readings + absent, None


def read_changed(data: Mapping[str, Any]) -> tuple[list[LevelReading], str | None]:
    """Changed levels of a location's page, and the cursor of the next; nothing for a location that is gone."""
    if "location" in data and data["location"] is None:
        return [], None
    location = obj(data.get("location"))
    key = LocationKey(text(location.get("id")))
    connection = obj(location.get("inventoryLevels"))
    readings = []
    for level in objects(connection.get("nodes")):
        item = obj(level.get("item"))
        reading = _reading(CellRef(ItemKey(text(item.get("id"))), key), flag(item.get("tracked")), level)
        if reading is not None:
            readings.append(reading)
    return readings, next_page(connection)


def read_variant(variant: Mapping[str, Any], item: Mapping[str, Any]) -> CatalogueItem:
    """A variant and its inventory item as one catalogue item. Codes are exact; an empty one is left out."""
    product = obj(variant.get("product"))
    title, variant_title = text(product.get("title")), variant.get("title")
    plain = not variant_title or variant_title == DEFAULT_VARIANT_TITLE
    codes = {"sku": item.get("sku") or variant.get("sku"), "barcode": variant.get("barcode")}
    return CatalogueItem(
        key=ItemKey(text(item.get("id"))),
        codes={name: text(code) for name, code in codes.items() if code},
        name=title if plain else f"{title} / {variant_title}",
        tracked=flag(item.get("tracked")) and not flag(product.get("isGiftCard")),
        bundle=flag(variant.get("requiresComponents")),
        status=text(product.get("status")),
        group=text(product.get("id")),
    )


def read_lone_item(node: Mapping[str, Any]) -> CatalogueItem:
    """An inventory item asked for by its own id, with the first variant that uses it, if any does."""
    variants = node.get("variants")
    found = objects(obj(variants).get("nodes")) if variants is not None else []
    if found:
        return read_variant(found[0], node)
    sku = node.get("sku")
    return CatalogueItem(
        key=ItemKey(text(node.get("id"))),
        codes={"sku": text(sku)} if sku else {},
        name=text(sku) if sku else "",
        tracked=flag(node.get("tracked")),
    )


def read_variants(data: Mapping[str, Any]) -> tuple[list[CatalogueItem], list[LevelReading], list[int], str | None]:
    """A page of variants: items, their levels as hints, the variants' numbers in order, the cursor of the next page."""
    connection = obj(data.get("productVariants"))
    found: dict[ItemKey, CatalogueItem] = {}
    levels: list[LevelReading] = []
    numbers: list[int] = []
    for variant in objects(connection.get("nodes")):
        item = obj(variant.get("inventoryItem"))
        entry = read_variant(variant, item)
        if entry.key not in found:
            found[entry.key] = entry
            levels.extend(read_item_levels(item).levels.values())
        numbers.append(whole(variant.get("legacyResourceId")))
    return list(found.values()), levels, numbers, next_page(connection)


def read_product_variants(connection: Mapping[str, Any]) -> list[CatalogueItem]:
    """The items of a page of a product's variants."""
    return [read_variant(each, obj(each.get("inventoryItem"))) for each in objects(connection.get("nodes"))]


def read_walk(data: Mapping[str, Any]) -> tuple[list[ItemLevels], list[int], str | None]:
    """A page of inventory items with their levels, the items' numbers in order, the cursor of the next page."""
    connection = obj(data.get("inventoryItems"))
    nodes = objects(connection.get("nodes"))
    numbers = [whole(node.get("legacyResourceId")) for node in nodes]
    return [read_item_levels(node) for node in nodes], numbers, next_page(connection)


def read_bulk_variant(line: Mapping[str, Any]) -> CatalogueItem:
    """A line of the catalogue's file: a variant with its inventory item."""
    return read_variant(line, obj(line.get("inventoryItem")))


def read_bulk_level(line: Mapping[str, Any]) -> LevelReading | None:
    """A line of the levels' file as a hint; None for an item, which its levels name. Whether it is tracked stands in
    the item's line: the level of one that is not differs from what is known, and is read by key."""
    parent = line.get("__parentId")
    if parent is None:
        return None
    location = LocationKey(text(obj(line.get("location")).get("id")))
    told = [{**each, "quantity": _number(each.get("quantity"))} for each in objects(line.get("quantities"))]
    return _reading(CellRef(ItemKey(text(parent)), location), True, {**line, "quantities": told})


def _number(value: Any) -> Any:
    """A number that a file may hold as text."""
    digits = value.removeprefix("-") if isinstance(value, str) else ""
    return int(value) if digits.isascii() and digits.isdigit() else value
