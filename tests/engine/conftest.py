"""A furnished bench for stories about the engine, and a desk for tests of the configuration."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from inventory_sync.store.db import Pool, open_pool
from tests.engine.apply_support import PARTNERS, Desk, reset_partners
from tests.engine.bench import Bench, Setup, furnish

Furnish = Callable[..., Awaitable[Bench]]


@pytest.fixture
async def furnished(database: str) -> AsyncIterator[Furnish]:
    """Makes the bench of a story. When the story is over, no partner's limit may have been overstepped."""
    made: list[Bench] = []
    pool = await open_pool(database, size=4)

    async def make(setup: Setup | None = None) -> Bench:
        made.append(await furnish(pool, setup))
        return made[-1]

    yield make
    for bench in made:
        await bench.tasks.kill()
    pool.terminate()
    for bench in made:
        assert bench.broken_limits() == []


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
