"""The timeline: every notice, movement, cause, write, order, hold, alert and person that touched a number, by time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from inventory_sync.engine.explain import words
from inventory_sync.engine.explain.gather import Found, movement, write
from inventory_sync.engine.explain.state import ACCEPTED, CellState, Event, Kind, Movement, Write
from inventory_sync.engine.reasons import reason_in_japanese
from inventory_sync.store import db
from inventory_sync.store.db import Connection


async def timeline(
    conn: Connection, found: Found, *, since: datetime, limit: int, problems: Mapping[str, tuple[str, str]]
) -> tuple[tuple[Event, ...], int]:
    """The newest `limit` events since a time, oldest first, and how many more there were at least. `problems`:
    partners' problems by their code, each a sentence and a remedy in Japanese."""
    if not found.cells:
        return (), 0
    cells = {cell.id: cell for cell in found.cells}
    bounds: dict[str, Any] = {"since": since, "limit": limit + 1}
    ids = sorted(cells)
    moves = [movement(r) for r in await db.rows(conn, "explain_movements", cells=ids, **bounds)]
    writes = [write(r) for r in await db.rows(conn, "explain_ops", cells=ids, **bounds)]
    events: list[Event] = []
    channels = {number.cell.id for number in found.numbers}
    events += [_moved(cells[each.cell], each, each.cell in channels) for each in moves]
    events += [_wrote(cells[each.cell], each, problems) for each in writes]
    events += await _notices(conn, cells, bounds)
    events += await _orders(conn, cells, bounds)
    events += await _expected(conn, cells, moves, limit + 1)
    events += await _taken_back(conn, cells, bounds)
    events += await _held(conn, cells, bounds)
    events += await _alerts(conn, found, bounds)
    events += await _people(conn, found, bounds)
    events += [each for cell in found.cells for each in _standing(cell, problems) if each.at >= since]
    events.sort(key=lambda each: (each.at, each.kind.value, each.place))
    return tuple(events[-limit:]), max(0, len(events) - limit)


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else round(span.total_seconds(), 3)


def _moved(cell: CellState, move: Movement, on_channel: bool) -> Event:
    if move.kind == "order":
        return _shifted(cell, move)
    ja, en = ("注文または人の操作", "an order, or a person") if on_channel else ("理由不明", "cause not known")
    if move.kind == "effect":
        ja, en = "当方の書き込みの影響", "effect of our own write"
    cause, cause_ja = move.cause or en, CAUSES_JA.get(move.cause, move.cause) or ja
    return Event(
        move.answered_at,
        Kind.MOVEMENT,
        cell.place,
        f"somebody moved {move.delta:+d} ({cause})",
        f"当方以外による変動 {move.delta:+d} ({cause_ja})",
        move.before,
        move.after,
        move.cause,
        _seconds(move.lag),
    )


def _shifted(cell: CellState, move: Movement) -> Event:
    """What an order that does not count yet did to the level, or what is given back to it once it counts."""
    words = (
        f"an order that does not count yet: {move.delta:+d}, told to nobody"
        if move.delta < 0
        else f"an order that did not count: {move.delta:+d}, told to nobody",
        f"まだ数えない注文による変動 {move.delta:+d} (ほかには知らせません)"
        if move.delta < 0
        else f"数えていなかった注文の分 {move.delta:+d} (ほかには知らせません)",
    )
    return Event(
        move.answered_at, Kind.MOVEMENT, cell.place, *words, move.before, move.after, "order", _seconds(move.lag)
    )


CAUSES_JA: Mapping[str, str] = {
    "sale": "販売",
    "return": "返品",
    "count": "棚卸",
    "receipt": "入荷",
    "transfer": "移動",
    "layaway": "取り置き",
    "shipment": "出荷",
    "reservation": "受注引当",
    "loss": "ロス",
    "adjustment": "調整",
    "correction": "修正",
    "api": "別のアプリ",
    "other": "その他",
    "unpaid_expired": "未入金の期限切れ",
    "unknown": "",
}

_STATES: Mapping[str, tuple[str, str]] = {
    "sent": ("送信済み・応答待ち", "sent, not answered yet"),
    ACCEPTED: ("取引先が受け付け済み・完了の確認待ち", "accepted by the partner, its confirmation is awaited"),
    "in_doubt": ("結果を確認中", "in doubt"),
    "applied": ("完了", "acknowledged"),
    "not_applied": ("反映されず", "not applied"),
    "rejected": ("拒否", "rejected"),
    "lower_number": ("結果不明・少ない方を採用", "never answered; the lower number is believed"),
}


