"""A furnished bench for stories about the engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from inventory_sync.store.db import Pool
from tests.engine.bench import Bench, Setup, furnish

Furnish = Callable[..., Awaitable[Bench]]


@pytest.fixture
async def furnished(pool: Pool) -> AsyncIterator[Furnish]:
    """Makes the bench of a story. When the story is over, no partner's limit may have been overstepped."""
    made: list[Bench] = []

    async def make(setup: Setup | None = None) -> Bench:
        made.append(await furnish(pool, setup))
        return made[-1]

    yield make
    for bench in made:
        await bench.tasks.kill()
        assert bench.broken_limits() == []


@pytest.fixture
async def running(furnished: Furnish) -> Furnish:
    """Makes a bench whose routes run, with both sides equal."""

    async def make(setup: Setup | None = None) -> Bench:
        bench = await furnished(setup)
        await bench.align()
        return bench

    return make
