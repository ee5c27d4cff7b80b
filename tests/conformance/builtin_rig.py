"""The rigs of the built-in ledger: the real `/ledger/v1` on PostgreSQL, behind a relay that plays the faults."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any, ClassVar

from aiohttp import web

from inventory_sync.conformance import Door, Impossible, Mail, Trouble
from inventory_sync.ledger import book as ledger
from inventory_sync.ledger import reading
from inventory_sync.ledger.api import LedgerApi
from inventory_sync.ledger.errors import Refused
from inventory_sync.ledger.keys import Scope, create_key, revoke_key
from inventory_sync.ledger.values import Adjust, Book, Count, Item, Kind, Label, Line, Location
from inventory_sync.model.ids import ItemKey, LocationKey
from inventory_sync.store.db import Pool, open_pool
from inventory_sync.systems.builtin import definition
from inventory_sync.systems.port import CellRef, Client, Condition
from inventory_sync.web.ledger import add_ledger
from tests.conformance.bench import Bench
from tests.conformance.relay import Relay

PERSON, LINK = "a person", "sync"
CLOSED = "closed"
RATE, BURST = 100, 20  # requests a second and at once that a client of this system says it keeps to
PAGE = 500

_books = count(1)


class BuiltinRig(Bench):
    """A book of its own in a database that several rigs may share, and a key that may write."""

    definition = definition
    doors: ClassVar[Mapping[Door, str]] = {
        Door.READ: "POST /ledger/v1/levels/query",
        Door.CATALOGUE: "GET /ledger/v1/items",
        Door.WRITE: "POST /ledger/v1/adjustments",
    }
    on_database = True
    rights = Impossible("a key that may only read is of use as it is, so the connection test just warns of it")
    label = "stock"
    usable_location = LocationKey("main")
    unusable_locations = (LocationKey(CLOSED),)

    def __init__(self, database: str) -> None:
        super().__init__()
        self.identity_hint = f"book-{next(_books)}"
        self._database = database
        self._pool: Pool | None = None
        self._book: Book | None = None
        self._key = ""
        self._arrivals: deque[datetime] = deque()
        self.violations: list[str] = []
        self._relay = Relay(self.faults, self.wire, self._count_arrival)

    # -- the ledger ---

    async def start_partner(self) -> str:
        self._pool = await open_pool(self._database, size=2)
        now = self.now()
        name = self.identity_hint
        self._book = await ledger.ensure_book(self.pool, name, new_id=lambda: f"of-{name}", now=now)
        places = [Location("main", "本店"), Location("back", "倉庫"), Location(CLOSED, active=False)]
        await ledger.put_locations(self.pool, self.book, places, now=now)
        await ledger.put_labels(self.pool, self.book, [Label("loose", negative=True)], now=now)
        made = await create_key(self.pool, self.book, LINK, Scope.WRITE, actor=PERSON, now=now)
        self._key = made.key
        app = web.Application()
        add_ledger(app, LedgerApi(self.pool), self.now)
        return await self._relay.start(app)

    async def stop_partner(self) -> None:
        await self._relay.stop()
        if self._pool:
            await self._pool.close()

    @property
    def pool(self) -> Pool:
        if self._pool is None:
            raise RuntimeError("the rig was not opened")
        return self._pool

    @property
    def book(self) -> Book:
        if self._book is None:
            raise RuntimeError("the rig was not opened")
        return self._book

    def _count_arrival(self) -> None:
        """The ledger knows no limit; a client that says it keeps to one has to."""
        now = self.now()
        self._arrivals.append(now)
        while self._arrivals[0] < now - timedelta(seconds=1):
            self._arrivals.popleft()
        if len(self._arrivals) > RATE + BURST:
            self.violations.append(f"rate: {len(self._arrivals)} requests in a second")

    async def _post(self, *lines: Line) -> None:
        for start in range(0, len(lines), PAGE):
            part = lines[start : start + PAGE]
            await ledger.post(self.pool, self.book, part, actor=PERSON, now=self.now())

    async def _put(self, *items: Item) -> None:
        for start in range(0, len(items), PAGE):
            part = items[start : start + PAGE]
            await ledger.put_items(self.pool, self.book, part, now=self.now())

    # -- the connection ---

    def settings(self, **changes: Any) -> Any:
        base = {"base_url": self.wire.url, "api_key": self._key, "label": self.label}
        return definition.settings(**(base | changes))

    def clients_with_a_wrong_secret(self) -> Mapping[str, Callable[[], Client]]:
        wrong = f"{self._key[:-4]}0000"
        return {"api_key": lambda: self.make_client(self.settings(api_key=wrong))}

    @property
    def fixed_secrets(self) -> Sequence[str]:
        return [self._key]

    async def withdraw_right(self, right: str) -> None:
        raise LookupError("a key may write or not, and reading alone is a use of it")

    async def grant_right(self, right: str) -> None:
        raise LookupError("a key may write or not, and reading alone is a use of it")

    async def revoke_credentials(self) -> None:
        await revoke_key(self.pool, self.book, LINK, actor=PERSON, now=self.now())

    # -- what the book holds ---

    def _cell(self, sku: str) -> CellRef:
        return CellRef(ItemKey(sku), self.usable_location)

    def _adjust(self, cell: CellRef, delta: int, kind: Kind | None = None) -> Adjust:
        return Adjust(cell.item, cell.location, delta, self.label, kind or (Kind.SALE if delta < 0 else Kind.RECEIPT))

    async def stock(self, quantities: Sequence[int]) -> Sequence[CellRef]:
        cells = [self._cell(f"KIT-{self.number():05d}") for _ in quantities]
        await self._put(*(Item(cell.item, f"商品 {cell.item}") for cell in cells))
        both = list(zip(cells, quantities, strict=True))
        await self._post(*(Count(cell.item, cell.location, max(0, each), self.label) for cell, each in both))
        await self._post(*(self._adjust(cell, each) for cell, each in both if each < 0))
        return cells

    async def add_item(self, code: str, field: str) -> ItemKey | Impossible:
        sku = code if field == "sku" else f"KIT-{self.number():05d}"
        try:
            await self._put(Item(sku, barcode=code if field == "barcode" else ""))
        except Refused as refused:
            return Impossible(str(refused))
        return ItemKey(sku)

    async def fill_catalogue(self) -> Sequence[ItemKey]:
        await self.stock(range(PAGE + 30))
        return [ItemKey(f"KIT-{number:05d}") for number in range(1, self.number())]

    async def odd_cell(self, condition: Condition) -> CellRef | Impossible:
        cell = self._cell(f"KIT-{self.number():05d}")
        match condition:
            case Condition.ABSENT:
                await self._put(Item(cell.item))
            case Condition.UNTRACKED:
                await self._put(Item(cell.item, tracked=False))
            case Condition.GONE:
                await self._put(Item(cell.item))
                await self._post(self._adjust(cell, 6))
                await self._put(Item(cell.item, archived=True))
            case _:
                return await super().odd_cell(condition)
        return cell

    def unknown_cell(self) -> CellRef:
        return self._cell("NOBODY-KNOWS-THIS")

    # -- what others do there ---

    async def change(self, cell: CellRef, delta: int) -> None:
        await self._post(self._adjust(cell, delta))

    async def trade(self, cell: CellRef) -> Sequence[tuple[str, int]]:
        amounts = {
            Kind.SALE: -2,
            Kind.RETURN: 1,
            Kind.RECEIPT: 5,
            Kind.ADJUSTMENT: -1,
            Kind.TRANSFER: -4,
            Kind.LAYAWAY: -3,
            Kind.SHIPMENT: -6,
            Kind.LOSS: -1,
            Kind.CORRECTION: 3,
            Kind.RESERVATION: -2,
            Kind.OTHER: 8,
            Kind.CHANNEL: -5,
        }
        for kind, amount in amounts.items():
            await self._post(self._adjust(cell, amount, kind))
        here = await self.truth(cell) or 0
        await self._post(Count(cell.item, cell.location, here + 7, self.label))
        told = {Kind.CHANNEL: "api"}
        return [*((told.get(kind, kind.value), amount) for kind, amount in amounts.items()), ("count", 7)]

    # -- the ledger's own truth ---

    async def truth(self, cell: CellRef) -> int | None:
        (found,) = await reading.read_cells(self.pool, self.book, [(cell.item, cell.location)], self.label)
        return None if found.level is None else found.level.quantity

    async def all_levels(self) -> Mapping[CellRef, int]:
        found = await reading.levels(self.pool, self.book, label=self.label, limit=10 * PAGE)
        return {CellRef(ItemKey(level.sku), LocationKey(level.location)): level.quantity for level in found}

    async def effects(self, cell: CellRef) -> Sequence[int]:
        rows = await reading.entries(self.pool, self.book, sku=cell.item, location=cell.location, label=self.label)
        return [row.delta for row in rows if row.actor == f"key:{LINK}"]

    # -- trouble ---

    def spoil(self, pattern: str, trouble: Trouble) -> None:
        self._relay.spoil(pattern, trouble)

    async def land(self) -> int:
        held, self.faults.held = self.faults.held, []
        for request in held:
            await self._relay.pass_on(request)
        return len(held)

    # -- notices ---

    def repeat_notices(self) -> None:
        raise LookupError("the ledger sends this system no notices")

    def signed(self, genuine: Mail, body: bytes) -> Mail | Impossible:
        raise LookupError("the ledger sends this system no notices")

    def forgeries(self, genuine: Mail) -> Mapping[str, Mail]:
        raise LookupError("the ledger sends this system no notices")


class OtherBuiltinRig(BuiltinRig):
    """Another kind of stock at another place, whose numbers may go below 0."""

    label = "loose"
    usable_location = LocationKey("back")
