"""What is known about one code at one instant: its numbers and what each is made of, read in one snapshot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from inventory_sync.engine.decide import decision_of
from inventory_sync.engine.explain import find
from inventory_sync.engine.explain.ruled import ruled
from inventory_sync.engine.explain.state import (
    Alert,
    CellState,
    Hold,
    Item,
    Lack,
    Link,
    Movement,
    Nearest,
    Number,
    Op,
    OpenSale,
    Part,
    Quarantine,
    RouteState,
    Unpaired,
    WaitingOrder,
    Write,
)
from inventory_sync.engine.lane import House
from inventory_sync.engine.named import NoSuch
from inventory_sync.engine.stored import REMOVED
from inventory_sync.model.decide import effective
from inventory_sync.model.ids import CellId
from inventory_sync.store import db, pairs
from inventory_sync.store.cells import CellRow
from inventory_sync.store.db import Connection

MOST_PAIRS = 50
MOST_CELLS = 500
RECENT = timedelta(hours=24)
"""What happened to a number within this time may be why it is what it is, however short a timeline was asked for."""

MOST_RECENT = 200

_ROW = tuple(each.name for each in fields(CellRow))


@dataclass(frozen=True, slots=True)
class Found:
    """All that was gathered about a code, before anybody judged it. `cells`: every number the code is a side of."""

    items: tuple[Item, ...]
    numbers: tuple[Number, ...]
    unpaired: tuple[Unpaired, ...]
    nearest: tuple[Nearest, ...]
    cells: tuple[CellState, ...]


async def gather(house: House, conn: Connection, code: str, route: str | None) -> Found:
    """Everything about a code, in the caller's snapshot. Raises NoSuch where no route has that name."""
    records = {
        r["id"]: dict(r)
        for r in await db.rows(conn, "routes_all")
        if r["stopped_by"] != REMOVED and route in (None, r["name"])
    }
    if route is not None and not records:
        raise NoSuch(f"There is no route {route!r}.", f"ルート「{route}」はありません。")
    links = {r["id"]: _link(r) for r in await db.rows(conn, "connections_all")}
    routes = {number: _route(r, links) for number, r in records.items()}
    items = await find.items_of(conn, code)
    if not items:
        nearest = await find.nearest_of_all(conn, code)
        return Found((), (), tuple(_complained(code, routes, records)), nearest, ())
    found = await db.rows(conn, "explain_pairs", items=[each.id for each in items], route=route, limit=MOST_PAIRS)
    numbers = await _numbers(house, conn, found, routes)
    paired = {
        (r["route_id"], item)
        for r in found
        if (r["phase"], r["phase_reason"]) != ("suspended", "unmatched")
        for item in (r["channel_item"], *r["ledger_items"])
    }
    unpaired = [
        await _with_orders(conn, await find.why_unpaired(conn, each, records[number], item), item)
        for number, each in routes.items()
        for item in items
        if item.connection_id in (each.ledger.id, each.channel.id) and (number, item.id) not in paired
    ]
    cells = {cell.id: cell for number in numbers for cell in number.cells}
    return Found(tuple(items), tuple(numbers), tuple(unpaired), (), tuple(cells[key] for key in sorted(cells)))


def _complained(
    code: str, routes: Mapping[int, RouteState], records: Mapping[int, Mapping[str, Any]]
) -> Iterable[Unpaired]:
    """A code that only a person's code table or a set names."""
    for number, record in records.items():
        for said in (record["match_report"] or {}).get("complaints", ()):
            if code in (said["value"], said["other"]):
                yield Unpaired(
                    routes[number], "channel", "", said["value"], Lack.COMPLAINT, en=said["en"], ja=said["ja"]
                )


def _link(r: db.Record) -> Link:
    return Link(
        r["id"],
        r["name"],
        r["system"],
        r["state"],
        r["state_reason"],
        r["state_remedy"],
        r["state_code"],
        r["state_since"],
    )


def _route(r: Mapping[str, Any], links: Mapping[int, Link]) -> RouteState:
    return RouteState(
        id=r["id"],
        name=r["name"],
        state=r["state"],
        stopped_by=r["stopped_by"],
        blockers=tuple(r["blockers"]),
        direction=r["direction"],
        sales=r["sales"],
        basis=r["ledger_basis"],
        ledger=links[r["ledger_id"]],
        channel=links[r["channel_id"]],
    )


