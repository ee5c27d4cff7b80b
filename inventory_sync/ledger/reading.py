"""Reading the ledger: items, places, levels and entries, by key or page by page behind a cursor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from inventory_sync.ledger.errors import LedgerError
from inventory_sync.ledger.problems import UNKNOWN_LABEL
from inventory_sync.ledger.values import Book, Cell, Entry, Item, Kind, Label, Level, Location, Outcome
from inventory_sync.store import db
from inventory_sync.store.db import Connection, Pool

PAGE = 500


async def items(
    at: Pool | Connection, book: Book, *, after: str = "", limit: int = PAGE, skus: Sequence[str] | None = None
) -> list[Item]:
    """Items behind `after` by SKU in code-point order, archived ones too; or those of `skus` that exist."""
    if skus is None:
        found = await db.rows(at, "ledger_items_after", book_id=book.id, after=after, limit=limit)
    else:
        found = await db.rows(at, "ledger_items_of", book_id=book.id, skus=list(skus))
    return [Item(r["sku"], r["name"], r["barcode"], r["tracked"], r["archived"]) for r in found]


async def locations(at: Pool | Connection, book: Book) -> list[Location]:
    """Every location, by key."""
    found = await db.rows(at, "ledger_locations", book_id=book.id)
    return [Location(r["key"], r["name"], r["active"]) for r in found]


async def labels(at: Pool | Connection, book: Book) -> list[Label]:
    """Every stock label, by name."""
    return [Label(r["name"], r["negative"]) for r in await db.rows(at, "ledger_labels", book_id=book.id)]


async def levels(
    at: Pool | Connection,
    book: Book,
    *,
    label: str | None = None,
    location: str | None = None,
    skus: Sequence[str] | None = None,
    after: int = 0,
    since: datetime | None = None,
    limit: int = PAGE,
) -> list[Level]:
    """Levels by the sequence of their last change, behind `after` (the cursor) and changed at `since` or later."""
    found = await db.rows(
        at,
        "ledger_levels",
        book_id=book.id,
        after=await _behind(at, book, after, since),
        label=label,
        location=location,
        skus=None if skus is None else list(skus),
        limit=limit,
    )
    return [level_of(r["sku"], r["location"], r["label"], r) for r in found]


async def read_cells(at: Pool | Connection, book: Book, cells: Sequence[tuple[str, str]], label: str) -> list[Cell]:
    """These cells (SKU, location) of one label, by key and in the order asked, in one reading.

    Raises LedgerError for a label that does not exist: its cells would all look empty.
    """
    found = await db.rows(
        at,
        "ledger_cells",
        book_id=book.id,
        skus=[sku for sku, _ in cells],
        locations=[location for _, location in cells],
        labels=[label] * len(cells),
    )
    if found and found[0]["negative"] is None:
        raise LedgerError(UNKNOWN_LABEL, f"{UNKNOWN_LABEL.en} ({label!r})")
    return [
        Cell(
            sku,
            location,
            None if r["archived"] else r["tracked"],
            r["location_known"],
            None if r["on_hand"] is None else level_of(sku, location, label, r),
        )
        for (sku, location), r in zip(cells, found, strict=True)
    ]


async def entries(
    at: Pool | Connection,
    book: Book,
    *,
    after: int = 0,
    limit: int = PAGE,
    sku: str | None = None,
    location: str | None = None,
    label: str | None = None,
    reference: str | None = None,
    since: datetime | None = None,
) -> list[Entry]:
    """Entries in the order they were booked, behind `after` (the cursor) and booked at `since` or later."""
    found = await db.rows(
        at,
        "ledger_entries",
        book_id=book.id,
        after=await _behind(at, book, after, since),
        sku=sku,
        location=location,
        label=label,
        reference=reference,
        limit=limit,
    )
    return [entry_of(record) for record in found]


async def _behind(at: Pool | Connection, book: Book, after: int, since: datetime | None) -> int:
    if since is None:
        return after
    return max(after, int(await db.value(at, "ledger_sequence_before", book_id=book.id, since=since)))


def level_of(sku: str, location: str, label: str, record: Any) -> Level:
    """A level as a row tells it."""
    on_hand, owed = record["on_hand"], record["owed"]
    return Level(sku, location, label, on_hand - owed, on_hand, owed, record["changed_at"], record["sequence"])


def entry_of(record: Any) -> Entry:
    """An entry as a row tells it."""
    return Entry(
        sequence=record["sequence"],
        sku=record["sku"],
        location=record["location"],
        label=record["label"],
        kind=Kind(record["kind"]),
        asked=record["asked"],
        delta=record["delta"],
        quantity=record["quantity"],
        owed=record["owed"],
        outcome=Outcome(record["outcome"]),
        reason=record["reason"],
        actor=record["actor"],
        reference=record["reference"],
        key=record["key"],
        line=record["line"],
        as_of=record["as_of"],
        booked_at=record["booked_at"],
    )
