"""Whether a client keeps to one request at a time and so many a second. It is told of requests as they arrive.

A driver with a network (the HTTP shell) says when requests arrive and which ones their callers gave up; one without
calls `handle` alone, and then each call counts as one that arrives and is answered at once.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

#: A request that its caller gave up counts as under way for this share of the time the caller had waited: a careful
#: client waits as long again, and what the wire adds to either wait must not decide.
ABANDONED_SHARE = 0.9


class Traffic:
    """The requests of one shop, all apps and operations together."""

    def __init__(self) -> None:
        self._arrivals: deque[datetime] = deque()
        self._abandoned_until: datetime | None = None
        self._over_rate = False
        self.driven = False

    def arrive(self, now: datetime, rate: float) -> bool:
        """Note a request that arrives; whether it keeps the rate (requests a second, over any such span)."""
        most = max(1, int(rate))
        horizon = now - timedelta(seconds=most / rate)
        while self._arrivals and self._arrivals[0] <= horizon:
            self._arrivals.popleft()
        self._arrivals.append(now)
        self._over_rate = len(self._arrivals) > most
        return not self._over_rate

    def take_verdict(self) -> bool:
        """Whether the request now carried out came over the rate; asked once."""
        verdict, self._over_rate = self._over_rate, False
        return verdict

    def abandon(self, waited: float, lands_in: float, now: datetime) -> None:
        """Note that a caller gave up after `waited` seconds what is answered or carried out in `lands_in` seconds."""
        until = now + timedelta(seconds=min(lands_in, waited * ABANDONED_SHARE))
        self._abandoned_until = until if self._abandoned_until is None else max(until, self._abandoned_until)

    def abandoned_is_under_way(self, now: datetime) -> bool:
        return self._abandoned_until is not None and now < self._abandoned_until
