"""What a driver tells of requests as they arrive: one at a time, so many a second, whichever API they are for."""

from __future__ import annotations

from datetime import datetime

from inventory_sync.sandbox.kernel import Request
from inventory_sync.sandbox.makeshop.world import MakeShopWorld


class MakeShopPace(MakeShopWorld):
    """Counts what comes at once or too fast as violations."""

    @property
    def rate(self) -> float:
        """Requests a second that are allowed."""
        return self.switches.requests_per_second

    def is_write(self, request: Request) -> bool:
        """Whether a request counts among those that may not be under way at once: here every one does."""
        return True

    def report_concurrency(self, running: int, now: datetime) -> None:
        """The driver says, for each request as it arrives, how many are under way with it."""
        now = self.instant(now)
        self.traffic.driven = True
        if running > 1:
            self.violate("overlap", f"{running} requests at once", now)
        elif self.traffic.abandoned_is_under_way(now):
            self.violate("overlap", "a request that its caller gave up was still under way", now)
        self._count_arrival(now)

    def report_abandoned(self, request: Request, waited: float, lands_in: float, now: datetime) -> None:
        """The driver says that a caller gave up a request after `waited` seconds.

        It is carried out or answered in `lands_in` seconds, and counts as under way until then, but not much longer
        than its caller had waited: nobody can know better.
        """
        self.traffic.abandon(waited, lands_in, self.instant(now))

    def _count_arrival(self, now: datetime) -> None:
        if not self.traffic.arrive(now, self.rate):
            self.violate("rate", f"more than {self.rate:g} requests in a second", now)
