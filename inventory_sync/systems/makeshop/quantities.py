"""Stock as MakeShop shows it: pages of numbers, and what an answer says about the cells that were asked for.

No page is trusted to be whole because of its length: MakeShop shortens pages without saying so (observed with
products). So a product that an answer lacks is asked for again by itself, and is gone only when an answer shows
nothing at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from inventory_sync.systems.makeshop.catalogue import level
from inventory_sync.systems.makeshop.documents import SEARCH_QUANTITY
from inventory_sync.systems.makeshop.keys import Item, is_nameless, item_of
from inventory_sync.systems.makeshop.shapes import UnexpectedAnswer, identifier, obj, objects, words
from inventory_sync.systems.port import CellRef, Condition, LevelReading

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Quantities:
    """One product's numbers. `variations` in the order of the answer; own codes may be empty or occur twice."""

    product: str
    quantity: Any
    variations: tuple[tuple[str, Any], ...]

    def reading(self, item: Item) -> LevelReading | None:
        """What this says about one of the product's items; None where its number cannot be read.

        A product that has variations is no item any more, nor is a variation that is not there: both are gone.
        """
        if item.variation is None:
            if self.variations:
                return LevelReading(item.cell, Condition.GONE, None)
            return _level(item.cell, self.quantity)
        found = [quantity for code, quantity in self.variations if code == item.variation]
        if not found:
            return LevelReading(item.cell, Condition.GONE, None)
        if len(found) > 1:  # two variations of this own code: nobody can tell which one a write would meet
            return LevelReading(item.cell, Condition.UNTRACKED, None)
        return _level(item.cell, found[0])

    def readings(self) -> list[LevelReading]:
        """Every item of the product that has a number or is not limited."""
        if not self.variations:
            items = [Item(self.product)]
        else:
            times = Counter(code for code, _ in self.variations)
            items = [Item(self.product, code) for code, _ in self.variations if code and times[code] == 1]
        return [reading for item in items if (reading := self.reading(item)) is not None]


def read_quantities(data: Mapping[str, Any]) -> list[Quantities]:
    """The products of a page of numbers."""
    rows = objects(obj(data.get(SEARCH_QUANTITY), SEARCH_QUANTITY).get("productQuantities"), "productQuantities")
    return [
        Quantities(
            identifier(row.get("systemCode"), "a systemCode in a list of stock"),
            row.get("quantity"),
            tuple(
                (words(each.get("variationCustomCode")), each.get("variationQuantity"))
                for each in objects(row.get("variationQuantities"), "variationQuantities")
            ),
        )
        for row in rows
    ]


class Absent:
    """Which products an answer lacked, until an answer to a question for them alone says that they are gone."""

    def __init__(self) -> None:
        self._suspects: set[str] = set()

    def choose(self, products: Sequence[str]) -> list[str]:
        """What to ask of these: the suspects among them by themselves, else all."""
        return [each for each in products if each in self._suspects] or list(products)

    def judge(self, asked: Sequence[str], found: Sequence[Quantities]) -> list[str]:
        """The products that are certainly gone. Raises UnexpectedAnswer for an answer to another question."""
        shown = {each.product for each in found}
        if not shown <= set(asked):
            raise UnexpectedAnswer("an answer with products that were not asked for")
        missing = [each for each in asked if each not in shown]
        self._suspects.difference_update(asked)
        if not shown:
            return missing
        self._suspects.update(missing)
        return []


async def read_cells(
    cells: Sequence[CellRef], absent: Absent, ask: Callable[[Sequence[str]], Any], most: int
) -> list[LevelReading]:
    """The readings that one question gives, at most `most` products. A cell it does not settle is left out.

    `ask` gives the `Quantities` of some system codes.
    """
    items = {cell: item_of(cell.item) for cell in dict.fromkeys(cells)}
    readings = [LevelReading(cell, _unkeyed(cell), None) for cell, item in items.items() if item is None]
    known = {cell: item for cell, item in items.items() if item is not None}
    if not known:
        return readings
    asked = absent.choose(list(dict.fromkeys(item.product for item in known.values())))[:most]
    found: Sequence[Quantities] = await ask(asked)
    gone = absent.judge(asked, found)
    by_product = {each.product: each for each in found}
    for cell, item in known.items():
        if item.product in gone:
            readings.append(LevelReading(cell, Condition.GONE, None))
        elif item.product in by_product:
            reading = by_product[item.product].reading(item)
            if reading is not None:
                readings.append(reading)
    return readings


def _unkeyed(cell: CellRef) -> Condition:
    return Condition.UNTRACKED if is_nameless(cell.item) else Condition.GONE


def _level(cell: CellRef, quantity: Any) -> LevelReading | None:
    try:
        return level(cell, quantity)
    except UnexpectedAnswer:
        _log.error("makeshop.number_unreadable", item=cell.item)
        return None
