"""One request at a time, a steady distance apart, and a fair turn for everyone: for partners that allow no more.

The distance counts from the *answer* of the request before, so the next is never on its way before that. A request that
was never answered may still be under way at the partner: after it the whole request time-out is waited as well.

Who wants a slot asks `SerialBudget.wait` and comes again when told to. Orders go first, because they are the only thing
that says a channel has sold something; then writes and reads take turns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from inventory_sync.systems.errors import RetryLater
from inventory_sync.systems.http import HttpRequest, HttpResponse, NotSent, Transport

ORDERS, WRITE, READ = "orders", "write", "read"
KINDS = (ORDERS, WRITE, READ)

# Whoever was told to come at an instant is waited for this long, since timers and tasks are late by a little.
GRACE = timedelta(milliseconds=250)
# Whoever was told that the slot is free has this long to use it: between the question and the request a batch is
# composed and committed.
RESERVED = timedelta(milliseconds=250)
# Orders go first, but after so many in a row anyone who waits has one turn: a long list of orders starves nobody.
ORDERS_IN_A_ROW = 2
LEAST_WAIT = 0.001  # seconds: a shorter wait would be lost in the rounding of a clock

Refusal = Callable[[str, float], RetryLater]  # (kind, seconds to wait): how an adapter words that no slot is free


class SerialBudget:
    """Implements `port.Budget` for a partner that takes one request at a time, `per_second` of them at most.

    Starts with nothing, as nobody knows what the owner before has just sent, unless `full`.
    """

    def __init__(self, per_second: float, now: datetime, *, full: bool = False) -> None:
        if per_second <= 0:
            raise ValueError("a rate has to be above 0")
        self._distance = timedelta(seconds=1 / per_second)
        self._open_at = now if full else now + self._distance
        self._under_way = False
        self._wanted: dict[str, datetime] = {}  # kind → when it was told to come again
        self._reserved: tuple[str, datetime] | None = None  # (kind, until)
        self._orders_running = 0
        self._last_other = READ  # the one of write and read that had its turn last

    def wait(self, kind: str, now: datetime) -> float:
        """Seconds until a request of this kind may be sent; 0: now, and the slot is kept for it for a moment.

        A kind that is told to wait has its place: until it had the time to come again, none with less right overtakes.
        """
        if kind not in KINDS:
            raise ValueError(f"a serial budget has {', '.join(KINDS)}, not {kind!r}")
        seconds = self._wait(kind, now)
        if seconds > 0:
            self._wanted[kind] = now + timedelta(seconds=seconds)
        else:
            self._wanted.pop(kind, None)
            self._reserved = (kind, now + RESERVED)
        return seconds

    def available(self, now: datetime) -> float:
        """Requests that may leave at this instant: 1 or 0."""
        return 0.0 if self._under_way or now < self._open_at else 1.0

    def begin(self, kind: str, now: datetime) -> float:
        """Take the slot for a request that leaves now; else the seconds to wait, and nothing may be sent."""
        seconds = self.wait(kind, now)
        if seconds > 0:
            return seconds
        self._reserved = None
        self._under_way = True
        if kind == ORDERS:
            self._orders_running += 1
        else:
            self._orders_running = 0
            self._last_other = kind
        return 0.0

    def end(self, now: datetime, *, quiet: timedelta = timedelta(0)) -> None:
        """The request is over. `quiet`: how long it may go on at the partner all the same, if it was not answered."""
        self._under_way = False
        self._open_at = max(self._open_at, now + quiet + self._distance)

    def pause(self, until: datetime) -> None:
        """Let nothing through before `until` (a Retry-After)."""
        self._open_at = max(self._open_at, until)

    def _wait(self, kind: str, now: datetime) -> float:
        if self._under_way:  # its answer is yet to come, and the distance begins there
            return max(self._distance.total_seconds(), (self._open_at - now).total_seconds())
        if now < self._open_at:
            return max(LEAST_WAIT, (self._open_at - now).total_seconds())
        if self._reserved is not None:
            owner, until = self._reserved
            if now < until:  # what was promised holds, whoever else has come to want the slot meanwhile
                return 0.0 if owner == kind else max(LEAST_WAIT, (until - now).total_seconds())
        rivals = self._rivals(kind, now)
        return max(LEAST_WAIT, (max(rivals) - now).total_seconds()) if rivals else 0.0

    def _rivals(self, kind: str, now: datetime) -> list[datetime]:
        """Until when those have to be waited for that want the slot and have more right to it."""
        for each, due in list(self._wanted.items()):
            if now > due + GRACE:
                del self._wanted[each]  # it was told when to come and did not: it wants nothing any more
        order = self._precedence(waiting=set(self._wanted) - {ORDERS})
        better = order[: order.index(kind)]
        return [self._wanted[each] + GRACE for each in better if each in self._wanted]

    def _precedence(self, waiting: set[str]) -> tuple[str, ...]:
        """Who goes before whom at this instant."""
        others = (READ, WRITE) if self._last_other == WRITE else (WRITE, READ)
        if self._orders_running >= ORDERS_IN_A_ROW and waiting:
            return (*others, ORDERS)
        return (ORDERS, *others)


class SerialLine:
    """The one line to a serial partner: sends over a transport when the budget allows it, never two at once."""

    def __init__(
        self, transport: Transport, budget: SerialBudget, now: Callable[[], datetime], refuse: Refusal
    ) -> None:
        self.budget = budget
        self._transport = transport
        self._now = now
        self._refuse = refuse
        self._lock = asyncio.Lock()

    async def send(self, kind: str, request: HttpRequest) -> HttpResponse:
        """Send one request. Raises what `refuse` makes where no slot is free (nothing was sent); NotSent, NoAnswer."""
        self._require(self.budget.wait(kind, self._now()), kind)
        async with self._lock:
            self._require(self.budget.begin(kind, self._now()), kind)
            quiet = timedelta(seconds=request.timeout)
            try:
                response = await self._transport.send(request)
            except NotSent:
                quiet = timedelta(0)
                raise
            else:
                quiet = timedelta(0)
                return response
            finally:
                self.budget.end(self._now(), quiet=quiet)

    def _require(self, seconds: float, kind: str) -> None:
        if seconds > 0:
            raise self._refuse(kind, seconds)
