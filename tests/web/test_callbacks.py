"""Callbacks of accepted batches: kept before they are answered, and only at the connection's own address."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from inventory_sync.engine.intake import intake
from inventory_sync.engine.lane import House
from inventory_sync.store.db import Pool
from inventory_sync.systems.smaregi import definition
from inventory_sync.systems.smaregi.notices import SmaregiNoticeParser
from inventory_sync.web.collector import NoticeCollector
from inventory_sync.web.directory import Door, callback_address
from inventory_sync.web.public import public_app
from inventory_sync.web.readiness import Readiness
from inventory_sync.web.serving import Listener
from tests.web.web_support import FakeDirectory, FakeParser, commits_hang, make_connection

TOKEN = "a-part-of-the-address-that-nobody-guesses"
SETTINGS = definition.settings.model_validate(
    {"contract_id": "sb_abc123d4", "client_id": "abc", "client_secret": "def", "callback_token": TOKEN}
)
PATH = f"/callbacks/smaregi/pos/{TOKEN}?request=batch-1"
BODY = b'[{"requestId":123456,"status":"success"}]'


@pytest.fixture
async def port(pool: Pool, house: House) -> AsyncIterator[str]:
    """The public port of a connection that takes callbacks, `pos`, and of one that does not, `shop`."""
    directory = FakeDirectory()
    parser = SmaregiNoticeParser(SETTINGS)
    pos = await make_connection(pool, house, "pos", "smaregi")
    shop = await make_connection(pool, house, "shop", "fake")
    directory.doors["smaregi", "pos"] = Door(pos, "pos", parser, True, parser)
    directory.doors["fake", "shop"] = Door(shop, "shop", FakeParser(), True)
    collector = NoticeCollector(house)
    await collector.start()
    app = public_app(house, collector, directory, Readiness(pool, draining=lambda: False), answer_within=0.5)
    listener = Listener(app, "127.0.0.1", 0)
    number = await listener.start()
    yield f"http://127.0.0.1:{number}"
    await listener.stop()
    await collector.stop()


async def post(url: str, body: bytes = BODY) -> tuple[int, bytes]:
    async with aiohttp.ClientSession() as session, session.post(url, data=body) as answer:
        return answer.status, await answer.read()


async def kept(pool: Pool) -> list[tuple[str, list[str], str]]:
    rows = await pool.fetch("select kind, requests, state from inbox order by id")
    return [(row["kind"], row["requests"], row["state"]) for row in rows]


async def test_a_callback_is_durable_before_it_is_answered_and_kept_once(port: str, pool: Pool, house: House) -> None:
    assert await post(port + PATH) == (200, b"")
    assert await kept(pool) == [("other", ["batch-1", "123456"], "new")]
    assert (await post(port + PATH))[0] == 200
    assert len(await kept(pool)) == 1
    await intake(house)
    assert await kept(pool) == [("other", ["batch-1", "123456"], "ignored")], "no batch of ours is called so"


async def test_a_callback_that_cannot_be_kept_is_not_answered_200(port: str, pool: Pool) -> None:
    async with commits_hang(pool):
        assert (await post(port + PATH))[0] == 503


@pytest.mark.parametrize(
    "path",
    [
        f"/callbacks/smaregi/pos/{TOKEN}x?request=batch-1",
        "/callbacks/smaregi/pos/wrong",
        f"/callbacks/smaregi/other/{TOKEN}",
        f"/callbacks/fake/shop/{TOKEN}",
        f"/callbacks/shopify/pos/{TOKEN}",
    ],
)
async def test_another_address_is_turned_away_and_nothing_is_kept(port: str, pool: Pool, path: str) -> None:
    assert (await post(port + path))[0] == 401
    assert await kept(pool) == []


async def test_the_address_of_callbacks_takes_no_notice_and_that_of_notices_no_callback(port: str, pool: Pool) -> None:
    assert (await post(f"{port}/webhooks/smaregi/pos/{TOKEN}?request=batch-1"))[0] == 401
    assert await kept(pool) == []


def test_the_address_is_made_of_the_public_one_and_a_secret_of_the_connection() -> None:
    found = callback_address("https://sync.example.jp/base/", definition, "pos", SETTINGS)
    assert found == f"https://sync.example.jp/base/callbacks/smaregi/pos/{TOKEN}"
    assert callback_address(None, definition, "pos", SETTINGS) is None
    none = SETTINGS.model_copy(update={"callback_token": None})
    assert callback_address("https://sync.example.jp", definition, "pos", none) is None
