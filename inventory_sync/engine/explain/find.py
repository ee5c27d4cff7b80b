"""Which items a code names, exactly; why an item is in no pair; and which codes almost are the one that was asked for.

A code is looked up in every field of every item by an index, and so are the codes that a slip of the hand would make
of it, and those that differ only by what people and spreadsheets lose.
"""

from __future__ import annotations

import string
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from inventory_sync.engine.explain.state import Item, Lack, Nearest, RouteState, Unpaired
from inventory_sync.engine.matching import SHOWN
from inventory_sync.model.difference import visible
from inventory_sync.model.near_misses import near_misses
from inventory_sync.store import db
from inventory_sync.store.db import Connection

MOST_ITEMS = 20
"""So many items of one code are looked at; a code that more items share says nothing about any of them."""

MOST_NEAREST = 5
MOST_ALIKE = 500
LONGEST_TYPED = 40
"""Nobody types a longer code by hand."""


async def items_of(conn: Connection, code: str) -> list[Item]:
    """The items that carry a code exactly as written, in any field or as their key at the partner."""
    return [
        Item(
            r["id"],
            r["connection_id"],
            r["connection"],
            r["key"],
            r["name"],
            r["codes"],
            r["tracked"],
            r["bundle"],
            r["gone"],
        )
        for r in await db.rows(conn, "explain_items", code=code, limit=MOST_ITEMS)
    ]


async def nearest_of_all(conn: Connection, code: str) -> tuple[Nearest, ...]:
    """The nearest codes of every connection: near misses first, then codes that are one slip of the hand away."""
    near = {(each.connection, each.code): each for each in await _alike(conn, code)}
    for r in await db.rows(conn, "explain_slips", codes=sorted(slips(code)), limit=MOST_NEAREST):
        near.setdefault((r["connection"], r["code"]), _slip(code, r["code"], r["connection"]))
    return tuple(list(near.values())[:MOST_NEAREST])


async def _alike(
    conn: Connection, code: str, connection_id: int | None = None, fields: Sequence[str] | None = None
) -> list[Nearest]:
    """Near misses of a code, as the match reports them, among all codes of a connection's fields, or of everybody."""
    found = await db.rows(
        conn,
        "explain_alike",
        code=code,
        connection_id=connection_id,
        fields=None if fields is None else list(fields),
        limit=MOST_ALIKE,
    )
    told = {miss.channel: miss.difference for miss in near_misses([code], [r["code"] for r in found]).listed}
    names = {(r["connection"], r["code"]): None for r in found if r["code"] in told}
    return [
        Nearest(other, connection, told[other].explanation_en, told[other].explanation_ja)
        for connection, other in names
    ]


def slips(code: str) -> set[str]:
    """Every code that is one character away: typed wrong, left out, or too many.

    Codes of fewer than three characters are all alike; they are near nobody.

    >>> {"A-101", "A-10", "B-100", "AA-100"} <= slips("A-100"), "B-101" in slips("A-100"), slips("A1")
    (True, False, set())
    """
    if not 3 <= len(code) <= LONGEST_TYPED:
        return set()
    letters = _letters(code)
    wrong = {code[:at] + each + code[at + 1 :] for at in range(len(code)) for each in ("", *letters)}
    more = {code[:at] + each + code[at:] for at in range(len(code) + 1) for each in letters}
    return (wrong | more) - {code}


def _letters(code: str) -> str:
    """What a hand may have typed in a code: digits, marks, and letters in the cases that it has."""
    lower = any(each.islower() for each in code)
    upper = any(each.isupper() for each in code) or not lower
    return string.digits + "-_." + (string.ascii_uppercase if upper else "") + (string.ascii_lowercase if lower else "")


def _slip(code: str, other: str, connection: str) -> Nearest:
    asked, found = visible(code), visible(other)
    return Nearest(
        other,
        connection,
        f'"{asked}" and "{found}" differ in one character.',
        f"「{asked}」と「{found}」は 1 文字だけ違います。",
    )


