"""What every test may ask for: a PostgreSQL per test process, and a fresh migrated database per test."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from unittest.mock import Mock

import aiohttp
import aioresponses.core
import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from inventory_sync.embedded import EmbeddedPostgres
from inventory_sync.store.db import Pool, open_pool
from inventory_sync.store.migrate import migrate

pytest_plugins = ["tests.acceptance.plugin"]

settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")  # how long an example takes says how busy the machine is, and nothing about the rule

TEMPLATE = "template_inventory"
_numbers = itertools.count(1)


def _let_aioresponses_answer() -> None:
    """aioresponses 0.7.9 builds a ClientResponse without `stream_writer`, which aiohttp 3.14 made mandatory."""
    if "stream_writer" not in inspect.signature(aiohttp.ClientResponse.__init__).parameters:
        return

    class ClientResponse(aiohttp.ClientResponse):
        def __init__(self, *args: object, **options: object) -> None:
            options.setdefault("stream_writer", Mock())
            super().__init__(*args, **options)  # type: ignore[arg-type]

    aioresponses.core.ClientResponse = ClientResponse


_let_aioresponses_answer()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that no worker is left alone with them at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(("tests/demo/", "tests/walkthrough/")))


@pytest.fixture
def short_directory() -> Iterator[Path]:
    """A fresh directory that every user can walk to, unlike pytest's own `tmp_path` when the tests run as root."""
    path = Path(tempfile.mkdtemp(prefix="is-test-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """One server per test process, without syncing; it holds the migrated template database."""
    path = Path(tempfile.mkdtemp(prefix="is-test-"))
    path.chmod(0o711)
    server = EmbeddedPostgres(path / "postgres", fast=True)
    with asyncio.Runner() as runner:
        try:
            runner.run(server.start())
            runner.run(_make_template(server))
            yield server
        finally:
            runner.run(server.stop())
            shutil.rmtree(path, ignore_errors=True)


async def _make_template(server: EmbeddedPostgres) -> None:
    await _execute(server, f"create database {TEMPLATE}")
    await migrate(server.dsn_of(TEMPLATE))


async def _execute(server: EmbeddedPostgres, statement: str) -> None:
    connection = await asyncpg.connect(server.dsn_of("postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
async def empty_database(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """The URL of a database without any table."""
    name = f"test_{next(_numbers)}"
    await _execute(postgres, f"create database {name}")
    yield postgres.dsn_of(name)
    await _execute(postgres, f"drop database {name} with (force)")


@pytest.fixture
async def database(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """The URL of a database with the newest schema and no rows."""
    name = f"test_{next(_numbers)}"
    await _execute(postgres, f"create database {name} template {TEMPLATE}")
    yield postgres.dsn_of(name)
    await _execute(postgres, f"drop database {name} with (force)")


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    """A small connection pool on `database`, with the product's own codecs."""
    connections = await open_pool(database, size=8)
    yield connections
    await connections.close()
