"""What answers each field of the schema that this simulator plays.

A field of the schema that is missing here is valid GraphQL and answered with an error that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from inventory_sync.sandbox.shopify import activation, bulk_calls, payloads, quantities, roots, subscriptions
from inventory_sync.sandbox.shopify.core import LevelView, Run
from inventory_sync.sandbox.shopify.mutations import guarded
from inventory_sync.sandbox.shopify.plan import Resolver
from inventory_sync.sandbox.shopify.state import Item, Location, Product, Variant, gid, utc_text
from inventory_sync.sandbox.shopify.texts import FieldFault

Arguments = Mapping[str, Any]


def resolver_of(type_name: str, field: str) -> Resolver:
    """What answers a field; never None."""
    fields = _TYPES.get(type_name)
    if fields is None:
        fields = next((table for ending, table in _ENDINGS if type_name.endswith(ending)), {})
    if type_name.endswith(("Payload", "UserError")):
        return _entry(field)
    return fields.get(field) or _unplayed(type_name, field)


def _unplayed(type_name: str, field: str) -> Resolver:
    def resolve(source: Any, arguments: Arguments, run: Run) -> Any:
        raise FieldFault(f"The sandbox does not play {type_name}.{field}.", "SANDBOX_UNSUPPORTED")

    return resolve


def _entry(name: str) -> Resolver:
    def resolve(source: Any, arguments: Arguments, run: Run) -> Any:
        return source[name]

    return resolve


def _plain(read: Callable[[Any], Any]) -> Resolver:
    """A field that needs only its object."""

    def resolve(source: Any, arguments: Arguments, run: Run) -> Any:
        return read(source)

    return resolve


def _const(value: Any) -> Resolver:
    def resolve(source: Any, arguments: Arguments, run: Run) -> Any:
        return value

    return resolve


_ID: Resolver = _plain(lambda each: each.id)
_NUMBER: Resolver = _plain(lambda each: str(each.number))
_CREATED: Resolver = _plain(lambda each: utc_text(each.created_at))
_UPDATED: Resolver = _plain(lambda each: utc_text(each.updated_at))


# -- items and levels ---


def _quantities(view: LevelView, arguments: Arguments, run: Run) -> list[tuple[str, int, str | None, LevelView]]:
    state = view.state
    answer: list[tuple[str, int, str | None, LevelView]] = []
    for name in arguments["names"]:
        if name == "on_hand":
            answer.append((name, state.quantity(name), None, view))
        elif name in state.quantities:
            answer.append((name, state.quantities[name], state.stamps.get(name), view))
        else:
            raise FieldFault(f"Unknown quantity name: {name}", "BAD_REQUEST")
    return answer


def _quantity_id(source: tuple[str, int, str | None, LevelView], arguments: Arguments, run: Run) -> str:
    level = source[3].level
    return f"gid://shopify/InventoryQuantity/{level.location.level_number}?inventory_item_id={level.item.number}"


def _level_of(source: Any, arguments: Arguments, run: Run) -> LevelView | None:
    """`inventoryLevel` of an item (by location) or of a location (by item)."""
    if isinstance(source, Item):
        other = run.shop.location(arguments["locationId"])
        level = run.shop.level(source.number, other.number) if other else None
    else:
        item = run.shop.item(arguments["inventoryItemId"])
        level = run.shop.level(item.number, source.number) if item else None
    view = run.view(level)
    return view if view and (view.state.active or arguments.get("includeInactive")) else None


def _duplicates(item: Item, arguments: Arguments, run: Run) -> int:
    """How many *other* items share the SKU."""
    return run.shop.sku_counts.get(item.sku, 1) - 1 if item.sku else 0


def _stocked_at(item: Item, arguments: Arguments, run: Run) -> dict[str, Any]:
    levels = run.shop.levels.get(item.number, {}).values()
    return {"count": sum(level.now.active for level in levels), "precision": "EXACT"}


def _variant_of(item: Item, arguments: Arguments, run: Run) -> Variant:
    return run.shop.variants[item.variant]


def _inventory_quantity(variant: Variant, arguments: Arguments, run: Run) -> int:
    levels = run.shop.levels.get(variant.item, {}).values()
    return sum(level.now.quantity("available") for level in levels if level.now.active)


def _sellable(variant: Variant, run: Run) -> bool:
    if not run.shop.items[variant.item].tracked or variant.policy == "CONTINUE":
        return True
    return _inventory_quantity(variant, {}, run) > 0


def _total(product: Product, arguments: Arguments, run: Run) -> int:
    return sum(_inventory_quantity(run.shop.variants[number], {}, run) for number in product.variants)


def _has_active_levels(location: Location, arguments: Arguments, run: Run) -> bool:
    for levels in run.shop.levels.values():
        level = levels.get(location.number)
        if level is not None and level.now.active:
            return True
    return False


def _service(location: Location, arguments: Arguments, run: Run) -> Location | None:
    return location if location.fulfillment_service else None


def _changes(group: quantities.Group, arguments: Arguments, run: Run) -> Sequence[quantities.Change]:
    items, places, names = (arguments.get(each) for each in ("inventoryItemIds", "locationIds", "quantityNames"))
    return [
        change
        for change in group.changes
        if (items is None or gid("InventoryItem", change.item) in items)
        and (places is None or gid("Location", change.location) in places)
        and (names is None or change.name in names)
    ]


_ITEM: dict[str, Resolver] = {
    "id": _ID,
    "legacyResourceId": _NUMBER,
    "createdAt": _CREATED,
    "updatedAt": _UPDATED,
    "sku": _plain(lambda item: item.sku),
    "tracked": _plain(lambda item: item.tracked),
    "requiresShipping": _plain(lambda item: item.requires_shipping),
    "duplicateSkuCount": _duplicates,
    "inventoryLevel": _level_of,
    "inventoryLevels": roots.levels_of_item,
    "locationsCount": _stocked_at,
    "variant": _variant_of,
    "variants": roots.variants_of_item,
}

_LEVEL: dict[str, Resolver] = {
    "id": _plain(lambda view: view.level.id),
    "isActive": _plain(lambda view: view.state.active),
    "createdAt": _plain(lambda view: utc_text(view.level.created_at)),
    "updatedAt": _plain(lambda view: utc_text(view.state.updated_at)),
    "item": _plain(lambda view: view.level.item),
    "location": _plain(lambda view: view.level.location),
    "quantities": _quantities,
}

_VARIANT: dict[str, Resolver] = {
    "id": _ID,
    "legacyResourceId": _NUMBER,
    "createdAt": _CREATED,
    "updatedAt": _UPDATED,
    "sku": lambda variant, arguments, run: run.shop.items[variant.item].sku,
    "barcode": _plain(lambda variant: variant.barcode),
    "title": _plain(lambda variant: variant.title),
    "displayName": lambda variant, arguments, run: f"{run.shop.products[variant.product].title} - {variant.title}",
    "position": lambda variant, arguments, run: run.shop.products[variant.product].variants.index(variant.number) + 1,
    "inventoryPolicy": _plain(lambda variant: variant.policy),
    "requiresComponents": _plain(lambda variant: variant.requires_components),
    "inventoryQuantity": _inventory_quantity,
    "availableForSale": lambda variant, arguments, run: _sellable(variant, run),
    "product": lambda variant, arguments, run: run.shop.products[variant.product],
    "inventoryItem": lambda variant, arguments, run: run.shop.items[variant.item],
}

_PRODUCT: dict[str, Resolver] = {
    "id": _ID,
    "legacyResourceId": _NUMBER,
    "createdAt": _CREATED,
    "updatedAt": _UPDATED,
    "title": _plain(lambda product: product.title),
    "handle": _plain(lambda product: payloads.handle(product.title)),
    "status": _plain(lambda product: product.status),
    "isGiftCard": _plain(lambda product: product.gift_card),
    "hasOnlyDefaultVariant": _plain(lambda product: len(product.variants) == 1),
    "totalInventory": _total,
    "tracksInventory": lambda product, arguments, run: any(
        run.shop.items[run.shop.variants[number].item].tracked for number in product.variants
    ),
    "vendor": lambda product, arguments, run: run.shop.name,
    "variants": roots.variants_of_product,
    "variantsCount": _plain(lambda product: {"count": len(product.variants), "precision": "EXACT"}),
}

_LOCATION: dict[str, Resolver] = {
    "id": _ID,
    "legacyResourceId": _NUMBER,
    "createdAt": _CREATED,
    "updatedAt": _UPDATED,
    "name": _plain(lambda location: location.name),
    "isActive": _plain(lambda location: location.active),
    "activatable": _plain(lambda location: not location.active),
    "deactivatable": _plain(lambda location: location.active),
    "isFulfillmentService": _plain(lambda location: location.fulfillment_service is not None),
    "fulfillmentService": _service,
    "fulfillsOnlineOrders": _plain(lambda location: location.active),
    "shipsInventory": _plain(lambda location: location.active),
    "hasActiveInventory": _has_active_levels,
    "inventoryLevel": _level_of,
    "inventoryLevels": roots.levels_of_location,
    "isPrimary": lambda location, arguments, run: location.number == next(iter(run.shop.locations)),
    "address": _const(
        {
            "address1": "1-1 Chiyoda",
            "address2": None,
            "city": "Chiyoda-ku",
            "country": "Japan",
            "countryCode": "JP",
            "phone": None,
            "province": "Tōkyō",
            "provinceCode": "JP-13",
            "zip": "100-0001",
        }
    ),
}

_TYPES: dict[str, dict[str, Resolver]] = {
    "QueryRoot": roots.QUERIES,
    "Mutation": {
        "inventorySetQuantities": guarded(
            "inventorySetQuantities",
            quantities.set_quantities,
            quantities.EMPTY,
            key_required=True,
            rows=("quantities", "InventoryQuantityInput"),
        ),
        "inventoryAdjustQuantities": guarded(
            "inventoryAdjustQuantities",
            quantities.adjust_quantities,
            quantities.EMPTY,
            key_required=True,
            rows=("changes", "InventoryChangeInput"),
        ),
        "inventoryActivate": guarded(
            "inventoryActivate", activation.activate, activation.ACTIVATE_EMPTY, key_required=True
        ),
        "inventoryDeactivate": guarded(
            "inventoryDeactivate", activation.deactivate, activation.DEACTIVATE_EMPTY, key_required=False
        ),
        "inventoryBulkToggleActivation": guarded(
            "inventoryBulkToggleActivation", activation.bulk_toggle, activation.TOGGLE_EMPTY, key_required=False
        ),
        "inventoryItemUpdate": guarded(
            "inventoryItemUpdate", activation.update_item, activation.UPDATE_EMPTY, key_required=False
        ),
        "webhookSubscriptionCreate": subscriptions.create,
        "webhookSubscriptionDelete": subscriptions.delete,
        "bulkOperationRunQuery": bulk_calls.run_query,
        "bulkOperationCancel": bulk_calls.cancel,
    },
    "InventoryItem": _ITEM,
    "InventoryLevel": _LEVEL,
    "InventoryQuantity": {
        "id": _quantity_id,
        "name": lambda each, arguments, run: each[0],
        "quantity": lambda each, arguments, run: each[1],
        "updatedAt": lambda each, arguments, run: each[2],
    },
    "ProductVariant": _VARIANT,
    "Product": _PRODUCT,
    "Location": _LOCATION,
    "LocationAddress": {
        name: _entry(name)
        for name in (
            *("address1", "address2", "city", "country", "countryCode"),
            *("phone", "province", "provinceCode", "zip"),
        )
    },
    "FulfillmentService": {
        "id": _plain(lambda location: gid("FulfillmentService", location.number)),
        "handle": _plain(lambda location: payloads.handle(location.fulfillment_service)),
        "serviceName": _plain(lambda location: location.fulfillment_service),
        "inventoryManagement": _const(True),
        "type": _const("THIRD_PARTY"),
        "location": _plain(lambda location: location),
    },
    "InventoryAdjustmentGroup": {
        "id": _ID,
        "createdAt": _CREATED,
        "reason": _plain(lambda group: group.reason),
        "referenceDocumentUri": _plain(lambda group: group.reference),
        "changes": _changes,
        "app": roots.app,
    },
    "InventoryChange": {
        "name": lambda change, arguments, run: change.name,
        "delta": lambda change, arguments, run: change.delta,
        "quantityAfterChange": _const(None),
        "ledgerDocumentUri": lambda change, arguments, run: change.ledger,
        "item": lambda change, arguments, run: run.shop.items.get(change.item),
        "location": lambda change, arguments, run: run.shop.locations.get(change.location),
    },
    "WebhookSubscription": {
        "id": _ID,
        "legacyResourceId": _NUMBER,
        "createdAt": _CREATED,
        "updatedAt": _UPDATED,
        "topic": _plain(lambda each: each.topic),
        "uri": _plain(lambda each: each.uri),
        "callbackUrl": _plain(lambda each: each.uri),
        "format": _plain(lambda each: each.format),
        "name": _plain(lambda each: each.name),
        "filter": _plain(lambda each: each.filter),
        "includeFields": _plain(lambda each: each.include_fields),
        "metafieldNamespaces": _const([]),
        "apiVersion": _plain(lambda each: roots.api_version(each.version)),
    },
    "BulkOperation": bulk_calls.FIELDS,
    "PageInfo": {
        "hasNextPage": _plain(lambda page: page.has_next),
        "hasPreviousPage": _plain(lambda page: page.has_previous),
        "startCursor": _plain(lambda page: page.start_cursor),
        "endCursor": _plain(lambda page: page.end_cursor),
    },
    **{
        name: {field: _entry(field) for field in fields}
        for name, fields in {
            "Shop": (
                *("id", "name", "myshopifyDomain", "ianaTimezone"),
                *("taxesIncluded", "plan", "resourceLimits", "weightUnit"),
            ),
            "ShopPlan": ("displayName", "publicDisplayName", "shopifyPlus", "partnerDevelopment"),
            "ShopResourceLimits": ("locationLimit", "maxProductOptions", "maxProductVariants", "redirectLimitReached"),
            "AppInstallation": ("id", "app", "accessScopes"),
            "App": ("id", "handle", "title"),
            "AccessScope": ("handle", "description"),
            "ApiVersion": ("handle", "displayName", "supported"),
            "Count": ("count", "precision"),
            "InventoryProperties": ("quantityNames",),
            "InventoryQuantityName": ("name", "displayName", "isInUse", "belongsTo", "comprises"),
        }.items()
    },
}

_ENDINGS: tuple[tuple[str, dict[str, Resolver]], ...] = (
    (
        "Connection",
        {
            "nodes": _plain(lambda page: page.nodes),
            "edges": _plain(lambda page: [(page, node) for node in page.nodes]),
            "pageInfo": _plain(lambda page: page),
        },
    ),
    ("Edge", {"node": _plain(lambda edge: edge[1]), "cursor": _plain(lambda edge: edge[0].cursor(edge[1]))}),
)
