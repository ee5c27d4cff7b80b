"""Writing the ledger: books, items, places, labels, and lines that are booked all together or not at all.

Every function takes a pool (it makes its own transaction) or a connection (it works inside the caller's, so that a file
and its receipt are one). Time is passed in. Whoever writes holds the book's row until the commit: sequences and times
of entries are in the order of commits, and an idempotency key is looked up and taken without a gap between.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg

from inventory_sync.ledger import checks, outbox
from inventory_sync.ledger.draft import TICK, CellKey, Draft, cell_of, fingerprint
from inventory_sync.ledger.errors import Fault, KeyConflict, NoSuchBook, Refused
from inventory_sync.ledger.problems import (
    UNKNOWN_ITEM,
    UNKNOWN_LABEL,
    UNKNOWN_LOCATION,
    UNTRACKED_ITEM,
)
from inventory_sync.ledger.reading import entry_of
from inventory_sync.ledger.reckon import CellState, split, superseded
from inventory_sync.ledger.values import (
    DEFAULT_LABEL,
    DEFAULT_LOCATION,
    Adjust,
    Book,
    Booked,
    Count,
    Entry,
    Item,
    Label,
    Line,
    Location,
    Put,
)
from inventory_sync.store import db
from inventory_sync.store.db import Connection, Pool


async def ensure_book(at: Pool | Connection, name: str, *, new_id: Callable[[], str], now: datetime) -> Book:
    """The book of this name, made with one label and one location where there is none."""
    checks.check_name("book", name)
    async with _transaction(at) as conn:
        found = await db.row(conn, "ledger_book", name=name)
        if found is not None:
            return _book(found)
        await db.run(conn, "ledger_make_book", name=name, identity=f"book-{new_id()}", now=now)
        book = await find_book(conn, name)
        await put_labels(conn, book, [Label(DEFAULT_LABEL)], now=now)
        await put_locations(conn, book, [Location(DEFAULT_LOCATION, name)], now=now)
        return book


async def find_book(at: Pool | Connection, name: str) -> Book:
    """The book of this name. Raises NoSuchBook."""
    found = await db.row(at, "ledger_book", name=name)
    if found is None:
        raise NoSuchBook(name)
    return _book(found)


async def books(at: Pool | Connection) -> list[Book]:
    """Every book, by name."""
    return [_book(record) for record in await db.rows(at, "ledger_books")]


async def adjust(at: Pool | Connection, book: Book, line: Adjust, *, actor: str, now: datetime, key: str) -> Booked:
    """Add units to one cell, once however often it is asked with this key. Raises Refused or KeyConflict."""
    return await post(at, book, [line], actor=actor, now=now, key=key)


async def set_level(
    at: Pool | Connection, book: Book, line: Count, *, actor: str, now: datetime, key: str | None = None
) -> Booked:
    """Book what was counted in one cell, as of a time. Raises Refused or KeyConflict."""
    return await post(at, book, [line], actor=actor, now=now, key=key)


async def post(
    at: Pool | Connection, book: Book, lines: Sequence[Line], *, actor: str, now: datetime, key: str | None = None
) -> Booked:
    """Book lines, in their order, all of them or none.

    The same `key` with the same lines returns the first answer and changes nothing; with other lines it raises
    KeyConflict. Raises Refused naming every line that cannot be booked.
    """
    checks.check_name("actor", actor)
    if key is not None:
        checks.check_name("key", key)
    checks.check_lines(lines, now=now)
    if not lines:
        return Booked(())
    mark = fingerprint(lines)
    async with _transaction(at) as conn:
        head = await db.row(conn, "ledger_lock_book", book_id=book.id)
        if head is None:
            raise NoSuchBook(book.name)
        if key is not None:
            before = await _answered(conn, book, key, mark)
            if before is not None:
                return before
            await db.run(conn, "ledger_write_request", book_id=book.id, key=key, fingerprint=mark, now=now)
        start = max(now, head["last_at"] + TICK)
        states, negative = await _cells(conn, book, lines)
        later = await _later(conn, book, lines, states, start)
        draft = Draft(start, head["sequence"], actor, key, states, negative, later)
        entries = draft.book(lines)
        await _write(conn, book, draft, entries)
        await outbox.tell_levels(conn, book, entries, now=now)
    return Booked(tuple(entries))


async def put_items(at: Pool | Connection, book: Book, items: Sequence[Item], *, now: datetime) -> Put:
    """Make or change items by their SKU. Raises Refused; then none was."""
    checks.check_items(items)
    skus = [item.sku for item in items]
    async with _transaction(at) as conn:
        sequence = await _lock(conn, book)
        known = await _keys(conn, "ledger_known_items", book_id=book.id, skus=skus)
        touched = await _keys(
            conn,
            "ledger_put_items",
            book_id=book.id,
            skus=skus,
            names=[item.name for item in items],
            barcodes=[item.barcode for item in items],
            tracked=[item.tracked for item in items],
            archived=[item.archived for item in items],
            now=now,
        )
        if touched:
            await db.run(conn, "ledger_next_sequence", book_id=book.id)
            await outbox.tell_items(conn, book, sorted(touched), sequence + 1, now=now)
    return _put(skus, known, touched)


async def put_locations(at: Pool | Connection, book: Book, locations: Sequence[Location], *, now: datetime) -> Put:
    """Make or change locations by their key. Raises Refused; then none was."""
    checks.check_locations(locations)
    keys = [place.key for place in locations]
    async with _transaction(at) as conn:
        sequence = await _lock(conn, book)
        known = await _keys(conn, "ledger_known_locations", book_id=book.id, keys=keys)
        touched = await _keys(
            conn,
            "ledger_put_locations",
            book_id=book.id,
            keys=keys,
            names=[place.name for place in locations],
            active=[place.active for place in locations],
            now=now,
        )
        if touched:
            await db.run(conn, "ledger_next_sequence", book_id=book.id)
            await outbox.tell_locations(conn, book, sequence + 1, now=now)
    return _put(keys, known, touched)


async def put_labels(at: Pool | Connection, book: Book, labels: Sequence[Label], *, now: datetime) -> Put:
    """Make labels, or change whether they allow negative stock; levels follow with their next entry. Raises Refused."""
    checks.check_labels(labels)
    names = [label.name for label in labels]
    async with _transaction(at) as conn:
        await _lock(conn, book)
        known = await _keys(conn, "ledger_known_labels", book_id=book.id, names=names)
        negative = [label.negative for label in labels]
        touched = await _keys(conn, "ledger_put_labels", book_id=book.id, names=names, negative=negative, now=now)
    return _put(names, known, touched)


async def _answered(conn: Connection, book: Book, key: str, mark: bytes) -> Booked | None:
    """The first answer to this key, if it was used. Raises KeyConflict where it was used for something else."""
    known = await db.row(conn, "ledger_request", book_id=book.id, key=key)
    if known is None:
        return None
    if known["fingerprint"] != mark:
        raise KeyConflict(key)
    found = await db.rows(conn, "ledger_entries_of_request", book_id=book.id, key=key)
    return Booked(tuple(map(entry_of, found)), replayed=True)


async def _cells(
    conn: Connection, book: Book, lines: Sequence[Line]
) -> tuple[dict[CellKey, CellState], dict[str, bool]]:
    """The cells of lines as they stand, and which labels allow negative stock. Raises Refused for what is unknown."""
    found = await db.rows(
        conn,
        "ledger_cells",
        book_id=book.id,
        skus=[line.sku for line in lines],
        locations=[line.location for line in lines],
        labels=[line.label for line in lines],
    )
    states: dict[CellKey, CellState] = {}
    negative: dict[str, bool] = {}
    faults: list[Fault] = []
    for number, (line, record) in enumerate(zip(lines, found, strict=True)):
        faults += [
            Fault(number, field, problem, f"{problem.en} ({value!r})")
            for field, problem, value, wrong in (
                ("sku", UNKNOWN_ITEM, line.sku, record["tracked"] is None),
                ("sku", UNTRACKED_ITEM, line.sku, record["tracked"] is False),
                ("location", UNKNOWN_LOCATION, line.location, not record["location_known"]),
                ("label", UNKNOWN_LABEL, line.label, record["negative"] is None),
            )
            if wrong
        ]
        row = record["on_hand"] is not None
        quantity = record["on_hand"] - record["owed"] if row else 0
        states[cell_of(line)] = CellState(quantity, record["counted_at"], row)
        negative[line.label] = bool(record["negative"])
    if faults:
        raise Refused(faults)
    return states, negative


async def _later(
    conn: Connection, book: Book, lines: Sequence[Line], states: dict[CellKey, CellState], start: datetime
) -> list[int]:
    """Per line: the units booked for later times than a count of it speaks of; 0 for what needs none."""
    units = [0] * len(lines)
    asked = [
        (number, line, line.as_of)
        for number, line in enumerate(lines)
        if isinstance(line, Count)
        and line.as_of is not None
        and line.as_of < start
        and not superseded(line, states[cell_of(line)].counted_at)
    ]
    if asked:
        found = await db.rows(
            conn,
            "ledger_later",
            book_id=book.id,
            skus=[line.sku for _, line, _ in asked],
            locations=[line.location for _, line, _ in asked],
            labels=[line.label for _, line, _ in asked],
            times=[time for _, _, time in asked],
        )
        for (number, _, _), record in zip(asked, found, strict=True):
            units[number] = record["units"]
    return units


async def _write(conn: Connection, book: Book, draft: Draft, entries: Sequence[Entry]) -> None:
    await db.run(
        conn,
        "ledger_write_entries",
        book_id=book.id,
        sequences=[e.sequence for e in entries],
        skus=[e.sku for e in entries],
        locations=[e.location for e in entries],
        labels=[e.label for e in entries],
        kinds=[e.kind.value for e in entries],
        asked=[e.asked for e in entries],
        deltas=[e.delta for e in entries],
        quantities=[e.quantity for e in entries],
        owed=[e.owed for e in entries],
        outcomes=[e.outcome.value for e in entries],
        reasons=[e.reason for e in entries],
        actor=draft.actor,
        references=[e.reference for e in entries],
        key=draft.key,
        as_of=[e.as_of for e in entries],
        booked=[e.booked_at for e in entries],
    )
    last = {(e.sku, e.location, e.label): e for e in entries}
    shares = {key: split(draft.states[key].quantity, negative=draft.negative[key[2]]) for key in last}
    await db.run(
        conn,
        "ledger_write_levels",
        book_id=book.id,
        skus=[key[0] for key in last],
        locations=[key[1] for key in last],
        labels=[key[2] for key in last],
        on_hand=[shares[key][0] for key in last],
        owed=[shares[key][1] for key in last],
        counted=[draft.states[key].counted_at for key in last],
        changed=[e.booked_at for e in last.values()],
        sequences=[e.sequence for e in last.values()],
    )
    newest = entries[-1]
    await db.run(conn, "ledger_advance_book", book_id=book.id, sequence=newest.sequence, last_at=newest.booked_at)


async def _lock(conn: Connection, book: Book) -> int:
    """Wait for our turn at the book; returns its newest sequence."""
    head = await db.row(conn, "ledger_lock_book", book_id=book.id)
    if head is None:
        raise NoSuchBook(book.name)
    return int(head["sequence"])


async def _keys(conn: Connection, query: str, **params: Any) -> set[str]:
    return {record["key"] for record in await db.rows(conn, query, **params)}


def _put(keys: Sequence[str], known: set[str], touched: set[str]) -> Put:
    created = len(touched - known)
    return Put(created, len(touched) - created, len(keys) - len(touched))


def _book(record: Any) -> Book:
    return Book(record["id"], record["name"], record["identity"], record["made_at"])


@asynccontextmanager
async def _transaction(at: Pool | Connection) -> AsyncIterator[Connection]:
    """A transaction on a pool's connection, or a savepoint within the caller's."""
    if isinstance(at, asyncpg.Pool):
        async with db.transaction(at) as conn:
            yield conn
    else:
        async with at.transaction():
            yield at
