"""The JSON of `/ledger/v1`: strict on the way in, because a misread number would be sold; plain on the way out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import orjson

from inventory_sync.ledger.checks import EARLIEST
from inventory_sync.ledger.errors import Fault, LedgerError, Refused
from inventory_sync.ledger.problems import BAD_REQUEST, BAD_VALUE, TOO_LARGE
from inventory_sync.ledger.values import (
    DEFAULT_LABEL,
    Adjust,
    Cell,
    Count,
    Entry,
    Item,
    Kind,
    Label,
    Level,
    Line,
    Location,
)

MOST_LINES = 500
"""Lines of one request."""

_BIGGEST_CURSOR = 2**63 - 1

T = TypeVar("T")

_Fields = dict[str, tuple[type, Any]]
"""Field → its type and default; `...` where it must be given."""

_SHARED: _Fields = {
    "sku": (str, ...),
    "location": (str, ...),
    "label": (str, DEFAULT_LABEL),
    "reason": (str, ""),
    "reference": (str, ""),
    "as_of": (datetime, None),
}
_ADJUST: _Fields = {**_SHARED, "delta": (int, ...), "kind": (Kind, Kind.ADJUSTMENT)}
_COUNT: _Fields = {**_SHARED, "quantity": (int, ...)}
_ITEM: _Fields = {
    "sku": (str, ...),
    "name": (str, ""),
    "barcode": (str, ""),
    "tracked": (bool, True),
    "archived": (bool, False),
}
_LOCATION: _Fields = {"location": (str, ...), "name": (str, ""), "active": (bool, True)}
_CELL: _Fields = {"sku": (str, ...), "location": (str, ...)}

_WORDS = {str: "a text", int: "a whole number", bool: "true or false"}


class _Wrong(Exception):
    """A field whose value cannot be taken."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


# -- in ---


def adjustments(body: bytes) -> list[Line]:
    """The lines of `{"adjustments": [...]}`. Raises LedgerError."""
    return _all(_list(_object(body), "adjustments"), adjust)


def counts(body: bytes) -> list[Line]:
    """The lines of `{"levels": [...]}`. Raises LedgerError."""
    return _all(_list(_object(body), "levels"), count)


def lines(body: bytes) -> list[Line]:
    """The lines of `{"lines": [{"type": "adjust" | "set", ...}]}`. Raises LedgerError."""
    return _all(_list(_object(body), "lines"), _line)


def items(body: bytes) -> list[Item]:
    """The items of `{"items": [...]}`. Raises LedgerError."""
    return _all(_list(_object(body), "items"), lambda each: Item(**_take(each, _ITEM)))


def locations(body: bytes) -> list[Location]:
    """The locations of `{"locations": [...]}`. Raises LedgerError."""

    def location(each: Mapping[str, Any]) -> Location:
        found = _take(each, _LOCATION)
        return Location(found["location"], found["name"], found["active"])

    return _all(_list(_object(body), "locations"), location)


def cells(body: bytes) -> tuple[list[tuple[str, str]], str]:
    """The cells and the label of `{"cells": [{"sku", "location"}], "label"}`. Raises LedgerError."""
    document = _object(body)
    label = document.pop("label", DEFAULT_LABEL)
    if not isinstance(label, str):
        raise LedgerError(BAD_REQUEST, f"{BAD_REQUEST.en} label must be a text.")

    def cell(each: Mapping[str, Any]) -> tuple[str, str]:
        found = _take(each, _CELL)
        return found["sku"], found["location"]

    return _all(_list(document, "cells"), cell), label


def adjust(each: Mapping[str, Any]) -> Adjust:
    """One adjustment."""
    return Adjust(**_take(each, _ADJUST))


def count(each: Mapping[str, Any]) -> Count:
    """One set."""
    return Count(**_take(each, _COUNT))


def query(text: str, allowed: Sequence[str]) -> dict[str, list[str]]:
    """The parameters of a query string, of which only these may stand. Raises LedgerError."""
    found: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict", max_num_fields=600)
    except ValueError as error:
        raise LedgerError(BAD_REQUEST, f"{BAD_REQUEST.en} The query string is malformed.") from error
    for name, value in pairs:
        if name not in allowed:
            raise LedgerError(BAD_REQUEST, f"{BAD_REQUEST.en} The query takes {', '.join(allowed) or 'nothing'}.")
        if "\0" in value:
            raise LedgerError(BAD_REQUEST, f"{BAD_REQUEST.en} {name} holds a control character.")
        found.setdefault(name, []).append(value)
    return found


def one(found: Mapping[str, list[str]], name: str) -> str | None:
    """The one value of a parameter, or None. Raises LedgerError where it stands twice."""
    values = found.get(name, [])
    if len(values) > 1:
        raise LedgerError(BAD_REQUEST, f"{BAD_REQUEST.en} {name} may stand once.")
    return values[0] if values else None


