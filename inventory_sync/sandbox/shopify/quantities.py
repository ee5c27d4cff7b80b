"""inventorySetQuantities and inventoryAdjustQuantities, as recorded from API 2026-04 on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from inventory_sync.sandbox.shopify import texts
from inventory_sync.sandbox.shopify.core import Run
from inventory_sync.sandbox.shopify.mutations import Payload
from inventory_sync.sandbox.shopify.state import Item, Level, Location, gid
from inventory_sync.sandbox.shopify.switches import BatchMode, InactiveWrite, MissingLevelWrite
from inventory_sync.sandbox.shopify.texts import user_error
from inventory_sync.sandbox.shopify.webhooks import Occasion

_SET_LIMIT = 1_000_000_000
_ADJUST_LIMIT = 2_000_000_000
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(//)?[^\s/]\S*\Z")


class Change(NamedTuple):
    """One line of an adjustment group."""

    name: str
    delta: int
    item: int
    location: int
    ledger: str | None
    typename: str = "InventoryChange"


@dataclass(frozen=True, slots=True)
class Group:
    """An adjustment group: what one mutation changed."""

    id: str
    created_at: datetime
    reason: str
    reference: str | None
    changes: tuple[Change, ...]
    typename = "InventoryAdjustmentGroup"


class _Row(NamedTuple):
    item: Item
    location: Location
    level: Level | None
    delta: int
    ledger: str | None = None


class _Checked(NamedTuple):
    rows: dict[int, _Row]
    errors: list[dict[str, Any]]


EMPTY: Payload = {"inventoryAdjustmentGroup": None, "userErrors": []}


def set_quantities(run: Run, arguments: Mapping[str, Any], occasion: Occasion) -> Payload:
    """Absolute numbers of `available` or `on_hand`, each against its own compare value unless that is null."""
    given = arguments["input"]
    name = given["name"]
    errors = _input_errors(given)
    if name not in ("available", "on_hand"):
        errors.insert(0, user_error(("input", "name"), texts.SET_NAME, "INVALID_NAME"))
    if errors:
        return EMPTY | {"userErrors": errors}
    rows = given["quantities"]
    cells = Counter((row["inventoryItemId"], row["locationId"]) for row in rows)
    checked = _Checked({}, [])
    for index, row in enumerate(rows):
        path = ("input", "quantities", str(index))
        wrong = _set_bounds(name, row["quantity"], path)
        if cells[row["inventoryItemId"], row["locationId"]] > 1:
            code = "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"
            wrong.append(user_error((*path, "locationId"), texts.DUPLICATE_PAIR, code))
        found = _find(run, row, path, wrong)
        if found and not wrong:
            current = found.level.now.quantity(name) if found.level else 0
            wrong += _stale(run, row, current, path)
            checked.rows[index] = found._replace(delta=row["quantity"] - current)
        _note(checked, index, wrong)
    return _carry_out(run, given, "available", checked, occasion)


def adjust_quantities(run: Run, arguments: Mapping[str, Any], occasion: Occasion) -> Payload:
    """Signed amounts on one state; `available` may go below 0."""
    given = arguments["input"]
    name = given["name"]
    errors = _input_errors(given)
    if name not in texts.ADJUSTABLE:
        errors.insert(0, user_error(("input", "name"), texts.ADJUST_NAME, "INVALID_QUANTITY_NAME"))
    ledgers = {row.get("ledgerDocumentUri") for row in given["changes"]}
    if not errors and name != "available" and len(ledgers) > 1:
        errors.append(user_error(("input", "changes"), texts.LEDGER_ONE, "MAX_ONE_LEDGER_DOCUMENT"))
    if errors:
        return EMPTY | {"userErrors": errors}
    checked = _Checked({}, [])
    running: dict[tuple[int, int], int] = {}
    for index, row in enumerate(given["changes"]):
        path = ("input", "changes", str(index))
        ledger = row.get("ledgerDocumentUri")
        wrong = _ledger_errors(name, ledger, path)
        found = _find(run, row, path, wrong)
        if found and not wrong:
            cell = (found.item.number, found.location.number)
            current = found.level.now.quantity(name) if found.level else 0
            wrong += _stale(run, row, current, path)
            running[cell] = running.get(cell, current) + row["delta"]
            wrong += _bounds(running[cell], _ADJUST_LIMIT, (*path, "delta"))
            checked.rows[index] = found._replace(delta=row["delta"], ledger=ledger)
        _note(checked, index, wrong)
    return _carry_out(run, given, name, checked, occasion)


def _carry_out(run: Run, given: Mapping[str, Any], name: str, checked: _Checked, occasion: Occasion) -> Payload:
    mode = run.core.switches.batch
    if checked.errors and mode is BatchMode.ATOMIC:
        return EMPTY | {"userErrors": checked.errors}
    changes: list[Change] = []
    for row in checked.rows.values():
        delta = _apply(run, row, name, occasion)
        if delta:
            line = (delta, row.item.number, row.location.number)
            changes.append(Change(name, *line, row.ledger))
            if name != "incoming":
                changes.append(Change("on_hand", *line, None))
    hidden = checked.errors and mode is BatchMode.PARTIAL_HIDDEN
    group = None
    if changes and not hidden:
        number = run.shop.next_number("InventoryAdjustmentGroup")
        reference = given.get("referenceDocumentUri")
        group = Group(gid("InventoryAdjustmentGroup", number), run.now, given["reason"], reference, tuple(changes))
    return {"inventoryAdjustmentGroup": group, "userErrors": checked.errors}


def _apply(run: Run, row: _Row, name: str, occasion: Occasion) -> int:
    """Change one level; returns by how much it really changed."""
    switches, level = run.core.switches, run.shop.level(row.item.number, row.location.number)
    if row.delta == 0:
        return 0
    if level is None:
        if switches.missing_level_write is MissingLevelWrite.NO_OP:
            return 0
        level = run.shop.open_level(row.item, row.location, 0, False, run.now)
    if not level.now.active and switches.inactive_write is InactiveWrite.NO_OP:
        return 0
    delta = row.delta
    if switches.cut_off_at_zero and delta < 0:
        delta = max(delta, -max(0, level.now.quantity(name)))
    run.core.stock.move(level, {name: delta}, occasion)
    return delta


def _find(run: Run, row: Mapping[str, Any], path: tuple[str, ...], wrong: list[dict[str, Any]]) -> _Row | None:
    item, location = run.shop.item(row["inventoryItemId"]), run.shop.location(row["locationId"])
    if item is None:
        wrong.append(user_error((*path, "inventoryItemId"), texts.UNKNOWN_ITEM, "INVALID_INVENTORY_ITEM"))
    elif run.shop.variants[item.variant].requires_components:
        wrong.append(user_error((*path, "inventoryItemId"), texts.NOT_MUTABLE, "NON_MUTABLE_INVENTORY_ITEM"))
    closed = location is not None and not location.active and run.core.switches.closed_location_refused
    if location is None or closed:
        wrong.append(user_error((*path, "locationId"), texts.UNKNOWN_LOCATION, "INVALID_LOCATION"))
    if item is None or location is None:
        return None
    return _Row(item, location, run.shop.level(item.number, location.number), 0)


def _stale(run: Run, row: Mapping[str, Any], current: int, path: tuple[str, ...]) -> list[dict[str, Any]]:
    expected = row.get("changeFromQuantity")
    if expected is None or expected == current:
        return []
    named = (*path, "changeFromQuantity") if run.core.switches.stale_field_named else None
    return [user_error(named, texts.STALE, "CHANGE_FROM_QUANTITY_STALE")]


def _note(checked: _Checked, index: int, wrong: Sequence[dict[str, Any]]) -> None:
    if wrong:
        checked.errors.extend(wrong)
        checked.rows.pop(index, None)


def _set_bounds(name: str, quantity: int, path: tuple[str, ...]) -> list[dict[str, Any]]:
    where = (*path, "quantity")
    if name == "on_hand" and quantity < 0:
        return [user_error(where, texts.NEGATIVE, "INVALID_QUANTITY_NEGATIVE")]
    return _bounds(quantity, _SET_LIMIT, where)


def _bounds(quantity: int, limit: int, where: tuple[str, ...]) -> list[dict[str, Any]]:
    if quantity > limit:
        return [user_error(where, texts.TOO_HIGH.format(limit=limit), "INVALID_QUANTITY_TOO_HIGH")]
    if quantity < -limit:
        return [user_error(where, texts.TOO_LOW.format(limit=-limit), "INVALID_QUANTITY_TOO_LOW")]
    return []


def _input_errors(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    errors = []
    if given["reason"] not in texts.REASONS:
        errors.append(user_error(("input", "reason"), texts.BAD_REASON, "INVALID_REASON"))
    reference = given.get("referenceDocumentUri")
    if reference is not None and not _URI.match(reference):
        where = ("input", "referenceDocumentUri")
        errors.append(user_error(where, texts.BAD_REFERENCE, "INVALID_REFERENCE_DOCUMENT"))
    return errors


def _ledger_errors(name: str, ledger: str | None, path: tuple[str, ...]) -> list[dict[str, Any]]:
    where = (*path, "ledgerDocumentUri")
    if name == "available":
        if ledger is None:
            return []
        return [user_error(where, texts.LEDGER_FORBIDDEN, "INVALID_AVAILABLE_DOCUMENT")]
    if not ledger:
        return [user_error(where, texts.LEDGER_REQUIRED, "INVALID_QUANTITY_DOCUMENT")]
    if ledger.startswith("gid://shopify/"):
        return [user_error(where, texts.LEDGER_INTERNAL, "INTERNAL_LEDGER_DOCUMENT")]
    if not _URI.match(ledger):
        return [user_error(where, texts.LEDGER_INVALID, "INVALID_LEDGER_DOCUMENT")]
    return []
