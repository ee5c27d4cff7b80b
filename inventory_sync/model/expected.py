"""Sales that somebody else books in the ledger, and which of its falls settles which (the truth model's rule 3.9).

A channel sale that we do not post is *expected*: held out of every target until the ledger decrease that names it is
found. A number alone settles nothing, or a sale at the counter would be taken for the booking of an order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

NAMING_CAUSES = frozenset({"shipment", "reservation", "api"})
"""Causes that book an order and that no sale at the counter has: goods issued by a document, stock reserved by order
management, and a change that another program made.

Not among them: what a till does (sale, return, layaway); what people do with the goods for other reasons (receipt,
transfer, loss, count); and adjustment and correction, because a person who types a smaller number may book an order or
mend a mistake. Taking the mistake for the booking would tell the channels of goods that are sold; taking the booking
for a mistake only asks a person.
"""

BOOKED_TWICE_WITHIN = timedelta(hours=1)
"""An importer that books what we posted does so within this time after us."""

BOOKED_TWICE_BEFORE = timedelta(minutes=5)
"""An importer may be faster than our notice, by this much."""

BOOKED_TWICE_NAMED = 3
"""So many of our postings in a row that another program booked again are no accident."""

BOOKED_TWICE_UNNAMED = 5
"""The same where the falls may also be sales at the counter."""


@dataclass(frozen=True, slots=True)
class Sale:
    """A channel sale with `units` that the ledger does not show yet. `id`: its movement; `reference`: its order."""

    id: int
    units: int
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A component of a pair: `units` of its sales (at the channel) that are expected at the ledger cell, `ratio` ledger
    units each. `intake`: the pair's sales are expected here."""

    cell: int
    ratio: int
    units: int
    intake: bool = True


