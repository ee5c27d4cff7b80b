"""Intake: notices become durable, then mark cells. A notice is a hint, never a number to trust.

`keep` is called by the web before it answers 200; `intake` turns what was kept into marks and wishes, each notice
ending in exactly one state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from inventory_sync.engine.blocking import stop_routes_of
from inventory_sync.engine.lane import House, Progress
from inventory_sync.model.publish import LARGEST_UNITS
from inventory_sync.store import cells, db
from inventory_sync.store.db import Connection
from inventory_sync.systems.port import CellHint, Notice, NoticeKind

SOFT_CHECK = timedelta(minutes=1)
"""An echo, and every write of ours, is looked at this much later."""

BATCH = 500


@dataclass(frozen=True, slots=True)
class Arrival:
    """A notice that proved its origin, as it came in."""

    connection_id: int
    notice: Notice
    received_at: datetime


async def keep(house: House, arrivals: Sequence[Arrival]) -> int:
    """Keep notices durably in one transaction, each id once; says how many were new. When this returns, they stay."""
    async with db.transaction(house.pool) as conn:
        new: int = await db.value(
            conn,
            "insert_notices",
            connections=[a.connection_id for a in arrivals],
            ids=[a.notice.id for a in arrivals],
            topics=[a.notice.topic for a in arrivals],
            kinds=[a.notice.kind.value for a in arrivals],
            hints=[_json(_plain(a.notice.cells)) for a in arrivals],
            catalogue=[_json(list(a.notice.catalogue)) for a in arrivals],
            requests=[_json(list(a.notice.requests)) for a in arrivals],
            sent=[a.notice.sent_at for a in arrivals],
            received=[a.received_at for a in arrivals],
        )
        await db.run(
            conn,
            "heard",
            connections=sorted({a.connection_id for a in arrivals}),
            now=max(a.received_at for a in arrivals),
        )
        if new:
            await db.notify(conn, "intake")
    return new


async def intake(house: House) -> Progress:
    """Turn kept notices into marks on cells and wishes of connections, in one transaction."""
    now = house.now()
    async with db.transaction(house.pool) as conn:
        notices = await db.rows(conn, "take_notices", limit=BATCH)
        if not notices:
            return Progress(0)
        hints: list[cells.Hint] = []
        wishes: list[tuple[int, str, str]] = []
        done: list[int] = []
        ignored: list[int] = []
        for notice in notices:
            called = await _called(conn, notice, now) if notice["requests"] else False
            (ignored if notice["kind"] == NoticeKind.OTHER and not called else done).append(notice["id"])
            hints += [_hint(notice, hint) for hint in notice["hints"]]
            wishes += _wishes(notice)
            if notice["kind"] == NoticeKind.ORDERS:
                await db.run(conn, "want_orders", connection_id=notice["connection_id"], now=now)
            if notice["kind"] == NoticeKind.CATALOGUE and not notice["catalogue"]:
                await db.run(conn, "hasten_lists", connection_id=notice["connection_id"], now=now)
            if notice["kind"] == NoticeKind.UNINSTALLED:
                # Whoever removed the app may install it again before we look: its routes wait for a person either way.
                await stop_routes_of(house, conn, notice["connection_id"], "uninstalled")
        await cells.mark_hinted(conn, hints, now=now, soft_at=now + SOFT_CHECK, from_list=False)
        if wishes:
            await db.run(
                conn,
                "insert_wishes",
                connections=[w[0] for w in wishes],
                kinds=[w[1] for w in wishes],
                keys=[w[2] for w in wishes],
                now=now,
            )
        for ids, state in ((done, "done"), (ignored, "ignored")):
            if ids:
                await db.run(conn, "end_notices", ids=ids, state=state, now=now)
        for connection_id in sorted({notice["connection_id"] for notice in notices}):
            await db.notify(conn, f"connection:{connection_id}")
    return Progress(len(notices), now if len(notices) == BATCH else None)


def _wishes(notice: Any) -> list[tuple[int, str, str]]:
    connection = notice["connection_id"]
    match NoticeKind(notice["kind"]):
        case NoticeKind.CATALOGUE:
            return [(connection, "refresh", key) for key in notice["catalogue"]]
        case NoticeKind.LOCATIONS:
            return [(connection, "locations", "")]
        case NoticeKind.UNINSTALLED | NoticeKind.ACCESS:
            return [(connection, "verify", notice["kind"])]
        case NoticeKind.LEVELS | NoticeKind.ORDERS | NoticeKind.OTHER:
            return []


async def _called(conn: Connection, notice: Any, now: datetime) -> bool:
    """A callback only says that now is the time to look up what became of a batch; whether it is one of ours."""
    connection = notice["connection_id"]
    found = await db.value(conn, "note_callback", connection_id=connection, names=notice["requests"], now=now)
    if found:
        await db.run(conn, "callbacks_came", connection_id=connection, now=now)
        await db.notify(conn, f"doubt:{connection}")
    return bool(found)


def _plain(hints: Sequence[CellHint]) -> list[list[Any]]:
    return [[h.item, h.location, h.quantity, h.reference] for h in hints]


def _json(value: list[Any]) -> str:
    return orjson.dumps(value).decode()


def _hint(notice: Any, hint: list[Any]) -> cells.Hint:
    item, location, quantity, reference = hint
    if quantity is not None and abs(quantity) > LARGEST_UNITS:
        quantity = None  # no stock number is that large: the hint names the cell, and that is all it is good for
    return cells.Hint(notice["connection_id"], item, location, quantity, reference, notice["received_at"])