def _wrote(cell: CellState, each: Write, problems: Mapping[str, tuple[str, str]]) -> Event:
    ja, en = _STATES.get(each.state, (each.state, each.state))
    told = bool(each.reason) and each.state != "applied"
    why = f": {each.reason}" if told else ""
    why_ja = f": {reason_in_japanese(problems, each.reason_code, each.reason)}" if told else ""
    tries_en = f", sent {each.attempts} times" if each.attempts > 1 else ""
    tries_ja = f"、{each.attempts} 回送信" if each.attempts > 1 else ""
    after = each.after if each.state in ("applied", "not_applied", "rejected") else each.target
    return Event(
        each.settled_at or each.composed_at,
        Kind.WRITE,
        cell.place,
        f"we wrote {each.delta:+d}, {en}{tries_en}{why}",
        f"当方の書き込み {each.delta:+d}、{ja}{tries_ja}{why_ja}",
        each.before,
        after,
        each.cause,
        _seconds(each.lag),
        each.id,
        each.reason_code if told else None,
    )


async def _notices(conn: Connection, cells: Mapping[int, CellState], bounds: Mapping[str, Any]) -> list[Event]:
    names = sorted({(cell.connection_id, cell.item_key) for cell in cells.values()})
    keys = {(cell.connection_id, cell.item_key, cell.location_key): cell.place for cell in cells.values()}
    owners = {cell.connection_id: cell.connection for cell in cells.values()}
    rows = await db.rows(
        conn, "explain_notices", connections=[n for n, _ in names], item_keys=[k for _, k in names], **bounds
    )
    events = []
    for r in rows:
        told = [(r["connection_id"], hint[0], hint[1]) for hint in r["hints"]]
        places = [keys[name] for name in told if name in keys]
        if not places and all(place is not None for _, _, place in told):
            continue  # another place of the same item
        lag = None if r["sent_at"] is None else r["received_at"] - r["sent_at"]
        events.append(
            Event(
                r["received_at"],
                Kind.NOTICE,
                places[0] if places else owners[r["connection_id"]],
                f"a notice came in: {r['topic']}",
                f"通知を受信: {r['topic']}",
                lag_s=_seconds(lag),
            )
        )
    return events


_ORDERS: Mapping[str, str] = {
    "provisional": "仮注文",
    "placed": "受注",
    "shipped": "出荷済み",
    "cancelled": "キャンセル",
    "returned": "返品",
    "vanished": "消えた仮注文",
}


async def _orders(conn: Connection, cells: Mapping[int, CellState], bounds: Mapping[str, Any]) -> Iterable[Event]:
    return [
        Event(
            r["first_seen_at"],
            Kind.ORDER,
            cells[r["cell_id"]].place,
            f"order {r['order_id']}: {r['quantity']} units, {r['state']}, {r['counted']} counted",
            f"注文 {r['order_id']}: {r['quantity']} 個、{_ORDERS.get(r['state'], r['state'])}、計上 {r['counted']}",
            cause=r["state"],
            lag_s=_seconds(r["first_seen_at"] - r["placed_at"]),
            reference=r["order_id"],
        )
        for r in await db.rows(conn, "explain_orders", cells=sorted(cells), **bounds)
    ]


_SALES: Mapping[str, tuple[str, str]] = {
    "open": ("計上待ち", "waits to be booked"),
    "booked": ("台帳に計上済み", "booked in the ledger"),
    "released": ("確保を終了", "released"),
    "taken_back": ("取り消し", "taken back"),
    "overdue": ("期限を過ぎて未計上", "overdue"),
}


async def _expected(
    conn: Connection, cells: Mapping[int, CellState], moves: Sequence[Movement], limit: int
) -> Iterable[Event]:
    rows = await db.rows(conn, "explain_expected", movements=[each.id for each in moves], limit=limit)
    events = []
    for r in rows:
        ja, en = _SALES.get(r["state"], (r["state"], r["state"]))
        lag = None if r["closed_at"] is None else r["closed_at"] - r["answered_at"]
        events.append(
            Event(
                r["closed_at"] or r["answered_at"],
                Kind.EXPECTED,
                cells[r["cell_id"]].place,
                f"sale of {r['units']} {r['reference']} {en}".replace("  ", " "),
                f"売上 {r['units']} 個 {r['reference']} {ja}".replace("  ", " "),
                cause=r["state"],
                lag_s=_seconds(lag),
                reference=r["reference"],
            )
        )
    return events


async def _taken_back(conn: Connection, cells: Mapping[int, CellState], bounds: Mapping[str, Any]) -> Iterable[Event]:
    return [
        Event(
            r["found_at"],
            Kind.COMPENSATION,
            cells[r["cell_id"]].place,
            f"a write took effect twice; {r['units']:+d} takes it back",
            f"書き込みが二重に効いたため {r['units']:+d} で戻す",
            reference=r["op_id"],
        )
        for r in await db.rows(conn, "explain_compensations", cells=sorted(cells), **bounds)
    ]


