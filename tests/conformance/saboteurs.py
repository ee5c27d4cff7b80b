"""Adapters that break a promise: each does all it is told but for one thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from inventory_sync.model.ids import OpId
from inventory_sync.systems.errors import Doubt, FileRefused, RetryLater, UnauthorizedNotice
from inventory_sync.systems.port import (
    Applied,
    Calibration,
    CataloguePage,
    CellRef,
    Condition,
    FileCatalogue,
    FileGeneration,
    LevelReading,
    NamedFile,
    NotApplied,
    Notice,
    NoticeKind,
    NoticeParser,
    OpOutcome,
    OrderPage,
    OrderState,
    Payment,
    PlannedOp,
    PreparedRequest,
    Rejected,
    Split,
)
from tests.conformance.bench import Bench

Outcomes = Mapping[OpId, OpOutcome] | Split


class Saboteur:
    """A client that does all it is told, as a subclass breaks it."""

    def __init__(self, inner: Any, rig: Any) -> None:
        self.inner, self.rig = inner, rig

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class WritesTwice(Saboteur):
    async def send(self, prepared: PreparedRequest, ops: Sequence[PlannedOp]) -> Outcomes:
        await self.inner.send(prepared, ops)
        return await self.inner.send(prepared, ops)


class TakesSilenceForANo(Saboteur):
    async def send(self, prepared: PreparedRequest, ops: Sequence[PlannedOp]) -> Outcomes:
        try:
            return await self.inner.send(prepared, ops)
        except Doubt:
            return {op.op: NotApplied("no answer") for op in ops}


class TakesSilenceForAYes(Saboteur):
    async def send(self, prepared: PreparedRequest, ops: Sequence[PlannedOp]) -> Outcomes:
        try:
            return await self.inner.send(prepared, ops)
        except Doubt:
            return {op.op: Applied() for op in ops}


class CountsAThrottleAsDone(Saboteur):
    async def send(self, prepared: PreparedRequest, ops: Sequence[PlannedOp]) -> Outcomes:
        try:
            return await self.inner.send(prepared, ops)
        except RetryLater:
            return {op.op: Applied("1") for op in ops}


class ComposesAnewEachTime(Saboteur):
    async def send(self, prepared: PreparedRequest, ops: Sequence[PlannedOp]) -> Outcomes:
        number = self.rig.number()
        fresh = [replace(op, op=OpId(f"again{number}x{place}")) for place, op in enumerate(ops)]
        found = await self.inner.send(self.inner.compose(fresh, f"again-{number}"), fresh)
        if isinstance(found, Split):
            return found
        return {op.op: found[new.op] for op, new in zip(ops, fresh, strict=True)}


class WritesAbsoluteNumbers(Saboteur):
    """Makes the number what it would have been at the time of composing."""

    targets: dict[OpId, int] = {}  # noqa: RUF012 - shared by the clients of a rig, as ids never repeat

    def _there(self, op: PlannedOp) -> int:
        return int(self.rig.shop.available(op.cell.item, op.cell.location))

    def compose(self, ops: Sequence[PlannedOp], key: str) -> PreparedRequest:
        for op in ops:
            self.targets[op.op] = self._there(op) + op.delta
        return self.inner.compose(ops, key)

    async def send(self, prepared: PreparedRequest, ops: Sequence[PlannedOp]) -> Outcomes:
        moved = [replace(op, delta=self.targets[op.op] - self._there(op)) for op in ops]
        return await self.inner.send(self.inner.compose(moved, prepared.key), moved)


class KeepsTheSecret(Saboteur):
    def compose(self, ops: Sequence[PlannedOp], key: str) -> PreparedRequest:
        made = self.inner.compose(ops, key)
        return replace(made, body=made.body + self.rig.secrets[-1].encode())


class KeepsTheTime(Saboteur):
    def compose(self, ops: Sequence[PlannedOp], key: str) -> PreparedRequest:
        made = self.inner.compose(ops, key)
        return replace(made, body=made.body + str(self.rig.now().date()).encode())


class BlamesEveryRow(Saboteur):
    async def send(self, prepared: PreparedRequest, ops: Sequence[PlannedOp]) -> Outcomes:
        found = await self.inner.send(prepared, ops)
        bad = isinstance(found, Mapping) and [each for each in found.values() if isinstance(each, Rejected)]
        return {op.op: bad[0] for op in ops} if bad else found


class ReadsNothingAsZero(Saboteur):
    async def read(self, cells: Sequence[CellRef], *, changed_since: datetime | None) -> Sequence[LevelReading]:
        found = await self.inner.read(cells, changed_since=changed_since)
        return [
            replace(each, condition=Condition.ACTIVE, quantity=0) if each.quantity is None else each for each in found
        ]


class ReadsErrorsAsZero(Saboteur):
    async def read(self, cells: Sequence[CellRef], *, changed_since: datetime | None) -> Sequence[LevelReading]:
        try:
            return await self.inner.read(cells, changed_since=changed_since)
        except RetryLater:
            return [LevelReading(cell, Condition.ACTIVE, 0) for cell in cells]


class KnowsNoDebts(Saboteur):
    async def read(self, cells: Sequence[CellRef], *, changed_since: datetime | None) -> Sequence[LevelReading]:
        found = await self.inner.read(cells, changed_since=changed_since)
        return [replace(each, quantity=None if each.quantity is None else max(0, each.quantity)) for each in found]


class MendsCodes(Saboteur):
    async def catalogue_page(self, cursor: str | None) -> CataloguePage:
        page = await self.inner.catalogue_page(cursor)
        items = (replace(each, codes={k: v.strip() for k, v in each.codes.items()}) for each in page.items)
        return replace(page, items=tuple(items))


class ReadsOnePage(Saboteur):
    async def catalogue_page(self, cursor: str | None) -> CataloguePage:
        return replace(await self.inner.catalogue_page(cursor), cursor=None)


class TakesAnErrorForTheEnd(Saboteur):
    async def catalogue_page(self, cursor: str | None) -> CataloguePage:
        try:
            return await self.inner.catalogue_page(cursor)
        except RetryLater:
            return CataloguePage((), None)


class StopsAtAShortPage(Saboteur):
    async def catalogue_page(self, cursor: str | None) -> CataloguePage:
        page = await self.inner.catalogue_page(cursor)
        asked = self.rig.settings().page_limit
        return page if len({item.group for item in page.items}) >= asked else replace(page, cursor=None)


class SendsWhateverNumber(Saboteur):
    def compose(self, ops: Sequence[PlannedOp], key: str) -> PreparedRequest:
        return self.inner.compose([replace(op, value=max(0, op.value or 0)) for op in ops], key)


class WritesOneGroupOnly(Saboteur):
    def compose(self, ops: Sequence[PlannedOp], key: str) -> PreparedRequest:
        group = self.inner.write_group(ops[0].cell)
        return self.inner.compose([op for op in ops if self.inner.write_group(op.cell) == group], key)


class ReadsOnePageOfOrders(Saboteur):
    async def orders(self, since: datetime, until: datetime, cursor: str | None) -> OrderPage:
        return replace(await self.inner.orders(since, until, cursor), cursor=None)


class HidesCancelledOrders(Saboteur):
    async def orders(self, since: datetime, until: datetime, cursor: str | None) -> OrderPage:
        page = await self.inner.orders(since, until, cursor)
        return replace(page, lines=tuple(each for each in page.lines if each.state is not OrderState.CANCELLED))


class TakesEveryOrderForPaid(Saboteur):
    async def orders(self, since: datetime, until: datetime, cursor: str | None) -> OrderPage:
        page = await self.inner.orders(since, until, cursor)
        return replace(page, lines=tuple(replace(each, payment=Payment.PAID) for each in page.lines))


class NumbersLinesAnew(Saboteur):
    async def orders(self, since: datetime, until: datetime, cursor: str | None) -> OrderPage:
        page = await self.inner.orders(since, until, cursor)
        return replace(page, lines=tuple(replace(each, line=str(self.rig.number())) for each in page.lines))


class NamesProductsByTheirOwnCode(Saboteur):
    async def orders(self, since: datetime, until: datetime, cursor: str | None) -> OrderPage:
        page = await self.inner.orders(since, until, cursor)
        wrong = [replace(each.cell, item=each.cell.item.removeprefix("V:")) for each in page.lines]
        return replace(
            page, lines=tuple(replace(each, cell=cell) for each, cell in zip(page.lines, wrong, strict=True))
        )


class TakesAnErrorForNoOrders(Saboteur):
    async def orders(self, since: datetime, until: datetime, cursor: str | None) -> OrderPage:
        try:
            return await self.inner.orders(since, until, cursor)
        except RetryLater as error:
            if error.code == "IS-MKS-004":  # not its turn
                raise
            return OrderPage((), None)


class LooksASecondTooShort(Saboteur):
    async def orders(self, since: datetime, until: datetime, cursor: str | None) -> OrderPage:
        return await self.inner.orders(since + timedelta(seconds=2), until - timedelta(seconds=2), cursor)


class StartsAfreshAfterAnError(Saboteur):
    async def read(self, cells: Sequence[CellRef], *, changed_since: datetime | None) -> Sequence[LevelReading]:
        try:
            return await self.inner.read(cells, changed_since=changed_since)
        except RetryLater:
            self.inner = self.rig.fresh_client()
            raise


class BelievesEveryNotice:
    def __init__(self, inner: NoticeParser, rig: Bench) -> None:
        self.inner = inner

    def parse(self, headers: Mapping[str, str], body: bytes) -> Notice:
        try:
            return self.inner.parse(headers, body)
        except UnauthorizedNotice:
            return Notice("1", "", NoticeKind.LEVELS)


class NumbersNotices:
    def __init__(self, inner: NoticeParser, rig: Bench) -> None:
        self.inner, self.rig = inner, rig

    def parse(self, headers: Mapping[str, str], body: bytes) -> Notice:
        return replace(self.inner.parse(headers, body), id=str(self.rig.number()))


class TakesWhatThereIsOfAFile:
    def __init__(self, inner: FileCatalogue) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def read(self, files: Mapping[str, NamedFile], **given: Any) -> FileGeneration:
        try:
            return self.inner.read(files, **given)
        except FileRefused:
            return FileGeneration((), (), {"columns": "others"})


def swapped(made: Calibration) -> Calibration:
    found = made.found
    return replace(
        made, found={**found, "absolute_type": found["relative_type"], "relative_type": found["absolute_type"]}
    )
