"""What the partners' own event logs say about a run: equal, lost, doubled, told too high.

Pure functions of the logs. Nothing here knows the product's database, its engine or its journal, so that nothing it
believes can make a run look better than it was. Units are whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate

from inventory_sync.cli.demonstration.arrivals import Disturbances, Flow, Way, arrivals, flows
from inventory_sync.cli.demonstration.stories import CLIENT, Books, Outage, Pair, Partner, Place, shows
from inventory_sync.sandbox.kernel import StockChange

SETS_NUMBERS = frozenset({Partner.CART})
"""Partners at which the product sets a number instead of changing it: each such write tells a whole number."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one pair ended. Units are never negative.

    `lost`: units others moved at the channels that the ledger never got. `doubled`: units that took effect more than
    once, net of what was taken back. `taken_back`: effects that happened twice and were compensated. A ledger number
    that feeds several pairs is judged with the first of them.
    """

    name: str
    equal: bool
    expected: int
    ledger: int
    channel: int
    lost: int
    doubled: int
    taken_back: int


@dataclass(frozen=True, slots=True)
class _Booked:
    """How one ledger number ended."""

    off: int
    lost: int
    doubled: int
    repeated: int


def _booked(books: Books, place: Place) -> _Booked:
    """How a ledger number ended, at rest.

    Carrying changes over may net them and so only ever reduces how many units move in each direction. More client
    units in one direction than others moved are therefore certainly doubled, as is a reference with two effects; what
    is missing otherwise is lost.
    """
    off = books.end(place) - books.expected(place)
    others = _units(change for channel in books.fed_by(place) for change in books.others(channel))
    ours = _units(change for change in books.changes(place) if change.actor == CLIENT)
    again = _repeated(books.changes(place))
    way, back = (0, 1) if off < 0 else (1, 0)
    doubled = min(abs(off), max(ours[way] - others[way], again[way], 0))
    lost = min(abs(off) - doubled, max(0, others[back] - ours[back]))
    return _Booked(off, lost, abs(off) - lost, sum(again))


def judge(books: Books) -> list[Verdict]:
    """How every pair ended, at rest."""
    found: list[Verdict] = []
    judged: set[Place] = set()
    for pair in books.pairs:
        own = [place for place in pair.ledger if place not in judged]
        judged.update(own)
        found.append(_verdict(books, pair, [_booked(books, place) for place in own]))
    return found


def _verdict(books: Books, pair: Pair, booked: Sequence[_Booked]) -> Verdict:
    truth, channel = books.truth(pair), books.end(pair.channel)
    apart = 0 if shows(channel, truth) else channel - max(0, truth)
    again = _repeated(books.changes(pair.channel))
    effects = sum(each.repeated for each in booked) + sum(again)
    right = apart == 0 and not any(each.off for each in booked)
    return Verdict(
        pair.name,
        apart == 0,
        sum(books.expected(place) for place in pair.ledger),
        truth,
        channel,
        sum(each.lost for each in booked),
        sum(each.doubled for each in booked) + min(abs(apart), again[0 if apart < 0 else 1]),
        effects if right else 0,
    )


def _units(changes: Iterable[StockChange]) -> tuple[int, int]:
    """Units moved down and up."""
    deltas = [change.delta for change in changes]
    return -sum(d for d in deltas if d < 0), sum(d for d in deltas if d > 0)


def _repeated(changes: Iterable[StockChange]) -> tuple[int, int]:
    """Units down and up of client effects beyond the first under the same reference."""
    seen: set[str] = set()
    down = up = 0
    for change in changes:
        if change.actor != CLIENT or not change.reference:
            continue
        if change.reference in seen:
            down, up = down + max(0, -change.delta), up + max(0, change.delta)
        seen.add(change.reference)
    return down, up


@dataclass(frozen=True, slots=True)
class TooHigh:
    """A channel was told more than there can have been, as far as anybody could know."""

    name: str
    at: datetime
    told: int
    most: int

    @property
    def units(self) -> int:
        return self.told - self.most


@dataclass(frozen=True, slots=True)
class Windows:
    """How old what is known of each partner may be when a channel is told more, and when it could not be reached."""

    lengths: Mapping[Partner, timedelta]
    outages: Mapping[Partner, Sequence[Outage]] = field(default_factory=dict)

    def since(self, partner: Partner, at: datetime) -> datetime:
        """From when on a partner's changes may be unknown at an instant; outages make that earlier."""
        since = at - self.lengths[partner]
        for outage in sorted(self.outages.get(partner, ()), key=lambda o: o.since, reverse=True):
            if outage.since < at and outage.until > since:
                since -= min(at, outage.until) - outage.since
        return since


