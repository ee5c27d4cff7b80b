"""The rate budget of one app at one contract: reads and writes apart, and never over the limit in any second.

Smaregi counts requests where they arrive, and only an answer tells by when that was. A line or a host that stands still
lets requests arrive together that left one after the other, so the seconds are counted from the answers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from inventory_sync.systems.budget import TokenBucket
from inventory_sync.systems.errors import RetryLater
from inventory_sync.systems.smaregi import problems

Kind = Literal["read", "write"]

SECOND = timedelta(seconds=1)  # what Smaregi counts in
WINDOW_SECONDS = 1.05  # the same and a little more, for what a process before this one may still have on the way
BURST_SHARE = 0.15  # of a second's limit may go out at once; the more at once, the slower the steady rate has to be
LEAST_WAIT = 0.001  # seconds: a shorter wait would be lost in the rounding of a clock
MIN_READ_BURST = 3  # what a connection test needs in one go
# Half speed after a 429, because many of them may lead to refusal (community.smaregi.dev/discussion/616, staff).
SLOW_FOR = timedelta(seconds=60)


def bucket_size(limit: int, least: int = 1) -> tuple[int, float]:
    """Capacity (requests) and refill (requests per second) that keep every window within `limit` requests.

    A window sees at most ⌊capacity + refill × window⌋ requests, over a restart too because a new bucket starts empty.

    >>> bucket_size(20)
    (3, 17.142857142857142)
    """
    capacity = min(limit, max(least, int(limit * BURST_SHARE)))
    return capacity, (limit + 1 - capacity) / WINDOW_SECONDS


class Window:
    """At most `limit` requests that may have arrived within one second, wherever they were held up.

    A request counts from when it leaves until a second after it is over. It arrived between the two, so one that is let
    go afterwards arrives a second later or more. The time until its answer is the price: with answers that take 0.2 s,
    20 requests a second are 16.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._under_way = 0
        self._over: deque[datetime] = deque()  # when the requests of the last second were answered, or given up

    def wait(self, requests: int, now: datetime) -> float:
        """Seconds until that many may leave; 0 means now. Where answers have to come first, when to ask again."""
        while self._over and self._over[0] + SECOND <= now:
            self._over.popleft()
        missing = self._under_way + len(self._over) + requests - self._limit
        if missing <= 0:
            return 0.0
        if missing <= len(self._over):
            return (self._over[missing - 1] + SECOND - now).total_seconds()
        return 1 / self._limit

    def begin(self) -> None:
        self._under_way += 1

    def end(self, now: datetime) -> None:
        self._under_way -= 1
        self._over.append(now)


class ContractBudget:
    """Two token buckets, `read` and `write`; requests for tokens are writes. Implements `port.Budget`.

    The buckets spread requests evenly, also over a restart; the windows hold them back where answers are late.
    """

    def __init__(self, reads: int, writes: int, now: datetime, *, full: bool = False) -> None:
        self._sizes: Mapping[str, tuple[int, float]] = {
            "read": bucket_size(reads, MIN_READ_BURST),
            "write": bucket_size(writes),
        }
        self._buckets = {kind: TokenBucket(*size, now, full=full) for kind, size in self._sizes.items()}
        self._windows = {"read": Window(reads), "write": Window(writes)}
        self._slow_until: dict[str, datetime] = {}

    def wait(self, kind: str, now: datetime) -> float:
        """Seconds until one request of this kind (`read` or `write`) may leave; 0 means now."""
        return self._wait(kind, 1, now)

    def available(self, now: datetime) -> float:
        """Writes that may leave at this instant: what a push runs short of first."""
        return self._bucket("write", now).available(now)

    def require(self, kind: Kind, requests: int, now: datetime) -> None:
        """Raise RetryLater unless that many requests may leave now. Spends nothing."""
        after = self._wait(kind, requests, now)
        if after > 0:
            problem = problems.OUT_OF_BUDGET
            raise RetryLater(problem.en, after=after, executed=False, code=problem.code)

    def take(self, kind: Kind, now: datetime) -> None:
        """Spend one request that leaves now, or raise RetryLater saying when it may leave."""
        self.require(kind, 1, now)
        self._bucket(kind, now).spend(1, now)
        self._windows[kind].begin()

    def end(self, kind: Kind, now: datetime) -> None:
        """A request that was taken is over, however it ended."""
        self._windows[kind].end(now)

    def throttled(self, kind: Kind, after: float, now: datetime) -> None:
        """Smaregi answered 429: nothing leaves for `after` seconds, then half speed for a while."""
        bucket = self._bucket(kind, now)
        bucket.pause(now + timedelta(seconds=after))
        capacity, refill = self._sizes[kind]
        bucket.learn(0, capacity, refill / 2, now)
        self._slow_until[kind] = now + timedelta(seconds=after) + SLOW_FOR

    def _wait(self, kind: str, requests: int, now: datetime) -> float:
        seconds = max(self._bucket(kind, now).wait(requests, now), self._windows[kind].wait(requests, now))
        return max(seconds, LEAST_WAIT) if seconds > 0 else 0.0

    def _bucket(self, kind: str, now: datetime) -> TokenBucket:
        if kind not in self._buckets:
            raise ValueError(f"a budget has reads and writes, not {kind!r}")
        bucket = self._buckets[kind]
        until = self._slow_until.get(kind)
        if until is not None and now >= until:
            del self._slow_until[kind]
            bucket.learn(bucket.available(now), *self._sizes[kind], now)
        return bucket
