"""A house on a fresh database, with one connection named `shop` of the system `fake`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from inventory_sync.engine.lane import House
from inventory_sync.model.ambient import Ambient
from inventory_sync.store.db import Pool, open_pool
from tests.web.web_support import make_connection


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    """The pool as the product opens it."""
    opened = await open_pool(database, size=8)
    async with opened:
        yield opened


@pytest.fixture
def house(pool: Pool) -> House:
    return House(pool=pool, ambient=Ambient(), installation="test")


@pytest.fixture
async def shop(pool: Pool, house: House) -> int:
    """The row id of the connection `shop`."""
    return await make_connection(pool, house)
