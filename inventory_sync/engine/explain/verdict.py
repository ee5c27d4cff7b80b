"""The verdict: why a number is what it is, or why nothing happened, from what was gathered. Pure.

Causes come in the order of `Cause`: what stops everything first, what merely explains a number last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo

from inventory_sync.engine.explain.arithmetic import ended
from inventory_sync.engine.explain.causes import OF_BLOCKED, OF_LACK, OF_MOVEMENT, RANK, Cause
from inventory_sync.engine.explain.ruled import named, spelt
from inventory_sync.engine.explain.state import (
    ACCEPTED,
    CellState,
    Lack,
    Link,
    Movement,
    Nearest,
    Number,
    Unpaired,
    WaitingOrder,
    Write,
)
from inventory_sync.engine.explain.texts import REASONS, TWICE, say
from inventory_sync.engine.publishing.table import last_day
from inventory_sync.engine.route_words import Blocker, blocker, connection_code
from inventory_sync.model.decide import Blocked
from inventory_sync.model.difference import visible
from inventory_sync.model.expected import BOOKED_TWICE_BEFORE, BOOKED_TWICE_WITHIN, NAMING_CAUSES

LATE = timedelta(minutes=5)
"""A sale that arrives so long after it was made was made by a register that could not tell of it at once."""

MOST_MOVES = 5
MOST_ORDERS = 3
"""So many of the latest movements are named as why a number is what it is."""

RUNAWAY = "runaway"
SECOND_WRITER = "second_writer"
BOOKED_TWICE = "orders_booked_twice"


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause, as a sentence in both languages."""

    cause: Cause
    ja: str
    en: str


@dataclass(frozen=True, slots=True)
class Clock:
    """The instant of the question, the zone in which times are told, and partners' problems by their code: a sentence
    and a remedy in Japanese."""

    now: datetime
    zone: tzinfo = UTC
    problems: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def tell(self, at: datetime) -> str:
        """A time of today without its date.

        >>> Clock(datetime(2026, 11, 21, 9, 0, tzinfo=UTC)).tell(datetime(2026, 11, 20, 8, 5, tzinfo=UTC))
        '11-20 08:05:00'
        """
        local, today = at.astimezone(self.zone), self.now.astimezone(self.zone).date()
        return local.strftime("%H:%M:%S" if local.date() == today else "%m-%d %H:%M:%S")


def judge(number: Number, clock: Clock) -> tuple[Finding, ...]:
    """Why a channel's number is what it is, or is not what it should be; never empty."""
    found = [
        *_stopped(number, clock),
        *_not_written(number, clock),
        *_waiting_for_people(number),
        *_decided(number, clock),
        *_uncertain(number),
        *_ruled(number, clock),
        *_moved(number, clock),
    ]
    once = {each.cause: each for each in reversed(found)}
    if not any(RANK[cause] < RANK[Cause.UNCERTAIN] for cause in once) and number.decision.gap == 0:
        once[Cause.EQUAL] = _found(Cause.EQUAL)
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


def _found(cause: Cause, **values: tuple[str, str] | str | int | None) -> Finding:
    ja, en = say(cause, **values)
    return Finding(cause, ja, en)


# -- nothing at all is written ---


def _stopped(number: Number, clock: Clock) -> Iterator[Finding]:
    """The connections and the route as a whole."""
    route = number.route
    for link in (route.channel, route.ledger):
        if not link.works:
            words = blocker(connection_code(link.state), route.name, link.name)
            ja, remedy_ja = clock.problems.get(link.code, (link.reason, link.remedy))
            yield _found(
                Cause.CONNECTION_BROKEN,
                connection=link.name,
                reason=(_sentence(ja, "。") or f"{words.ja}。", _sentence(link.reason) or f"So far {words.en}."),
                remedy=(remedy_ja or words.remedy_ja, link.remedy or words.remedy_en),
            )
    codes = {each.code for each in number.alerts} | set(route.blockers)
    if SECOND_WRITER in codes:
        yield _found(Cause.SECOND_WRITER, connection=_where_undone(number))
    if BOOKED_TWICE in codes:
        yield _found(Cause.BOOKED_TWICE, route=route.name)
    match route.state:
        case "running":
            if route.direction == "channel_to_ledger":
                yield _found(Cause.NO_WRITES, route=route.name)
        case "watching":
            yield _found(Cause.WATCHING, route=route.name)
        case "blocked" if route.blockers:
            told = [_blocker(key, route.name) for key in route.blockers]
            yield _found(
                Cause.ROUTE_BLOCKED,
                route=route.name,
                reasons=("、".join(each.ja for each in told), ", ".join(each.en for each in told)),
                remedy=(told[0].remedy_ja, told[0].remedy_en),
            )
        case _:
            yield _found(Cause.ROUTE_STOPPED, route=route.name)
    if number.zeroing and route.state != "running":
        yield _found(Cause.ZEROED, route=route.name, where=number.cell.place)
    if number.phase == "suspended":
        yield _found(Cause.SUSPENDED, why=reason(number))


