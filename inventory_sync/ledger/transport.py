"""The ledger in this very process as a partner: requests go to the API without a socket and without a stored key.

What lets them in is the object itself. It is made by whoever composes the service, for one book; no header and no
setting can stand for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

import asyncpg

from inventory_sync.ledger.api import LedgerApi
from inventory_sync.ledger.book import ensure_book
from inventory_sync.ledger.keys import Caller, Scope
from inventory_sync.store.db import Pool
from inventory_sync.systems.http import HttpRequest, HttpResponse, NoAnswer, NotSent, Transport

ACTOR = "inventory-sync"
"""What entries made this way carry as their actor."""


def transport_to(
    settings: object,
    book: str,
    otherwise: Transport,
    *,
    pool: Pool,
    now: Callable[[], datetime],
    new_id: Callable[[], str],
) -> Transport:
    """The way to a connection's partner: this process, where its settings say `in_process`, else `otherwise`.

    `book` is the connection's name.
    """
    if getattr(settings, "in_process", False) is not True:
        return otherwise
    return LedgerTransport(LedgerApi(pool), book, now=now, new_id=new_id)


class LedgerTransport:
    """`Transport` to one book of this installation, which is made with the first request where there is none.

    A request that takes longer than its time-out, or that the database leaves open, ends in NoAnswer: it may have been
    carried out.
    """

    def __init__(self, api: LedgerApi, book: str, *, now: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._api = api
        self._book = book
        self._now = now
        self._new_id = new_id
        self._caller: Caller | None = None

    async def send(self, request: HttpRequest) -> HttpResponse:
        parts = urlsplit(request.url)
        caller = await self._found(request.timeout)
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            async with asyncio.timeout(request.timeout):
                status, answer_headers, body = await self._api.handle_as(
                    caller, request.method, parts.path, parts.query, headers, request.body, self._now()
                )
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise NoAnswer(f"the ledger's database: {type(error).__name__}") from error
        return HttpResponse(status, {name.lower(): value for name, value in answer_headers.items()}, body)

    async def _found(self, timeout: float) -> Caller:
        """The book, before anything is asked of it. Raises NotSent."""
        if self._caller is None:
            try:
                async with asyncio.timeout(timeout):
                    book = await ensure_book(self._api.pool, self._book, new_id=self._new_id, now=self._now())
            except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                raise NotSent(f"the ledger's database: {type(error).__name__}") from error
            self._caller = Caller(book, Scope.WRITE, ACTOR)
        return self._caller
