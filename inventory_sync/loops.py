"""Turning steps into services: call a step, then wait until it is due again or somebody wakes it.

The steps themselves never wait; this is the only place that does. Waking is a hint: a loop that was not woken looks by
itself after its longest idle time, so a lost wake-up costs seconds and no unit of stock.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import datetime

import asyncpg
import structlog

from inventory_sync.engine.lane import Progress

log = structlog.get_logger()

Step = Callable[[], Awaitable[Progress]]

LONGEST_IDLE = 5.0
"""Seconds after which a loop that nobody woke looks by itself."""

DATABASE_PAUSE = 1.0
LONGEST_PAUSE = 60.0

_PASSING = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
)
_DATABASE_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    OSError,
)


class Wakes:
    """Named wake-up calls: `decide`, `intake`, `push:3`, `connection:3`, `config`."""

    def __init__(self) -> None:
        self._events: defaultdict[str, list[asyncio.Event]] = defaultdict(list)

    def listen(self, *names: str) -> asyncio.Event:
        """An event that is set whenever one of these names is called."""
        event = asyncio.Event()
        for name in names:
            self._events[name].append(event)
        return event

    def forget(self, event: asyncio.Event) -> None:
        for events in self._events.values():
            if event in events:
                events.remove(event)

    def call(self, name: str) -> None:
        for event in self._events.get(name, ()):
            event.set()

    def call_all(self) -> None:
        """Wake everybody: after a gap in what we could hear."""
        for name in list(self._events):
            self.call(name)


async def turn(
    step: Step,
    *,
    name: str,
    wake: asyncio.Event,
    now: Callable[[], datetime],
    idle: float = LONGEST_IDLE,
    stop: asyncio.Event | None = None,
    resilient: bool = False,
) -> None:
    """Call a step for ever (until `stop`). A database that is away, or a passing conflict, only delays it.

    A `resilient` loop goes on after any other error as well, ever more slowly; others raise it.
    """
    failures = 0
    while stop is None or not stop.is_set():
        wake.clear()
        try:
            progress = await step()
        except _PASSING as error:
            log.debug("step.conflict", step=name, error=type(error).__name__)
            continue
        except _DATABASE_AWAY as error:
            log.warning("database.away", step=name, error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(DATABASE_PAUSE)
            continue
        except Exception:
            if not resilient:
                raise
            failures += 1
            log.exception("step.failed", step=name, failures=failures)
            await asyncio.sleep(min(LONGEST_PAUSE, 2.0**failures))
            continue
        failures = 0
        seconds = idle if progress.due is None else min(idle, (progress.due - now()).total_seconds())
        if seconds <= 0:
            await asyncio.sleep(0)
            continue
        try:
            await asyncio.wait_for(wake.wait(), seconds)
        except TimeoutError:
            continue
