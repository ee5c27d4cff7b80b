"""The database: a pool with our codecs, and every named query of the .sql files by its name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiosql
import asyncpg
import orjson

Connection = Any
"""An asyncpg connection or its pool proxy, inside a transaction where the function says so."""

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]
else:
    Pool = asyncpg.Pool

_QUERIES = aiosql.from_path(Path(__file__).parent / "sql", "asyncpg", mandatory_parameters=True)

Record = asyncpg.Record

CHANNEL = "inventory_sync"
"""NOTIFY channel; the payload names the stage to wake: `intake`, `config` or `connection:<id>`."""


async def rows(conn: Connection, name: str, /, **params: Any) -> list[asyncpg.Record]:
    """All rows of a named query."""
    return [record async for record in getattr(_QUERIES, name)(conn, **params)]


async def row(conn: Connection, name: str, /, **params: Any) -> asyncpg.Record | None:
    """The one row of a named query, or None."""
    found: asyncpg.Record | None = await getattr(_QUERIES, name)(conn, **params)
    return found


async def value(conn: Connection, name: str, /, **params: Any) -> Any:
    """The one value of a named query, or None."""
    return await getattr(_QUERIES, name)(conn, **params)


async def pages(conn: Connection, name: str, size: int, /, **params: Any) -> AsyncIterator[list[asyncpg.Record]]:
    """The rows of a named query, so many at a time and no more in memory. Inside a transaction only."""
    async with getattr(_QUERIES, f"{name}_cursor")(conn, **params) as found:
        cursor = await found
        while page := await cursor.fetch(size):
            yield page


async def run(conn: Connection, name: str, /, **params: Any) -> None:
    """Carry out a named statement."""
    await getattr(_QUERIES, name)(conn, **params)


async def _codecs(conn: asyncpg.Connection[asyncpg.Record]) -> None:
    await conn.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + orjson.dumps(value),
        decoder=lambda raw: orjson.loads(raw[1:]),
        format="binary",
    )


async def open_pool(dsn: str, *, size: int = 10, reset: Callable[[Any], Awaitable[None]] | None = None) -> Pool:
    """A pool of `size` connections. Commits are synchronous: what was answered 200 is on disk.

    `reset` replaces what is done to a connection that comes back, where nobody leaves anything behind on one.
    """
    return await asyncpg.create_pool(
        dsn,
        min_size=min(2, size),
        max_size=size,
        init=_codecs,
        reset=reset,
        server_settings={"application_name": "inventory-sync", "jit": "off"},
    )


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Connection]:
    """One transaction on one connection of the pool."""
    async with pool.acquire() as conn, conn.transaction():
        yield conn


async def notify(conn: Connection, payload: str) -> None:
    """Wake listeners when the transaction commits."""
    await conn.execute("select pg_notify($1, $2)", CHANNEL, payload)
