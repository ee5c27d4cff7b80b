"""What the partners' own event logs say about a run: equal, lost, doubled, told too high.

Pure functions of the logs. Nothing here knows the product's database, its engine or its journal, so that nothing it
believes can make a run look better than it was. Units are whole numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from inventory_sync.cli.demonstration.arrivals import Arrivals, Unheard, arrivals, sum_up
from inventory_sync.cli.demonstration.stories import CLIENT, Outage, Story, shows
from inventory_sync.sandbox.kernel import StockChange


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one pair ended. Units are never negative.

    `lost`: units others moved at the channel that the ledger never got. `doubled`: units that took effect more than
    once, net of what was taken back. `taken_back`: effects that happened twice and were compensated.
    """

    name: str
    equal: bool
    expected: int
    ledger: int
    channel: int
    lost: int
    doubled: int
    taken_back: int


def judge(story: Story) -> Verdict:
    """How a pair ended, at rest.

    Carrying changes over may net them and so only ever reduces how many units move in each direction. More client
    units in one direction than others moved are therefore certainly doubled, as is a reference with two effects; what
    is missing otherwise is lost.
    """
    off = story.ledger_end - story.expected
    others, ours = _units(story.channel, client=False), _units(story.ledger, client=True)
    again, again_channel = _repeated(story.ledger), _repeated(story.channel)
    way, back = (0, 1) if off < 0 else (1, 0)
    doubled = min(abs(off), max(ours[way] - others[way], again[way], 0))
    lost = min(abs(off) - doubled, max(0, others[back] - ours[back]))
    doubled = abs(off) - lost
    truth = story.ledger_end
    apart = 0 if shows(story.channel_end, truth) else story.channel_end - max(0, truth)
    doubled += min(abs(apart), again_channel[0 if apart < 0 else 1])
    effects = sum(again) + sum(again_channel)
    return Verdict(
        story.pair.name,
        apart == 0,
        story.expected,
        truth,
        story.channel_end,
        lost,
        doubled,
        effects if off == 0 and apart == 0 else 0,
    )


def _units(changes: Iterable[StockChange], *, client: bool) -> tuple[int, int]:
    """Units moved down and up, by the client or by everybody else."""
    deltas = [c.delta for c in changes if (c.actor == CLIENT) is client]
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


def too_high(story: Story, window: timedelta, outages: Sequence[Outage] = ()) -> list[TooHigh]:
    """Client increases at the channel that end above everything the ledger may have shown within the window.

    The bound at an instant: the start, the largest sum of what others did at the ledger at any moment of the window,
    and what others did at the channel itself until then. The window grows by the time the daemon was down in it.
    """
    found: list[TooHigh] = []
    at_channel = 0
    steps = [(c.at, total) for c, total in _sums(story.ledger)]
    for change in story.channel:
        if change.actor != CLIENT:
            at_channel += change.delta
        elif change.delta > 0:
            since = _widened(change.at, window, outages)
            most = max(0, story.start + _largest(steps, since, change.at) + at_channel)
            if change.after > most:
                found.append(TooHigh(story.pair.name, change.at, change.after, most))
    return found


def _sums(changes: Iterable[StockChange]) -> list[tuple[StockChange, int]]:
    outside = [c for c in changes if c.actor != CLIENT]
    return list(zip(outside, accumulate(c.delta for c in outside), strict=True))


def _widened(at: datetime, window: timedelta, outages: Sequence[Outage]) -> datetime:
    since = at - window
    for outage in sorted(outages, key=lambda o: o.since, reverse=True):
        if outage.since < at and outage.until > since:
            since -= min(at, outage.until) - outage.since
    return since


def _largest(steps: Sequence[tuple[datetime, int]], since: datetime, until: datetime) -> int:
    """The largest running sum at any moment from `since` to `until`, the one it began with included."""
    before = [total for at, total in steps if at <= since]
    within = [total for at, total in steps if since < at <= until]
    return max([before[-1] if before else 0, *within])


@dataclass(frozen=True, slots=True)
class Count:
    """The whole run, counted."""

    verdicts: tuple[Verdict, ...]
    told_too_high: tuple[TooHigh, ...]
    strays: tuple[StockChange, ...]
    arrivals: Arrivals

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
    def good(self) -> bool:
        """Every pair equal, nothing lost, doubled or told too high, and nothing written that must not be."""
        clean = not (self.lost or self.doubled or self.told_too_high or self.strays)
        return clean and self.equal == len(self.verdicts)


def count(
    told: Sequence[Story],
    *,
    window: timedelta,
    outages: Sequence[Outage] = (),
    unheard: Collection[Unheard] = (),
    stray: Sequence[StockChange] = (),
) -> Count:
    """Count a run. `window` is how long a ledger number may be old when a channel is told more (see `too_high`)."""
    return Count(
        tuple(judge(story) for story in told),
        tuple(found for story in told for found in too_high(story, window, outages)),
        tuple(stray),
        sum_up((each for story in told for each in arrivals(story)), unheard, outages),
    )
