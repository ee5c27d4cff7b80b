"""Taking a file in: read, checked against the last one and booked in one transaction, or refused with nothing done."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from inventory_sync.ledger.checks import AHEAD
from inventory_sync.ledger.files import problems
from inventory_sync.ledger.files.guard import Applied, FileOrder, check, is_repeat, order_of
from inventory_sync.ledger.files.parse import FileLine, ParsedFile, parse
from inventory_sync.ledger.files.problems import Confirm, FileRefused, Problem
from inventory_sync.ledger.files.profile import FileProfile, Mode, UnknownItems
from inventory_sync.ledger.files.receipt import Receipt, RowOutcome, Verdict, already_applied, row_result


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file as it came. `modified` is its own time, which orders it and which its counts speak of."""

    name: str
    content: bytes
    modified: datetime


@dataclass(frozen=True, slots=True)
class LineFault:
    """Why the ledger refuses a line. `index` counts the lines that were given, from 0."""

    index: int
    field: str
    reason_en: str
    reason_ja: str


class LinesRefused(Exception):
    """The ledger books none of the lines, because of these."""

    def __init__(self, faults: Sequence[LineFault]) -> None:
        super().__init__(f"{len(faults)} lines cannot be booked")
        self.faults = tuple(faults)


class Booking(Protocol):
    """Books lines, all of them or none."""

    async def bulk(self, lines: Sequence[FileLine], *, reference: str, actor: str, key: str) -> Sequence[RowOutcome]:
        """One outcome per line, in their order; the same for the same `key`. Raises LinesRefused."""
        ...


class Work(Booking, Protocol):
    """One transaction: the book, and what is remembered of a profile's files. Nothing lasts if its block raises."""

    async def last(self) -> Applied | None:
        """The last file of this profile that was applied; nobody else takes one in until the transaction ends."""
        ...

    async def same_content(self, sha256: str) -> Collection[FileOrder]:
        """The orders under which this content was applied."""
        ...

    async def held(self, locations: Collection[str], label: str, *, changed_after: datetime) -> list[tuple[str, str]]:
        """SKU and location of every cell of the label there that is not 0, or changed later than that."""
        ...

    async def make_items(self, skus: Sequence[str]) -> None:
        """Make the items that the book does not have."""
        ...

    async def heard(self) -> None:
        """Remember that a file came that had been applied before."""
        ...

    async def record(self, file: ParsedFile, order: FileOrder, *, actor: str) -> None:
        """Remember the file as the last one applied."""
        ...


class Desk(Protocol):
    """Where the files of one profile are taken in, for one book."""

    @property
    def profile(self) -> FileProfile: ...

    def transaction(self) -> AbstractAsyncContextManager[Work]:
        """A transaction that is committed when its block ends, and undone when it raises."""
        ...

    async def heard_at(self) -> datetime | None:
        """When a file of this profile came last that was not refused."""
        ...

    async def hints(self, skus: Sequence[str]) -> dict[str, tuple[str, str]]:
        """For unknown SKUs: the known code each nearly is, and by what it differs (English, Japanese)."""
        ...


class _DryRun(Exception):
    """Undoes a transaction whose outcome was only wanted to be seen."""

    def __init__(self, receipt: Receipt) -> None:
        super().__init__()
        self.receipt = receipt


async def take_in(
    desk: Desk,
    file: Incoming,
    *,
    now: datetime,
    actor: str,
    confirmed: Collection[Confirm] = (),
    dry_run: bool = False,
) -> Receipt:
    """Apply a file whole or not at all, once however often it is given. Raises FileRefused; then nothing was done."""
    taking = await begin(desk, file, now=now, actor=actor, confirmed=confirmed)
    try:
        async with desk.transaction() as work:
            receipt = await taking.apply(work)
            if dry_run:
                raise _DryRun(receipt)
    except _DryRun as undone:
        return undone.receipt
    except LinesRefused as refusal:
        raise await taking.refusal(refusal) from None
    return receipt


async def begin(
    desk: Desk, file: Incoming, *, now: datetime, actor: str, confirmed: Collection[Confirm] = ()
) -> TakingIn:
    """Read a file, off the event loop. Raises FileRefused."""
    order = order_of(file.name, file.modified, desk.profile)
    parsed = await asyncio.to_thread(parse, file.content, desk.profile, name=file.name, not_after=now + AHEAD)
    # A file from the future speaks of now: its clock is wrong, its numbers are not.
    return TakingIn(desk, parsed, order, min(file.modified, now), actor, frozenset(confirmed))