async def _with_orders(conn: Connection, told: Unpaired, item: Item) -> Unpaired:
    """The orders that are kept for an item which is in no pair."""
    kept = await db.rows(conn, "explain_kept", connection_id=item.connection_id, item_key=item.key, limit=MOST_RECENT)
    return replace(told, waiting=tuple(WaitingOrder(r["order_id"], r["quantity"], "kept") for r in kept))


async def _numbers(
    house: House, conn: Connection, found: Sequence[db.Record], routes: Mapping[int, RouteState]
) -> list[Number]:
    """Each channel number with its parts, and the decision about it as it would be made now."""
    ids = [r["id"] for r in found]
    parts = _grouped(await db.rows(conn, "explain_parts", pairs=ids, limit=MOST_CELLS), "pair_id")
    wanted = sorted({r["channel_cell"] for r in found} | {p["ledger_cell"] for each in parts.values() for p in each})
    rows = {r["id"]: r for r in await db.rows(conn, "explain_cells", ids=wanted)}
    cells = await _cells(house.now(), conn, rows)
    locked = {CellId(r["channel_cell"]): _row(rows[r["channel_cell"]]) for r in found}
    known = await pairs.states(conn, locked)
    sales = _grouped(await db.rows(conn, "explain_sales", pairs=ids, limit=MOST_RECENT), "pair_id")
    alerts = await _alerts(conn, routes)
    waiting = _grouped(await db.rows(conn, "explain_waiting", cells=sorted(locked), limit=MOST_RECENT), "cell_id")
    rules = {r["pair_id"]: ruled(r) for r in await db.rows(conn, "rules_of_pairs", pairs=ids)}
    numbers = []
    for r in found:
        cell = CellId(r["channel_cell"])
        pair, route, owner = known.get(cell), routes[r["route_id"]], cells[r["channel_cell"]]
        if pair is None:
            continue
        made = tuple(_part(p, cells[p["ledger_cell"]]) for p in parts.get(r["id"], ()))
        own = (owner, *(part.cell for part in made))
        numbers.append(
            Number(
                route=route,
                pair=r["id"],
                value=r["value"],
                shape=r["shape"],
                phase=r["phase"],
                phase_reason=r["phase_reason"],
                cell=owner,
                parts=made,
                rule=pair.state.rule,
                decision=decision_of(locked[cell], pair, None),
                effective=effective(pair.state.ledger, pair.state.shape),
                kept=r["kept"],
                held=r["held"],
                offset=pair.state.rule.offset,
                offset_until=rules[r["id"]].offset_until if pair.state.rule.offset else None,
                excluded=pair.state.rule.excluded,
                ruled=rules[r["id"]],
                uncertain=r["uncertain"],
                zeroing=r["zeroing"],
                sales=tuple(
                    OpenSale(s["open"], s["reference"], s["state"] == "overdue", s["due_at"])
                    for s in sales.get(r["id"], ())
                ),
                waiting=tuple(_order(w) for w in waiting.get(r["channel_cell"], ())),
                alerts=tuple(each for each in alerts if concerns(each, route, own)),
            )
        )
    return numbers


def _order(w: db.Record) -> WaitingOrder:
    settled = w["state"] != "provisional" or w["live"] > 0
    why = "kept" if w["kept"] else "ignored" if not w["held"] else "held" if settled else "provisional"
    return WaitingOrder(w["order_id"], w["held"] or w["live"], why)


def _row(r: db.Record) -> CellRow:
    return CellRow(**{name: r[name] for name in _ROW})


def _part(p: db.Record, cell: CellState) -> Part:
    names = ("ratio", "intake", "shown", "pending_down", "own_up", "owed_down", "owed_up", "sent_down", "sent_up")
    return Part(cell=cell, expected=p["expected"], **{name: p[name] for name in names})


