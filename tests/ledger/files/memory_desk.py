"""A book in memory that takes files in, with real transactions, and a disk and a book that can be killed anywhere."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from inventory_sync.ledger.files.arrivals import Seen
from inventory_sync.ledger.files.disk import Disk
from inventory_sync.ledger.files.guard import Applied, FileOrder
from inventory_sync.ledger.files.parse import FileLine, ParsedFile
from inventory_sync.ledger.files.profile import FileProfile, Mode
from inventory_sync.ledger.files.receipt import RowOutcome
from inventory_sync.ledger.files.takein import LineFault, LinesRefused
from tests.ledger.files.files_support import NOON


class Killed(BaseException):
    """The process ends here."""


@dataclass(slots=True)
class Fate:
    """Counts the places where a process can be killed, and kills at the chosen one, before it acts or after."""

    at: int | None = None
    passed: int = 0

    def meet(self) -> None:
        self.passed += 1
        if self.passed == self.at:
            raise Killed


@dataclass(slots=True)
class Shelf:
    """What lasts: levels, how often each file was booked, the last file, every file."""

    levels: dict[tuple[str, str, str], int] = field(default_factory=dict)
    booked: list[str] = field(default_factory=list)
    items: set[str] | None = None
    last: Applied | None = None
    files: list[tuple[str, FileOrder]] = field(default_factory=list)
    heard_at: datetime | None = None


@dataclass(slots=True)
class MemoryDesk:
    """`shelf` changes with a commit only. `calls` are the keys that were booked, undone ones too."""

    profile: FileProfile
    shelf: Shelf = field(default_factory=Shelf)
    fate: Fate = field(default_factory=Fate)
    keys: list[str] = field(default_factory=list)
    now: datetime = NOON

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[MemoryWork]:
        draft = copy.deepcopy(self.shelf)
        yield MemoryWork(self, draft)
        self.fate.meet()
        self.shelf = draft
        self.fate.meet()

    async def heard_at(self) -> datetime | None:
        return self.shelf.heard_at

    async def hints(self, skus: Sequence[str]) -> dict[str, tuple[str, str]]:
        return {sku: (f"Nearly {sku.strip()}.", f"{sku.strip()} に近い") for sku in skus if sku != sku.strip()}

    def quantity(self, sku: str, location: str = "main", label: str = "stock") -> int | None:
        return self.shelf.levels.get((sku, location, label))


@dataclass(slots=True)
class MemoryWork:
    """One transaction."""

    desk: MemoryDesk
    shelf: Shelf

    async def last(self) -> Applied | None:
        self.desk.fate.meet()
        return self.shelf.last

    async def same_content(self, sha256: str) -> Collection[FileOrder]:
        self.desk.fate.meet()
        return [order for known, order in self.shelf.files if known == sha256]

    async def held(self, locations: Collection[str], label: str, *, changed_after: datetime) -> list[tuple[str, str]]:
        cells = self.shelf.levels.items()
        return [(sku, place) for (sku, place, own), units in cells if units and place in locations and own == label]

    async def make_items(self, skus: Sequence[str]) -> None:
        if self.shelf.items is not None:
            self.shelf.items |= set(skus)

    async def bulk(self, lines: Sequence[FileLine], *, reference: str, actor: str, key: str) -> Sequence[RowOutcome]:
        self.desk.fate.meet()
        known = self.shelf.items
        faults = [
            LineFault(index, "sku", "Unknown.", "ありません。")
            for index, line in enumerate(lines)
            if known is not None and line.sku not in known
        ]
        if faults:
            raise LinesRefused(faults)
        for line in lines:
            cell = (line.sku, line.location, line.label)
            before = self.shelf.levels.get(cell, 0)
            self.shelf.levels[cell] = line.quantity if line.mode is Mode.SET else before + line.quantity
        self.shelf.booked.append(reference)
        self.desk.keys.append(key)
        self.desk.fate.meet()
        return [RowOutcome.BOOKED] * len(lines)

    async def heard(self) -> None:
        self.desk.fate.meet()
        self.shelf.heard_at = self.desk.now

    async def record(self, file: ParsedFile, order: FileOrder, *, actor: str) -> None:
        self.desk.fate.meet()
        before = self.shelf.last
        rows, units = file.stated_rows, file.stated_units
        if not rows and before is not None:
            rows, units = before.rows, before.units
        self.shelf.last = Applied(file.name, file.sha256, order, file.header, rows, units, NOON)
        self.shelf.files.append((file.sha256, order))
        self.shelf.heard_at = self.desk.now


class MortalDisk(Disk):
    """The real disk, where each change may be the last thing the process does, or the first thing it no longer does."""

    def __init__(self, fate: Fate) -> None:
        self.fate = fate

    def rename(self, source: Path, target: Path) -> None:
        self.fate.meet()
        super().rename(source, target)
        self.fate.meet()

    def write(self, path: Path, content: bytes, modified_ns: int | None = None) -> None:
        self.fate.meet()
        super().write(path, content[: len(content) // 2], modified_ns)
        self.fate.meet()
        super().write(path, content, modified_ns)
        self.fate.meet()

    def remove(self, path: Path) -> None:
        self.fate.meet()
        super().remove(path)

    def read(self, path: Path, most: int) -> bytes:
        self.fate.meet()
        return super().read(path, most)

    def listed(self, directory: Path) -> list[Seen]:
        self.fate.meet()
        return super().listed(directory)


def reborn(desk: MemoryDesk) -> MemoryDesk:
    """The desk of the next process: what lasts, and nobody to kill it."""
    return replace(desk, fate=Fate())


def names(directory: Path) -> list[str]:
    """What lies in a directory, hidden files too, the lock apart."""
    return sorted(path.name for path in directory.iterdir() if path.name != ".lock") if directory.exists() else []
