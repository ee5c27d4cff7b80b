"""Whether this process should be sent work: the database answers, has the schema we need, and we are not draining."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import asyncpg

from inventory_sync.store import db
from inventory_sync.store.db import Pool
from inventory_sync.store.migrate import MigrationError, schema_status_on

DATABASE_WITHIN = 2.0
"""Seconds the database has to answer."""

KEPT_FOR = 1.0
"""Seconds a finding about the database is kept: who can reach the port cannot make it busy."""


class Readiness:
    """Finds the reasons not to be ready. `draining` is asked at every look."""

    def __init__(
        self,
        pool: Pool,
        *,
        draining: Callable[[], bool],
        within: float = DATABASE_WITHIN,
        kept_for: float = KEPT_FOR,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._draining = draining
        self._within = within
        self._kept_for = kept_for
        self._clock = clock
        self._looking = asyncio.Lock()
        self._found: tuple[float, tuple[str, ...]] | None = None
        self._head: str | None = None

    async def reasons(self) -> tuple[str, ...]:
        """Why this process is not ready; empty where it is."""
        draining = ("draining",) if self._draining() else ()
        async with self._looking:
            now = self._clock()
            if self._found is None or now - self._found[0] >= self._kept_for:
                self._found = (now, await self._database())
            return draining + self._found[1]

    async def _database(self) -> tuple[str, ...]:
        try:
            async with asyncio.timeout(self._within), self._pool.acquire() as conn:
                return await self._schema(conn)
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return ("the database does not answer",)
        except MigrationError as error:
            return (str(error),)

    async def _schema(self, conn: db.Connection) -> tuple[str, ...]:
        """A schema that a newer program migrated under this one is fine: migrations leave the old version working."""
        if self._head is not None:
            try:
                if await db.value(conn, "schema_version") == self._head:
                    return ()
            except asyncpg.UndefinedTableError:
                self._head = None
        status = await schema_status_on(conn)
        if status.ready:
            self._head = status.head
            return ()
        if status.unknown:
            return () if self._head is not None else (f"the schema is of a newer program: {status.current}",)
        return (f"the schema lacks {len(status.pending)} migrations: {', '.join(status.pending)}",)
