"""The verdict: why a number is what it is, or why nothing happened, from what was gathered. Pure.

Causes come in the order of `Cause`: what stops everything first (`unwritten`), what merely explains a number last.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from inventory_sync.engine.explain.arithmetic import ended
from inventory_sync.engine.explain.causes import OF_MOVEMENT, RANK, Cause
from inventory_sync.engine.explain.finding import Clock, Finding, duration, finding, order_names, signed
from inventory_sync.engine.explain.ruled import named, spelt
from inventory_sync.engine.explain.state import CellState, Movement, Number, Write
from inventory_sync.engine.explain.unwritten import decided, not_written, stopped, waiting_for_people
from inventory_sync.engine.publishing.table import last_day
from inventory_sync.model.decide import Blocked
from inventory_sync.model.expected import BOOKED_TWICE_BEFORE, BOOKED_TWICE_WITHIN, NAMING_CAUSES

LATE = timedelta(minutes=5)
"""A sale that arrives so long after it was made was made by a register that could not tell of it at once."""

MOST_MOVES = 5
"""So many of the latest movements are named as why a number is what it is."""


def judge(number: Number, clock: Clock) -> tuple[Finding, ...]:
    """Why a channel's number is what it is, or is not what it should be; never empty."""
    found = [
        *stopped(number, clock),
        *not_written(number, clock),
        *waiting_for_people(number),
        *decided(number, clock),
        *_uncertain(number),
        *_ruled(number, clock),
        *_moved(number, clock),
    ]
    once = {each.cause: each for each in reversed(found)}
    if not any(RANK[cause] < RANK[Cause.UNCERTAIN] for cause in once) and number.decision.gap == 0:
        once[Cause.EQUAL] = finding(Cause.EQUAL)
    return tuple(sorted(once.values(), key=lambda each: RANK[each.cause]))


def headline(number: Number, findings: tuple[Finding, ...]) -> tuple[str, str]:
    """One sentence with the number, then the first cause, in Japanese and English."""
    cell, target = number.cell, number.decision.target
    if cell.known is None:
        ja, en = f"{cell.place} の数はまだわかりません。", f"What {cell.place} shows is not known yet."
    elif target is None or target == cell.known:
        ja, en = f"{cell.place} は {cell.known} です。", f"{cell.place} shows {cell.known}."
    else:
        ja = f"{cell.place} は {cell.known} で、本来は {target} です。"
        en = f"{cell.place} shows {cell.known} and should show {target}."
    first = next((each for each in findings if each.cause is not Cause.EQUAL), findings[0])
    return f"{ja}{first.ja}", f"{en} {first.en}"


# -- what may be wrong ---


def _uncertain(number: Number) -> Iterator[Finding]:
    if number.uncertain:
        yield finding(Cause.UNCERTAIN, units=number.uncertain)
    for part in number.parts:
        for write in part.cell.writes:
            if any(_booked_too(write, move) for move in part.cell.moves):
                yield finding(Cause.BOOKED_TOO, where=part.cell.place, units=signed(write.delta))
    for cell in number.cells:
        for word, cause in (("compensation", Cause.COMPENSATED), ("undo", Cause.UNDONE)):
            if cause is Cause.UNDONE and number.phase == "live":
                continue  # it was aligned again since, so the undo explains its number no more
            back = sum(each.delta for each in cell.writes if each.cause == word and each.state == "applied")
            if back:
                yield finding(cause, where=cell.place, units=signed(back))


def _booked_too(write: Write, move: Movement) -> bool:
    """Whether somebody else lowered a ledger cell by what we had booked there, close to it."""
    if write.cause != "live" or write.state != "applied" or write.delta >= 0 or move.delta != write.delta:
        return False
    apart = move.answered_at - write.composed_at
    return bool(move.causes & NAMING_CAUSES) and -BOOKED_TWICE_BEFORE <= apart <= BOOKED_TWICE_WITHIN


# -- what the rule makes of it ---


