"""How long changes took to arrive at the other partners, from the partners' own event logs. Lags are seconds."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from inventory_sync.cli.demonstration.stories import CLIENT, Books, Outage, Partner, Place, shows
from inventory_sync.sandbox.kernel import StockChange


@dataclass(frozen=True, slots=True)
class Arrival:
    """One change by others, and after how many seconds another partner's number showed it; None: never.

    `needed` is False where that number was right already, so that nothing had to be written.
    """

    origin: Place
    target: Place
    change: StockChange
    seconds: float | None
    needed: bool = True


def arrivals(books: Books) -> list[Arrival]:
    """When each change by others was first contained in what the other partners showed.

    A number knows the changes made to it at once. The rest of it is explained by the changes made elsewhere, each
    place's up to some change; where several explanations fit, the one with the most changes counts, and among those the
    one with the fewest of the slowest partner. At MakeShop falls are heard as orders and rises by their level, so
    either is told up to some change of its own.
    """
    found: list[Arrival] = []
    for place in books.ledger:
        channels = books.fed_by(place)
        if channels:
            found += _Watched(books, place, (place,), channels).arrivals()
    for pair in books.pairs:
        others = [c for place in pair.ledger for c in books.fed_by(place) if c != pair.channel]
        found += _Watched(books, pair.channel, pair.ledger, (*pair.ledger, *others)).arrivals()
    return found


@dataclass(slots=True)
class _Source:
    """Changes of one place as they happen: running sums, and how many of them have arrived."""

    place: Place
    sums: list[int] = field(default_factory=lambda: [0])
    seen: list[StockChange] = field(default_factory=list)
    arrived: int = 0

    def add(self, change: StockChange) -> None:
        self.sums.append(self.sums[-1] + change.delta)
        self.seen.append(change)


class _Watched:
    """One number while the logs are read, and the places whose changes it is to show."""

    def __init__(self, books: Books, target: Place, made_of: Sequence[Place], origins: Sequence[Place]) -> None:
        self._target = target
        self._clipped = target.partner is not Partner.POS
        self._own = sum(books.start(place) for place in made_of)
        self._number = books.start(target)
        self._sources: list[_Source] = []
        self._events: list[tuple[datetime, StockChange, _Source | None]] = [
            (change.at, change, None) for change in books.changes(target)
        ]
        order = list(Partner)
        for origin in sorted(origins, key=lambda place: order.index(place.partner)):
            changes = books.others(origin)
            split = [[c for c in changes if c.delta < 0], [c for c in changes if c.delta > 0]]
            for each in split if origin.partner is Partner.CART else [changes]:
                source = _Source(origin)
                self._sources.append(source)
                self._events += [(change.at, change, source) for change in each]
        self._events.sort(key=lambda event: event[0])

    def arrivals(self) -> list[Arrival]:
        found: list[Arrival] = []
        for at, change, source in self._events:
            if source is not None:
                source.add(change)
            else:
                self._number = change.after
                self._own += change.delta if change.actor != CLIENT else 0
            found += self._explain(at)
        for source in self._sources:
            found += [Arrival(source.place, self._target, change, None) for change in source.seen[source.arrived :]]
        return found

    def _explain(self, at: datetime) -> list[Arrival]:
        """What the number shows now that it did not show before."""
        waiting = [source for source in self._sources if source.arrived < len(source.seen)]
        if not waiting:
            return []
        base = self._own + sum(s.sums[s.arrived] for s in self._sources if s not in waiting)
        reached: dict[int, tuple[int, tuple[int, ...]]] = {base: (0, ())}
        for source in waiting:
            further: dict[int, tuple[int, tuple[int, ...]]] = {}
            for total, (count, taken) in reached.items():
                for index in range(source.arrived, len(source.sums)):
                    more = index - source.arrived
                    option = (count + more, (*taken, more))
                    key = total + source.sums[index]
                    further[key] = max(further.get(key, option), option)
            reached = further
        fitting = [best for total, best in reached.items() if self._fits(total)]
        if not fitting:
            return []
        found: list[Arrival] = []
        for source, more in zip(waiting, max(fitting)[1], strict=True):
            fresh = source.seen[source.arrived : source.arrived + more]
            source.arrived += more
            found += [
                Arrival(source.place, self._target, c, (at - c.at).total_seconds(), needed=at > c.at) for c in fresh
            ]
        return found

    def _fits(self, total: int) -> bool:
        return shows(self._number, total) if self._clipped else self._number == total


@dataclass(frozen=True, slots=True)
class Lags:
    """Seconds until changes of one kind had arrived, sorted."""

    seconds: tuple[float, ...]

    def at(self, share: float) -> float | None:
        """The smallest lag that this share of all changes does not exceed; None of none.

        >>> Lags((1.0, 2.0, 9.0)).at(0.5)
        2.0
        """
        if not self.seconds:
            return None
        return self.seconds[max(0, math.ceil(share * len(self.seconds)) - 1)]

    def within(self, seconds: float) -> int:
        """How many were no longer than that."""
        return sum(each <= seconds for each in self.seconds)

    def as_dict(self) -> dict[str, float | int | None]:
        worst = self.seconds[-1] if self.seconds else None
        return {"changes": len(self.seconds), "p50": self.at(0.5), "p99": self.at(0.99), "worst": worst}


class Unheard(NamedTuple):
    """A change whose notice was lost on the way, or never sent: where, and when it was made."""

    place: Place
    at: datetime


class Way(NamedTuple):
    """From which partner to which."""

    origin: Partner
    target: Partner


@dataclass(frozen=True, slots=True)
class Flow:
    """What went one way. `disturbed` are the changes that no notice told of, or that an outage or a fault held up."""

    decreases: Lags
    increases: Lags
    disturbed: Lags
    never: int


@dataclass(frozen=True, slots=True)
class Disturbances:
    """What may hold changes up: notices that told nobody, times at which a partner could not be reached, and times at
    which a number could not be written, because what became of the last write was not known."""

    unheard: Collection[Unheard] = ()
    outages: Mapping[Partner, Sequence[Outage]] = field(default_factory=dict)
    doubts: Mapping[Place, Sequence[Outage]] = field(default_factory=dict)

    def held_up(self, arrival: Arrival, seconds: float) -> bool:
        """Whether a change that arrived after so many seconds met any of them."""
        if Unheard(arrival.origin, arrival.change.at) in self.unheard:
            return True
        since, until = arrival.change.at, arrival.change.at + timedelta(seconds=seconds)
        met = [
            *self.outages.get(arrival.origin.partner, ()),
            *self.outages.get(arrival.target.partner, ()),
            *self.doubts.get(arrival.target, ()),
        ]
        return any(outage.touches(since, until) for outage in met)


def flows(found: Iterable[Arrival], disturbances: Disturbances) -> dict[Way, Flow]:
    """The lags of all changes that had to be written at another partner, by the way they took."""
    lags: dict[Way, dict[str, list[float]]] = {}
    never: dict[Way, int] = {}
    for each in found:
        way = Way(each.origin.partner, each.target.partner)
        kinds = lags.setdefault(way, {"down": [], "up": [], "disturbed": []})
        if each.seconds is None:
            never[way] = never.get(way, 0) + 1
        elif each.needed:
            kind = "down" if each.change.delta < 0 else "up"
            kinds["disturbed" if disturbances.held_up(each, each.seconds) else kind].append(each.seconds)
    return {
        way: Flow(_lags(kinds["down"]), _lags(kinds["up"]), _lags(kinds["disturbed"]), never.get(way, 0))
        for way, kinds in sorted(lags.items())
    }


def _lags(seconds: Iterable[float]) -> Lags:
    return Lags(tuple(sorted(seconds)))
