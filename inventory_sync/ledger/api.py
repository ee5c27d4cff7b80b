"""`/ledger/v1`: what a warehouse system may ask of its book, as a function from request to answer.

Errors are problem documents (RFC 9457). Nothing is changed by a request that is refused.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from inventory_sync.ledger import book as ledger
from inventory_sync.ledger import reading, wire
from inventory_sync.ledger.checks import NAME_LENGTH, text_fault
from inventory_sync.ledger.errors import LedgerError, Refused
from inventory_sync.ledger.keys import Caller, Scope, authenticate
from inventory_sync.ledger.problems import (
    BAD_REQUEST,
    FORBIDDEN,
    KEY_MISSING,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    TOO_LARGE,
    UNAUTHORIZED,
)
from inventory_sync.ledger.values import Booked, Line, Put
from inventory_sync.store.db import Pool

PREFIX = "/ledger/v1/"
LARGEST_BODY = 1024 * 1024
PAGE = 500

Answer = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""

JSON = {"Content-Type": "application/json"}
PROBLEM = {"Content-Type": "application/problem+json"}
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="inventory-sync ledger"'}


@dataclass(frozen=True, slots=True)
class Request:
    """A request of somebody who proved who it is. Header names are lower-case."""

    caller: Caller
    query: str
    headers: Mapping[str, str]
    body: bytes
    now: datetime


Handler = Callable[["LedgerApi", Request], Awaitable[Any]]


class LedgerApi:
    """Answers `/ledger/v1` for every book of one database."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def handle(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> Answer:
        """Answer a request that came in over HTTP. `query` is the raw query string, header names are lower-case."""
        caller = await authenticate(self.pool, headers.get("authorization", ""), now=now)
        if caller is None:
            return _problem(LedgerError(UNAUTHORIZED), CHALLENGE)
        return await self.handle_as(caller, method, path, query, headers, body, now)

    async def handle_as(
        self, caller: Caller, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> Answer:
        """Answer somebody whose right to ask is settled: no header can make a `Caller`."""
        try:
            methods = _ROUTES.get(path.removeprefix(PREFIX)) if path.startswith(PREFIX) else None
            if methods is None:
                raise LedgerError(NOT_FOUND)
            if method not in methods:
                return _problem(LedgerError(METHOD_NOT_ALLOWED), {"Allow": ", ".join(sorted(methods))})
            scope, handler = methods[method]
            if scope is Scope.WRITE and caller.scope is not Scope.WRITE:
                raise LedgerError(FORBIDDEN)
            if len(body) > LARGEST_BODY:
                raise LedgerError(TOO_LARGE)
            document = await handler(self, Request(caller, query, headers, body, now))
        except LedgerError as error:
            return _problem(error)
        return 200, dict(JSON), orjson.dumps(document, option=orjson.OPT_UTC_Z)

    # -- reading ---

    async def _show_book(self, request: Request) -> Any:
        """GET book: which ledger this is, its labels, what this key may do, and what time it is here."""
        wire.query(request.query, ())
        book = request.caller.book
        return {
            "name": book.name,
            "identity": book.identity,
            "labels": [wire.label(each) for each in await reading.labels(self.pool, book)],
            "scope": request.caller.scope,
            "now": request.now,
        }

    async def _levels(self, request: Request) -> Any:
        """GET levels: by the sequence of their last change, so that `after` is a cursor of changed levels."""
        asked = wire.query(request.query, ("sku", "location", "label", "after", "since", "limit"))
        after, limit = wire.number(asked, "after", 0), _limit(asked)
        found = await reading.levels(
            self.pool,
            request.caller.book,
            label=wire.one(asked, "label"),
            location=wire.one(asked, "location"),
            skus=asked.get("sku"),
            after=after,
            since=wire.instant(asked, "since"),
            limit=limit + 1,
        )
        page = found[:limit]
        cursor = page[-1].sequence if page else after
        return {"levels": [wire.level(each) for each in page], "cursor": cursor, "more": len(found) > limit}

    async def _query_levels(self, request: Request) -> Any:
        """POST levels/query: these cells by key, in one reading."""
        wire.query(request.query, ())
        cells, label = wire.cells(request.body)
        for text in (label, *(part for cell in cells for part in cell)):
            if (fault := text_fault(text, NAME_LENGTH)) is not None:
                raise LedgerError(BAD_REQUEST, f"{BAD_REQUEST.en} A SKU, location or label {fault}.")
        found = await reading.read_cells(self.pool, request.caller.book, cells, label)
        return {"cells": [wire.cell_state(each) for each in found], "label": label}

    async def _changes(self, request: Request) -> Any:
        """GET changes: every entry behind a cursor."""
        return await self._entry_page(request, ("after", "limit"))

    async def _entries(self, request: Request) -> Any:
        """GET entries: the entries of a SKU, a reference, a location or a label."""
        return await self._entry_page(request, ("sku", "location", "label", "reference", "since", "after", "limit"))

    async def _entry_page(self, request: Request, allowed: tuple[str, ...]) -> Any:
        asked = wire.query(request.query, allowed)
        after, limit = wire.number(asked, "after", 0), _limit(asked)
        found = await reading.entries(
            self.pool,
            request.caller.book,
            after=after,
            limit=limit + 1,
            sku=wire.one(asked, "sku"),
            location=wire.one(asked, "location"),
            label=wire.one(asked, "label"),
            reference=wire.one(asked, "reference"),
            since=wire.instant(asked, "since"),
        )
        page = found[:limit]
        cursor = page[-1].sequence if page else after
        return {"entries": [wire.entry(each) for each in page], "cursor": cursor, "more": len(found) > limit}

    async def _items(self, request: Request) -> Any:
        """GET items: by SKU in code-point order; `cursor` is the last SKU."""
        asked = wire.query(request.query, ("sku", "after", "limit"))
        after, limit = wire.one(asked, "after") or "", _limit(asked)
        skus = asked.get("sku")
        found = await reading.items(self.pool, request.caller.book, after=after, limit=limit + 1, skus=skus)
        page = found if skus is not None else found[:limit]
        cursor = page[-1].sku if page else after
        return {"items": [wire.item(each) for each in page], "cursor": cursor, "more": len(found) > len(page)}

    async def _locations(self, request: Request) -> Any:
        """GET locations: all of them."""
        wire.query(request.query, ())
        found = await reading.locations(self.pool, request.caller.book)
        return {"locations": [wire.location(each) for each in found]}

    # -- writing ---

    async def _set_levels(self, request: Request) -> Any:
        """PUT levels: what was counted, as of a time. A key is welcome and not needed: saying it twice is harmless."""
        return await self._post(request, wire.counts(request.body), _key(request))

    async def _adjust(self, request: Request) -> Any:
        """POST adjustments: units to add, once however often this key is sent."""
        return await self._post(request, wire.adjustments(request.body), _needed_key(request))

    async def _bulk(self, request: Request) -> Any:
        """POST bulk: adjustments and sets in one, all or nothing."""
        return await self._post(request, wire.lines(request.body), _needed_key(request))

    async def _put_items(self, request: Request) -> Any:
        """PUT items: make or change items by SKU."""
        wire.query(request.query, ())
        found = wire.items(request.body)
        return _put(await ledger.put_items(self.pool, request.caller.book, found, now=request.now))

    async def _put_locations(self, request: Request) -> Any:
        """PUT locations: make or change locations by key."""
        wire.query(request.query, ())
        found = wire.locations(request.body)
        return _put(await ledger.put_locations(self.pool, request.caller.book, found, now=request.now))

    async def _post(self, request: Request, lines: list[Line], key: str | None) -> Any:
        wire.query(request.query, ())
        caller = request.caller
        booked = await ledger.post(self.pool, caller.book, lines, actor=caller.actor, now=request.now, key=key)
        return _booked(booked)


_ROUTES: Mapping[str, Mapping[str, tuple[Scope, Handler]]] = {
    "book": {"GET": (Scope.READ, LedgerApi._show_book)},
    "levels": {"GET": (Scope.READ, LedgerApi._levels), "PUT": (Scope.WRITE, LedgerApi._set_levels)},
    "levels/query": {"POST": (Scope.READ, LedgerApi._query_levels)},
    "changes": {"GET": (Scope.READ, LedgerApi._changes)},
    "entries": {"GET": (Scope.READ, LedgerApi._entries)},
    "adjustments": {"POST": (Scope.WRITE, LedgerApi._adjust)},
    "bulk": {"POST": (Scope.WRITE, LedgerApi._bulk)},
    "items": {"GET": (Scope.READ, LedgerApi._items), "PUT": (Scope.WRITE, LedgerApi._put_items)},
    "locations": {"GET": (Scope.READ, LedgerApi._locations), "PUT": (Scope.WRITE, LedgerApi._put_locations)},
}


def _limit(asked: Mapping[str, list[str]]) -> int:
    return max(1, wire.number(asked, "limit", PAGE, PAGE))


def _key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and (fault := text_fault(key, NAME_LENGTH)) is not None:
        raise LedgerError(BAD_REQUEST, f"{BAD_REQUEST.en} Idempotency-Key {fault}.")
    return key


def _needed_key(request: Request) -> str:
    key = _key(request)
    if key is None:
        raise LedgerError(KEY_MISSING)
    return key


def _booked(booked: Booked) -> dict[str, Any]:
    return {"entries": [wire.entry(each) for each in booked.entries], "replayed": booked.replayed}


def _put(put: Put) -> dict[str, Any]:
    return {"created": put.created, "changed": put.changed, "same": put.same}


def _problem(error: LedgerError, headers: Mapping[str, str] | None = None) -> Answer:
    problem = error.problem
    document: dict[str, Any] = {
        "type": f"/problems/{problem.code}",
        "title": problem.en,
        "status": problem.status,
        "code": problem.code,
        "detail": error.message,
        "remedy": problem.remedy_en,
    }
    if isinstance(error, Refused):
        document["errors"] = [
            {"line": fault.line, "field": fault.field, "code": fault.code, "detail": fault.message}
            for fault in error.faults
        ]
    return problem.status, {**PROBLEM, **(headers or {})}, orjson.dumps(document)
