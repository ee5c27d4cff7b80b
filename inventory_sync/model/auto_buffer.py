"""The automatic buffer (安全在庫): how many units may sell elsewhere before a channel is told of it.

Sales elsewhere are taken as a Poisson process. Within the measured lag `rate × lag` units are expected; the buffer is
the smallest number of units that is not exceeded in all but SURPRISE of such lags. Pure: no I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp, sqrt

SURPRISE = 0.001
"""The chance, within one lag, of more sales than the buffer covers."""

LEAST_MEASURED = 20
"""Fewer lags than this are no measurement: the smallest buffer of the route holds until there are as many."""

STAYS = timedelta(minutes=30)
"""A buffer falls only once a smaller one has been enough for this long."""

LARGEST_STEP = 50
"""Units by which a buffer falls at once: its channel rises by as much, and no pair rises further without a person."""

MOST_FALLS_PER_HOUR = 200
"""Buffers of one route that fall within an hour, as many as pairs that are aligned without a person."""

DEFAULT_MOST = 100
"""The largest automatic buffer where a route names none."""

_MANY = 400.0


@dataclass(frozen=True, slots=True)
class Sold:
    """Units that left within a window of so many seconds."""

    units: int
    seconds: float

    @property
    def rate(self) -> float:
        """Units a second."""
        return self.units / self.seconds


@dataclass(frozen=True, slots=True)
class Reckoned:
    """An automatic buffer with all that it was reckoned from. `lag` in seconds, None while it is not measured;
    `sold`: the window that sells fastest; `covers`: units before `least` and `most` are looked at."""

    lag: float | None
    measured: int
    sold: Sold
    covers: int
    least: int
    most: int
    units: int

    @property
    def expected(self) -> float:
        """Units expected to sell within one lag."""
        return 0.0 if self.lag is None else self.lag * self.sold.rate


def quantile(expected: float) -> int:
    """The smallest number of units that sales with this mean exceed with a chance of at most SURPRISE.

    >>> quantile(0.0), quantile(60 / 3600 * 3), quantile(60 / 3600 * 600)
    (0, 2, 21)
    """
    if expected <= 0:
        return 0
    if expected > _MANY:  # the tail of a normal distribution, a little above its 99.9 percent
        return int(expected + 3.1 * sqrt(expected)) + 1
    units, term = 0, exp(-expected)
    covered = term
    while 1 - covered > SURPRISE and term > 0:
        units += 1
        term *= expected / units
        covered += term
    return units


def reckon(sold: Sequence[Sold], *, lag: float | None, measured: int, least: int, most: int) -> Reckoned:
    """The buffer for these windows of sales, of which the fastest counts; not below `least`, not above `most`.

    `most` below `least` counts as `least`. With fewer than LEAST_MEASURED lags nothing is known of the lag.

    >>> reckon([Sold(60, 3600.0)], lag=600.0, measured=50, least=0, most=100).units
    21
    >>> reckon([Sold(60, 3600.0)], lag=600.0, measured=3, least=2, most=100).units
    2
    """
    fastest = max(sold, key=lambda each: each.rate)
    known = lag if measured >= LEAST_MEASURED else None
    covers = 0 if known is None else quantile(max(0.0, known) * fastest.rate)
    return Reckoned(known, measured, fastest, covers, least, most, max(least, min(covers, max(least, most))))


@dataclass(frozen=True, slots=True)
class Buffer:
    """An automatic buffer in force. `lower_since`: since when a smaller one has been enough; `lower_most`: the largest
    of those."""

    units: int
    lower_since: datetime | None = None
    lower_most: int = 0


def settle(now_in_force: Buffer, wanted: int, now: datetime, *, may_fall: bool = True) -> Buffer:
    """The buffer from now on. It rises at once; it falls once a smaller one was enough for STAYS, no further than to
    the largest of those, and by at most LARGEST_STEP units at a time.

    >>> at = datetime(2026, 11, 21)
    >>> settle(Buffer(2), 5, at).units
    5
    >>> waiting = settle(Buffer(5), 1, at)
    >>> waiting.units, settle(waiting, 0, at + STAYS).units
    (5, 1)
    """
    if wanted >= now_in_force.units:
        return Buffer(wanted)
    since = now_in_force.lower_since or now
    most = max(wanted, now_in_force.lower_most if now_in_force.lower_since is not None else wanted)
    if now - since < STAYS or not may_fall:
        return Buffer(now_in_force.units, since, most)
    fallen = max(most, now_in_force.units - LARGEST_STEP)
    return Buffer(fallen) if fallen <= wanted else Buffer(fallen, now, wanted)
