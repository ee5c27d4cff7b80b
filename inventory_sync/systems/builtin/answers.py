"""Readings of `/ledger/v1` answers: strict, because a number that was guessed would be written somewhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from inventory_sync.model.ids import ItemKey, LocationKey, OpId
from inventory_sync.systems.builtin import problems, protocol
from inventory_sync.systems.errors import Bug
from inventory_sync.systems.http import HttpResponse
from inventory_sync.systems.port import (
    Applied,
    CatalogueItem,
    CellRef,
    Condition,
    HistoryRow,
    LevelReading,
    OpOutcome,
    PartnerLocation,
    PlannedOp,
)

Row = Mapping[str, Any]

_STATES = {
    "active": Condition.ACTIVE,
    "absent": Condition.ABSENT,
    "untracked": Condition.UNTRACKED,
    "gone": Condition.GONE,
}
CHANNEL = "channel"  # kind of entries that a channel link booked
OWN_CAUSE = "api"  # how such an entry of somebody else is told


def document(response: HttpResponse, what: str) -> dict[str, Any]:
    """The object of an answer. Raises RetryLater where it is not JSON, Bug where it is another."""
    try:
        body = orjson.loads(response.body)
    except orjson.JSONDecodeError as error:
        raise protocol.later(problems.NOT_JSON, what, protocol.GARBLED_PAUSE, executed=None) from error
    if not isinstance(body, dict):
        raise _unknown(what)
    return body


def rows(found: Row, name: str, what: str) -> list[Row]:
    """The objects listed under a name. Raises Bug."""
    listed = found.get(name)
    if not isinstance(listed, list) or not all(isinstance(row, dict) for row in listed):
        raise _unknown(what)
    return listed


def next_cursor(found: Row, what: str) -> int | None:
    """Where a list by sequence goes on; None: it ended. Raises Bug."""
    more, cursor = found.get("more"), found.get("cursor")
    if not isinstance(more, bool) or type(cursor) is not int:
        raise _unknown(what)
    return cursor if more else None


def location(row: Row) -> PartnerLocation:
    """A location as the port tells it."""
    key = _text(row, "location", "a location")
    return PartnerLocation(LocationKey(key), str(row.get("name") or key), row.get("active") is True)


def item(row: Row) -> CatalogueItem | None:
    """An item as the port tells it; None for an archived one, which is not offered any more."""
    sku = _text(row, "sku", "an item")
    tracked, archived = row.get("tracked"), row.get("archived")
    if not isinstance(tracked, bool) or not isinstance(archived, bool):
        raise _unknown(f"item {sku!r}")
    if archived:
        return None
    barcode = row.get("barcode")
    codes = {"sku": sku, **({"barcode": str(barcode)} if barcode else {})}
    status = "" if tracked else "stock is not tracked in the ledger"
    return CatalogueItem(ItemKey(sku), codes, str(row.get("name") or sku), tracked, status=status)


def reading(row: Row, label: str, what: str) -> LevelReading:
    """A cell that was asked for by key. Raises Bug."""
    condition = _STATES.get(str(row.get("state")))
    if condition is None:
        raise _unknown(what)
    if condition is not Condition.ACTIVE:
        return LevelReading(_cell(row, what), condition, None)
    return level(row, label, what)


def level(row: Row, label: str, what: str) -> LevelReading:
    """A level: what is on hand less what is owed. Raises Bug where it is of another label."""
    quantity = row.get("quantity")
    if type(quantity) is not int or row.get("label") != label:
        raise _unknown(what)
    return LevelReading(_cell(row, what), Condition.ACTIVE, quantity, _time(row, "changed_at", what))


def applied(response: HttpResponse, ops: Sequence[PlannedOp], installation: str) -> Mapping[OpId, OpOutcome] | None:
    """What a 200 on a change proves: one entry per op, with its cell and units. None where it does not prove that."""
    try:
        body = orjson.loads(response.body)
        entries = body["entries"]
        found = {str(entry["reference"]): entry for entry in entries}
        outcomes: dict[OpId, OpOutcome] = {}
        for op in ops:
            entry = found[protocol.mark(installation, op.op)]
            if (entry["sku"], entry["location"], entry["delta"]) != (op.cell.item, op.cell.location, op.delta):
                return None
            stamp = _time(entry, "booked_at", "an entry")
            outcomes[op.op] = Applied(str(int(entry["sequence"])), stamp)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, Bug):
        return None
    return outcomes if len(found) == len(ops) else None


def history_row(row: Row) -> HistoryRow | None:
    """An entry as a row of history; None for one that moved nothing. Raises Bug."""
    what = "an entry"
    sequence, delta, after = row.get("sequence"), row.get("delta"), row.get("quantity")
    if type(sequence) is not int or type(delta) is not int or type(after) is not int:
        raise _unknown(what)
    if delta == 0:
        return None
    kind, reference = _text(row, "kind", what), row.get("reference")
    own = protocol.read_mark(str(reference or "")) if kind == CHANNEL else None
    return HistoryRow(
        id=str(sequence),
        amount=delta,
        at=_time(row, "booked_at", what),
        cause=OWN_CAUSE if kind == CHANNEL else kind,
        installation=None if own is None else own[0],
        op=None if own is None else own[1],
        level_after=after,
        reference="" if own is not None else str(reference or ""),
        happened_at=_time(row, "as_of", what) if row.get("as_of") else None,
    )


def _cell(row: Row, what: str) -> CellRef:
    return CellRef(ItemKey(_text(row, "sku", what)), LocationKey(_text(row, "location", what)))


def _text(row: Row, name: str, what: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise _unknown(f"{what} without {name}")
    return value


def _time(row: Row, name: str, what: str) -> datetime:
    value = row.get(name)
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise _unknown(f"{what} without a readable {name}")
    return found


def _unknown(what: str) -> Bug:
    return protocol.bug(problems.UNKNOWN_SHAPE, what)
