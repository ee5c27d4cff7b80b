"""A connection's rate budget as a token bucket: pure arithmetic over instants that are passed in.

The unit is the partner's own (query points, requests). A bucket starts empty, because after a start or a take-over
nobody knows what the previous owner spent; it is full only where the caller says so (`ClientContext.budget_full`).
"""

from __future__ import annotations

from datetime import datetime


class TokenBucket:
    """Tokens that refill with time, may be lent below zero, and can be corrected by what the partner reports.

    `capacity` in tokens and `refill_per_second` in tokens per second, both above 0. A limit such as "5 requests a
    second, evenly" is a bucket of capacity 1; a limit with a burst has the burst as its capacity.
    """

    def __init__(self, capacity: float, refill_per_second: float, now: datetime, *, full: bool = False) -> None:
        if capacity <= 0 or refill_per_second <= 0:
            raise ValueError("a bucket needs a capacity and a refill above 0")
        self._capacity = float(capacity)
        self._refill = float(refill_per_second)
        self._tokens = self._capacity if full else 0.0
        self._at = now
        self._paused_until: datetime | None = None

    @property
    def capacity(self) -> float:
        return self._capacity

    @property
    def refill_per_second(self) -> float:
        return self._refill

    @property
    def paused_until(self) -> datetime | None:
        """The instant before which nothing may be spent, or None."""
        return self._paused_until

    def available(self, now: datetime) -> float:
        """Tokens left at `now`; 0 while paused, below 0 where more was spent than there was."""
        self._advance(now)
        return min(0.0, self._tokens) if self._pause_left(now) > 0 else self._tokens

    def wait(self, cost: float, now: datetime) -> float:
        """Seconds until `cost` tokens may be spent; 0 means now.

        A cost above the capacity waits for a full bucket, since more than that never gathers.
        """
        self._advance(now)
        missing = min(float(cost), self._capacity) - self._tokens
        # Rounding of floats must not make a caller come back for a billionth of a token.
        refilled = 0.0 if missing <= 1e-6 else missing / self._refill
        return max(refilled, self._pause_left(now))

    def spend(self, cost: float, now: datetime) -> None:
        """Take `cost` tokens, whether there are that many or not: a debt delays what comes next."""
        self._advance(now)
        self._tokens -= float(cost)

    def refund(self, amount: float, now: datetime) -> None:
        """Give back tokens that were taken and not used; never above the capacity."""
        self._advance(now)
        self._tokens = min(self._capacity, self._tokens + float(amount))

    def learn(self, available: float, capacity: float, refill: float, now: datetime) -> None:
        """Believe the partner's own figures. Figures that cannot be (capacity or refill of 0 or less) are ignored."""
        if capacity <= 0 or refill <= 0:
            return
        self._capacity = float(capacity)
        self._refill = float(refill)
        self._tokens = min(float(available), self._capacity)
        self._at = max(self._at, now)

    def pause(self, until: datetime) -> None:
        """Let nothing through before `until` (a Retry-After). The longest pause told so far counts."""
        if self._paused_until is None or until > self._paused_until:
            self._paused_until = until

    def _pause_left(self, now: datetime) -> float:
        if self._paused_until is None:
            return 0.0
        left = (self._paused_until - now).total_seconds()
        if left <= 0:
            self._paused_until = None
            return 0.0
        return left

    def _advance(self, now: datetime) -> None:
        passed = (now - self._at).total_seconds()
        if passed > 0:
            self._tokens = min(self._capacity, self._tokens + passed * self._refill)
            self._at = now
