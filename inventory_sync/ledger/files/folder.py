"""A watched folder: files that arrived whole are applied whole, or put aside whole, each answered by a receipt.

    folder/            uploads; hidden files and unfinished ones are left alone
    folder/working/    the file that is being taken in
    folder/done/       applied files, and a receipt for each
    folder/quarantine/ refused files, and a receipt for each

A step may be cut off anywhere. Then the file lies in `working` still and is taken in again, which books nothing twice,
or its receipt waits under a hidden name and is put beside it at the next look.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from inventory_sync.ledger.files import problems
from inventory_sync.ledger.files.arrivals import MARKER_SUFFIX, SETTLE, Arrivals, Seen, is_stock_file
from inventory_sync.ledger.files.disk import Disk
from inventory_sync.ledger.files.parse import MOST_BYTES
from inventory_sync.ledger.files.problems import FileRefused, Language, Problem
from inventory_sync.ledger.files.receipt import RECEIPT_SUFFIX, Receipt, Verdict, refused
from inventory_sync.ledger.files.takein import Desk, Incoming, LinesRefused, TakingIn, begin

log = structlog.get_logger()

LOOK_EVERY = timedelta(seconds=30)
ACTOR = "ledger-folder"
LOCK = ".lock"
LONGEST_NAME = 200
"""Bytes of a file's name, so that the names made from it stay within the 255 that file systems allow."""

Announce = Callable[[Receipt], Awaitable[None]]
"""Hears of every file before it leaves `working`; after a cut-off it may hear of the same file again."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a look did. `due`: when to look again; `waiting` files are not taken yet, the oldest seen since `oldest`."""

    did: int
    due: datetime
    receipt: Receipt | None = None
    waiting: int = 0
    oldest: datetime | None = None


async def nobody(receipt: Receipt) -> None:
    """Announces to nobody."""