def _ruled(number: Number, clock: Clock) -> Iterator[Finding]:
    rule, units = number.rule, number.effective
    if number.excluded or number.decision.blocked is Blocked.NOT_PUBLISHED:
        yield finding(Cause.NOT_PUBLISHED, route=number.route.name)
    if number.offset:
        last = None if number.offset_until is None else last_day(number.offset_until, clock.zone)
        until = ("", "") if last is None else (f"{last} までです。", f" through {last}")
        yield finding(Cause.OFFSET, units=signed(number.offset), until=until)
    if ended(number):
        yield finding(Cause.END_WHEN, units=rule.end_when)
    if rule.percent != 100:
        yield finding(Cause.PERCENT, percent=rule.percent)
    yield from _buffered(number)
    yield from _of_its_own(number, clock)
    if rule.maximum is not None and units is not None and units * rule.percent // 100 - rule.buffer > rule.maximum:
        yield finding(Cause.CAP, units=rule.maximum)
    if number.kept:
        yield finding(Cause.KEPT, units=signed(number.kept))
    yield from _orders(number)
    if number.route.basis == "on_hand" and number.cell.committed:
        yield finding(Cause.COMMITTED, units=number.cell.committed)


def _orders(number: Number) -> Iterator[Finding]:
    """Orders that do not count yet, by the reason why; what is held for no order known by now stands for itself."""
    rest = number.held
    for why, cause in (
        ("kept", Cause.ORDERS_KEPT),
        ("held", Cause.ORDERS_UNPAID),
        ("ignored", Cause.ORDERS_IGNORED),
    ):
        found = [each for each in number.waiting if each.why == why]
        if found:
            units = sum(each.units for each in found)
            rest -= 0 if why == "ignored" else units
            yield finding(cause, units=units, orders=order_names(found))
    if rest > 0:
        yield finding(Cause.ORDERS_HELD, units=rest)


def _buffered(number: Number) -> Iterator[Finding]:
    made, units = number.ruled.auto, number.rule.buffer
    if number.ruled.automatic and made is not None:
        yield finding(Cause.AUTO_BUFFER, units=units, sum=spelt(made))
    elif units:
        yield finding(Cause.BUFFER, units=units)


def _of_its_own(number: Number, clock: Clock) -> Iterator[Finding]:
    """What is set for the code alone, by whom, and an offset whose day is over."""
    ruled = number.ruled
    if ruled.ended_at is not None and ruled.offset_until is not None:
        yield finding(Cause.OFFSET_ENDED, at=clock.tell(ruled.ended_at))
    if ruled.own and ruled.at is not None:
        yield finding(Cause.OVERRIDE, what=named(ruled.own), by=ruled.by, at=clock.tell(ruled.at))


# -- who moved it ---


def _moved(number: Number, clock: Clock) -> Iterator[Finding]:
    """The latest movements on either side, newest first; one sentence of each cause."""
    ledger = {part.cell.id: part.cell for part in number.parts}
    moves = [move for cell in number.cells for move in cell.moves if move.kind == "outside"]
    for move in sorted(moves, key=lambda each: (each.asked_at, each.id), reverse=True)[:MOST_MOVES]:
        cell = ledger.get(move.cell)
        if cell is None:
            cause = Cause.CHANNEL_SOLD if move.delta < 0 else Cause.CHANNEL_RAISED
            yield finding(cause, where=number.cell.place, units=abs(move.delta), at=clock.tell(_when(move)))
        else:
            yield from _ledger_move(cell, move, clock)


def _ledger_move(cell: CellState, move: Movement, clock: Clock) -> Iterator[Finding]:
    happened = move.happened_at
    if "sale" in move.causes and happened is not None and move.answered_at - happened > LATE:
        late = duration(move.answered_at - happened)
        yield finding(
            Cause.LATE_SALE, where=cell.place, units=abs(move.delta), happened=clock.tell(happened), late=late
        )
    words = sorted({OF_MOVEMENT.get(word, Cause.LEDGER_MOVED) for word in move.causes or {""}}, key=RANK.__getitem__)
    for cause in words:
        yield finding(cause, where=cell.place, at=clock.tell(_when(move)), before=move.before, after=move.after)


def _when(move: Movement) -> datetime:
    return move.stamp or move.answered_at
