"""Looking single things up again: what a catalogue notice named, as it is now, or that it is gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from inventory_sync.model.ids import ItemKey
from inventory_sync.systems.port import CatalogueItem, CatalogueRefresh
from inventory_sync.systems.shopify import documents, protocol
from inventory_sync.systems.shopify.classify import UnexpectedAnswer
from inventory_sync.systems.shopify.door import Errand
from inventory_sync.systems.shopify.notices import ITEM_GID, PRODUCT_GID
from inventory_sync.systems.shopify.shapes import next_page, obj

_ITEM = ITEM_GID.format("")
_PRODUCT = PRODUCT_GID.format("")


def ids_of(key: str) -> tuple[str, ...]:
    """The ids a key may stand for: a bare number from a webhook may be an item's or a product's.

    >>> ids_of("7")
    ('gid://shopify/InventoryItem/7', 'gid://shopify/Product/7')
    """
    if key.isascii() and key.isdigit():
        return (_ITEM + key, _PRODUCT + key)
    return (key,) if key.startswith((_ITEM, _PRODUCT)) else ()


async def refresh(errand: Errand, keys: Sequence[str]) -> CatalogueRefresh:
    """Items of the keys as they are now, and the keys that exist no more.

    Keys are ids of inventory items or products, or their bare numbers. A key of any other form counts as gone.
    """
    asked = list(dict.fromkeys(id_ for key in keys for id_ in ids_of(key)))
    found: dict[str, list[CatalogueItem]] = {}
    for chunk in _chunks([each for each in asked if each.startswith(_ITEM)], documents.ITEMS_AT_ONCE):
        for id_, node in zip(chunk, await _items(errand, chunk), strict=True):
            if node is not None:
                found[id_] = [node]
    for chunk in _chunks([each for each in asked if each.startswith(_PRODUCT)], documents.PRODUCTS_AT_ONCE):
        for id_, page in zip(chunk, await _products(errand, chunk), strict=True):
            if page is not None:
                entries, after = page
                found[id_] = entries + await _further_variants(errand, id_, after)
    items: dict[ItemKey, CatalogueItem] = {}
    for entries in found.values():
        for entry in entries:
            items.setdefault(entry.key, entry)
    gone = tuple(key for key in dict.fromkeys(keys) if not any(id_ in found for id_ in ids_of(key)))
    return CatalogueRefresh(tuple(items.values()), gone)


async def _items(errand: Errand, ids: Sequence[str]) -> list[CatalogueItem | None]:
    def read(data: Mapping[str, Any]) -> list[CatalogueItem | None]:
        return [None if node is None else protocol.read_lone_item(node) for node in protocol.read_nodes(data, ids)]

    return await errand.ask(documents.REFRESH_ITEMS, {"ids": ids, "first": documents.VARIANTS_OF_ITEM}, read)


_Page = tuple[list[CatalogueItem], str | None]


def _variants_page(product: Mapping[str, Any]) -> _Page:
    connection = obj(product.get("variants"))
    return protocol.read_product_variants(connection), next_page(connection)


async def _products(errand: Errand, ids: Sequence[str]) -> list[_Page | None]:
    def read(data: Mapping[str, Any]) -> list[_Page | None]:
        return [None if node is None else _variants_page(node) for node in protocol.read_nodes(data, ids)]

    return await errand.ask(documents.REFRESH_PRODUCTS, {"ids": ids, "first": documents.PAGE}, read)


async def _further_variants(errand: Errand, product: str, after: str | None) -> list[CatalogueItem]:
    """The variants behind the first page: a product may have 2,048 of them."""

    def read(data: Mapping[str, Any]) -> _Page:
        if "product" not in data:
            raise UnexpectedAnswer("a product is missing")
        return ([], None) if data["product"] is None else _variants_page(obj(data["product"]))

    found: list[CatalogueItem] = []
    while after is not None:
        variables = {"id": product, "first": documents.PAGE, "after": after}
        entries, after = await errand.ask(documents.PRODUCT_VARIANTS, variables, read)
        found += entries
    return found


def _chunks(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