def _blocker(key: str, route: str) -> Blocker:
    code, _, subject = key.partition(":")
    return blocker(code, route, subject)


def reason(number: Number) -> tuple[str, str]:
    """Why a pair is suspended or waits; a word that nobody knows is said as it is."""
    return REASONS.get(number.phase_reason, (number.phase_reason, number.phase_reason))


def _where_undone(number: Number) -> str:
    for alert in number.alerts:
        if alert.code == SECOND_WRITER:
            links = (number.route.channel, number.route.ledger)
            return next((link.name for link in links if link.id == alert.connection_id), alert.subject)
    return number.route.channel.name


def _sentence(text: str, end: str = ".") -> str:
    return text if not text or text[-1] in ".。!?" else f"{text}{end}"


# -- one of its cells is not written ---


_OPEN: Mapping[str, Cause] = {"in_doubt": Cause.IN_DOUBT, ACCEPTED: Cause.ACCEPTED}


def _not_written(number: Number, clock: Clock) -> Iterator[Finding]:
    runaway = {str(each.detail.get("cell")) for each in number.alerts if each.code == RUNAWAY}
    for cell in number.cells:
        if cell.quarantine is not None and cell.quarantine.excluded:
            yield _found(Cause.EXCLUDED, where=cell.place)
        elif str(cell.id) in runaway:
            yield _found(Cause.RUNAWAY, where=cell.place)
        elif cell.quarantined or cell.quarantine is not None:
            why = cell.quarantine
            en = why.reason if why else ""
            ja = clock.problems.get(why.code, (en, ""))[0] if why else ""
            yield _found(Cause.QUARANTINED, where=cell.place, reason=(_sentence(ja, "。"), _sentence(en)))
        if cell.op is not None and (cause := _OPEN.get(cell.op.state)):
            yield _found(cause, where=cell.place, units=_signed(cell.op.delta))
        yield from _condition(cell)


def _condition(cell: CellState) -> Iterator[Finding]:
    match cell.condition:
        case "inactive" | "absent":
            yield _found(Cause.INACTIVE, where=cell.place)
        case "untracked":
            yield _found(Cause.CELL_UNTRACKED, where=cell.place)
        case "gone":
            yield _found(Cause.CELL_GONE, where=cell.place)


def _signed(units: int) -> str:
    return f"{units:+d}".replace("-", "−")


# -- sales and movements that wait ---


def _waiting_for_people(number: Number) -> Iterator[Finding]:
    late = [sale for sale in number.sales if sale.overdue]
    open_units = sum(sale.units for sale in number.sales if not sale.overdue)
    if late:
        orders = ", ".join(sale.reference for sale in late if sale.reference)
        named = (f"注文: {orders}", f" Orders: {orders}.") if orders else ("注文番号はわかりません。", "")
        yield _found(Cause.SALE_NOT_BOOKED, units=sum(sale.units for sale in late), orders=named)
    if open_units:
        yield _found(Cause.SALE_EXPECTED, units=open_units)
    for cell in number.cells:
        for reason, cause in (("brake", Cause.HELD_BY_BRAKE), ("stocktake", Cause.HELD_BY_STOCKTAKE)):
            units = sum(hold.units for hold in cell.holds if hold.reason == reason)
            if units:
                yield _found(cause, where=cell.place, units=_signed(units))
    if number.effective is not None and number.effective < 0:
        yield _found(Cause.OVERSOLD, units=-number.effective)


# -- what was decided about it just now ---


