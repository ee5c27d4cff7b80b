"""How long changes took to arrive at the other side, from the partners' own event logs. Lags are seconds."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from inventory_sync.cli.demonstration.stories import CLIENT, Outage, Place, Side, Story, shows
from inventory_sync.sandbox.kernel import StockChange


@dataclass(frozen=True, slots=True)
class Arrival:
    """One change by others, and after how many seconds the other side showed it; None: never.

    `needed` is False where the other side showed the right number already, so that nothing had to be written.
    """

    side: Side
    change: StockChange
    seconds: float | None
    needed: bool = True


def arrivals(story: Story) -> list[Arrival]:
    """When each change by others was first contained in what the other side showed.

    The other side knows its own changes at once. A change has arrived when that side's number equals the true total of
    its own changes so far and the first side's changes up to this one or a later one.
    """
    found: list[Arrival] = []
    track = {Side.LEDGER: _Track(story.start), Side.CHANNEL: _Track(story.channel_start)}
    for at, side, change in _merged(story):
        track[side].apply(change)
        for origin, other in ((Side.LEDGER, Side.CHANNEL), (Side.CHANNEL, Side.LEDGER)):
            index = _absorbed(story.start, track[origin], track[other], clipped=other is Side.CHANNEL)
            found += track[origin].arrive(origin, index, at)
    for side in Side:
        found += track[side].missing(side)
    return found


@dataclass(slots=True)
class _Track:
    """One side while its log is read: its number, the running sums of what others did, and what has yet to arrive."""

    number: int
    sums: list[int] = field(default_factory=lambda: [0])
    waiting: list[tuple[int, StockChange]] = field(default_factory=list)

    def apply(self, change: StockChange) -> None:
        self.number = change.after
        if change.actor != CLIENT:
            self.sums.append(self.sums[-1] + change.delta)
            self.waiting.append((len(self.sums) - 1, change))

    def arrive(self, side: Side, index: int, at: datetime) -> list[Arrival]:
        done = [Arrival(side, c, (at - c.at).total_seconds(), needed=at > c.at) for i, c in self.waiting if i <= index]
        self.waiting = [each for each in self.waiting if each[0] > index]
        return done

    def missing(self, side: Side) -> list[Arrival]:
        return [Arrival(side, change, None) for _, change in self.waiting]


def _absorbed(start: int, origin: _Track, other: _Track, *, clipped: bool) -> int:
    """How many of the origin's changes the other side shows; -1 where its number fits none that is waited for."""
    if not origin.waiting:
        return -1
    for index in range(len(origin.sums) - 1, origin.waiting[0][0] - 1, -1):
        truth = start + origin.sums[index] + other.sums[-1]
        if shows(other.number, truth) if clipped else other.number == truth:
            return index
    return -1


def _merged(story: Story) -> list[tuple[datetime, Side, StockChange]]:
    events = [(c.at, Side.LEDGER, c) for c in story.ledger] + [(c.at, Side.CHANNEL, c) for c in story.channel]
    return sorted(events, key=lambda event: event[0])


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

    def as_dict(self) -> dict[str, float | int | None]:
        worst = self.seconds[-1] if self.seconds else None
        return {"changes": len(self.seconds), "p50": self.at(0.5), "p99": self.at(0.99), "worst": worst}


class Unheard(NamedTuple):
    """A change whose notice was lost on the way, or never sent: where, and when it was made."""

    side: Side
    place: Place
    at: datetime


@dataclass(frozen=True, slots=True)
class Arrivals:
    """All changes of a run: how many units, and how long they took by kind.

    `untold` are those that no notice told of: it was lost, never sent, or nobody was there to hear it.
    """

    changes: int
    units: int
    decreases: Lags
    increases: Lags
    untold: Lags
    never: int


def sum_up(found: Iterable[Arrival], unheard: Collection[Unheard] = (), outages: Sequence[Outage] = ()) -> Arrivals:
    """Lags by kind, of the changes that had to be written at the other side."""
    lags: dict[str, list[float]] = {"decrease": [], "increase": [], "untold": []}
    changes = units = never = 0
    for each in found:
        changes, units = changes + 1, units + abs(each.change.delta)
        if each.seconds is None:
            never += 1
        elif each.needed:
            lags[_kind(each, unheard, outages)].append(each.seconds)
    decreases, increases, untold = (Lags(tuple(sorted(lags[kind]))) for kind in lags)
    return Arrivals(changes, units, decreases, increases, untold, never)


def _kind(arrival: Arrival, unheard: Collection[Unheard], outages: Sequence[Outage]) -> str:
    change = arrival.change
    if Unheard(arrival.side, Place(change.item, change.location), change.at) in unheard:
        return "untold"
    if any(outage.since <= change.at <= outage.until for outage in outages):
        return "untold"
    return "decrease" if change.delta < 0 else "increase"