@dataclass(slots=True)
class TakingIn:
    """A well-formed file on its way into the book. `spoken_of`: the time that rows without their own speak of."""

    desk: Desk
    parsed: ParsedFile
    order: FileOrder
    spoken_of: datetime
    actor: str
    confirmed: frozenset[Confirm]
    sent: tuple[FileLine, ...] = ()

    async def apply(self, work: Work) -> Receipt:
        """Inside a transaction: check the file against the last one and book it. Raises FileRefused or LinesRefused."""
        parsed, profile = self.parsed, self.desk.profile
        last, same = await work.last(), await work.same_content(parsed.sha256)
        if is_repeat(parsed, self.order, profile, last=last, same=same):
            await work.heard()
            return already_applied(parsed.name, ((line.row, line.sku) for line in parsed.lines))
        check(parsed, self.order, profile, last=last, confirmed=self.confirmed)
        zeros = await self._left_out(work) if profile.snapshot else []
        self.sent = tuple(self._with_times([line for line in parsed.lines if not _is_nothing(line)]) + zeros)
        if profile.unknown_items is UnknownItems.MAKE:
            await work.make_items(list(dict.fromkeys(line.sku for line in parsed.lines)))
        outcomes = await work.bulk(self.sent, reference=parsed.name, actor=self.actor, key=self._key())
        await work.record(parsed, self.order, actor=self.actor)
        return self._receipt(outcomes)

    async def refusal(self, refused: LinesRefused) -> FileRefused:
        """The ledger's faults as problems of the file, with a hint where a SKU nearly is one that the ledger has."""
        named = self.desk.profile.columns.named()
        unknown = [self.sent[fault.index].sku for fault in refused.faults if fault.field == "sku"]
        hints = await self.desk.hints(unknown) if unknown else {}
        found = []
        for fault in refused.faults:
            line = self.sent[fault.index]
            english, japanese = hints.get(line.sku, ("", "")) if fault.field == "sku" else ("", "")
            values = {
                "reason": " ".join(filter(None, (fault.reason_en, english))),
                "reason_ja": " ".join(filter(None, (fault.reason_ja, japanese))),
            }
            column = named.get(_OURS.get(fault.field, fault.field), "")
            row = line.row or None
            found.append(Problem(problems.NOT_BOOKED, self.parsed.name, row, column, None, line.sku, values))
        return FileRefused(tuple(found), tuple((line.row, line.sku) for line in self.parsed.lines))

    def _key(self) -> str:
        return f"file:{self.desk.profile.name}:{self.parsed.sha256}:{self.order.number}"

    def _with_times(self, lines: Sequence[FileLine]) -> list[FileLine]:
        return [line if line.as_of is not None else replace(line, as_of=self.spoken_of) for line in lines]

    async def _left_out(self, work: Work) -> list[FileLine]:
        """A zero for every cell that a snapshot leaves out, at the locations and labels it speaks of."""
        profile, lines = self.desk.profile, self.parsed.lines
        locations = {line.location for line in lines} or ({profile.location} if profile.location else set())
        labels = {line.label for line in lines} or {profile.label}
        stated = {(line.sku, line.location, line.label) for line in lines}
        zeros = []
        for label in sorted(labels):
            for sku, location in await work.held(sorted(locations), label, changed_after=self.spoken_of):
                if (sku, location, label) not in stated:
                    zeros.append(FileLine(0, sku, location, label, Mode.SET, 0, self.spoken_of))
        return zeros

    def _receipt(self, outcomes: Sequence[RowOutcome]) -> Receipt:
        by_row = {line.row: outcome for line, outcome in zip(self.sent, outcomes, strict=True) if line.row}
        rows = [row_result(line.row, line.sku, by_row.get(line.row, RowOutcome.NOTHING)) for line in self.parsed.lines]
        rows += [row_result(None, line.sku, RowOutcome.ZEROED) for line in self.sent if not line.row]
        return Receipt(self.parsed.name, Verdict.APPLIED, tuple(rows))


_OURS = {"delta": "quantity", "as_of": "updated_at"}


def _is_nothing(line: FileLine) -> bool:
    return line.mode is Mode.ADD and line.quantity == 0
