"""Stock writes: the one request that carries out a batch, and what became of each of its rows.

Products without variations and variations are written by two operations; a batch with both is one document with both,
since a batch is one request. `failResult` names the rows that failed and no others (observed).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inventory_sync.model.ids import OpId
from inventory_sync.systems.errors import Bug, Doubt
from inventory_sync.systems.makeshop import documents, problems, protocol
from inventory_sync.systems.makeshop.classify import Answer, clean
from inventory_sync.systems.makeshop.documents import Document
from inventory_sync.systems.makeshop.keys import Item, item_of
from inventory_sync.systems.makeshop.shapes import UnexpectedAnswer, obj, objects
from inventory_sync.systems.port import (
    Applied,
    NotApplied,
    OpOutcome,
    PlannedOp,
    PreparedRequest,
    Rejected,
    WriteMode,
)

# `productKeyType`: 0 names a product by its system code, as in MakeShop's product CSV (www.makeshop.jp/manual).
PRODUCT_BY_SYSTEM_CODE = 0
# `variationKeyType`: 1 names a variation by its own code (observed).
VARIATION_BY_OWN_CODE = 1

PRODUCTS, VARIATIONS = "products", "variations"


@dataclass(frozen=True, slots=True)
class Calculation:
    """How a number is written: relative or absolute, by which `quantityCalculationType`; and the form of a
    variation's details, a list or a single object."""

    mode: WriteMode
    code: int
    details: str = "list"


def part_of(item: Item) -> str:
    """Which of the two operations writes an item."""
    return PRODUCTS if item.variation is None else VARIATIONS


def compose(ops: Sequence[PlannedOp], key: str, how: Calculation) -> PreparedRequest:
    """The one request that carries out ops. Raises Bug for an op that MakeShop has no words for."""
    items = [_item(op) for op in ops]
    products: list[dict[str, Any]] = []
    variations: dict[str, dict[str, Any]] = {}
    for op, item in zip(ops, items, strict=True):
        number = {"quantityCalculationType": how.code, "quantity": _number(op, how.mode)}
        row = {"productKeyType": PRODUCT_BY_SYSTEM_CODE, "systemCode": item.product}
        if item.variation is None:
            products.append({**row, **number})
            continue
        detail = {"variationKeyType": VARIATION_BY_OWN_CODE, "variationCustomCode": item.variation, **number}
        if how.details == "list":
            entry = variations.setdefault(item.product, {**row, "variationQuantityDetails": []})
            entry["variationQuantityDetails"].append(detail)
        else:
            variations[item.key] = {**row, "variationQuantityDetails": detail}
    variables: dict[str, Any] = {}
    if products:
        variables["products"] = {"productQuantities": products}
    if variations:
        variables["variations"] = {"variationQuantities": list(variations.values())}
    body = protocol.encode(document_of(ops), variables)
    return PreparedRequest("POST", "", body, key, protocol.API_VERSION)


def document_of(ops: Sequence[PlannedOp]) -> Document:
    """The document that a batch of these ops is sent with."""
    parts = {part_of(_item(op)) for op in ops}
    if not parts:
        raise _impossible("a batch without a change")
    return documents.stock(products=PRODUCTS in parts, variations=VARIATIONS in parts)


def outcomes(ops: Sequence[PlannedOp], answer: Answer) -> dict[OpId, OpOutcome]:
    """What became of every op. Raises Doubt where a failure cannot be laid at one row's door.

    An operation that was not approved did nothing; a row that no failure names was carried out.
    """
    found: dict[OpId, OpOutcome] = {}
    for part, root in ((PRODUCTS, documents.UPDATE_PRODUCT), (VARIATIONS, documents.UPDATE_VARIATION)):
        own = {op: item for op in ops if part_of(item := _item(op)) == part}
        if root in answer.refused:
            found |= {op.op: NotApplied(problems.NOT_APPROVED.text(root), problems.NOT_APPROVED.code) for op in own}
        elif own:
            found |= {op.op: Applied() for op in own}
            for failure in _failures(answer.data, root):
                found |= {op.op: _rejected(failure) for op in _meant(own, failure)}
    return found


def _failures(data: Mapping[str, Any], root: str) -> list[Mapping[str, Any]]:
    """The rows that failed; one without a message did not."""
    result = obj(data.get(root), root)
    if "failResult" not in result:
        raise UnexpectedAnswer(f"{root} without failResult")
    return [row for row in objects(result["failResult"], f"{root}.failResult") if row.get("message") is not None]


def _meant(own: Mapping[PlannedOp, Item], failure: Mapping[str, Any]) -> list[PlannedOp]:
    """The ops that a failure speaks of: by both codes, or all variations of a product where it names none of them."""
    product, variation = failure.get("systemCode"), failure.get("variationCustomCode")
    by_both = [op for op, item in own.items() if (item.product, item.variation) == (product, variation)]
    by_product = [op for op, item in own.items() if item.product == product and not variation]
    by_variation = [op for op, item in own.items() if not product and variation and item.variation == variation]
    for meant in (by_both, by_product):
        if meant:
            return meant
    for only in (by_variation, list(own)):
        if len(only) == 1:
            return only
    text = f"a failure that names no row of ours: {clean(str(failure.get('message')))}"
    raise Doubt(problems.OUTCOME_UNKNOWN.text(text), code=problems.OUTCOME_UNKNOWN.code)


def _rejected(failure: Mapping[str, Any]) -> Rejected:
    return Rejected(problems.ROW_REFUSED.text(clean(str(failure.get("message")))), problems.ROW_REFUSED.code)


def _number(op: PlannedOp, mode: WriteMode) -> int:
    if mode is WriteMode.RELATIVE:
        if op.delta == 0:
            raise _impossible(f"a change of 0 at {op.cell.item}")
        return op.delta
    if op.value is None or op.value < 0:
        raise _impossible(f"{op.cell.item} cannot be set to {op.value}")
    return op.value


def _item(op: PlannedOp) -> Item:
    item = item_of(op.cell.item)
    if item is None:
        raise _impossible(f"{op.cell.item!r} names no product or variation")
    return item


def _impossible(particulars: str) -> Bug:
    return Bug(problems.CHANGE_IMPOSSIBLE.text(particulars), code=problems.CHANGE_IMPOSSIBLE.code)
