"""A furnished bench for stories about the engine, and a desk for tests of the configuration."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest

from inventory_sync.store.db import Pool, open_pool
from tests.engine.apply_support import PARTNERS, Desk, reset_partners
from tests.engine.bench import Bench, Setup, furnish

Furnish = Callable[..., Awaitable[Bench]]


B = TypeVar("B", bound=Any)


@asynccontextmanager
async def benches(database: str, furnish: Callable[..., Awaitable[B]]) -> AsyncIterator[Callable[..., Awaitable[B]]]:
    """Makes benches on one database. When that is over, no partner's limit may have been overstepped."""
    made: list[B] = []
    pool = await open_pool(database, size=4)

    async def make(*given: Any) -> B:
        made.append(await furnish(pool, *given))
        return made[-1]

    yield make
    for bench in made:
        await bench.tasks.kill()
    pool.terminate()
    for bench in made:
        assert bench.broken_limits() == []


@pytest.fixture
async def furnished(database: str) -> AsyncIterator[Furnish]:
    """Makes the bench of a story. When the story is over, no partner's limit may have been overstepped."""
    async with benches(database, furnish) as make:
        yield make


@pytest.fixture
async def running(furnished: Furnish) -> Furnish:
    """Makes a bench whose routes run, with both sides equal."""

    async def make(setup: Setup | None = None) -> Bench:
        bench = await furnished(setup)
        await bench.align()
        return bench

    return make


@pytest.fixture
def partners() -> Iterator[None]:
    """The accounts of the two invented systems, as every test finds them."""
    reset_partners()
    yield
    PARTNERS.clear()


@pytest.fixture
def desk(partners: None, pool: Pool) -> Desk:
    """Where a person applies configuration files to an empty database."""
    return Desk(pool)
