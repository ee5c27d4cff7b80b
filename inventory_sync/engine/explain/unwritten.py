"""Why nothing is written, or not yet: of a route as a whole, of one cell, of sales and movements that wait. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from inventory_sync.engine.explain.causes import OF_BLOCKED, Cause
from inventory_sync.engine.explain.finding import Clock, Finding, finding, sentence, signed
from inventory_sync.engine.explain.state import ACCEPTED, CellState, Number
from inventory_sync.engine.explain.words import REASONS, of
from inventory_sync.engine.reasons import reason_in_japanese
from inventory_sync.engine.route_words import Blocker, blocker, connection_code
from inventory_sync.model.decide import Blocked

RUNAWAY = "runaway"
SECOND_WRITER = "second_writer"
BOOKED_TWICE = "orders_booked_twice"

_OPEN: Mapping[str, Cause] = {"in_doubt": Cause.IN_DOUBT, ACCEPTED: Cause.ACCEPTED}


# -- nothing at all is written ---


def stopped(number: Number, clock: Clock) -> Iterator[Finding]:
    """The connections and the route as a whole."""
    route = number.route
    for link in (route.channel, route.ledger):
        if not link.works:
            words = blocker(connection_code(link.state), route.name, link.name)
            ja = reason_in_japanese(clock.problems, link.code, link.reason)
            remedy_ja = clock.problems.get(link.code, ("", link.remedy))[1]
            yield finding(
                Cause.CONNECTION_BROKEN,
                connection=link.name,
                reason=(sentence(ja, "。") or f"{words.ja}。", sentence(link.reason) or f"So far {words.en}."),
                remedy=(remedy_ja or words.remedy_ja, link.remedy or words.remedy_en),
            )
    codes = {each.code for each in number.alerts} | set(route.blockers)
    if SECOND_WRITER in codes:
        yield finding(Cause.SECOND_WRITER, connection=_where_undone(number))
    if BOOKED_TWICE in codes:
        yield finding(Cause.BOOKED_TWICE, route=route.name)
    match route.state:
        case "running":
            if route.direction == "channel_to_ledger":
                yield finding(Cause.NO_WRITES, route=route.name)
        case "watching":
            yield finding(Cause.WATCHING, route=route.name)
        case "blocked" if route.blockers:
            told = [_blocker(key, route.name) for key in route.blockers]
            yield finding(
                Cause.ROUTE_BLOCKED,
                route=route.name,
                reasons=("、".join(each.ja for each in told), ", ".join(each.en for each in told)),
                remedy=(told[0].remedy_ja, told[0].remedy_en),
            )
        case _:
            yield finding(Cause.ROUTE_STOPPED, route=route.name)
    if number.zeroing and route.state != "running":
        yield finding(Cause.ZEROED, route=route.name, where=number.cell.place)
    if number.phase == "suspended":
        yield finding(Cause.SUSPENDED, why=reason(number))


def _blocker(key: str, route: str) -> Blocker:
    code, _, subject = key.partition(":")
    return blocker(code, route, subject)


def reason(number: Number) -> tuple[str, str]:
    """Why a pair is suspended or waits; a word that nobody knows is said as it is."""
    return of(REASONS, number.phase_reason)


def _where_undone(number: Number) -> str:
    for alert in number.alerts:
        if alert.code == SECOND_WRITER:
            links = (number.route.channel, number.route.ledger)
            return next((link.name for link in links if link.id == alert.connection_id), alert.subject)
    return number.route.channel.name


# -- one of its cells is not written ---


def not_written(number: Number, clock: Clock) -> Iterator[Finding]:
    """Cells that are kept out, refused, in doubt or not stocked."""
    runaway = {str(each.detail.get("cell")) for each in number.alerts if each.code == RUNAWAY}
    for cell in number.cells:
        if cell.quarantine is not None and cell.quarantine.excluded:
            yield finding(Cause.EXCLUDED, where=cell.place)
        elif str(cell.id) in runaway:
            yield finding(Cause.RUNAWAY, where=cell.place)
        elif cell.quarantined or cell.quarantine is not None:
            why = cell.quarantine
            en = why.reason if why else ""
            ja = reason_in_japanese(clock.problems, why.code, en) if why else ""
            yield finding(Cause.QUARANTINED, where=cell.place, reason=(sentence(ja, "。"), sentence(en)))
        if cell.op is not None and (cause := _OPEN.get(cell.op.state)):
            yield finding(cause, where=cell.place, units=signed(cell.op.delta))
        yield from _condition(cell)


def _condition(cell: CellState) -> Iterator[Finding]:
    match cell.condition:
        case "inactive" | "absent":
            yield finding(Cause.INACTIVE, where=cell.place)
        case "untracked":
            yield finding(Cause.CELL_UNTRACKED, where=cell.place)
        case "gone":
            yield finding(Cause.CELL_GONE, where=cell.place)


# -- sales and movements that wait ---


def waiting_for_people(number: Number) -> Iterator[Finding]:
    """Sales that the ledger has to book, and what is held until a person lets it go."""
    late = [sale for sale in number.sales if sale.overdue]
    open_units = sum(sale.units for sale in number.sales if not sale.overdue)
    if late:
        orders = ", ".join(sale.reference for sale in late if sale.reference)
        named = (f"注文: {orders}", f" Orders: {orders}.") if orders else ("注文番号はわかりません。", "")
        yield finding(Cause.SALE_NOT_BOOKED, units=sum(sale.units for sale in late), orders=named)
    if open_units:
        yield finding(Cause.SALE_EXPECTED, units=open_units)
    for cell in number.cells:
        for reason, cause in (("brake", Cause.HELD_BY_BRAKE), ("stocktake", Cause.HELD_BY_STOCKTAKE)):
            units = sum(hold.units for hold in cell.holds if hold.reason == reason)
            if units:
                yield finding(cause, where=cell.place, units=signed(units))
    if number.effective is not None and number.effective < 0:
        yield finding(Cause.OVERSOLD, units=-number.effective)


# -- what was decided about it just now ---


def decided(number: Number, clock: Clock) -> Iterator[Finding]:
    """What a decision about the number waits for, and what is about to be written."""
    for cell in number.cells:
        if cell.read_again:
            at = clock.tell(max(cell.read_due or clock.now, clock.now))
            yield finding(Cause.OLDER_READING, where=cell.place, at=at)
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
                yield finding(cause, where=cell.place, units=signed(cell.op.delta))
        elif number.phase != "suspended" or cause is not Cause.NOT_ALIGNED:
            yield finding(cause, why=why, **told)
    if cell.blocked == Blocked.IN_RUN:
        yield finding(Cause.IN_RUN, where=cell.place)
    elif decision.gap and not decision.posts:
        yield finding(Cause.TO_BE_WRITTEN, target=decision.target, units=signed(decision.gap))
    for part in number.parts:
        units = (part.owed_down + part.owed_up + part.sent_down + part.sent_up) * part.ratio
        if units:
            yield finding(Cause.TO_BE_POSTED, where=part.cell.place, units=signed(units))