@dataclass(frozen=True, slots=True)
class Booking:
    """Ledger `units` of a fall that named a sale nobody knew of yet. `id`: its movement."""

    id: int
    cell: int
    units: int
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What one pair waits for: its sales, oldest first, and where they are expected."""

    pair: int
    shape: str
    sales: tuple[Sale, ...]
    parts: tuple[Part, ...]

    @property
    def units(self) -> int:
        """Units at the channel that are still to be booked, at whichever part lacks most."""
        return sum(sale.units for sale in self.sales)


@dataclass(frozen=True, slots=True)
class Used:
    """Units taken from a booking or a fall. `id`: its movement."""

    id: int
    units: int


def names(cause: str, reference: str, waiting: Iterable[Waiting] = ()) -> bool:
    """Whether a fall of the ledger says of itself that it books an order.

    >>> names("shipment", ""), names("sale", "")
    (True, False)
    >>> names("sale", "1001", [Waiting(1, "single", (Sale(7, 1, "1001"),), (Part(3, 1, 1),))])
    True
    """
    if cause in NAMING_CAUSES:
        return True
    return bool(reference) and any(sale.reference == reference for each in waiting for sale in each.sales)


def expect(waiting: Waiting, sale: Sale, bookings: Sequence[Booking] = ()) -> tuple[Waiting, Sale, tuple[Used, ...]]:
    """Open a sale, less what was booked before we heard of it. `bookings`: those this sale may be, oldest first.

    Returns the pair as it waits now, the sale with what is left of it (maybe 0), and what was taken from bookings.

    >>> empty = Waiting(1, "single", (), (Part(3, 1, 0),))
    >>> expect(empty, Sale(7, 2), [Booking(5, 3, 1)])[1:]
    (Sale(id=7, units=1, reference=''), (Used(id=5, units=1),))
    """
    left = {booking.id: booking.units for booking in bookings}
    used: list[Used] = []
    parts: list[Part] = []
    most = 0
    for part in waiting.parts:
        if not part.intake:
            parts.append(part)
            continue
        cells = {part.cell} if waiting.shape == "set" else {each.cell for each in waiting.parts}
        open_units = sale.units
        for booking in sorted(bookings, key=lambda b: not (b.reference and b.reference == sale.reference)):
            units = min(open_units, left[booking.id] // part.ratio)
            if booking.cell in cells and units > 0:
                left[booking.id] -= units * part.ratio
                used.append(Used(booking.id, units * part.ratio))
                open_units -= units
        parts.append(replace(part, units=part.units + open_units))
        most = max(most, open_units)
    opened = replace(sale, units=most)
    sales = (*waiting.sales, opened) if most else waiting.sales
    return replace(waiting, sales=sales, parts=tuple(parts)), opened, tuple(used)


def take_back(waiting: Waiting, units: int) -> Waiting:
    """The channel rose: its own expected sales are taken back, newest first. What is left of the rise is nobody's.

    >>> pair = Waiting(1, "single", (Sale(7, 2), Sale(8, 1)), (Part(3, 1, 3),))
    >>> take_back(pair, 2).sales
    (Sale(id=7, units=1, reference=''),)
    """
    for sale in reversed(waiting.sales):
        taken = min(units, sale.units)
        waiting = close(waiting, sale.id, taken)
        units -= taken
    return waiting


def close(waiting: Waiting, sale: int, units: int | None = None) -> Waiting:
    """End `units` of a sale (all by default) at every part where they are still expected."""
    found = next(each for each in waiting.sales if each.id == sale)
    ended = found.units if units is None else units
    parts = tuple(
        replace(part, units=part.units - min(ended, _shares(waiting, part)[sale])) if part.intake else part
        for part in waiting.parts
    )
    sales = (replace(each, units=each.units - ended) if each.id == sale else each for each in waiting.sales)
    return replace(waiting, sales=tuple(each for each in sales if each.units), parts=parts)


def settle(
    waiting: Sequence[Waiting], cell: int, units: int, reference: str = "", *, later: Collection[int] = ()
) -> tuple[list[Waiting], int]:
    """A fall of a ledger cell by `units` (of the ledger) names sales: the exact order first, else the oldest.

    Settles at most the fall, and no sale that certainly came `later`. Returns the pairs as they wait now, in their
    order, and the ledger units left over.

    >>> pair = Waiting(1, "single", (Sale(7, 1), Sale(8, 2, "1002")), (Part(3, 1, 3),))
    >>> [after], left = settle([pair], 3, 2, "1002")
    >>> after.sales, left
    ((Sale(id=7, units=1, reference=''),), 0)
    """
    pairs = {each.pair: each for each in waiting}
    open_here = {each.pair: _open_at(each, cell, later) for each in waiting}
    queue = sorted(
        ((each.pair, sale) for each in waiting for sale in each.sales if sale.id not in later),
        key=lambda one: (not (reference and one[1].reference == reference), one[1].id),
    )
    for pair, sale in queue:
        part = _booked_at(pairs[pair], cell)
        ratio = next((each.ratio for each in pairs[pair].parts if each.cell == cell), None)
        still = next((each.units for each in pairs[pair].sales if each.id == sale.id), 0)
        if part is None or ratio is None:
            continue
        settled = min(units // ratio, still, open_here[pair])
        if settled:
            pairs[pair] = _book(pairs[pair], part, sale.id, settled)
            open_here[pair] -= settled
            units -= settled * ratio
    return [pairs[each.pair] for each in waiting], units


def _open_at(waiting: Waiting, cell: int, later: Collection[int]) -> int:
    """Units of a pair, less those of later sales, that a booking in a ledger cell may settle."""
    part = _booked_at(waiting, cell)
    shares = {} if part is None else _shares(waiting, part)
    return sum(units for sale, units in shares.items() if sale not in later)


def _booked_at(waiting: Waiting, cell: int) -> Part | None:
    """The part at which a booking in a ledger cell counts: of a set the very one, else where the sales are expected."""
    for part in waiting.parts:
        if part.intake and (waiting.shape != "set" or part.cell == cell):
            return part
    return None


def _book(waiting: Waiting, part: Part, sale: int, units: int) -> Waiting:
    """Book units at one part. A sale is over once every part has booked it; which one a set's rest belongs to is open,
    so what no part waits for any more is taken from this sale first and from the oldest then."""
    parts = tuple(replace(each, units=each.units - units) if each == part else each for each in waiting.parts)
    excess = waiting.units - max(each.units for each in parts if each.intake)
    sales = {each.id: each for each in waiting.sales}
    for each in sorted(waiting.sales, key=lambda one: one.id != sale):
        taken = min(excess, each.units)
        sales[each.id] = replace(each, units=each.units - taken)
        excess -= taken
    return replace(waiting, sales=tuple(each for each in sales.values() if each.units), parts=parts)


def _shares(waiting: Waiting, part: Part) -> dict[int, int]:
    """How much of each sale one part still waits for: what it lacks is lacking of the newest."""
    lacking, shares = part.units, {}
    for sale in reversed(waiting.sales):
        shares[sale.id] = min(lacking, sale.units)
        lacking -= shares[sale.id]
    return shares


def needs(waiting: Waiting, sale: int) -> list[tuple[frozenset[int], int]]:
    """Where the ledger must have fallen for a sale to be booked: cells any of which will do, and ledger units."""
    anywhere = frozenset(part.cell for part in waiting.parts)
    return [
        (frozenset({part.cell}) if waiting.shape == "set" else anywhere, _shares(waiting, part)[sale] * part.ratio)
        for part in waiting.parts
        if part.intake
    ]


def cover(wanted: Sequence[tuple[frozenset[int], int]], falls: Sequence[Booking]) -> tuple[Used, ...] | None:
    """Falls, oldest first, that together are as large as what is wanted; None where they are not. For ledgers that name
    nothing: no fall counts twice.

    >>> cover([(frozenset({3}), 2)], [Booking(5, 3, 1), Booking(6, 4, 9), Booking(8, 3, 4)])
    (Used(id=5, units=1), Used(id=8, units=1))
    >>> cover([(frozenset({3}), 2)], [Booking(5, 3, 1)]) is None
    True
    """
    left = {fall.id: fall.units for fall in falls}
    used: dict[int, int] = {}
    for cells, units in wanted:
        for fall in falls:
            taken = min(units, left[fall.id]) if fall.cell in cells else 0
            if taken > 0:
                left[fall.id] -= taken
                used[fall.id] = used.get(fall.id, 0) + taken
                units -= taken
        if units > 0:
            return None
    return tuple(Used(id_, units) for id_, units in used.items())


@dataclass(frozen=True, slots=True)
class Decrease:
    """A decrease of one ledger cell: ours, or somebody else's (with its cause where it is known). `units` > 0."""

    at: datetime
    units: int
    cause: str = ""


def booked_twice(ours: Sequence[Decrease], theirs: Sequence[Decrease], now: datetime) -> bool:
    """Whether somebody books again what we post to one ledger cell: both oldest first.

    Each posting is paired with an equal decrease of somebody else's close to it, each of which counts once. One that
    found none, although the time for it is over, ends the row. Where others take more than half as much again, the
    pairs are no evidence: trade at the counter always finds a partner.
    """
    free = list(theirs)
    row: list[Decrease] = []
    for post in ours:
        earliest, latest = post.at - BOOKED_TWICE_BEFORE, post.at + BOOKED_TWICE_WITHIN
        fits = [d for d in free if d.units == post.units and earliest <= d.at <= latest]
        if fits:
            again = min(fits, key=lambda d: (d.cause not in NAMING_CAUSES, d.at))
            free.remove(again)
            row.append(again)
        elif latest < now:
            row.clear()
    if not row:
        return False
    began = row[0].at
    strangers = sum(1 for d in free if d.at >= began)
    named = [d for d in row if d.cause in NAMING_CAUSES]
    if len(named) >= BOOKED_TWICE_NAMED and len(named) * 2 >= len(row):
        return True
    return len(row) >= BOOKED_TWICE_UNNAMED and strangers * 2 <= len(row)
