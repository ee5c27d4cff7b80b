"""Readings of the Platform API's answers: strict, because a number that was guessed would be written somewhere else.

Every value is a string (developers.smaregi.dev/platform-api-reference: apis/pos/operations/getstock). An answer that is
not JSON is tried again; one of an unknown form is a Bug; neither is ever zero rows or the number 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from inventory_sync.model.ids import ItemKey, LocationKey
from inventory_sync.systems.errors import Bug, Unreadable
from inventory_sync.systems.http import HttpResponse
from inventory_sync.systems.port import (
    Applied,
    CatalogueItem,
    CellRef,
    Condition,
    HistoryRow,
    LevelReading,
    PartnerLocation,
)
from inventory_sync.systems.smaregi import memo, problems, protocol

Row = Mapping[str, Any]

_WHOLE = re.compile(r"[+-]?[0-9]{1,10}")
_ID = re.compile(r"[0-9]{1,15}")
_HISTORY_ID = re.compile(r"[0-9]{1,20}")

# Stock divisions (在庫区分) of the change history, from the official text as third parties quote it.
CAUSES: Mapping[str, str] = {
    "01": "correction",
    "02": "sale",
    "03": "receipt",
    "04": "transfer",
    "05": "transfer",
    "07": "layaway",
    "08": "count",
    "09": "adjustment",
    "10": "shipment",
    "12": "return",
    "14": "loss",
    "15": "api",
    "16": "sale",  # a component of goods sold at the register (売上引当)
    "18": "reservation",  # by order management (受注在庫引当)
}
OTHER_CAUSE = "other"  # rental, promotional goods, short receipts, and divisions that are not known yet

_PLACES = {"1": "", "2": "warehouse"}  # poststores: division 1 shop, 2 warehouse


@dataclass(frozen=True, slots=True)
class Levels:
    """The readable rows of a stock list, and the cells whose number could not be read."""

    readings: tuple[LevelReading, ...]
    unreadable: tuple[CellRef, ...]


def rows(response: HttpResponse, what: str) -> list[Row]:
    """The objects of a list answer. Raises RetryLater where it is not JSON, Bug where it is not a list of objects."""
    try:
        body = orjson.loads(response.body)
    except orjson.JSONDecodeError as error:
        raise protocol.later(problems.NOT_JSON, what, protocol.GARBLED_PAUSE, executed=None) from error
    if not isinstance(body, list) or not all(isinstance(row, dict) for row in body):
        raise unknown_shape(f"{what} is not a list of objects")
    return body


def has_more(response: HttpResponse, count: int, limit: int = protocol.PAGE) -> bool:
    """Whether a list goes on: a full page, or a Link header that names the next (observed in an official client)."""
    return count >= limit or re.search(r';\s*rel="?next"?', response.headers.get("link", "")) is not None


def location(row: Row) -> PartnerLocation:
    """A store as a location: shops and warehouses, a paused one inactive, other kinds listed and not offered."""
    division = str(row.get("division"))
    known = division in _PLACES
    return PartnerLocation(
        key=LocationKey(_identifier(row, "storeId", "a store")),
        name=str(row.get("storeName") or row.get("storeCode") or ""),
        active=str(row.get("pauseFlag", "0")) != "1",
        mappable=known,
        note=_PLACES[division] if known else f"neither shop nor warehouse (division {division})",
    )


def item(row: Row) -> CatalogueItem:
    """A product as an item. Codes keep their blanks; what has no managed stock is untracked and says why.

    A product is its own SKU, so `group` stays empty: the group code joins products but is no id to refresh by, and it
    may equal the id of one of them.
    """
    key = _identifier(row, "productId", "a product")
    if row.get("stockControlDivision") is None:
        raise unknown_shape(f"product {key} without stockControlDivision")
    managed, division = str(row["stockControlDivision"]), str(row.get("division") or "0")
    status = ""
    if division != "0":
        kinds = {"1": "a coupon ticket", "2": "an option"}
        status = f"{kinds.get(division, 'not an ordinary product')} (division {division})"
    elif managed != "0":
        status = f"stock is not managed in Smaregi (stockControlDivision {managed})"
    fields = {"product_code": "productCode", "supplier_product_no": "supplierProductNo", "group_code": "groupCode"}
    codes = {name: str(row[field]) for name, field in fields.items() if row.get(field) not in (None, "")}
    name = " / ".join(str(row[part]) for part in ("productName", "size", "color") if row.get(part) not in (None, ""))
    return CatalogueItem(key=ItemKey(key), codes=codes, name=name, tracked=not status, status=status)


def levels(found: Sequence[Row], what: str) -> Levels:
    """The levels of a stock list. A row repeated by paging counts once, the newer one.

    What is laid away (取置き) is told beside the stock; whether the stock already lacks it is not documented, so routes
    name the number they go by. A row whose number cannot be read is named in `unreadable`. Raises Bug if that is every
    row, or a row names no cell.
    """
    readings: dict[CellRef, LevelReading] = {}
    unreadable: dict[CellRef, None] = {}
    for row in found:
        cell = CellRef(ItemKey(_identifier(row, "productId", what)), LocationKey(_identifier(row, "storeId", what)))
        quantity = _whole(row.get("stockAmount"))
        if quantity is None:
            unreadable[cell] = None
            continue
        aside = _whole(row.get("layawayStockAmount"))
        reading = LevelReading(cell, Condition.ACTIVE, quantity, _instant(row.get("updDateTime")), aside=aside)
        earlier = readings.get(cell)
        if earlier is None or earlier.stamp is None or reading.stamp is None or reading.stamp >= earlier.stamp:
            readings[cell] = reading
    for cell in unreadable:
        readings.pop(cell, None)
    if unreadable and not readings:
        first = next(iter(unreadable))
        problem = problems.BAD_NUMBER
        raise Bug(problem.text(f"{what}: product {first.item}, store {first.location}"), code=problem.code)
    return Levels(tuple(readings.values()), tuple(unreadable))


def applied(response: HttpResponse, cell: CellRef) -> Applied | None:
    """What a 200 on a stock change proves: the history row it names. None where it names none, or another cell.

    `stockAmount` is not looked at: whether it is the change or the result is not documented.
    """
    try:
        body = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(body, dict):
        return None
    if (str(body.get("productId")), str(body.get("storeId"))) != (cell.item, cell.location):
        return None
    history = body.get("stockHistory")
    reference = str(history.get("id")) if isinstance(history, dict) else ""
    return Applied(reference, _instant(body.get("updDateTime"))) if _HISTORY_ID.fullmatch(reference) else None


def history_row(row: Row, cell: CellRef) -> HistoryRow:
    """One row of a cell's change history. Raises Unreadable where it carries no memo field, Bug where it is malformed.

    `amount` is the signed change and the stamp is when the row was written; `happened_at` is the business time, which
    may lie in the past (stock-takes, losses, sales of a register that was offline).
    """
    what = f"the history of product {cell.item}, store {cell.location}"
    if "memo" not in row:
        raise Unreadable(problems.MEMO_NOT_RETURNED.text(what), code=problems.MEMO_NOT_RETURNED.code)
    number, amount, at = str(row.get("id")), _whole(row.get("amount")), _instant(row.get("updDateTime"))
    if not _HISTORY_ID.fullmatch(number) or amount is None or at is None:
        raise unknown_shape(f"{what} has a row without readable id, amount or updDateTime")
    own = memo.parse_memo(row["memo"]) if isinstance(row["memo"], str) else None
    return HistoryRow(
        id=number,
        amount=amount,
        at=at,
        cause=CAUSES.get(str(row.get("stockDivision")), OTHER_CAUSE),
        installation=own.installation if own else None,
        op=own.op if own else None,
        level_after=_whole(row.get("stockAmount")),
        happened_at=_instant(row.get("targetDateTime")),
    )


def _identifier(row: Row, name: str, what: str) -> str:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, (str, int)) or not _ID.fullmatch(str(value)):
        raise unknown_shape(f"{what} without a readable {name}")
    return str(value)


def _whole(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else None


def _instant(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def unknown_shape(particulars: str) -> Bug:
    """The Bug for an answer of a form that is not known; `particulars` name the call and what is odd."""
    return Bug(problems.UNKNOWN_SHAPE.text(particulars), code=problems.UNKNOWN_SHAPE.code)