async def _cells(now: datetime, conn: Connection, rows: Mapping[int, db.Record]) -> dict[int, CellState]:
    """The cells with what is held of them, and what moved or wrote them lately."""
    ids = sorted(rows)
    bounds: dict[str, Any] = {"cells": ids, "since": now - RECENT, "limit": MOST_RECENT}
    holds = _grouped(await db.rows(conn, "explain_holds", cells=ids, limit=MOST_RECENT), "cell_id")
    last = await db.rows(conn, "explain_last_movements", cells=ids, limit=MOST_CELLS)
    recent = await db.rows(conn, "explain_movements", **bounds)
    moves = _grouped(sorted({r["id"]: r for r in (*last, *recent)}.values(), key=lambda r: r["id"]), "cell_id")
    writes = _grouped(reversed(await db.rows(conn, "explain_ops", **bounds)), "cell_id")
    return {
        number: _cell(r, holds.get(number, ()), moves.get(number, ()), writes.get(number, ()))
        for number, r in rows.items()
    }


def _cell(
    r: db.Record, holds: Iterable[db.Record], moves: Iterable[db.Record], writes: Iterable[db.Record]
) -> CellState:
    same = ("id", "connection_id", "connection", "item_key", "location", "location_key", "known", "condition")
    times = ("marked_at", "read_due", "read_asked_at", "read_answered_at", "settled_at", "gap", "gap_since", "blocked")
    more = ("committed", "aside", "residual", "held_back", "quarantined")
    op = r["op_state"]
    wrong = r["quarantine_code"]
    return CellState(
        **{name: r[name] for name in (*same, *times, *more)},
        item=r["item_name"],
        op=None if op is None else Op(r["op_delta"], op, r["op_composed_at"], r["op_reason"]),
        quarantine=None
        if wrong is None
        else Quarantine(wrong, r["quarantine_reason"], r["quarantine_since"], r["excluded"]),
        holds=tuple(Hold(h["reason"], h["units"], h["held_at"]) for h in holds),
        moves=tuple(movement(m) for m in moves),
        writes=tuple(write(o) for o in writes),
    )


def movement(m: db.Record) -> Movement:
    """A movement as it stands in the journal, with its cause."""
    names = ("id", "delta", "before", "after", "kind", "marked_at", "asked_at", "answered_at", "stamp")
    return Movement(
        cell=m["cell_id"], cause=m["cause"], happened_at=m["happened_at"], **{name: m[name] for name in names}
    )


def write(o: db.Record) -> Write:
    """A write of ours as it stands."""
    names = ("id", "delta", "target", "cause", "state", "reason", "reason_code", "composed_at", "settled_at")
    return Write(
        cell=o["cell_id"],
        before=o["known_before"],
        heard_at=o["change_heard_at"],
        stamp=o["change_stamp"],
        value=o["value"],
        attempts=o["attempts"],
        doubles=o["doubles"],
        **{name: o[name] for name in names},
    )


async def _alerts(conn: Connection, routes: Mapping[int, RouteState]) -> list[Alert]:
    links = {link.id for each in routes.values() for link in (each.ledger, each.channel)}
    found = await db.rows(conn, "explain_alerts", connections=sorted(links), routes=sorted(routes), limit=MOST_RECENT)
    return [
        Alert(r["code"], r["subject"], r["opened_at"], r["connection_id"], r["route_id"], r["detail"]) for r in found
    ]


ITEM_ALERTS = frozenset({"runaway", "sale_not_booked", "oversold"})
"""Alerts about one item; they name it in their subject or details. All others are about a connection or a route."""


def concerns(alert: Alert, route: RouteState, cells: Collection[CellState]) -> bool:
    """Whether an alert is about this route, one of its connections, or one of these cells."""
    if alert.code in ITEM_ALERTS:
        named = {cell.item_key for cell in cells} | {str(cell.id) for cell in cells}
        told = {alert.subject, *alert.subject.split("/"), *map(str, alert.detail.values())}
        return bool(named & told)
    return alert.route_id == route.id or (
        alert.route_id is None and alert.connection_id in (route.ledger.id, route.channel.id)
    )


def _grouped(found: Iterable[db.Record], key: str) -> dict[int, list[db.Record]]:
    groups: dict[int, list[db.Record]] = defaultdict(list)
    for record in found:
        groups[record[key]].append(record)
    return groups
