"""Virtual time: an agenda of events, and the database's clock replaced by ours."""

from __future__ import annotations

import heapq
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from inventory_sync.store import db
from inventory_sync.store.db import Pool

START = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)

CLOCK_IN_SQL = """
create table simulated_clock (at timestamptz not null);
insert into simulated_clock values ('2026-11-21T03:00:00Z');
create or replace function inventory_clock() returns timestamptz language sql volatile
  as $$ select at from simulated_clock $$;
"""


ASKING = frozenset(
    name
    for name in db._QUERIES.available_queries
    if "inventory_clock" in (getattr(db._QUERIES, name).sql or "") or name == "insert_batch"
)
"""Queries that look at the database's clock; the last one by a column's default."""


@contextmanager
def told_when_asked(agenda: Agenda, pool: Pool) -> Iterator[None]:
    """Let the database's clock show our time only where a query looks at it: most events need none."""

    def before(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def ask(conn: db.Connection, name: str, /, **given: Any) -> Any:
            if name in ASKING:
                await agenda.tell_database(pool)
            return await original(conn, name, **given)

        return ask

    with ExitStack() as stack:
        for function in ("rows", "row", "value", "run"):
            stack.enter_context(patch.object(db, function, before(getattr(db, function))))
        agenda.asked = True
        try:
            yield
        finally:
            agenda.asked = False


@dataclass(order=True)
class _Event:
    at: datetime
    number: int
    act: Callable[[], object] = field(compare=False)
    live: Callable[[], bool] = field(compare=False)


class Agenda:
    """What happens when. Events at one instant happen in the order they were put down."""

    def __init__(self, chance: random.Random) -> None:
        self.now = START
        self.chance = chance
        self._events: list[_Event] = []
        self._number = 0
        self._told = START
        self.asked = False
        """Whether the database is told the time where it is asked for, and not before every event."""

    def at(self, moment: datetime, act: Callable[[], object], live: Callable[[], bool] = lambda: True) -> None:
        """Put an event down; one that is not `live` when its time comes is passed over."""
        self._number += 1
        heapq.heappush(self._events, _Event(max(moment, self.now), self._number, act, live))

    def after(self, seconds: float, act: Callable[[], object]) -> None:
        self.at(self.now + timedelta(seconds=seconds), act)

    def soon(self, low: float, high: float, act: Callable[[], object]) -> None:
        self.after(self.chance.uniform(low, high), act)

    def next(self) -> Callable[[], object] | None:
        """Advance to the next event."""
        while self._events:
            event = heapq.heappop(self._events)
            if event.live():
                self.now = event.at
                return event.act
        return None

    async def tell_database(self, pool: Pool) -> None:
        """Let the database's clock show our time."""
        if self._told != self.now:
            await pool.execute("update simulated_clock set at = $1", self.now)
            self._told = self.now
