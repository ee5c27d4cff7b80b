"""Queries at the root of the schema, and the connections below items, products and locations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from inventory_sync.sandbox.shopify import bulk_calls, subscriptions
from inventory_sync.sandbox.shopify.core import LevelView, Run
from inventory_sync.sandbox.shopify.plan import Resolver
from inventory_sync.sandbox.shopify.search import Page, Reader, page, select
from inventory_sync.sandbox.shopify.state import UNAVAILABLE, Item, Level, Location, Product, Variant, gid, parse_gid
from inventory_sync.sandbox.shopify.texts import FieldFault
from inventory_sync.sandbox.shopify.webhooks import Subscription

Arguments = Mapping[str, Any]


def _number(each: Any) -> int:
    return int(each.number)


def _report(run: Run) -> Any:
    path = [*run.path]

    def note(warning: dict[str, Any]) -> None:
        run.searches.append({"path": path} | warning)

    return note


# -- levels ---


def _item_of(view: LevelView) -> int:
    return view.level.item.number


def _location_of(view: LevelView) -> int:
    return view.level.location.number


def _level_readers(run: Run) -> dict[str, Reader]:
    """Fields that filter levels; `updated_at` as an index `search_lag` seconds behind knows it."""
    indexed_at = run.now - timedelta(seconds=run.core.switches.search_lag)

    def updated_at(view: LevelView) -> Any:
        return (view.level.state_at(indexed_at) or view.level.history[0]).updated_at

    return {
        "id": lambda view: view.level.location.level_number,
        "inventory_item_id": _item_of,
        "inventory_group_id": lambda view: 0,
        "created_at": lambda view: view.level.created_at,
        "updated_at": updated_at,
    }


def _views(run: Run, levels: Sequence[Level], arguments: Arguments) -> Sequence[LevelView]:
    inactive_too = bool(arguments.get("includeInactive"))
    views = [view for view in map(run.view, levels) if view and (inactive_too or view.state.active)]
    query = arguments.get("query")
    return select(views, query, _level_readers(run), _report(run)) if query else views


def levels_of_item(item: Item, arguments: Arguments, run: Run) -> Page[LevelView]:
    levels = sorted(run.shop.levels.get(item.number, {}).values(), key=lambda level: level.location.number)
    return page(_views(run, levels, arguments), arguments, _location_of)


def levels_of_location(location: Location, arguments: Arguments, run: Run) -> Page[LevelView]:
    here = location.number
    levels = [levels[here] for levels in run.shop.levels.values() if here in levels]
    levels.sort(key=lambda level: level.item.number)
    return page(_views(run, levels, arguments), arguments, _item_of)


# -- catalogue ---


def variants_of_item(item: Item, arguments: Arguments, run: Run) -> Page[Variant]:
    return page([run.shop.variants[item.variant]], arguments, _number)


def variants_of_product(product: Product, arguments: Arguments, run: Run) -> Page[Variant]:
    return page([run.shop.variants[number] for number in product.variants], arguments, _number)


def _variant_readers(run: Run) -> dict[str, Reader]:
    shop, indexed_at = run.shop, run.now - timedelta(seconds=run.core.switches.search_lag)

    def quantity(variant: Variant) -> int:
        levels = shop.levels.get(variant.item, {}).values()
        return sum(level.now.quantity("available") for level in levels if level.now.active)

    return {
        "": lambda variant: shop.items[variant.item].sku,
        "id": _number,
        "sku": lambda variant: shop.items[variant.item].sku,
        "barcode": lambda variant: variant.barcode,
        "title": lambda variant: variant.title,
        "product_id": lambda variant: variant.product,
        "inventory_quantity": quantity,
        "managed": lambda variant: shop.items[variant.item].tracked,
        "updated_at": lambda variant: (
            variant.updated_at if variant.updated_at <= indexed_at else variant.indexed_before
        ),
    }


def _variants(source: None, arguments: Arguments, run: Run) -> Page[Variant]:
    nodes: Sequence[Variant] = list(run.shop.variants.values())
    if arguments.get("query"):
        nodes = select(nodes, arguments["query"], _variant_readers(run), _report(run))
    return page(nodes, arguments, _number)


def _variants_count(source: None, arguments: Arguments, run: Run) -> dict[str, Any]:
    nodes: Sequence[Variant] = list(run.shop.variants.values())
    if arguments.get("query"):
        nodes = select(nodes, arguments["query"], _variant_readers(run), _report(run))
    limit = arguments.get("limit")
    if limit is not None and len(nodes) > limit:
        return {"count": limit, "precision": "AT_LEAST"}
    return {"count": len(nodes), "precision": "EXACT"}


def _items(source: None, arguments: Arguments, run: Run) -> Page[Item]:
    nodes: Sequence[Item] = list(run.shop.items.values())
    readers: dict[str, Reader] = {
        "id": _number,
        "sku": lambda item: item.sku,
        "created_at": lambda item: item.created_at,
        "updated_at": lambda item: item.updated_at,
    }
    if arguments.get("query"):
        nodes = select(nodes, arguments["query"], readers, _report(run))
    return page(nodes, arguments, _number)


def _locations(source: None, arguments: Arguments, run: Run) -> Page[Location]:
    nodes: Sequence[Location] = [
        each
        for each in run.shop.locations.values()
        if (each.active or arguments.get("includeInactive"))
        and (each.fulfillment_service is None or arguments.get("includeLegacy"))
    ]
    readers: dict[str, Reader] = {
        "name": lambda each: each.name,
        "id": _number,
        "active": lambda each: each.active,
        "created_at": lambda each: each.created_at,
    }
    if arguments.get("query"):
        nodes = select(nodes, arguments["query"], readers, _report(run))
    by_id = arguments.get("sortKey") == "ID"
    if not by_id:
        nodes = sorted(nodes, key=lambda each: (each.name, each.number))
    return page(nodes, arguments, _number, by_number=by_id)


def _subscriptions(source: None, arguments: Arguments, run: Run) -> Page[Subscription]:
    return page(subscriptions.listed(arguments, run), arguments, _number)


# -- single objects ---


def _node(text: str, run: Run) -> Any:
    found = parse_gid(text)
    if found is None:
        raise FieldFault(f"Invalid global id '{text}'", "argumentLiteralsIncompatible")
    if found.kind == "InventoryLevel":
        return run.view(run.shop.level_by_gid(found))
    shop = run.shop
    tables: dict[str, Mapping[int, Any]] = {
        "InventoryItem": shop.items,
        "ProductVariant": shop.variants,
        "Product": shop.products,
        "Location": shop.locations,
        "WebhookSubscription": run.core.webhooks.subscriptions,
    }
    return tables.get(found.kind, {}).get(found.number)


def _by_id(kind: str) -> Resolver:
    def resolve(source: None, arguments: Arguments, run: Run) -> Any:
        found = parse_gid(arguments["id"], kind)
        return _node(arguments["id"], run) if found else None

    return resolve


def _location(source: None, arguments: Arguments, run: Run) -> Location | None:
    if arguments.get("id") is None:
        return next(iter(run.shop.locations.values()), None)
    return run.shop.location(arguments["id"])


def _nodes(source: None, arguments: Arguments, run: Run) -> list[Any]:
    return [_node(each, run) for each in arguments["ids"]]


def _shop(source: None, arguments: Arguments, run: Run) -> dict[str, Any]:
    shop = run.shop
    return {
        "id": gid("Shop", shop.number),
        "name": shop.name,
        "myshopifyDomain": shop.domain,
        "ianaTimezone": str(shop.timezone),
        "taxesIncluded": True,
        "weightUnit": "KILOGRAMS",
        "plan": {
            "displayName": "Basic",
            "publicDisplayName": "Basic",
            "shopifyPlus": False,
            "partnerDevelopment": False,
        },
        "resourceLimits": {
            "locationLimit": 200,
            "maxProductOptions": 3,
            "maxProductVariants": 2048,
            "redirectLimitReached": False,
        },
    }


def app(source: Any, arguments: Arguments, run: Run) -> dict[str, Any]:
    """The app that asks, which is the only one."""
    return {"id": gid("App", 347082227713), "handle": "inventory-sync", "title": "inventory-sync"}


def _installation(source: None, arguments: Arguments, run: Run) -> dict[str, Any]:
    scopes = [{"handle": scope, "description": scope.replace("_", " ")} for scope in run.core.access.scopes]
    return {"id": gid("AppInstallation", 1), "app": app(None, arguments, run), "accessScopes": scopes}


def api_version(handle: str) -> dict[str, Any]:
    return {"handle": handle, "displayName": handle, "supported": True}


def _api_versions(source: None, arguments: Arguments, run: Run) -> list[dict[str, Any]]:
    return [api_version(handle) for handle in run.core.switches.versions]


def _properties(source: None, arguments: Arguments, run: Run) -> dict[str, Any]:
    parts = ["available", "committed", *UNAVAILABLE]
    names = [
        {
            "name": name,
            "displayName": name.replace("_", " ").capitalize(),
            "isInUse": True,
            "belongsTo": ["on_hand"] if name in parts else [],
            "comprises": parts if name == "on_hand" else [],
        }
        for name in sorted([*parts, "incoming", "on_hand"])
    ]
    return {"quantityNames": names}


QUERIES: dict[str, Resolver] = {
    "shop": _shop,
    "currentAppInstallation": _installation,
    "publicApiVersions": _api_versions,
    "inventoryProperties": _properties,
    "inventoryItem": _by_id("InventoryItem"),
    "inventoryItems": _items,
    "inventoryLevel": _by_id("InventoryLevel"),
    "location": _location,
    "locations": _locations,
    "node": lambda source, arguments, run: _node(arguments["id"], run),
    "nodes": _nodes,
    "product": _by_id("Product"),
    "productVariant": _by_id("ProductVariant"),
    "productVariants": _variants,
    "productVariantsCount": _variants_count,
    "bulkOperation": bulk_calls.one,
    "bulkOperations": bulk_calls.listed,
    "currentBulkOperation": bulk_calls.current,
    "webhookSubscription": _by_id("WebhookSubscription"),
    "webhookSubscriptions": _subscriptions,
}
