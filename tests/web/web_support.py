"""A partner made up for the web's tests, a directory of its connections, and a way to make commits hang."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from inventory_sync.engine.lane import House
from inventory_sync.model.ids import ItemKey, LocationKey
from inventory_sync.store import db
from inventory_sync.store.db import Pool
from inventory_sync.systems.errors import MalformedNotice, UnauthorizedNotice
from inventory_sync.systems.port import CellHint, Notice, NoticeKind
from inventory_sync.web.directory import Door

SECRET = "the-right-secret-of-shop"
HEADERS = {"X-Secret": SECRET}


class FakeParser:
    """Wants the secret in a header and JSON with an `id`; `sent` is the partner's own time."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def parse(self, headers: Mapping[str, str], body: bytes) -> Notice:
        self.bodies.append(body)
        if headers.get("x-secret") != SECRET:
            raise UnauthorizedNotice("wrong secret")
        try:
            content = json.loads(body)
        except ValueError as error:
            raise MalformedNotice("not JSON") from error
        return notice(content["id"], item=content.get("item", "item-1"), sent=content.get("sent"))


def notice(id_: str, *, item: str = "item-1", topic: str = "stock/changed", sent: str | None = None) -> Notice:
    hint = CellHint(ItemKey(item), LocationKey("1"), 5)
    sent_at = None if sent is None else datetime.fromisoformat(sent)
    return Notice(id_, topic, NoticeKind.LEVELS, cells=(hint,), sent_at=sent_at)


class FakeDirectory:
    """Doors by (system, name), and by the header X-Contract."""

    def __init__(self) -> None:
        self.doors: dict[tuple[str, str], Door] = {}
        self.contracts: dict[tuple[str, str], Door] = {}

    def find(self, system: str, name: str) -> Door | None:
        return self.doors.get((system, name))

    def find_by_contract(self, system: str, headers: Mapping[str, str]) -> Door | None:
        return self.contracts.get((system, headers.get("x-contract", "")))


async def make_connection(pool: Pool, house: House, name: str = "shop", system: str = "fake") -> int:
    id_: int = await db.value(
        pool, "insert_connection", name=name, system=system, settings={}, secrets=None, now=house.now()
    )
    return id_


@asynccontextmanager
async def commits_hang(pool: Pool) -> AsyncIterator[None]:
    """Nothing can be written to the inbox until the block ends."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("lock table inbox in share mode")
        yield


async def somebody_waits_for_a_lock(pool: Pool) -> None:
    """Return once a transaction waits for a lock, seen by asking the database again and again."""
    await until(pool, lambda: None, "select exists (select 1 from pg_locks where not granted)")


async def until(pool: Pool, holds: Callable[[], bool | None], query: str = "select false") -> None:
    """Return once `holds` or the query says so; the database's answers are what time passes by."""
    async with asyncio.timeout(10):
        while not (await pool.fetchval(query) or holds()):
            pass


async def inbox(pool: Pool) -> list[Any]:
    return [row["notice_id"] for row in await pool.fetch("select notice_id from inbox order by id")]


async def transactions(pool: Pool) -> int:
    """How many transactions wrote what is in the inbox."""
    count: int = await pool.fetchval("select count(distinct xmin::text) from inbox")
    return count
