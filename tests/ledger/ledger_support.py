"""A book with something in it, and a clock that tests move by hand."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from inventory_sync.ledger import book as ledger
from inventory_sync.ledger import reading
from inventory_sync.ledger.values import Book, Booked, Item, Label, Level, Line, Location
from inventory_sync.store.db import Pool

START = datetime(2026, 4, 1, 0, 0, tzinfo=UTC)

_names = itertools.count(1)


@dataclass(slots=True)
class Clock:
    """Time as the test says it is."""

    at: datetime = START
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def now(self) -> datetime:
        return self.at

    def new_id(self) -> str:
        return f"{next(self._ids):032x}"

    def forward(self, seconds: float) -> datetime:
        self.at += timedelta(seconds=seconds)
        return self.at


@dataclass(slots=True)
class Desk:
    """One book, and short words for what is done to it."""

    pool: Pool
    book: Book
    clock: Clock

    async def post(self, *lines: Line, key: str | None = None) -> Booked:
        return await ledger.post(self.pool, self.book, lines, actor="tester", now=self.clock.now(), key=key)

    async def level(self, sku: str = "A", location: str = "main", label: str = "stock") -> Level | None:
        cells = await reading.read_cells(self.pool, self.book, [(sku, location)], label)
        return cells[0].level

    async def quantity(self, sku: str = "A", location: str = "main", label: str = "stock") -> int:
        level = await self.level(sku, location, label)
        return 0 if level is None else level.quantity


async def open_desk(pool: Pool, clock: Clock | None = None) -> Desk:
    """A fresh book with items A and B, places main and back, labels stock and loose (may go below 0)."""
    clock = clock or Clock()
    name, at = f"book{next(_names)}", clock.now()
    book = await ledger.ensure_book(pool, name, new_id=lambda: f"of-{name}", now=at)
    await ledger.put_items(pool, book, [Item("A", "Apple", "4900000000011"), Item("B", "Banana")], now=at)
    await ledger.put_locations(pool, book, [Location("back", "倉庫")], now=at)
    await ledger.put_labels(pool, book, [Label("loose", negative=True)], now=at)
    return Desk(pool, book, clock)
