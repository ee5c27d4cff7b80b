"""The rate budget of one app at one contract: reads and writes apart, and never over the limit in any second."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from inventory_sync.systems.budget import TokenBucket
from inventory_sync.systems.errors import RetryLater
from inventory_sync.systems.smaregi import problems

Kind = Literal["read", "write"]

WINDOW_SECONDS = 1.05  # the second Smaregi counts, and a little for requests that overtake each other on the way
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


class ContractBudget:
    """Two token buckets, `read` and `write`; requests for tokens are writes. Implements `port.Budget`."""

    def __init__(self, reads: int, writes: int, now: datetime, *, full: bool = False) -> None:
        self._sizes: Mapping[str, tuple[int, float]] = {
            "read": bucket_size(reads, MIN_READ_BURST),
            "write": bucket_size(writes),
        }
        self._buckets = {kind: TokenBucket(*size, now, full=full) for kind, size in self._sizes.items()}
        self._slow_until: dict[str, datetime] = {}

    def wait(self, kind: str, now: datetime) -> float:
        """Seconds until one request of this kind (`read` or `write`) may leave; 0 means now."""
        return _whole_wait(self._bucket(kind, now).wait(1, now))

    def available(self, now: datetime) -> float:
        """Writes that may leave at this instant: what a push runs short of first."""
        return self._bucket("write", now).available(now)

    def require(self, kind: Kind, requests: int, now: datetime) -> None:
        """Raise RetryLater unless that many requests may leave now. Spends nothing."""
        after = _whole_wait(self._bucket(kind, now).wait(requests, now))
        if after > 0:
            problem = problems.OUT_OF_BUDGET
            raise RetryLater(problem.text(kind), after=after, executed=False, code=problem.code)

    def take(self, kind: Kind, now: datetime) -> None:
        """Spend one request, or raise RetryLater saying when it may leave."""
        self.require(kind, 1, now)
        self._bucket(kind, now).spend(1, now)

    def throttled(self, kind: Kind, after: float, now: datetime) -> None:
        """Smaregi answered 429: nothing leaves for `after` seconds, then half speed for a while."""
        bucket = self._bucket(kind, now)
        bucket.pause(now + timedelta(seconds=after))
        capacity, refill = self._sizes[kind]
        bucket.learn(0, capacity, refill / 2, now)
        self._slow_until[kind] = now + timedelta(seconds=after) + SLOW_FOR

    def _bucket(self, kind: str, now: datetime) -> TokenBucket:
        if kind not in self._buckets:
            raise ValueError(f"a budget has reads and writes, not {kind!r}")
        bucket = self._buckets[kind]
        until = self._slow_until.get(kind)
        if until is not None and now >= until:
            del self._slow_until[kind]
            bucket.learn(bucket.available(now), *self._sizes[kind], now)
        return bucket


def _whole_wait(seconds: float) -> float:
    return max(seconds, LEAST_WAIT) if seconds > 0 else 0.0