def _decided(number: Number, clock: Clock) -> Iterator[Finding]:
    for cell in number.cells:
        if cell.read_again:
            at = clock.tell(max(cell.read_due or clock.now, clock.now))
            yield _found(Cause.OLDER_READING, where=cell.place, at=at)
    decision, cell = number.decision, number.cell
    cause = OF_BLOCKED.get(decision.blocked, Cause.HELD_BACK)
    told = {"where": cell.place, "route": number.route.name, "reason": decision.blocked.value}
    why = reason(number)
    elsewhere = (
        Blocked.NOT,
        Blocked.ROUTE_STOPPED,
        Blocked.QUARANTINED,
        Blocked.NOT_ACTIVE,
        Blocked.HELD,
        Blocked.NOT_PUBLISHED,
    )
    if decision.blocked not in elsewhere and cause is not Cause.WATCHING:
        if cause is Cause.IN_FLIGHT and cell.op is not None:
            if cell.op.state == "sent":
                yield _found(cause, where=cell.place, units=_signed(cell.op.delta))
        elif number.phase != "suspended" or cause is not Cause.NOT_ALIGNED:
            yield _found(cause, why=why, **told)
    if cell.blocked == Blocked.IN_RUN:
        yield _found(Cause.IN_RUN, where=cell.place)
    elif decision.gap and not decision.posts:
        yield _found(Cause.TO_BE_WRITTEN, target=decision.target, units=_signed(decision.gap))
    for part in number.parts:
        units = (part.owed_down + part.owed_up + part.sent_down + part.sent_up) * part.ratio
        if units:
            yield _found(Cause.TO_BE_POSTED, where=part.cell.place, units=_signed(units))


# -- what may be wrong ---


def _uncertain(number: Number) -> Iterator[Finding]:
    if number.uncertain:
        yield _found(Cause.UNCERTAIN, units=number.uncertain)
    for part in number.parts:
        for write in part.cell.writes:
            if any(_booked_too(write, move) for move in part.cell.moves):
                yield _found(Cause.BOOKED_TOO, where=part.cell.place, units=_signed(write.delta))
    for cell in number.cells:
        for word, cause in (("compensation", Cause.COMPENSATED), ("undo", Cause.UNDONE)):
            if cause is Cause.UNDONE and number.phase == "live":
                continue  # it was aligned again since, so the undo explains its number no more
            back = sum(each.delta for each in cell.writes if each.cause == word and each.state == "applied")
            if back:
                yield _found(cause, where=cell.place, units=_signed(back))


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
        yield _found(Cause.NOT_PUBLISHED, route=number.route.name)
    if number.offset:
        last = None if number.offset_until is None else last_day(number.offset_until, clock.zone)
        until = ("", "") if last is None else (f"{last} までです。", f" through {last}")
        yield _found(Cause.OFFSET, units=_signed(number.offset), until=until)
    if ended(number):
        yield _found(Cause.END_WHEN, units=rule.end_when)
    if rule.percent != 100:
        yield _found(Cause.PERCENT, percent=rule.percent)
    yield from _buffered(number)
    yield from _of_its_own(number, clock)
    if rule.maximum is not None and units is not None and units * rule.percent // 100 - rule.buffer > rule.maximum:
        yield _found(Cause.CAP, units=rule.maximum)
    if number.kept:
        yield _found(Cause.KEPT, units=_signed(number.kept))
    yield from _orders(number)
    if number.route.basis == "on_hand" and number.cell.committed:
        yield _found(Cause.COMMITTED, units=number.cell.committed)


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
            yield _found(cause, units=units, orders=_names(found))
    if rest > 0:
        yield _found(Cause.ORDERS_HELD, units=rest)


def _names(orders: Sequence[WaitingOrder]) -> str:
    """The numbers of orders, the first few of them."""
    return ", ".join(each.order for each in orders[:MOST_ORDERS]) + (" ..." if len(orders) > MOST_ORDERS else "")


def _buffered(number: Number) -> Iterator[Finding]:
    made, units = number.ruled.auto, number.rule.buffer
    if number.ruled.automatic and made is not None:
        yield _found(Cause.AUTO_BUFFER, units=units, sum=spelt(made))
    elif units:
        yield _found(Cause.BUFFER, units=units)


def _of_its_own(number: Number, clock: Clock) -> Iterator[Finding]:
    """What is set for the code alone, by whom, and an offset whose day is over."""
    ruled = number.ruled
    if ruled.ended_at is not None and ruled.offset_until is not None:
        yield _found(Cause.OFFSET_ENDED, at=clock.tell(ruled.ended_at))
    if ruled.own and ruled.at is not None:
        yield _found(Cause.OVERRIDE, what=named(ruled.own), by=ruled.by, at=clock.tell(ruled.at))


