"""The kit itself: adapters that break a promise are found out, by the behaviour that states it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest

from inventory_sync.conformance import BEHAVIOURS, Impossible, State, Violated, prove, table
from inventory_sync.conformance.__main__ import main
from inventory_sync.model.ids import OpId
from inventory_sync.systems.errors import Doubt, RetryLater, UnauthorizedNotice
from inventory_sync.systems.port import (
    Applied,
    CataloguePage,
    CellRef,
    Client,
    Condition,
    LevelReading,
    NotApplied,
    Notice,
    NoticeKind,
    NoticeParser,
    OpOutcome,
    PlannedOp,
    PreparedRequest,
    Rejected,
    Split,
)
from tests.conformance.bench import Bench
from tests.conformance.shopify_rig import ShopifyRig
from tests.conformance.smaregi_rig import OtherSmaregiRig, SmaregiRig

BY_NAME = {each.name: each for each in BEHAVIOURS}
Outcomes = Mapping[OpId, OpOutcome] | Split


class Saboteur:
    """A client that does all it is told, as a subclass breaks it."""

    def __init__(self, inner: Client, rig: Bench) -> None:
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

    def compose(self, ops: Sequence[PlannedOp], key: str) -> PreparedRequest:
        for op in ops:
            self.targets[op.op] = (self.rig.truth(op.cell) or 0) + op.delta  # type: ignore[attr-defined]
        return self.inner.compose(ops, key)

    async def send(self, prepared: PreparedRequest, ops: Sequence[PlannedOp]) -> Outcomes:
        moved = [replace(op, delta=self.targets[op.op] - (self.rig.truth(op.cell) or 0)) for op in ops]  # type: ignore[attr-defined]
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


@dataclass(frozen=True)
class Plot:
    """A broken adapter, and the behaviours it cannot show."""

    rig: type[ShopifyRig] | type[SmaregiRig]
    caught_by: tuple[str, ...]
    client: type[Saboteur] | None = None
    parser: Any = None
    settings: Mapping[str, object] | None = None


PLOTS = {
    "writes twice": Plot(
        SmaregiRig,
        ("a_write_takes_effect_once", "a_write_commutes_with_trade", "history_shows_a_double_effect"),
        WritesTwice,
    ),
    "takes silence for a no": Plot(
        SmaregiRig,
        ("a_lost_answer_leaves_doubt", "a_lost_request_leaves_doubt", "a_late_write_leaves_doubt"),
        TakesSilenceForANo,
    ),
    "takes silence for a yes": Plot(
        ShopifyRig, ("a_lost_answer_leaves_doubt", "a_key_ends_doubt_about_a_lost_request"), TakesSilenceForAYes
    ),
    "counts a throttle as done": Plot(ShopifyRig, ("a_throttled_write_waits",), CountsAThrottleAsDone),
    "composes anew each time (key)": Plot(
        ShopifyRig,
        ("a_key_makes_a_repeat_harmless", "a_key_ends_doubt_about_a_lost_answer", "a_key_covers_a_late_landing"),
        ComposesAnewEachTime,
    ),
    "composes anew each time (history)": Plot(
        SmaregiRig, ("history_shows_a_double_effect", "history_ends_doubt_about_a_lost_answer"), ComposesAnewEachTime
    ),
    "writes absolute numbers": Plot(ShopifyRig, ("a_write_commutes_with_trade",), WritesAbsoluteNumbers),
    "keeps the secret": Plot(SmaregiRig, ("composing_is_repeatable",), KeepsTheSecret),
    "keeps the time": Plot(ShopifyRig, ("composing_is_repeatable",), KeepsTheTime),
    "blames every row": Plot(ShopifyRig, ("one_bad_row_is_found",), BlamesEveryRow),
    "reads nothing as zero": Plot(
        ShopifyRig,
        ("an_absent_cell_is_told", "an_inactive_cell_is_told", "an_untracked_cell_is_told", "a_gone_cell_is_told"),
        ReadsNothingAsZero,
    ),
    "reads errors as zero": Plot(
        SmaregiRig,
        ("a_bad_answer_is_no_number", "an_unanswered_read_is_given_up", "a_throttled_read_waits"),
        ReadsErrorsAsZero,
    ),
    "knows no debts": Plot(ShopifyRig, ("a_read_tells_the_truth",), KnowsNoDebts),
    "mends codes": Plot(SmaregiRig, ("codes_are_exact",), MendsCodes),
    "reads one page": Plot(ShopifyRig, ("the_catalogue_is_complete",), ReadsOnePage),
    "takes an error for the end": Plot(
        SmaregiRig, ("a_bad_page_does_not_shorten_the_catalogue",), TakesAnErrorForTheEnd
    ),
    "believes every notice": Plot(ShopifyRig, ("a_forged_notice_is_refused",), parser=BelievesEveryNotice),
    "numbers notices": Plot(SmaregiRig, ("a_repeated_notice_keeps_its_id",), parser=NumbersNotices),
    "is too fast": Plot(
        OtherSmaregiRig,
        ("fast_writes_overstep_nothing", "fast_reads_overstep_nothing"),
        settings={"reads_per_second": 500, "writes_per_second": 500},
    ),
}


def sabotaged(plot: Plot) -> ShopifyRig | SmaregiRig:
    """A rig whose adapter is broken as plotted."""

    class Sabotaged(plot.rig):  # type: ignore[name-defined,misc]
        def settings(self, **changes: Any) -> Any:
            return super().settings(**{**(plot.settings or {}), **changes})

        def make_client(self, settings: Any, *, full: bool = True) -> Any:
            client = super().make_client(settings, full=full)
            return plot.client(client, self) if plot.client else client

        def parser(self) -> Any:
            return plot.parser(super().parser(), self) if plot.parser else super().parser()

    made: ShopifyRig | SmaregiRig = Sabotaged()
    return made


@pytest.mark.parametrize(
    ("plot", "name"),
    [pytest.param(plot, name, id=f"{title}-{name}") for title, plot in PLOTS.items() for name in plot.caught_by],
)
async def test_a_broken_adapter_is_found_out(plot: Plot, name: str) -> None:
    async with asyncio.timeout(30.0), sabotaged(plot) as rig:
        with pytest.raises(Violated):
            await prove(BY_NAME[name], rig)


async def test_a_partner_that_complains_spoils_any_behaviour() -> None:
    async with SmaregiRig() as rig:
        await prove(BY_NAME["a_read_tells_the_truth"], rig)
        rig.office.violate("rate.read", "one too many", rig.now())
        with pytest.raises(Violated, match="one too many"):
            await prove(BY_NAME["a_read_tells_the_truth"], rig)


def test_every_behaviour_is_told_in_a_sentence() -> None:
    assert len(BY_NAME) == len(BEHAVIOURS) >= 55
    for each in BEHAVIOURS:
        assert each.sentence[0].isupper() or each.sentence[0].isdigit(), each.name
        assert each.sentence.endswith("."), each.name


def test_the_table_counts_what_is_proven() -> None:
    first, second, third = BEHAVIOURS[:3]
    results = {"one": {first.name: State.PROVEN, second.name: State.FAILED}, "two": {third.name: State.PROVEN}}
    lines = table([first, second, third], results)
    assert lines[0].split() == ["one", "two", "behaviour"]
    assert [line.split()[:2] for line in lines[1:]] == [
        ["proven", "-"],
        ["FAILED", "-"],
        ["-", "proven"],
        ["1/2", "1/1"],
    ]
    assert lines[1].endswith(first.sentence)


def test_the_list_of_behaviours_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    printed = capsys.readouterr().out
    assert all(each.sentence in printed for each in BEHAVIOURS)


def test_a_rig_says_why_something_is_impossible() -> None:
    assert "no level that is switched off" in str(SmaregiRig().odd_cell(Condition.INACTIVE))
    assert isinstance(SmaregiRig().add_item("日本語"), Impossible)