def too_high(books: Books, pair: Pair, windows: Windows) -> list[TooHigh]:
    """What the product told a channel above everything that may have been true within the windows.

    The bound at an instant is the start, and for each place that the number depends on the largest sum of what others
    did there at any moment of its partner's window. At a channel that is told differences its own changes count as they
    are; one that is told numbers is judged by every write, and its own changes may be unknown for its window as well.
    """
    writes = [c for c in books.changes(pair.channel) if c.actor == CLIENT]
    absolute = pair.channel.partner in SETS_NUMBERS
    if not absolute:
        writes = [c for c in writes if c.delta > 0]
    if not writes:
        return []
    places = [*pair.ledger, *(c for place in pair.ledger for c in books.fed_by(place) if c != pair.channel)]
    sums = [(place.partner, _sums(books.others(place))) for place in places]
    own = _sums_before(books.changes(pair.channel))
    start = sum(books.start(place) for place in pair.ledger)
    found: list[TooHigh] = []
    for change in writes:
        elsewhere = sum(_largest(steps, windows.since(partner, change.at), change.at) for partner, steps in sums)
        here = own[id(change)]
        if absolute:
            steps = _sums(books.others(pair.channel))
            here = max(here, _largest(steps, windows.since(pair.channel.partner, change.at), change.at))
        most = max(0, start + elsewhere + here)
        if change.after > most:
            found.append(TooHigh(pair.name, change.at, change.after, most))
    return found


def _sums(outside: Sequence[StockChange]) -> list[tuple[datetime, int]]:
    return [(c.at, total) for c, total in zip(outside, accumulate(c.delta for c in outside), strict=True)]


def _sums_before(changes: Sequence[StockChange]) -> dict[int, int]:
    """What others had done by each change, by the change's identity."""
    found: dict[int, int] = {}
    total = 0
    for change in changes:
        total += change.delta if change.actor != CLIENT else 0
        found[id(change)] = total
    return found


def _largest(steps: Sequence[tuple[datetime, int]], since: datetime, until: datetime) -> int:
    """The largest running sum at any moment from `since` to `until`, the one it began with included."""
    before = [total for at, total in steps if at <= since]
    within = [total for at, total in steps if since < at <= until]
    return max([before[-1] if before else 0, *within])


@dataclass(frozen=True, slots=True)
class Count:
    """The whole run, counted. `moved`: changes and units by others, by partner."""

    verdicts: tuple[Verdict, ...]
    told_too_high: tuple[TooHigh, ...]
    strays: tuple[StockChange, ...]
    flows: Mapping[Way, Flow]
    moved: Mapping[Partner, tuple[int, int]]

    @property
    def equal(self) -> int:
        return sum(v.equal for v in self.verdicts)

    @property
    def lost(self) -> int:
        return sum(v.lost for v in self.verdicts)

    @property
    def doubled(self) -> int:
        return sum(v.doubled for v in self.verdicts)

    @property
    def taken_back(self) -> int:
        return sum(v.taken_back for v in self.verdicts)

    @property
    def too_high(self) -> int:
        return sum(each.units for each in self.told_too_high)

    @property
    def never(self) -> int:
        return sum(flow.never for flow in self.flows.values())

    @property
    def changes(self) -> int:
        return sum(changes for changes, _ in self.moved.values())

    @property
    def units(self) -> int:
        return sum(units for _, units in self.moved.values())

    @property
    def good(self) -> bool:
        """Every pair equal, nothing lost, doubled or told too high, and nothing written that must not be."""
        clean = not (self.lost or self.doubled or self.told_too_high or self.strays)
        return clean and self.equal == len(self.verdicts)


def count(
    books: Books, windows: Windows, *, stray: Sequence[StockChange] = (), disturbances: Disturbances | None = None
) -> Count:
    """Count a run."""
    return Count(
        tuple(judge(books)),
        tuple(found for pair in books.pairs for found in too_high(books, pair, windows)),
        tuple(stray),
        flows(arrivals(books), disturbances or Disturbances(outages=windows.outages)),
        _moved(books),
    )


def _moved(books: Books) -> dict[Partner, tuple[int, int]]:
    found: dict[Partner, tuple[int, int]] = {}
    for place in dict.fromkeys([*books.ledger, *(pair.channel for pair in books.pairs)]):
        deltas = [abs(change.delta) for change in books.others(place)]
        changes, units = found.get(place.partner, (0, 0))
        found[place.partner] = (changes + len(deltas), units + sum(deltas))
    return found