# -- who moved it ---


def _moved(number: Number, clock: Clock) -> Iterator[Finding]:
    """The latest movements on either side, newest first; one sentence of each cause."""
    ledger = {part.cell.id: part.cell for part in number.parts}
    moves = [move for cell in number.cells for move in cell.moves if move.kind == "outside"]
    for move in sorted(moves, key=lambda each: (each.asked_at, each.id), reverse=True)[:MOST_MOVES]:
        cell = ledger.get(move.cell)
        if cell is None:
            cause = Cause.CHANNEL_SOLD if move.delta < 0 else Cause.CHANNEL_RAISED
            yield _found(cause, where=number.cell.place, units=abs(move.delta), at=clock.tell(_when(move)))
        else:
            yield from _ledger_move(cell, move, clock)


def _ledger_move(cell: CellState, move: Movement, clock: Clock) -> Iterator[Finding]:
    happened = move.happened_at
    if "sale" in move.causes and happened is not None and move.answered_at - happened > LATE:
        late = duration(move.answered_at - happened)
        yield _found(Cause.LATE_SALE, where=cell.place, units=abs(move.delta), happened=clock.tell(happened), late=late)
    words = sorted({OF_MOVEMENT.get(word, Cause.LEDGER_MOVED) for word in move.causes or {""}}, key=RANK.__getitem__)
    for cause in words:
        yield _found(cause, where=cell.place, at=clock.tell(_when(move)), before=move.before, after=move.after)


def _when(move: Movement) -> datetime:
    return move.stamp or move.answered_at


def duration(span: timedelta) -> tuple[str, str]:
    """A span of time as people say it, in Japanese and English.

    >>> duration(timedelta(minutes=95))
    ('1 時間 35 分', '1 h 35 min')
    """
    seconds = max(0, round(span.total_seconds()))
    days, hours, minutes = seconds // 86_400, seconds // 3600 % 24, seconds // 60 % 60
    parts = ((days, "日", "d"), (hours, "時間", "h"), (minutes, "分", "min"), (seconds % 60, "秒", "s"))
    first = next((at for at, part in enumerate(parts) if part[0]), len(parts) - 1)
    told = parts[first : first + 2] if first < 2 else parts[first : first + 1]
    told = tuple(part for at, part in enumerate(told) if part[0] or at == 0)
    return " ".join(f"{n} {ja}" for n, ja, _ in told), " ".join(f"{n} {en}" for n, _, en in told)


# -- codes without a number ---


def judge_unpaired(item: Unpaired) -> Finding:
    """Why an item is in no pair of a route."""
    cause, near = OF_LACK[item.lack], item.near[0] if item.near else None
    there = item.lack in (Lack.OTHER_BUNDLE, Lack.OTHER_UNTRACKED)
    where: Link = item.there if there else item.here
    code = visible(item.value)
    found = _found(
        cause,
        code=(f"「{code}」", f'"{code}"'),
        where=where.name,
        other=item.there.name,
        item=item.item or code,
        route=item.route.name,
        fields=", ".join(item.fields),
        why=TWICE.get(item.why, TWICE["twice_on_both"]),
        near=("", "") if near is None else (f"「{visible(near.code)}」", f'"{visible(near.code)}"'),
        detail=(item.ja, item.en) if near is None else (near.ja, near.en),
    )
    if not item.waiting:
        return found
    units, orders = sum(each.units for each in item.waiting), _names(item.waiting)
    ja = f"{found.ja}この商品の注文 {orders} ({units} 個) は、紐付くまで保管しています。"
    return replace(found, ja=ja, en=f"{found.en} Its orders are kept until then: {orders} ({units} units).")


def unknown_code(code: str, nearest: Iterable[Nearest]) -> Finding:
    """What is said of a code that nobody has, with the codes that it may be meant to be."""
    shown = visible(code)
    ja, en = say(Cause.UNKNOWN_CODE, code=(f"「{shown}」", f'"{shown}"'))
    names = [(visible(each.code), each.connection) for each in nearest]
    if names:
        ja += "近いコード: " + "、".join(f"「{near}」({where})" for near, where in names) + "。"
        en += " The nearest are " + ", ".join(f'"{near}" ({where})' for near, where in names) + "."
    return Finding(Cause.UNKNOWN_CODE, ja, en)
