"""MakeShop's products as items: one without variations is one item, else every variation is one.

Option groups (オプショングループ) are choices at the till without stock, so they are no items and not even asked
for. `quantity: null` is "not limited" (observed): such an item is listed, has no number, and is never written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inventory_sync.model.ids import ItemKey
from inventory_sync.systems.makeshop.documents import SEARCH_PRODUCT
from inventory_sync.systems.makeshop.keys import Item, nameless_key
from inventory_sync.systems.makeshop.shapes import UnexpectedAnswer, identifier, obj, objects, whole, words
from inventory_sync.systems.port import CatalogueItem, CellRef, Condition, LevelReading

UNLIMITED = "stock is not limited in MakeShop"
HIDDEN = "hidden in the shop"
NO_OWN_CODE = "the variation has no own code (バリエーション独自コード), so it cannot be told from its neighbours"
DOUBLE_OWN_CODE = "another variation of the product has the same own code (バリエーション独自コード)"
NO_VARIATIONS = "the product has variations in MakeShop, and none is listed"


@dataclass(frozen=True, slots=True)
class Products:
    """A page of products: their items, levels where the page shows them, and what tells pages apart."""

    items: tuple[CatalogueItem, ...]
    levels: tuple[LevelReading, ...]
    codes: tuple[str, ...]


def read_products(data: Mapping[str, Any]) -> Products:
    """The items of a page of products."""
    rows = objects(obj(data.get(SEARCH_PRODUCT), SEARCH_PRODUCT).get("products"), "products")
    items: list[CatalogueItem] = []
    levels: list[LevelReading] = []
    codes = []
    for row in rows:
        code = identifier(row.get("systemCode"), "a product's systemCode")
        codes.append(code)
        variations = objects(row.get("variations"), "variations")
        if variations or _shows_variations(row):
            items += _variations(code, row, variations)
        else:
            items.append(_product(code, row))
            levels.append(level(Item(code).cell, row.get("quantity")))
    return Products(tuple(items), tuple(levels), tuple(codes))


def level(cell: CellRef, quantity: Any) -> LevelReading:
    """A number as MakeShop shows it; null is untracked. Raises UnexpectedAnswer for what is neither."""
    number = whole(quantity)
    if number is None:
        if quantity is not None:
            raise UnexpectedAnswer(f"the stock of {cell.item} is no whole number")
        return LevelReading(cell, Condition.UNTRACKED, None)
    return LevelReading(cell, Condition.ACTIVE, number)


def _shows_variations(row: Mapping[str, Any]) -> bool:
    """`variationShowType` 0 is a product without variations, any other number one with them (observed)."""
    return whole(row.get("variationShowType")) not in (None, 0)


def _product(code: str, row: Mapping[str, Any]) -> CatalogueItem:
    tracked = row.get("quantity") is not None
    codes = {"custom_code": words(row.get("customCode")), "jan_code": words(row.get("janCode")), "system_code": code}
    return CatalogueItem(
        key=Item(code).key,
        codes={name: value for name, value in codes.items() if value},
        name=words(row.get("productName")),
        tracked=tracked,
        status=_hidden(row) if tracked else UNLIMITED,
        group=code,
    )


def _variations(code: str, row: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> list[CatalogueItem]:
    """The variations of a product. None falls back to the product's own codes: all of them share those."""
    name = words(row.get("productName"))
    if not found:
        return [CatalogueItem(nameless_key(code, ""), {}, name, tracked=False, status=NO_VARIATIONS, group=code)]
    times = Counter(words(each.get("variationCustomCode")) for each in found)
    items = []
    for number, each in enumerate(found, 1):
        own = words(each.get("variationCustomCode"))
        parts = [words(each.get(field)) for field in ("variation1ItemName", "variation2ItemName")]
        told_apart = bool(own) and times[own] == 1
        key: ItemKey = Item(code, own).key if told_apart else nameless_key(code, str(number))
        codes = {"custom_code": own, "jan_code": words(each.get("janCode"))}
        items.append(
            CatalogueItem(
                key=key,
                codes={field: value for field, value in codes.items() if value},
                name=" / ".join(part for part in (name, *parts) if part),
                tracked=told_apart,
                status=_hidden(row) if told_apart else (DOUBLE_OWN_CODE if own else NO_OWN_CODE),
                group=code,
            )
        )
    return items


def _hidden(row: Mapping[str, Any]) -> str:
    return HIDDEN if row.get("display") == "N" else ""
