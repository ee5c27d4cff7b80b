"""Fixtures of the ledger's tests."""

from __future__ import annotations

import pytest

from inventory_sync.store.db import Pool
from tests.ledger.ledger_support import Desk, open_desk


@pytest.fixture
async def desk(pool: Pool) -> Desk:
    """A fresh book on a fresh database."""
    return await open_desk(pool)
