"""Products, items and locations as the merchant changes them, with the webhooks each change sends."""

from __future__ import annotations

from collections.abc import Sequence

from inventory_sync.sandbox.shopify import payloads
from inventory_sync.sandbox.shopify.state import Item, Location, Product, Shop, Variant
from inventory_sync.sandbox.shopify.stock import Stock
from inventory_sync.sandbox.shopify.webhooks import Occasion, Webhooks


class Catalogue:
    """Changes what a shop sells and where it keeps it."""

    def __init__(self, shop: Shop, stock: Stock, webhooks: Webhooks) -> None:
        self._shop, self._stock, self._webhooks = shop, stock, webhooks

    def add_product(
        self,
        title: str,
        skus: Sequence[str | None],
        occasion: Occasion,
        *,
        tracked: bool = True,
        bundle: bool = False,
        policy: str = "DENY",
        status: str = "ACTIVE",
        gift_card: bool = False,
        barcodes: Sequence[str | None] = (),
        told: bool = True,
    ) -> list[Item]:
        """A product with one variant for each SKU; its items have no level yet. `told` False sends no webhook."""
        shop, at = self._shop, occasion.at
        product = Product(shop.next_number("Product"), title, at, at, status, gift_card)
        shop.products[product.number] = product
        items = []
        for place, sku in enumerate(skus):
            variant_number, item_number = shop.next_number("ProductVariant"), shop.next_number("InventoryItem")
            name = "Default Title" if len(skus) == 1 else f"Option {place + 1}"
            barcode = barcodes[place] if place < len(barcodes) else None
            shop.variants[variant_number] = Variant(
                variant_number, product.number, item_number, name, at, at, at, barcode, policy, bundle
            )
            item = Item(item_number, variant_number, sku, at, at, tracked)
            shop.items[item_number] = item
            shop.count_sku(sku, 1)
            product.variants.append(variant_number)
            items.append(item)
            if told:
                self._tell_item("INVENTORY_ITEMS_CREATE", item, occasion)
        if told:
            self._tell_product("PRODUCTS_CREATE", product, occasion)
        return items

    def delete_item(self, item: Item, occasion: Occasion) -> None:
        """Delete a variant with its item and levels; the last one takes its product along."""
        shop = self._shop
        for level in tuple(shop.levels.get(item.number, {}).values()):
            self._stock.remove(level, occasion)
        shop.levels.pop(item.number, None)
        del shop.items[item.number]
        shop.count_sku(item.sku, -1)
        variant = shop.variants.pop(item.variant)
        product = shop.products[variant.product]
        product.variants.remove(variant.number)
        self._webhooks.publish("INVENTORY_ITEMS_DELETE", lambda: payloads.item_deleted(item), occasion)
        if product.variants:
            self.touch_product(product, occasion)
        else:
            del shop.products[product.number]
            self._webhooks.publish("PRODUCTS_DELETE", lambda: payloads.only_id(product.number), occasion)

    def change_sku(self, item: Item, sku: str | None, occasion: Occasion) -> None:
        self._shop.count_sku(item.sku, -1)
        self._shop.count_sku(sku, 1)
        item.sku = sku
        self._touch_item(item, occasion)

    def set_tracked(self, item: Item, tracked: bool, occasion: Occasion) -> None:
        item.tracked = tracked
        self._touch_item(item, occasion)

    def set_policy(self, item: Item, policy: str, occasion: Occasion) -> None:
        self._shop.variants[item.variant].policy = policy
        self._touch_item(item, occasion)

    def set_status(self, product: Product, status: str, occasion: Occasion) -> None:
        product.status = status
        self.touch_product(product, occasion)

    def touch_product(self, product: Product, occasion: Occasion) -> None:
        """Something about a product changed, an order among them: products/update."""
        product.updated_at = occasion.at
        self._tell_product("PRODUCTS_UPDATE", product, occasion)

    def _touch_item(self, item: Item, occasion: Occasion) -> None:
        variant = self._shop.variants[item.variant]
        variant.indexed_before, variant.updated_at = variant.updated_at, occasion.at
        item.updated_at = occasion.at
        self._tell_item("INVENTORY_ITEMS_UPDATE", item, occasion)
        self.touch_product(self._shop.products[variant.product], occasion)

    # -- locations ---

    def add_location(self, name: str, occasion: Occasion, fulfillment_service: str | None = None) -> Location:
        shop, at = self._shop, occasion.at
        numbers = shop.next_number("Location"), shop.next_number("InventoryLevel")
        location = Location(*numbers, name, at, at, fulfillment_service=fulfillment_service)
        shop.locations[location.number] = location
        self._tell_location("LOCATIONS_CREATE", location, occasion)
        return location

    def rename_location(self, location: Location, name: str, occasion: Occasion) -> None:
        location.name, location.updated_at = name, occasion.at
        self._tell_location("LOCATIONS_UPDATE", location, occasion)

    def set_location_active(self, location: Location, active: bool, occasion: Occasion) -> None:
        """Close or reopen a location; closing makes its levels inactive."""
        location.active, location.updated_at = active, occasion.at
        if not active:
            for levels in self._shop.levels.values():
                level = levels.get(location.number)
                if level is not None and level.now.active:
                    self._stock.disconnect(level, occasion)
        self._tell_location("LOCATIONS_ACTIVATE" if active else "LOCATIONS_DEACTIVATE", location, occasion)

    def delete_location(self, location: Location, occasion: Occasion) -> None:
        for levels in self._shop.levels.values():
            if location.number in levels:
                self._stock.remove(levels[location.number], occasion)
        del self._shop.locations[location.number]
        self._webhooks.publish("LOCATIONS_DELETE", lambda: payloads.only_id(location.number), occasion)

    def _tell_item(self, topic: str, item: Item, occasion: Occasion) -> None:
        self._webhooks.publish(topic, lambda: payloads.item(self._shop, item), occasion)

    def _tell_product(self, topic: str, product: Product, occasion: Occasion) -> None:
        self._webhooks.publish(topic, lambda: payloads.product(self._shop, product), occasion)

    def _tell_location(self, topic: str, location: Location, occasion: Occasion) -> None:
        self._webhooks.publish(topic, lambda: payloads.location(self._shop, location), occasion)
