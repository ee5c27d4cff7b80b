"""Opening the database: the configured PostgreSQL, or the embedded one, which one process serves to the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import structlog

from inventory_sync.embedded import EmbeddedInUse, EmbeddedPostgres
from inventory_sync.settings import Settings
from inventory_sync.store.migrate import migrate, schema_status

log = structlog.get_logger()

OTHERS_END_WITHIN = 60.0
"""Seconds that a start waits for another command which uses, or is just starting, the embedded database."""

LOOK_AGAIN = 0.2


class CannotStart(Exception):
    """The service cannot start; the message says why and what to do."""


@asynccontextmanager
async def open_database(settings: Settings, *, migrating: bool, lasting: bool = False) -> AsyncIterator[str]:
    """The database's URL: the configured one, the embedded one that another process serves, or our own embedded one.

    An embedded database is always brought to the newest schema; a configured one only if `migrating`. An embedded one
    ends with the process that started it, so what is `lasting` takes none but its own.
    """
    if settings.database_url is not None:
        dsn = settings.database_url.get_secret_value()
        if migrating:
            await migrate(dsn)
        status = await schema_status(dsn)
        if not status.ready:
            raise CannotStart(
                f"The database's schema is {status.current or 'empty'}, this version needs {status.head}: "
                "run `inventory-sync migrate` first."
            )
        yield dsn
        return
    directory = Path(settings.data_dir) / "postgres"
    server, dsn = await _embedded(directory, lasting=lasting)
    if server is None:
        yield dsn
        return
    try:
        await migrate(dsn)
        yield dsn
    finally:
        await server.stop()


async def _embedded(directory: Path, *, lasting: bool) -> tuple[EmbeddedPostgres | None, str]:
    """Our own embedded server and its URL, or None and the URL of somebody else's. Raises EmbeddedError."""
    loop = asyncio.get_running_loop()
    deadline, told = loop.time() + OTHERS_END_WITHIN, False
    while True:
        served = None if lasting else await _served(directory)
        if served is not None:
            return None, served
        server = EmbeddedPostgres(directory)
        try:
            return server, await server.start()
        except EmbeddedInUse as error:  # it is just starting or ending, or a command that ends soon
            if loop.time() >= deadline:
                raise
            if lasting and not told:
                log.warning("database.awaited", reason=str(error), seconds=OTHERS_END_WITHIN)
                told = True
        await asyncio.sleep(LOOK_AGAIN)


async def _served(directory: Path) -> str | None:
    """The embedded database of a process that is running, if one answers."""
    sockets = directory / "sockets"
    if not sockets.exists():
        return None
    server = EmbeddedPostgres(directory)
    server.attach(sockets.read_text().strip())
    try:
        connection = await asyncpg.connect(server.dsn, timeout=3)
    except (OSError, asyncpg.PostgresError, TimeoutError):
        return None
    await connection.close()
    return server.dsn