@dataclass(slots=True)
class Folder:
    """One watched folder, whose files all have the desk's profile."""

    desk: Desk
    path: Path
    pattern: str = "*"
    marker_required: bool = False
    settle: timedelta = SETTLE
    language: Language = "en"
    announce: Announce = nobody
    disk: Disk = field(default_factory=Disk)
    _arrivals: Arrivals = field(init=False)

    def __post_init__(self) -> None:
        self._arrivals = Arrivals(self.desk.profile, self.pattern, self.marker_required, self.settle)

    async def look(self, now: datetime) -> Look:
        """Take in one file at most. Another process that watches the same folder is left to its work."""
        for directory in (self._working, self._done, self._quarantine):
            await asyncio.to_thread(self.disk.make, directory)
        with self.disk.lock(self.path / LOCK) as ours:
            if not ours:
                return Look(0, now + LOOK_EVERY)
            return await self._look(now)

    @property
    def _working(self) -> Path:
        return self.path / "working"

    @property
    def _done(self) -> Path:
        return self.path / "done"

    @property
    def _quarantine(self) -> Path:
        return self.path / "quarantine"

    async def _look(self, now: datetime) -> Look:
        for seen in await asyncio.to_thread(self.disk.listed, self._working):
            if is_stock_file(seen.name):
                return Look(1, now, await self._take_in(seen, now))
            if seen.name.endswith(MARKER_SUFFIX):
                await asyncio.to_thread(self.disk.remove, self._working / seen.name)
        await self._finish_receipts()
        arrival = self._arrivals.look(await asyncio.to_thread(self.disk.listed, self.path), now)
        if arrival.ready is None:
            due = now + (min(self.settle, LOOK_EVERY) if arrival.waiting else LOOK_EVERY)
            return Look(0, due, None, arrival.waiting, arrival.oldest)
        taken = replace(arrival.ready, name=own_name(arrival.ready.name))
        await asyncio.to_thread(self._pick_up, arrival.ready.name, taken.name)
        receipt = await self._take_in(taken, now)
        return Look(1, now, receipt, arrival.waiting - 1, arrival.oldest)

    def _pick_up(self, name: str, own: str) -> None:
        """Take a file out of reach of whoever uploads. The marker goes first: alone it would vouch for a later file."""
        for directory in (self._done, self._quarantine):
            self.disk.remove(_pending(directory, own))
        marker, taken = self.path / f"{name}{MARKER_SUFFIX}", self._working / f"{own}{MARKER_SUFFIX}"
        if self.disk.exists(marker):
            self.disk.rename(marker, taken)
        self.disk.rename(self.path / name, self._working / own)
        self.disk.remove(taken)

    async def _take_in(self, seen: Seen, now: datetime) -> Receipt:
        try:
            receipt = await self._apply(await self._read(seen, now))
            target, other = self._done, self._quarantine
        except FileRefused as refusal:
            receipt = refused(seen.name, refusal)
            target, other = self._quarantine, self._done
            await asyncio.to_thread(self._write_receipt, target, receipt)
        await self.announce(receipt)
        await asyncio.to_thread(self._put_away, seen.name, target, other)
        log.info(
            f"ledger_file.{receipt.verdict.value}",
            file=seen.name,
            profile=self.desk.profile.name,
            codes=sorted({problem.code for problem in receipt.problems}),
            **receipt.counts,
        )
        return receipt

    async def _read(self, seen: Seen, now: datetime) -> TakingIn:
        try:
            content = await asyncio.to_thread(self.disk.read, self._working / seen.name, MOST_BYTES)
        except PermissionError:
            raise FileRefused((Problem(problems.NOT_READABLE, seen.name),)) from None
        return await begin(self.desk, Incoming(seen.name, content, seen.modified), now=now, actor=ACTOR)

    async def _apply(self, taking: TakingIn) -> Receipt:
        """Book the file. Its receipt is on the disk before the commit, so that no crash can lose it."""
        try:
            async with self.desk.transaction() as work:
                receipt = await taking.apply(work)
                await asyncio.to_thread(self._write_receipt, self._done, receipt)
        except LinesRefused as refusal:
            raise await taking.refusal(refusal) from None
        return receipt

    def _write_receipt(self, directory: Path, receipt: Receipt) -> None:
        pending = _pending(directory, receipt.file)
        # A file that was applied before, with a receipt of this very pick-up: it was cut off after the commit.
        if receipt.verdict is not Verdict.ALREADY_APPLIED or not self.disk.exists(pending):
            self.disk.write(pending, receipt.content(self.language))

    def _put_away(self, name: str, target: Path, other: Path) -> None:
        self.disk.remove(_pending(other, name))
        self._make_room(target, name)
        self.disk.rename(self._working / name, target / name)
        self.disk.rename(_pending(target, name), target / f"{name}{RECEIPT_SUFFIX}")

    def _make_room(self, directory: Path, name: str) -> None:
        """An earlier file of the same name gets a number, and so does its receipt, which goes first."""
        if not self.disk.exists(directory / name):
            return
        number = 1
        while self.disk.exists(directory / f"{name}.{number}"):
            number += 1
        receipt = directory / f"{name}{RECEIPT_SUFFIX}"
        if self.disk.exists(receipt):
            self.disk.rename(receipt, directory / f"{name}.{number}{RECEIPT_SUFFIX}")
        self.disk.rename(directory / name, directory / f"{name}.{number}")

    async def _finish_receipts(self) -> None:
        """Receipts whose file was put away and that were then cut off. One whose file is elsewhere says nothing."""
        for directory in (self._done, self._quarantine):
            for seen in await asyncio.to_thread(self.disk.listed, directory):
                name = _pending_for(seen.name)
                if name is None:
                    continue
                if await asyncio.to_thread(self.disk.exists, directory / name):
                    receipt = directory / f"{name}{RECEIPT_SUFFIX}"
                    await asyncio.to_thread(self.disk.rename, directory / seen.name, receipt)
                else:
                    await asyncio.to_thread(self.disk.remove, directory / seen.name)


def own_name(name: str) -> str:
    """The name a file has with us: its own, unless that is no valid Unicode or leaves no room for a receipt's.

    >>> own_name("stock.csv"), len(own_name("x" * 255).encode())
    ('stock.csv', 200)
    """
    plain = name.encode("utf-8", errors="backslashreplace")
    if len(plain) > LONGEST_NAME:
        digest = hashlib.sha256(plain).hexdigest()[:12].encode()
        plain = plain[: LONGEST_NAME - len(digest) - 1] + b"~" + digest
    return plain.decode("utf-8", errors="ignore")


def _pending(directory: Path, name: str) -> Path:
    return directory / f".{name}{RECEIPT_SUFFIX}.tmp"


def _pending_for(name: str) -> str | None:
    """The file that a receipt under its hidden name belongs to."""
    ending = f"{RECEIPT_SUFFIX}.tmp"
    return name[1 : -len(ending)] if name.startswith(".") and name.endswith(ending) else None
