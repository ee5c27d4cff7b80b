"""Orders as movements, and as evidence, where a level alone does not say who changed it (the truth model's rule 3.8).

An order is state: per line only a larger quantity than counted counts by itself. A rise is believed only from the
level: what a reading shows and the orders since do not explain is looked at twice, at least the order lag apart, before
it is somebody else's movement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MOST_PARTS = 40
"""So many orders around one write are told apart one by one; beyond that any amount up to their sum may be theirs."""


def sums_to(parts: Sequence[int], total: int) -> bool:
    """Whether some of `parts` (units, any sign) add up to `total`; none of them to 0.

    >>> sums_to([2, 3], 5), sums_to([2, 3], 1), sums_to([], 0)
    (True, False, True)
    """
    if len(parts) > MOST_PARTS:
        return sum(p for p in parts if p < 0) <= total <= sum(p for p in parts if p > 0)
    reachable = {0}
    for part in parts:
        reachable |= {each + part for each in reachable}
    return total in reachable


class Seen(StrEnum):
    """What a reading of a cell whose movements are its orders comes to."""

    EXPLAINED = "explained"  # the level is what orders left of it
    LOOK_AGAIN = "look_again"  # unexplained for the first time, or too early to say
    MOVED = "moved"  # unexplained twice: somebody moved it (a restock, a vanished order, a person)


@dataclass(frozen=True, slots=True)
class Unexplained:
    """What the last reading that counted showed beyond the orders; `since`: when a reading first showed just that."""

    units: int
    since: datetime


@dataclass(frozen=True, slots=True)
class GivenBack:
    """Units that our own writes made. `unsure`: as many of them may be somebody's, and then the level is too low."""

    units: int = 0
    unsure: int = 0


def given_back(units: int, *, loose: Sequence[int], before: int, waived: Sequence[int] = ()) -> GivenBack:
    """How much of a level that is `units` higher than known our own writes made, by erasing orders: nobody moved that.

    `loose`: units of orders that may have met a write; `waived`: what the level may do by itself for orders nobody was
    told of. `before`: what was unexplained when they were counted. The write kept it, so it is still there, unless
    these very orders explain it: only what orders took can be less for them. Where they do not, somebody moved it, and
    some of the orders may stand in that same reading: those were not erased. The lower number is believed.

    >>> given_back(3, loose=[1, 2], before=0), given_back(1, loose=[1], before=1)
    (GivenBack(units=3, unsure=0), GivenBack(units=0, unsure=0))
    >>> given_back(10, loose=[3, 5], before=2), given_back(-1, loose=[1], before=-2)
    (GivenBack(units=8, unsure=8), GivenBack(units=1, unsure=1))
    """
    kept = units - before
    parts = [*loose, *waived]
    if before <= 0 and sums_to(parts, units):
        return GivenBack(units)
    if sums_to(parts, kept):
        return GivenBack(kept, unsure=max(0, min(kept, sum(loose))))
    return GivenBack(units) if sums_to(parts, units) else GivenBack()


def see(
    units: int,
    *,
    base: bool,
    before: Unexplained | None,
    asked_at: datetime,
    swept_at: datetime | None,
    order_lag: timedelta,
) -> Seen:
    """Judge a reading that shows `units` more than is known (for a `base` reading: than nothing), and than our own
    writes gave back.

    `swept_at`: when the last complete list of orders was asked. A caller lets `before` begin anew whenever it counts an
    order of the cell, so two equal looks have no order between them.
    """
    if not base and units == 0:
        return Seen.EXPLAINED
    if before is None or before.units != units:
        return Seen.LOOK_AGAIN
    listed = swept_at is not None and swept_at >= before.since + order_lag
    return Seen.MOVED if listed and asked_at >= before.since + order_lag else Seen.LOOK_AGAIN


@dataclass(frozen=True, slots=True)
class SeenLine:
    """A line with what is known of when it was placed: not in a list asked at `unseen_at` (None: never looked), but in
    one asked at `first_seen_at`."""

    units: int
    first_seen_at: datetime
    unseen_at: datetime | None