async def why_unpaired(conn: Connection, route: RouteState, record: Mapping[str, Any], item: Item) -> Unpaired:
    """Why an item of one of a route's connections is in none of its pairs."""
    side = "ledger" if item.connection_id == route.ledger.id else "channel"
    fields = _fields(record, side)
    values = [item.codes[name] for name in fields if item.codes.get(name)]
    told = Unpaired(route, side, item.name, values[0] if values else "", Lack.UNMATCHED, fields)
    if item.gone:
        return _because(told, Lack.GONE)
    if item.bundle:
        return _because(told, Lack.BUNDLE)
    if not item.tracked:
        return _because(told, Lack.UNTRACKED)
    if record.get("unmapped_at") is not None:
        return _because(told, Lack.UNMAPPED)
    if record["matched_at"] is None:
        return _because(told, Lack.NOT_MATCHED_YET)
    if not values:
        return _because(told, Lack.NO_CODE)
    return await _by_value(conn, record, told, values)


def _fields(record: Mapping[str, Any], side: str) -> tuple[str, ...]:
    return (record["ledger_field"],) if side == "ledger" else tuple(record["channel_fields"])


def _because(
    told: Unpaired,
    lack: Lack,
    *,
    value: str | None = None,
    why: str = "",
    near: tuple[Nearest, ...] = (),
    en: str = "",
    ja: str = "",
) -> Unpaired:
    return Unpaired(
        told.route, told.side, told.item, told.value if value is None else value, lack, told.fields, why, near, en, ja
    )


async def _by_value(conn: Connection, record: Mapping[str, Any], told: Unpaired, values: Sequence[str]) -> Unpaired:
    """Why none of an item's values found its partner: what the last match reported, and what the catalogues say now."""
    report = record["match_report"] or {}
    for found in report.get("ambiguous", ()):
        if found["value"] in values:
            return _because(told, Lack.AMBIGUOUS, value=found["value"], why=found["why"])
    other = "channel" if told.side == "ledger" else "ledger"
    for value in values:
        mine = await _items(conn, told.here.id, value, told.fields)
        theirs = await _items(conn, told.there.id, value, _fields(record, other))
        able = [r for r in theirs if r["tracked"] and not r["bundle"]]
        if len([r for r in mine if r["tracked"] and not r["bundle"]]) > 1 or len(able) > 1:
            twice = "twice_in_ledger" if (len(able) > 1) == (other == "ledger") else "twice_in_channel"
            return _because(told, Lack.AMBIGUOUS, value=value, why=twice)
        if theirs and not able:
            lack = Lack.OTHER_BUNDLE if theirs[0]["bundle"] else Lack.OTHER_UNTRACKED
            return _because(told, lack, value=value)
        if able:
            places = await db.rows(conn, "location_pairs_of", route_id=told.route.id)
            return _because(told, Lack.MATCHES if places else Lack.NO_PLACES, value=value)
    for found in report.get("complaints", ()):
        if found["value"] in values or found["other"] in values:
            return _because(told, Lack.COMPLAINT, value=found["value"], en=found["en"], ja=found["ja"])
    near = await _near_partner(conn, record, told, values)
    return _because(told, Lack.NEAR_MISS if near else Lack.UNMATCHED, near=near)


async def _items(conn: Connection, connection_id: int, value: str, fields: Collection[str]) -> list[db.Record]:
    return await db.rows(
        conn,
        "explain_items_by_value",
        connection_id=connection_id,
        value=value,
        fields=list(fields),
        limit=MOST_ITEMS,
    )


async def _near_partner(
    conn: Connection, record: Mapping[str, Any], told: Unpaired, values: Sequence[str]
) -> tuple[Nearest, ...]:
    """Codes of the other side that almost are one of these: from the report where it lists all, else from the codes."""
    report = record["match_report"] or {}
    mine, theirs = ("ledger", "channel") if told.side == "ledger" else ("channel", "ledger")
    listed = [
        Nearest(miss[theirs], told.there.name, miss["en"], miss["ja"])
        for miss in report.get("near_misses", ())
        if miss[mine] in values
    ]
    if listed or report.get("near_misses_count", 0) <= SHOWN:
        return tuple(listed[:MOST_NEAREST])
    for value in values:
        if found := await _alike(conn, value, told.there.id, _fields(record, theirs)):
            return tuple(found[:MOST_NEAREST])
    return ()
