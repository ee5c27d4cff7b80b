"""The files of one profile and the book they speak of, on the database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from inventory_sync.ledger import book as books
from inventory_sync.ledger import reading
from inventory_sync.ledger.checks import NAME_LENGTH, text_fault
from inventory_sync.ledger.errors import Refused
from inventory_sync.ledger.files.export import ExportLevel
from inventory_sync.ledger.files.guard import Applied, FileOrder, OrderedBy
from inventory_sync.ledger.files.parse import FileLine, ParsedFile
from inventory_sync.ledger.files.profile import FileProfile, Mode
from inventory_sync.ledger.files.receipt import RowOutcome
from inventory_sync.ledger.files.takein import LineFault, LinesRefused
from inventory_sync.ledger.values import Adjust, Book, Count, Item, Line, Outcome
from inventory_sync.model.near_misses import near_misses
from inventory_sync.store import db
from inventory_sync.store.db import Connection, Pool

ITEMS_PER_PAGE = 5000

_OUTCOMES = {Outcome.BOOKED: RowOutcome.BOOKED, Outcome.SUPERSEDED: RowOutcome.SUPERSEDED}


@dataclass(frozen=True, slots=True)
class LedgerDesk:
    """Takes the files of one profile into one book. `now` tells the time."""

    pool: Pool
    book: Book
    profile: FileProfile
    now: Callable[[], datetime]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[LedgerWork]:
        """One transaction; committed when the block ends, undone when it raises."""
        async with db.transaction(self.pool) as conn:
            yield LedgerWork(conn, self.book, self.profile, self.now())

    async def levels(self) -> list[ExportLevel]:
        """Every level that a file of this profile can speak of, at one moment."""
        columns = self.profile.columns
        found = await db.rows(
            self.pool,
            "ledger_levels_in_order",
            book_id=self.book.id,
            label=self.profile.label if columns.label is None else None,
            location=self.profile.location if columns.location is None else None,
        )
        return [ExportLevel(r["sku"], r["location"], r["label"], r["quantity"], r["changed_at"]) for r in found]

    async def heard_at(self) -> datetime | None:
        """When a file of this profile came last that was not refused."""
        found: datetime | None = await db.value(
            self.pool, "ledger_file_heard_at", book_id=self.book.id, profile=self.profile.name
        )
        return found

    async def hints(self, skus: Sequence[str]) -> dict[str, tuple[str, str]]:
        """For unknown SKUs: the nearest known code and by what it differs, in English and Japanese."""
        known: list[str] = []
        while True:
            page = await reading.items(self.pool, self.book, after=known[-1] if known else "", limit=ITEMS_PER_PAGE)
            known += [item.sku for item in page]
            if len(page) < ITEMS_PER_PAGE:
                break
        found: dict[str, tuple[str, str]] = {}
        for miss in near_misses(known, skus).listed:
            found.setdefault(miss.channel, (miss.difference.explanation_en, miss.difference.explanation_ja))
        return found


@dataclass(frozen=True, slots=True)
class LedgerWork:
    """One transaction on a book and on what is remembered of a profile's files."""

    conn: Connection
    book: Book
    profile: FileProfile
    now: datetime

    async def last(self) -> Applied | None:
        """The last file that was applied. Holds the book's row, as whoever writes does."""
        await db.row(self.conn, "ledger_lock_book", book_id=self.book.id)
        found = await db.row(self.conn, "ledger_file_profile", book_id=self.book.id, profile=self.profile.name)
        if found is None:
            return None
        return Applied(
            name=found["name"],
            sha256=found["sha256"],
            order=FileOrder(OrderedBy(found["ordered_by"]), found["number"]),
            header=tuple(found["header"]),
            rows=found["rows"],
            units=found["units"],
            applied_at=found["applied_at"],
        )

    async def same_content(self, sha256: str) -> Collection[FileOrder]:
        """The orders under which this content was applied."""
        found = await db.rows(
            self.conn, "ledger_same_files", book_id=self.book.id, profile=self.profile.name, sha256=sha256
        )
        return [FileOrder(OrderedBy(record["ordered_by"]), record["number"]) for record in found]

    async def held(self, locations: Collection[str], label: str, *, changed_after: datetime) -> list[tuple[str, str]]:
        """SKU and location of every cell of the label there that is not 0, or changed later than that."""
        found = await db.rows(
            self.conn,
            "ledger_held",
            book_id=self.book.id,
            label=label,
            locations=list(locations),
            changed_after=changed_after,
        )
        return [(record["sku"], record["location"]) for record in found]

    async def make_items(self, skus: Sequence[str]) -> None:
        """Make the items that the book does not have, without a name; not those whose SKU cannot be."""
        known = {item.sku for item in await reading.items(self.conn, self.book, skus=skus)}
        missing = [Item(sku) for sku in skus if sku not in known and text_fault(sku, NAME_LENGTH) is None]
        if missing:
            await books.put_items(self.conn, self.book, missing, now=self.now)

    async def bulk(self, lines: Sequence[FileLine], *, reference: str, actor: str, key: str) -> Sequence[RowOutcome]:
        """Book all lines or none; the same key books them once. Raises LinesRefused."""
        posted = [self._line(line, reference) for line in lines]
        try:
            booked = await books.post(self.conn, self.book, posted, actor=actor, now=self.now, key=key)
        except Refused as refused:
            raise LinesRefused([LineFault(f.line, f.field, f.message, f.problem.ja) for f in refused.faults]) from None
        return [_OUTCOMES[entry.outcome] for entry in booked.entries]

    async def heard(self) -> None:
        """Remember that a file came that had been applied before."""
        await db.run(self.conn, "ledger_file_heard", book_id=self.book.id, profile=self.profile.name, now=self.now)

    async def record(self, file: ParsedFile, order: FileOrder, *, actor: str) -> None:
        """Remember the file as the last one applied."""
        await db.run(
            self.conn,
            "ledger_write_file",
            book_id=self.book.id,
            profile=self.profile.name,
            name=file.name,
            sha256=file.sha256,
            ordered_by=order.by.value,
            number=order.number,
            lines=len(file.lines),
            actor=actor,
            now=self.now,
        )
        stated = file.stated_rows > 0 or not file.lines
        await db.run(
            self.conn,
            "ledger_write_file_profile",
            book_id=self.book.id,
            profile=self.profile.name,
            name=file.name,
            sha256=file.sha256,
            ordered_by=order.by.value,
            number=order.number,
            header=list(file.header),
            rows=file.stated_rows if stated else None,
            units=file.stated_units if stated else None,
            now=self.now,
        )

    def _line(self, line: FileLine, reference: str) -> Line:
        reference = line.reference or "".join(char for char in reference if char.isprintable())[:NAME_LENGTH]
        cell = {"sku": line.sku, "location": line.location, "label": line.label}
        if line.mode is Mode.SET:
            return Count(**cell, quantity=line.quantity, reference=reference, as_of=line.as_of)
        return Adjust(**cell, delta=line.quantity, kind=self.profile.kind, reference=reference, as_of=line.as_of)
