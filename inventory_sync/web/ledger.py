"""The built-in ledger's API on the public port. Bodies are read whole and never larger than the API takes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from inventory_sync.ledger.api import LARGEST_BODY, PREFIX, LedgerApi
from inventory_sync.web import problems
from inventory_sync.web.bodies import BodyReader, BrokenOff, NoRoom, TooLarge, TooSlow
from inventory_sync.web.problems import Problem, answer

ROOM = 32 * LARGEST_BODY
"""Bytes that all bodies under way may hold together."""

_ANSWERS: dict[type[Exception], Problem] = {
    TooLarge: problems.TOO_LARGE,
    TooSlow: problems.TOO_SLOW,
    BrokenOff: problems.BAD_REQUEST,
    NoRoom: problems.OVERLOADED,
}


def add_ledger(app: web.Application, api: LedgerApi, now: Callable[[], datetime]) -> None:
    """Let an application answer every path below /ledger/v1/."""
    bodies = BodyReader(limit=LARGEST_BODY, room=ROOM)

    async def ledger(request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        url = request.rel_url
        try:
            async with bodies.read(request) as body:
                status, more, document = await api.handle(
                    request.method, url.raw_path, url.raw_query_string, headers, body, now()
                )
        except tuple(_ANSWERS) as error:
            return answer(next(found for kind, found in _ANSWERS.items() if isinstance(error, kind)))
        return web.Response(status=status, headers=more, body=document)

    app.router.add_route("*", f"{PREFIX}{{tail:.*}}", ledger)