def between(
    lines: Sequence[SeenLine],
    *,
    after: tuple[datetime, datetime],
    before: tuple[datetime, datetime],
    order_lag: timedelta,
) -> tuple[int, list[int]]:
    """Units that orders certainly took between two readings, and those at the edges that may count or not.

    A reading is (asked, answered). All times are ours: an order was placed no later than the list that shows it was
    asked, and no earlier than the order lag before a list that does not show it.
    """
    certain, maybe = 0, []
    for line in lines:
        earliest = line.unseen_at - order_lag if line.unseen_at is not None else None
        if line.first_seen_at <= after[0] or (earliest is not None and earliest >= before[1]):
            continue
        if earliest is not None and earliest >= after[1] and line.first_seen_at <= before[0]:
            certain += line.units
        else:
            maybe.append(line.units)
    return certain, maybe


class Told(StrEnum):
    """What a level says about a write whose answer was lost."""

    APPLIED = "applied"
    NOT_APPLIED = "not_applied"
    EITHER = "either"  # both answers fit: orders and the write cannot be told apart
    NEITHER = "neither"  # somebody else moved it as well


def tell_apart(level: int, *, known: int, delta: int, certain: int = 0, maybe: Sequence[int] = ()) -> Told:
    """Whether a write of `delta` took effect: iff the level is known + delta less the orders, and not known less them.

    `certain` and `maybe` are units that orders took (≥ 0); negative parts of `maybe` are orders that a write erased.

    >>> tell_apart(7, known=10, delta=-2, certain=1)
    <Told.APPLIED: 'applied'>
    >>> tell_apart(9, known=10, delta=-1, maybe=[1])
    <Told.EITHER: 'either'>
    """
    applied = sums_to(maybe, known + delta - certain - level)
    untouched = sums_to(maybe, known - certain - level)
    if applied and untouched:
        return Told.EITHER
    if applied:
        return Told.APPLIED
    return Told.NOT_APPLIED if untouched else Told.NEITHER


@dataclass(frozen=True, slots=True)
class Shown:
    """A movement of `units` that a reading found: it happened after `since` and before the answer at `until`."""

    units: int
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Hidden:
    """Units of orders that no level showed. `sure` False: a rise may have hidden them instead."""

    units: int
    sure: bool = True


SHORT = timedelta(seconds=30)
"""So long nobody is taken to have changed a number by hand unseen, just when an order met a write of ours."""


def cut_off(
    lines: Sequence[SeenLine],
    shown: Sequence[Shown],
    *,
    known_from: datetime,
    zero_at: datetime,
    order_lag: timedelta,
    most: int,
) -> Hidden:
    """What orders took and levels never showed, because a decrease of ours met them and the partner stops at 0.

    `known_from`: when the reading was answered that our decrease was reckoned from; `zero_at`: when the one was asked
    that showed 0; `most`: what the decrease was meant to take. Every order in `lines` was placed before the last
    reading. The window between the two is widened until no order and no movement reaches over its edges, so that what
    belongs together is on one side. Where it is longer than `SHORT`, somebody may have raised the number unseen.

    >>> t = [datetime(2026, 11, 21, 3, 0, second) for second in range(60)]
    >>> sold = [SeenLine(3, first_seen_at=t[33], unseen_at=t[30]), SeenLine(1, first_seen_at=t[39], unseen_at=t[36])]
    >>> found = [Shown(-1, since=t[21], until=t[50])]
    >>> cut_off(sold, found, known_from=t[21], zero_at=t[49], order_lag=timedelta(seconds=2), most=7)
    Hidden(units=3, sure=True)
    """
    spans = [(line.unseen_at - order_lag, line.first_seen_at) for line in lines if line.unseen_at is not None]
    spans += [(each.since, each.until) for each in shown]
    start, end = known_from, zero_at
    while True:
        over = [span for span in spans if span[0] < start < span[1] or span[0] < end < span[1]]
        if not over:
            break
        start, end = min(start, *(span[0] for span in over)), max(end, *(span[1] for span in over))
    within = [each for each in shown if start <= each.since and each.until <= end]
    ordered = sum(
        line.units
        for line in lines
        if line.unseen_at is not None and start <= line.unseen_at - order_lag and line.first_seen_at <= end
    )
    fallen = -sum(each.units for each in within if each.units < 0)
    missing = ordered - fallen
    # What our decrease cannot have hidden was hidden by a rise that no level shows by itself.
    rose = missing > most or any(each.units > 0 for each in within)
    hidden = max(0, min(most, missing))
    return Hidden(hidden, sure=hidden == 0 or (not rose and end - start <= SHORT))
