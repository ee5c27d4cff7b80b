"""What this installation is told of a book's changes: hints in the inbox of its connection, in the same transaction.

So a change in the ledger is heard at once, without a webhook to ourselves, and none is lost with a crash.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from inventory_sync.ledger.values import DEFAULT_LABEL, Book, Entry, Kind
from inventory_sync.store import db
from inventory_sync.store.db import Connection

CHANNEL_PREFIX = "ledger:"
"""NOTIFY payload of a book's changes: this and its name."""

HINTS = 500
"""Most hints in one row of the inbox."""

_Part = tuple[str, list[Any], list[str]]
"""The number of a notice, its hints, the items it names."""


async def tell_levels(conn: Connection, book: Book, entries: Sequence[Entry], *, now: datetime) -> None:
    """Levels moved. What a channel link booked itself is known there already, and not told again."""
    last = {(e.sku, e.location, e.label): e for e in entries if e.kind is not Kind.CHANNEL}
    for listener in await _listeners(conn, book) if last else ():
        hints = [[e.sku, e.location, e.quantity, None] for key, e in last.items() if key[2] == listener["label"]]
        notices = [(f"{entries[0].sequence}.{n}", hints[n : n + HINTS]) for n in range(0, len(hints), HINTS)]
        await _insert(conn, book, listener["id"], "levels", [(i, h, []) for i, h in notices], now)
    await db.notify(conn, f"{CHANNEL_PREFIX}{book.name}")


async def tell_items(conn: Connection, book: Book, skus: Sequence[str], sequence: int, *, now: datetime) -> None:
    """Items were made or changed. `sequence` is theirs alone."""
    for listener in await _listeners(conn, book):
        parts: list[_Part] = [(f"{sequence}.{n}", [], list(skus[n : n + HINTS])) for n in range(0, len(skus), HINTS)]
        await _insert(conn, book, listener["id"], "catalogue", parts, now)


async def tell_locations(conn: Connection, book: Book, sequence: int, *, now: datetime) -> None:
    """Locations were made or changed. `sequence` is theirs alone."""
    for listener in await _listeners(conn, book):
        await _insert(conn, book, listener["id"], "locations", [(f"{sequence}.0", [], [])], now)


async def _listeners(conn: Connection, book: Book) -> list[Any]:
    return await db.rows(conn, "ledger_listeners", book_id=book.id, label=DEFAULT_LABEL)


async def _insert(
    conn: Connection,
    book: Book,
    connection_id: int,
    kind: str,
    notices: Sequence[_Part],
    now: datetime,
) -> None:
    if not notices:
        return
    new = await db.value(
        conn,
        "insert_notices",
        connections=[connection_id] * len(notices),
        ids=[f"{book.identity}:{number}" for number, _, _ in notices],
        topics=[f"ledger/{kind}"] * len(notices),
        kinds=[kind] * len(notices),
        hints=[orjson.dumps(hints).decode() for _, hints, _ in notices],
        catalogue=[orjson.dumps(skus).decode() for _, _, skus in notices],
        requests=["[]"] * len(notices),
        sent=[now] * len(notices),
        received=[now] * len(notices),
    )
    if new:
        await db.notify(conn, "intake")
