"""Reading stock: single cells by their item's id, what changed lately, and everything.

A list of an item's levels may be cut off. A cell that a cut list does not show is never taken for absent: the rest is
asked for, first with a whole page and then page by page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from inventory_sync.model.ids import ItemKey, LocationKey
from inventory_sync.systems.errors import RetryLater
from inventory_sync.systems.port import CellRef, LevelReading
from inventory_sync.systems.shopify import documents, protocol
from inventory_sync.systems.shopify.classify import UnexpectedAnswer
from inventory_sync.systems.shopify.cursors import ChangesCursor, ListCursor
from inventory_sync.systems.shopify.documents import Document
from inventory_sync.systems.shopify.door import Errand, understand
from inventory_sync.systems.shopify.outcomes import COMMITTED, QUANTITY
from inventory_sync.systems.shopify.protocol import ItemLevels
from inventory_sync.systems.shopify.shapes import obj

NAMES = [QUANTITY, COMMITTED]
Wanted = Mapping[ItemKey, Sequence[LocationKey]]
Settled = tuple[list[LevelReading], list[ItemLevels]]


async def read_cells(errand: Errand, cells: Sequence[CellRef]) -> list[LevelReading]:
    """Readings of cells. Where the budget ends midway, what was read until then; a cell left out was not read."""
    wanted: dict[ItemKey, list[LocationKey]] = {}
    for cell in dict.fromkeys(cells):
        wanted.setdefault(cell.item, []).append(cell.location)
    if not wanted:
        return []
    settled: dict[CellRef, LevelReading] = {}
    readings, cut = await _nodes(errand, documents.READ_LEVELS, documents.LEVELS_FIRST, wanted)
    settled |= {each.cell: each for each in readings}
    try:
        for start in range(0, len(cut), documents.WHOLE_LISTS_AT_ONCE):
            again = {each.item: wanted[each.item] for each in cut[start : start + documents.WHOLE_LISTS_AT_ONCE]}
            readings, still_cut = await _nodes(errand, documents.READ_ALL_LEVELS, documents.PAGE, again)
            settled |= {each.cell: each for each in readings}
            for levels in still_cut:
                missing = [each for each in wanted[levels.item] if CellRef(levels.item, each) not in settled]
                settled |= {each.cell: each for each in await _follow(errand, levels, missing)}
    except RetryLater:
        if not settled:
            raise
    return list(settled.values())


async def _nodes(errand: Errand, document: Document, first: int, wanted: Wanted) -> Settled:
    """Readings of the wanted cells of some items, and the items whose list was cut off before showing them all."""
    ids = list(wanted)

    def read(data: Mapping[str, Any]) -> Settled:
        readings: list[LevelReading] = []
        cut: list[ItemLevels] = []
        for item, node in zip(ids, protocol.read_nodes(data, ids), strict=True):
            found, more = protocol.settle_cells(item, wanted[item], node)
            readings += found
            if more is not None:
                cut.append(more)
        return readings, cut

    return await errand.ask(document, {"itemIds": ids, "levels": first, "names": NAMES}, read)


async def _follow(errand: Errand, levels: ItemLevels, missing: Sequence[LocationKey]) -> list[LevelReading]:
    """Page through an item's further levels until every missing cell is settled."""
    readings: list[LevelReading] = []
    after = levels.after
    while missing and after is not None:
        node = await _item_page(errand, levels.item, after)
        found, more = understand(documents.ITEM_LEVELS, partial(protocol.settle_cells, levels.item, missing, node))
        readings += found
        seen = {each.cell.location for each in found}
        missing = [each for each in missing if each not in seen]
        after = None if more is None else more.after
    return readings


async def _item_page(errand: Errand, item: ItemKey, after: str) -> Mapping[str, Any] | None:
    """An item with the page of its levels behind `after`; None for an item that is gone."""

    def read(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
        if "inventoryItem" not in data:
            raise UnexpectedAnswer("an item is missing")
        return None if data["inventoryItem"] is None else obj(data["inventoryItem"])

    variables = {"itemId": item, "first": documents.PAGE, "after": after, "names": NAMES}
    return await errand.ask(documents.ITEM_LEVELS, variables, read)


async def changed_page(
    errand: Errand, place: ChangesCursor, since: datetime
) -> tuple[list[LevelReading], ChangesCursor | None]:
    """A page of the levels of a location that changed since then, or of the walk that replaces a list too long."""
    if place.walk is not None:
        levels, walk = await walk_page(errand, place.walk)
        return levels, None if walk is None else ChangesCursor(walk=walk)
    variables = {
        "locationId": place.locations[0],
        "first": documents.PAGE,
        "after": place.after,
        "query": f"updated_at:>='{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'",
        "names": NAMES,
    }
    levels, after = await errand.ask(documents.CHANGED_LEVELS, variables, protocol.read_changed)
    return levels, place.behind(after)


async def walk_page(errand: Errand, place: ListCursor) -> tuple[list[LevelReading], ListCursor | None]:
    """A page of all items with all their levels."""
    variables = list_variables(place)
    entries, numbers, after = await errand.ask(documents.WALK_ITEMS, variables, protocol.read_walk)
    levels = {reading.cell: reading for entry in entries for reading in entry.levels.values()}
    cut = [entry.item for entry in entries if entry.after is not None]
    for start in range(0, len(cut), documents.WHOLE_LISTS_AT_ONCE):
        for entry in await _whole_lists(errand, cut[start : start + documents.WHOLE_LISTS_AT_ONCE]):
            levels |= {reading.cell: reading for reading in entry.levels.values()}
    return list(levels.values()), place.behind(numbers, after)


async def _whole_lists(errand: Errand, ids: Sequence[ItemKey]) -> list[ItemLevels]:
    """All levels of some items, in as many parts as it takes; items that are gone are left out."""

    def read(data: Mapping[str, Any]) -> list[ItemLevels]:
        return [protocol.read_item_levels(node) for node in protocol.read_nodes(data, ids) if node is not None]

    variables = {"itemIds": ids, "levels": documents.PAGE, "names": NAMES}
    parts = await errand.ask(documents.READ_ALL_LEVELS, variables, read)
    for part in list(parts):
        after = part.after
        while after is not None:
            node = await _item_page(errand, part.item, after)
            if node is None:
                break
            page = understand(documents.ITEM_LEVELS, partial(protocol.read_item_levels, node))
            parts.append(page)
            after = page.after
    return parts


def list_variables(place: ListCursor) -> dict[str, Any]:
    """The variables of a page of a long list with levels."""
    return {
        "first": documents.PAGE,
        "after": place.after,
        "query": place.query,
        "levels": documents.LEVELS_FIRST,
        "names": NAMES,
    }
