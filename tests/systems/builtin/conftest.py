"""The adapter and its book, once in process and once over a real port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from inventory_sync.ledger.api import LedgerApi
from inventory_sync.ledger.keys import Scope, create_key
from inventory_sync.ledger.transport import LedgerTransport
from inventory_sync.store.db import Pool
from inventory_sync.systems.http import AiohttpTransport
from inventory_sync.web.ledger import add_ledger
from tests.ledger.ledger_support import START, open_desk
from tests.systems.builtin.builtin_support import Door, Shop


@pytest.fixture(params=["in process", "over http"])
async def shop(request: pytest.FixtureRequest, pool: Pool) -> AsyncIterator[Shop]:
    """A fresh book and what reaches it."""
    desk = await open_desk(pool)
    api = LedgerApi(pool)
    if request.param == "in process":
        through = LedgerTransport(api, desk.book.name, now=desk.clock.now, new_id=desk.clock.new_id)
        yield Shop(desk, Door(through), {})
        return
    app = web.Application()
    add_ledger(app, api, desk.clock.now)
    key = await create_key(pool, desk.book, "sync", Scope.WRITE, actor="tester", now=START)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        settings: dict[str, Any] = {"base_url": str(server.make_url("/")), "api_key": key.key}
        yield Shop(desk, Door(AiohttpTransport(session)), settings)
