"""Item keys: `P:<system code>` for a product without variations, `V:<system code>:<own code>` for a variation.

Everything behind the second colon is the own code to the character, blanks and further colons included. `N:` keys name
variations that cannot be told apart; they stand in the catalogue for people and are never read or written.
"""

from __future__ import annotations

from dataclasses import dataclass

from inventory_sync.model.ids import ItemKey, LocationKey
from inventory_sync.systems.values import CellRef

SHOP = LocationKey("shop")  # MakeShop has one number per item and no warehouses

_PRODUCT, _VARIATION, _NAMELESS = "P", "V", "N"


@dataclass(frozen=True, slots=True)
class Item:
    """A thing with a stock number: the product of a system code, or its variation of this own code."""

    product: str
    variation: str | None = None

    @property
    def key(self) -> ItemKey:
        if self.variation is None:
            return ItemKey(f"{_PRODUCT}:{self.product}")
        return ItemKey(f"{_VARIATION}:{self.product}:{self.variation}")

    @property
    def cell(self) -> CellRef:
        return CellRef(self.key, SHOP)


def item_of(key: str) -> Item | None:
    """The item a key names, or None where it names none that could have a number.

    >>> item_of("V:000000000084:A:1 ")
    Item(product='000000000084', variation='A:1 ')
    >>> item_of("N:000000000084:1") is None
    True
    """
    kind, _, rest = key.partition(":")
    product, colon, variation = rest.partition(":")
    if not product:
        return None
    if kind == _PRODUCT:
        return None if colon else Item(product)
    return Item(product, variation) if kind == _VARIATION and variation else None


def product_of(key: str) -> str:
    """The system code that a key, or a bare system code, belongs to.

    >>> product_of("P:000000000084"), product_of("000000000084"), product_of("N:000000000084:1")
    ('000000000084', '000000000084', '000000000084')
    """
    kind, colon, rest = key.partition(":")
    return rest.partition(":")[0] if colon and kind in (_PRODUCT, _VARIATION, _NAMELESS) else key


def nameless_key(product: str, name: str) -> ItemKey:
    """The key under which a variation is listed that has no own code of its own."""
    return ItemKey(f"{_NAMELESS}:{product}:{name}")


def is_nameless(key: str) -> bool:
    """Whether a key names a variation that cannot be told from its neighbours."""
    return key.startswith(f"{_NAMELESS}:")
