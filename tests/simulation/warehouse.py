"""The built-in ledger as a partner: the real book on the story's own database, and the people who keep it.

Its own process never dies with the daemon: whoever asks it gets an answer, or the network loses it on the way. It lives
in this installation, where its notices lie in the inbox at once, or in another one, where it is asked with a key and
polled.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from inventory_sync.ledger import book as ledger
from inventory_sync.ledger import keys, reading
from inventory_sync.ledger.api import LedgerApi
from inventory_sync.ledger.errors import Refused
from inventory_sync.ledger.transport import LedgerTransport
from inventory_sync.ledger.values import DEFAULT_LABEL, Adjust, Book, Count, Item, Kind, Label, Line, Location
from inventory_sync.sandbox.kernel import Delivery, EventLog, Request, Response, StockChange
from inventory_sync.store.db import Pool
from inventory_sync.systems.http import HttpRequest, NoAnswer, NotSent

if TYPE_CHECKING:
    from tests.simulation.scene import Key, Scene
    from tests.simulation.world import World

ELSEWHERE = "https://stock.example.jp"
CLERK = "a clerk"
LINK = "inventory-sync"
"""What entries of the daemon carry as their actor, in process and by its key."""

AGO = (2.0, 30.0, 120.0)
"""Seconds that a stock-take may be old when its numbers are typed in."""


class Warehouse:
    """Implements `inventory_sync.sandbox.kernel.Simulator`, but for `handle`, which takes its time."""

    name = "builtin"

    def __init__(self, pool: Pool, book: str, chance: random.Random, *, elsewhere: bool, below_zero: bool) -> None:
        self.log = EventLog()
        self.elsewhere = elsewhere
        self._below_zero = below_zero
        self._pool = pool
        self._name = book
        self._chance = chance
        self._book: Book | None = None
        self._levels: dict[tuple[str, str], int] = {}
        self._seen = 0

    @property
    def book(self) -> Book:
        assert self._book is not None, "the book was not opened"
        return self._book

    async def open(
        self, stores: Sequence[str], codes: Sequence[str], initial: Callable[[], int], now: datetime
    ) -> None:
        """Make the book and fill it; one cell that was never counted may be left without a level."""
        self._book = await ledger.ensure_book(self._pool, self._name, new_id=self._new_id, now=now)
        await ledger.put_locations(self._pool, self.book, [Location(store) for store in stores], now=now)
        # An order system books what was sold, whether it lies on the shelf or not.
        await ledger.put_labels(self._pool, self.book, [Label(DEFAULT_LABEL, negative=self._below_zero)], now=now)
        await ledger.put_items(self._pool, self.book, [Item(code) for code in codes], now=now)
        cells = [(code, store) for code in codes for store in stores]
        never = self._chance.choice(cells) if self._chance.random() < 0.5 else None
        await self.post([Count(code, store, initial()) for code, store in cells if (code, store) != never], now)
        self.log.changes.clear()

    async def make_key(self, now: datetime) -> str:
        """What another installation asks with."""
        made = await keys.create_key(self._pool, self.book, "sync", keys.Scope.WRITE, actor=CLERK, now=now)
        return made.key

    def stock(self, item: str, place: str) -> int:
        """What the book holds of an item at a location; 0 where it has no level."""
        return self._levels.get((item, place), 0)

    async def post(self, lines: Sequence[Line], now: datetime, *, key: str | None = None) -> bool:
        """Book lines as a clerk; whether they were booked."""
        async with self._pool.acquire() as conn:
            try:
                await ledger.post(conn, self.book, lines, actor=CLERK, now=now, key=key)
            except Refused:
                return False
            finally:
                await self._read_on(conn)
        return True

    async def _read_on(self, conn: Any) -> None:
        """Keep the log up with the book's entries."""
        for entry in await reading.entries(conn, self.book, after=self._seen):
            self._seen = entry.sequence
            self._levels[entry.sku, entry.location] = entry.quantity
            if entry.delta:
                actor = "client" if entry.kind is Kind.CHANNEL else "outside"
                change = StockChange(
                    entry.booked_at,
                    entry.sku,
                    entry.location,
                    entry.delta,
                    entry.quantity,
                    actor,
                    entry.kind.value,
                    entry.reference,
                )
                self.log.changes.append(change)

    # -- the partner ---

    async def handle(self, request: Request, now: datetime) -> Response:
        """Carry out one request and answer it. It came a while ago, and nothing else happens meanwhile."""
        self.log.count(request.path)
        async with self._pool.acquire() as conn:
            api = LedgerApi(conn)
            try:
                if self.elsewhere:
                    status, headers, body = await api.handle(
                        request.method, request.path, request.query, request.headers, request.body, now
                    )
                    return Response(status, headers, body)
                carried = LedgerTransport(api, self._name, now=lambda: now, new_id=self._new_id)
                url = f"builtin:{request.path}{'?' if request.query else ''}{request.query}"
                answer = await carried.send(HttpRequest(request.method, url, request.headers, request.body, 8.0))
                return Response(answer.status, answer.headers, answer.body)
            except (NotSent, NoAnswer):
                return Response(503, {}, b"")
            finally:
                await self._read_on(conn)

    def throttled(self, request: Request, now: datetime) -> Response:
        return Response(429, {"retry-after": "1"}, b"")

    def advance(self, now: datetime) -> list[Delivery]:
        """Nothing: what it tells of lies in the inbox already, or nobody is told."""
        return []

    def delivered(self, delivery: Delivery, status: int | None, now: datetime) -> None:
        """Nothing was sent."""

    def next_due(self) -> datetime | None:
        return None

    def _new_id(self) -> str:
        return f"{self._chance.getrandbits(128):032x}"


async def visit(world: World, cell: Key, scene: Scene, now: datetime) -> None:
    """Something somebody does at the book: over the counter, at the shelf, at the desk."""
    chance, (name, sku, store) = world.chance, cell
    book = world.partners[name].simulator
    assert isinstance(book, Warehouse)
    draw = chance.random()
    if draw < 0.4:
        await book.post([Adjust(sku, store, -chance.choice((1, 1, 2, 3)), kind=Kind.SALE)], now)
    elif draw < 0.52:
        await book.post([Adjust(sku, store, chance.choice((1, 4, 10)), kind=Kind.RECEIPT)], now)
    elif draw < 0.58:
        await book.post([Adjust(sku, store, 1, kind=Kind.RETURN)], now)
    elif draw < 0.68:
        other, units = next(each for each in scene.stores if each != store), chance.choice((1, 2, 3))
        moved = [Adjust(sku, store, -units, kind=Kind.TRANSFER), Adjust(sku, other, units, kind=Kind.TRANSFER)]
        await book.post(moved, now)
    elif draw < 0.76:
        # A warehouse system that does not know whether it was heard says the same again under the same key.
        key, lines = f"wms-{world.number()}", [Adjust(sku, store, chance.choice((-2, -1, 1, 3)))]
        if await book.post(lines, now, key=key):
            world.agenda.soon(0.0, 20.0, lambda: book.post(lines, world.agenda.now, key=key))
    elif draw < 0.88:
        await book.post([Count(sku, store, chance.randint(0, 12))], now)
    else:
        counted = now - timedelta(seconds=chance.choice(AGO))
        await book.post([Count(sku, store, chance.randint(0, 12), as_of=counted)], now)