def number(found: Mapping[str, list[str]], name: str, default: int, most: int = _BIGGEST_CURSOR) -> int:
    """A parameter that is a whole number from 0 to `most`. Raises LedgerError."""
    text = one(found, name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > most:
        raise LedgerError(BAD_REQUEST, f"{BAD_REQUEST.en} {name} must be a whole number from 0 to {most}.")
    return int(text)


def instant(found: Mapping[str, list[str]], name: str) -> datetime | None:
    """A parameter that is a time with an offset. Raises LedgerError."""
    text = one(found, name)
    if text is None:
        return None
    parsed = _time(text)
    if parsed is None:
        raise LedgerError(BAD_REQUEST, f"{BAD_REQUEST.en} {name} must be a time such as 2026-04-01T09:30:00%2B09:00.")
    return parsed


# -- out ---


def level(each: Level) -> dict[str, Any]:
    """A level as the API shows it."""
    return {
        "sku": each.sku,
        "location": each.location,
        "label": each.label,
        "quantity": each.quantity,
        "on_hand": each.on_hand,
        "owed": each.owed,
        "changed_at": each.changed_at,
        "sequence": each.sequence,
    }


def cell_state(each: Cell) -> dict[str, Any]:
    """A cell that was asked for by key: `state` is active, absent (never had a number), untracked or gone."""
    if each.tracked is None or not each.location_known:
        return {"sku": each.sku, "location": each.location, "state": "gone"}
    if not each.tracked:
        return {"sku": each.sku, "location": each.location, "state": "untracked"}
    if each.level is None:
        return {"sku": each.sku, "location": each.location, "state": "absent"}
    return {**level(each.level), "state": "active"}


def entry(each: Entry) -> dict[str, Any]:
    """An entry as the API shows it."""
    return {
        "sequence": each.sequence,
        "sku": each.sku,
        "location": each.location,
        "label": each.label,
        "kind": each.kind,
        "asked": each.asked,
        "delta": each.delta,
        "quantity": each.quantity,
        "owed": each.owed,
        "outcome": each.outcome,
        "reason": each.reason,
        "actor": each.actor,
        "reference": each.reference,
        "key": each.key,
        "line": each.line,
        "as_of": each.as_of,
        "booked_at": each.booked_at,
    }


def item(each: Item) -> dict[str, Any]:
    """An item as the API shows it."""
    return {
        "sku": each.sku,
        "name": each.name,
        "barcode": each.barcode,
        "tracked": each.tracked,
        "archived": each.archived,
    }


def location(each: Location) -> dict[str, Any]:
    """A location as the API shows it."""
    return {"location": each.key, "name": each.name, "active": each.active}


def label(each: Label) -> dict[str, Any]:
    """A stock label as the API shows it."""
    return {"label": each.name, "negative": each.negative}


# -- within ---


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise LedgerError(BAD_REQUEST, f"{BAD_REQUEST.en} The body is not JSON.") from error
    if not isinstance(document, dict):
        raise LedgerError(BAD_REQUEST, f"{BAD_REQUEST.en} The body must be a JSON object.")
    return document


def _list(document: dict[str, Any], name: str) -> list[Any]:
    found = document.pop(name, None)
    if document:
        raise LedgerError(BAD_REQUEST, f"{BAD_REQUEST.en} The body takes {name} only.")
    if not isinstance(found, list) or not found:
        raise LedgerError(BAD_REQUEST, f"{BAD_REQUEST.en} {name} must be a list that is not empty.")
    if len(found) > MOST_LINES:
        raise LedgerError(TOO_LARGE)
    return found


def _all(found: Sequence[Any], read: Callable[[Mapping[str, Any]], T]) -> list[T]:
    read_ones: list[T] = []
    faults: list[Fault] = []
    for at, each in enumerate(found):
        try:
            if not isinstance(each, dict):
                raise _Wrong("line", "must be a JSON object")
            read_ones.append(read(each))
        except _Wrong as wrong:
            faults.append(Fault(at, wrong.field, BAD_VALUE, f"{wrong.field} {wrong.message}."))
    if faults:
        raise Refused(faults)
    return read_ones


def _line(each: Mapping[str, Any]) -> Line:
    rest = {name: value for name, value in each.items() if name != "type"}
    match each.get("type"):
        case "adjust":
            return adjust(rest)
        case "set":
            return count(rest)
        case _:
            raise _Wrong("type", "must be adjust or set")


def _take(each: Mapping[str, Any], fields: _Fields) -> dict[str, Any]:
    for name in each:
        if name not in fields:
            raise _Wrong(str(name)[:40], f"is not known here; a line takes {', '.join(fields)}")
    taken: dict[str, Any] = {}
    for name, (kind, default) in fields.items():
        if name not in each or (each[name] is None and default is None):
            if default is ...:
                raise _Wrong(name, "is missing")
            taken[name] = default
        else:
            taken[name] = _value(name, each[name], kind)
    return taken


def _value(name: str, value: Any, kind: type) -> Any:
    if kind is datetime:
        parsed = _time(value) if isinstance(value, str) else None
        if parsed is None:
            raise _Wrong(name, "must be a time with an offset, such as 2026-04-01T09:30:00+09:00")
        return parsed
    if kind is Kind:
        if not isinstance(value, str) or value not in set(Kind):
            raise _Wrong(name, f"must be one of {', '.join(Kind)}")
        return Kind(value)
    # bool is a kind of int in Python, and true is no number of units.
    if type(value) is not kind:
        raise _Wrong(name, f"must be {_WORDS[kind]}")
    return value


def _time(text: str) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo is not None and EARLIEST.year <= parsed.year < 9999 else None
