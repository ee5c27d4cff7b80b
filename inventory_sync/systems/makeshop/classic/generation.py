"""Product CSV and option CSV as one generation: bytes in, the whole catalogue out, or a refusal that names the place.

Both files count or neither. Nothing in them is trimmed, folded or guessed; the only thing taken off is the guard
`="CODE"` that spreadsheets need to leave a code alone.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from inventory_sync.model.ids import ItemKey
from inventory_sync.systems.makeshop.catalogue import DOUBLE_OWN_CODE, HIDDEN, NO_OWN_CODE, UNLIMITED
from inventory_sync.systems.makeshop.classic import layouts, warnings
from inventory_sync.systems.makeshop.classic.layouts import Encoding
from inventory_sync.systems.makeshop.classic.table import (
    ColumnsChanged,
    GenerationRefused,
    Kind,
    NamedFile,
    Row,
    Table,
    read_table,
    refused,
)
from inventory_sync.systems.makeshop.classic.warnings import FileWarning
from inventory_sync.systems.makeshop.keys import Item, nameless_key
from inventory_sync.systems.values import CatalogueItem, Condition, LevelReading

CUSTOM_CODE, JAN_CODE, SYSTEM_CODE = "custom_code", "jan_code", "system_code"

NOT_IN_PRODUCTS = "the product file does not hold the product of this option (商品CSVにない商品)"


@dataclass(frozen=True, slots=True)
class AcceptedColumns:
    """The columns of the two files that were accepted last, in their order."""

    product: tuple[str, ...]
    option: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Generation:
    """A catalogue from two files. `id` is the same for the same two files; `levels` are hints, never readings."""

    id: str
    items: tuple[CatalogueItem, ...]
    levels: tuple[LevelReading, ...]
    columns: AcceptedColumns
    warnings: tuple[FileWarning, ...]


def read_generation(
    product: NamedFile,
    options: NamedFile,
    *,
    encoding: str | Encoding,
    accepted_columns: AcceptedColumns | None,
    allow_missing_end: bool = False,
) -> Generation:
    """The generation that two files make. Raises GenerationRefused, and its ColumnsChanged until a person confirms.

    `accepted_columns`: of the last generation, or those a person has confirmed; None for the first.
    `allow_missing_end`: a person says that a last line without a line end is no sign of a cut file.
    """
    chosen = encoding if isinstance(encoding, Encoding) else layouts.encoding_named(encoding)
    products = read_table(product, Kind.PRODUCT, chosen, allow_missing_end=allow_missing_end)
    choices = read_table(options, Kind.OPTION, chosen, allow_missing_end=allow_missing_end)
    if accepted_columns is not None:
        _compare_columns(products, accepted_columns.product)
        _compare_columns(choices, accepted_columns.option)
    parents = _by_code(products)
    drafts = [*_product_drafts(products, {row[layouts.SYSTEM_CODE] for row in choices.rows})]
    drafts += _option_drafts(choices, parents)
    digest = hashlib.sha256()
    for file in (product, options):
        digest.update(hashlib.sha256(file.content).digest())
    return Generation(
        id=digest.hexdigest(),
        items=tuple(draft.item for draft in drafts),
        levels=tuple(draft.level for draft in drafts if draft.level is not None),
        columns=AcceptedColumns(products.columns, choices.columns),
        warnings=(
            *warnings.stale_pair(product.name, options.name),
            *warnings.unknown_parents(choices, set(parents)),
            *warnings.nameless(choices),
            *(each for table in (products, choices) for each in warnings.two_homes(table)),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Draft:
    item: CatalogueItem
    level: LevelReading | None


def _compare_columns(table: Table, accepted: Sequence[str]) -> None:
    if table.columns != tuple(accepted):
        raise ColumnsChanged(table.file, tuple(accepted), table.columns)


def _by_code(products: Table) -> Mapping[str, Row]:
    found: dict[str, Row] = {}
    for row in products.rows:
        code = row[layouts.SYSTEM_CODE]
        if code in found:
            raise refused(products.file, row.number, layouts.SYSTEM_CODE, f"the product {code} stands here twice")
        found[code] = row
    return found


def _product_drafts(products: Table, parents: Set[str]) -> list[_Draft]:
    """The products without options; one that has options has no stock of its own and is no item."""
    drafts = []
    for row in products.rows:
        code = row[layouts.SYSTEM_CODE]
        if code not in parents:
            codes = {CUSTOM_CODE: row[layouts.OWN_CODE], JAN_CODE: row[layouts.JAN], SYSTEM_CODE: code}
            status = _hidden(row)
            drafts.append(_draft(Item(code), codes, row[layouts.NAME], products.quantity(row), status))
    return drafts


def _option_drafts(choices: Table, parents: Mapping[str, Row]) -> list[_Draft]:
    times = Counter((row[layouts.SYSTEM_CODE], row[layouts.OPTION_CODE]) for row in choices.rows)
    places: Counter[str] = Counter()
    drafts = []
    for row in choices.rows:
        product, own = row[layouts.SYSTEM_CODE], row[layouts.OPTION_CODE]
        places[product] += 1
        parent = parents.get(product)
        codes = {CUSTOM_CODE: own, JAN_CODE: row[layouts.JAN]}
        reason = ""
        if not own or times[product, own] > 1:
            reason = DOUBLE_OWN_CODE if own else NO_OWN_CODE
        elif parent is None:
            reason = NOT_IN_PRODUCTS
        key = nameless_key(product, str(places[product])) if reason in (NO_OWN_CODE, DOUBLE_OWN_CODE) else None
        status = "" if parent is None else _hidden(parent)
        name = _option_name(row, parent)
        drafts.append(_draft(Item(product, own), codes, name, choices.quantity(row), status, reason, key))
    return drafts


def _draft(
    item: Item,
    codes: Mapping[str, str],
    name: str,
    quantity: int | None,
    status: str,
    reason: str = "",
    key: ItemKey | None = None,
) -> _Draft:
    """An item with its hint. `reason`: why it is never written; it has no number to hint at then."""
    limited = quantity is not None
    entry = CatalogueItem(
        key=key or item.key,
        codes={field: value for field, value in codes.items() if value},
        name=name,
        tracked=limited and not reason,
        status=reason or (status if limited else UNLIMITED),
        group=item.product,
    )
    condition = Condition.ACTIVE if limited else Condition.UNTRACKED
    return _Draft(entry, None if reason else LevelReading(item.cell, condition, quantity))


def _hidden(row: Row) -> str:
    return HIDDEN if row.get(layouts.DISPLAY) == "N" else ""


def _option_name(row: Row, parent: Row | None) -> str:
    name = row.get(layouts.NAME) if parent is None else parent[layouts.NAME]
    parts = (name, row.get(layouts.OPTION_ITEM_1), row.get(layouts.OPTION_ITEM_2))
    return " / ".join(part for part in parts if part)


__all__ = [
    "AcceptedColumns",
    "ColumnsChanged",
    "FileWarning",
    "Generation",
    "GenerationRefused",
    "Kind",
    "NamedFile",
    "read_generation",
]
