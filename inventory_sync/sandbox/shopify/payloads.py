"""Webhook payloads, in the shapes of Shopify's own samples (API 2026-07).

Ids are numbers, times are in the shop's own zone with an offset.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from inventory_sync.sandbox.shopify.state import Item, Level, Location, Product, Shop, Variant

_FULL_VARIANTS = 100


def level(shop: Shop, changed: Level, at: datetime) -> dict[str, Any] | None:
    """inventory_levels/update and connect: `available` as it is now, `updated_at` of the event."""
    if shop.level(changed.item.number, changed.location.number) is not changed:
        return None
    return {
        "inventory_item_id": changed.item.number,
        "location_id": changed.location.number,
        "available": changed.now.quantity("available") if changed.item.tracked else None,
        "updated_at": shop.local_text(at),
        "admin_graphql_api_id": changed.id,
    }


def level_disconnected(changed: Level) -> dict[str, Any]:
    return {"inventory_item_id": changed.item.number, "location_id": changed.location.number}


def item(shop: Shop, changed: Item) -> dict[str, Any] | None:
    """inventory_items/create and update."""
    if changed.number not in shop.items:
        return None
    return {
        "id": changed.number,
        "sku": changed.sku,
        "created_at": shop.local_text(changed.created_at),
        "updated_at": shop.local_text(changed.updated_at),
        "requires_shipping": changed.requires_shipping,
        "cost": None,
        "country_code_of_origin": None,
        "province_code_of_origin": None,
        "harmonized_system_code": None,
        "tracked": changed.tracked,
        "country_harmonized_system_codes": [],
        "weight_value": 0,
        "weight_unit": "kg",
        "admin_graphql_api_id": changed.id,
    }


def item_deleted(gone: Item) -> dict[str, Any]:
    return {
        "id": gone.number,
        "country_code_of_origin": None,
        "province_code_of_origin": None,
        "harmonized_system_code": None,
        "country_harmonized_system_codes": [],
        "admin_graphql_api_id": gone.id,
    }


def product(shop: Shop, changed: Product) -> dict[str, Any] | None:
    """products/create and update: the first hundred variants whole, all of them by id."""
    if changed.number not in shop.products:
        return None
    variants = [shop.variants[number] for number in changed.variants]
    recent = sorted(variants, key=lambda variant: variant.updated_at, reverse=True)
    return {
        "admin_graphql_api_id": changed.id,
        "id": changed.number,
        "title": changed.title,
        "handle": handle(changed.title),
        "status": changed.status.lower(),
        "vendor": shop.name,
        "product_type": "",
        "tags": "",
        "published_at": shop.local_text(changed.created_at),
        "published_scope": "web",
        "created_at": shop.local_text(changed.created_at),
        "updated_at": shop.local_text(changed.updated_at),
        "body_html": None,
        "template_suffix": None,
        "variants": [_variant(shop, each, place) for place, each in enumerate(variants[:_FULL_VARIANTS], 1)],
        "options": [],
        "images": [],
        "image": None,
        "media": [],
        "variant_gids": [
            {"admin_graphql_api_id": each.id, "updated_at": shop.local_text(each.updated_at)} for each in recent
        ],
        "has_variants_that_requires_components": any(each.requires_components for each in variants),
        "category": None,
    }


def handle(title: str) -> str:
    """The product's name in web addresses."""
    return "-".join(title.lower().split())


def _variant(shop: Shop, variant: Variant, position: int) -> dict[str, Any]:
    levels = shop.levels.get(variant.item, {}).values()
    quantity = sum(each.now.quantity("available") for each in levels if each.now.active)
    return {
        "id": variant.number,
        "admin_graphql_api_id": variant.id,
        "product_id": variant.product,
        "title": variant.title,
        "price": "1000",
        "compare_at_price": None,
        "position": position,
        "sku": shop.items[variant.item].sku,
        "barcode": variant.barcode,
        "inventory_policy": variant.policy.lower(),
        "inventory_item_id": variant.item,
        "inventory_quantity": quantity,
        "old_inventory_quantity": quantity,
        "option1": variant.title,
        "option2": None,
        "option3": None,
        "taxable": True,
        "image_id": None,
        "created_at": shop.local_text(variant.created_at),
        "updated_at": shop.local_text(variant.updated_at),
    }


def only_id(number: int) -> dict[str, Any]:
    """products/delete and locations/delete."""
    return {"id": number}


def location(shop: Shop, changed: Location) -> dict[str, Any]:
    """locations/create, update, activate and deactivate."""
    return {
        "id": changed.number,
        "name": changed.name,
        "address1": "1-1 Chiyoda",
        "address2": None,
        "city": "Chiyoda-ku",
        "zip": "100-0001",
        "province": "Tōkyō",
        "country": "JP",
        "phone": None,
        "created_at": shop.local_text(changed.created_at),
        "updated_at": shop.local_text(changed.updated_at),
        "country_code": "JP",
        "country_name": "Japan",
        "province_code": "JP-13",
        "legacy": changed.fulfillment_service is not None,
        "active": changed.active,
        "admin_graphql_api_id": changed.id,
    }


def scopes(shop: Shop, previous: list[str], current: list[str], at: datetime) -> dict[str, Any]:
    """app/scopes_update, whose time is UTC with milliseconds."""
    stamp = at.astimezone(UTC)
    return {
        "id": 1,
        "shop_id": f"gid://shopify/Shop/{shop.number}",
        "previous": previous,
        "current": current,
        "updated_at": f"{stamp:%Y-%m-%dT%H:%M:%S}.{stamp.microsecond // 1000:03d}Z",
    }


def uninstalled(shop: Shop) -> dict[str, Any]:
    """app/uninstalled: the shop."""
    return {
        "id": shop.number,
        "name": shop.name,
        "email": f"shop@{shop.domain}",
        "domain": shop.domain,
        "myshopify_domain": shop.domain,
        "plan_name": "basic",
        "iana_timezone": str(shop.timezone),
    }