_HOLDS: Mapping[str, tuple[str, str]] = {"brake": ("ブレーキ", "the brake"), "stocktake": ("棚卸", "a stock-take")}


async def _held(conn: Connection, cells: Mapping[int, CellState], bounds: Mapping[str, Any]) -> Iterable[Event]:
    events = []
    for r in await db.rows(conn, "explain_held", cells=sorted(cells), **bounds):
        place, (ja, en) = cells[r["cell_id"]].place, _HOLDS.get(r["reason"], (r["reason"], r["reason"]))
        told: dict[str, Any] = {"kind": Kind.HOLD, "place": place, "cause": r["reason"]}
        if r["held_at"] >= bounds["since"]:
            events.append(
                Event(at=r["held_at"], en=f"{r['units']:+d} held by {en}", ja=f"{r['units']:+d} を{ja}が保留", **told)
            )
        if r["released_at"] is not None:
            by = r["released_by"]
            events.append(
                Event(
                    at=r["released_at"],
                    en=f"{r['units']:+d} let go ({by})",
                    ja=f"{r['units']:+d} の保留を終了 ({by})",
                    lag_s=_seconds(r["released_at"] - r["held_at"]),
                    **told,
                )
            )
    return events


async def _alerts(conn: Connection, found: Found, bounds: Mapping[str, Any]) -> Iterable[Event]:
    routes = {number.route.id: number.route for number in found.numbers}
    links = sorted({link.id for each in routes.values() for link in (each.ledger, each.channel)})
    rows = await db.rows(conn, "explain_alerts_since", connections=links, routes=sorted(routes), **bounds)
    values = {number.value for number in found.numbers} | {cell.item_key for cell in found.cells}
    events = []
    for r in rows:
        if "/" in r["subject"] and not values & set(r["subject"].split("/")):
            continue  # about another item
        name_ja, name = words.of(words.ALERTS, r["code"])
        for at, en, ja in ((r["opened_at"], "opened", "発生"), (r["closed_at"], "closed", "解消")):
            if at is not None and at >= bounds["since"]:
                told = (f"alert {en}: {name}", f"アラート{ja}: {name_ja}")
                events.append(Event(at, Kind.ALERT, r["subject"], *told, cause=r["code"]))
    return events


async def _people(conn: Connection, found: Found, bounds: Mapping[str, Any]) -> Iterable[Event]:
    subjects = {number.route.name for number in found.numbers}
    subjects |= {f"{number.route.name}/{number.value}" for number in found.numbers}
    subjects |= {link.name for number in found.numbers for link in (number.route.ledger, number.route.channel)}
    subjects |= {f"{cell.connection}/{cell.item_key}/{cell.location_key}" for cell in found.cells}
    return [
        Event(
            r["at"],
            Kind.PERSON,
            r["subject"],
            f"{r['action']} by {r['actor']}",
            f"{words.DONE.get(r['action'], r['action'])} ({r['actor']})",
            cause=r["action"],
        )
        for r in await db.rows(conn, "explain_audit", subjects=sorted(subjects), **bounds)
    ]


def _standing(cell: CellState, problems: Mapping[str, tuple[str, str]]) -> Iterator[Event]:
    """What a cell itself remembers: its last reading, what waits to be written, and its quarantine."""
    if cell.read_answered_at is not None:
        seen = cell.known if cell.settled_at is None or cell.settled_at <= cell.read_answered_at else None
        asked = cell.read_asked_at
        ja, en = words.of(words.CONDITIONS, cell.condition)
        yield Event(
            cell.read_answered_at,
            Kind.READING,
            cell.place,
            f"last read, {en}",
            f"最後の読み取り ({ja})",
            seen,
            seen,
            lag_s=None if asked is None else _seconds(cell.read_answered_at - asked),
        )
    if cell.gap_since is not None:
        ja, en = words.of(words.WAITS, cell.blocked)
        yield Event(
            cell.gap_since,
            Kind.DECISION,
            cell.place,
            f"decided: {cell.gap:+d} to write, waits for {en}" if cell.gap else f"decided: waits for {en}",
            f"判断: {cell.gap:+d} を書き込む予定 ({ja})" if cell.gap else f"判断: {ja}",
            cell.known,
            None if cell.known is None else cell.known + cell.gap,
            cell.blocked,
        )
    if cell.quarantine is not None:
        yield Event(
            cell.quarantine.since,
            Kind.QUARANTINE,
            cell.place,
            f"put in quarantine: {cell.quarantine.reason}",
            f"隔離: {reason_in_japanese(problems, cell.quarantine.code, cell.quarantine.reason)}",
            cause=cell.quarantine.code,
            reason_code=cell.quarantine.code,
        )
