"""The public port: notices and callbacks of partners, and health. A notice is answered 200 only after it is durable.

Whoever sends one proves nothing before the parser of its connection has checked it. So a connection that does not exist
gets the same answer as a wrong secret, after reading as much and computing about as much.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from aiohttp import web

from inventory_sync.engine.intake import Arrival
from inventory_sync.engine.lane import House
from inventory_sync.ledger.api import LedgerApi
from inventory_sync.systems.errors import MalformedNotice, UnauthorizedNotice
from inventory_sync.systems.port import Notice
from inventory_sync.web import problems
from inventory_sync.web.bodies import OTHER_LIMIT, BodyReader, BrokenOff, NoRoom, TooLarge, TooSlow
from inventory_sync.web.collector import NoticeCollector, NotKept, Overloaded, Unstorable
from inventory_sync.web.directory import Door, NoticeDirectory, NoticeEvent, NoticeListener, ignore
from inventory_sync.web.ledger import add_ledger
from inventory_sync.web.problems import Problem, answer
from inventory_sync.web.readiness import Readiness
from inventory_sync.web.rejections import RejectionLog

ANSWER_WITHIN = 2.5
"""Seconds a commit may take before the sender is told to come again. Shopify waits 5 s
(shopify.dev/docs/apps/build/webhooks), Smaregi 3 s (observed)."""

RETRY_AFTER = {"Retry-After": "5"}
CHALLENGE = {"WWW-Authenticate": "Signature"}

_ANSWERS: dict[type[Exception], tuple[str, Problem]] = {
    UnauthorizedNotice: ("unauthorized", problems.UNAUTHORIZED),
    MalformedNotice: ("malformed", problems.BAD_REQUEST),
    Unstorable: ("malformed", problems.BAD_REQUEST),
    BrokenOff: ("malformed", problems.BAD_REQUEST),
    TooLarge: ("too_large", problems.TOO_LARGE),
    TooSlow: ("slow", problems.TOO_SLOW),
    NoRoom: ("overloaded", problems.OVERLOADED),
    Overloaded: ("overloaded", problems.OVERLOADED),
    NotKept: ("not_kept", problems.OVERLOADED),
}


def public_app(
    house: House,
    collector: NoticeCollector,
    directory: NoticeDirectory,
    readiness: Readiness,
    *,
    listener: NoticeListener = ignore,
    answer_within: float = ANSWER_WITHIN,
) -> web.Application:
    """The application of the public port. Whoever made the collector starts and stops it."""
    notices = _Notices(house, collector, directory, listener, answer_within)
    app = web.Application(middlewares=[problems.problems], client_max_size=OTHER_LIMIT)
    app.on_response_prepare.append(problems.harden)
    app.router.add_post("/webhooks/{system}/{connection}", notices.by_name)
    app.router.add_post("/webhooks/{system}/{connection}/{token}", notices.by_name)
    app.router.add_get("/webhooks/{system}/{connection}/{token}", notices.by_name, allow_head=False)
    app.router.add_post("/webhooks/{system}", notices.by_contract)
    app.router.add_post("/callbacks/{system}/{connection}/{token}", notices.called_back)
    add_ledger(app, LedgerApi(house.pool), house.now)
    app.router.add_get("/healthz", problems.healthz)
    app.router.add_get("/readyz", _readyz(readiness, collector))
    return app


def _readyz(readiness: Readiness, collector: NoticeCollector) -> problems.Handler:
    async def readyz(_request: web.Request) -> web.StreamResponse:
        reasons = await readiness.reasons()
        if not collector.accepting:
            reasons = (*reasons, "notices are not accepted")
        if reasons:
            return answer(problems.NOT_READY, headers=RETRY_AFTER, reasons=list(reasons))
        return web.Response(text="ready\n")

    return readyz


@dataclass(slots=True)
class _Notices:
    house: House
    collector: NoticeCollector
    directory: NoticeDirectory
    listener: NoticeListener
    answer_within: float
    bodies: BodyReader = field(default_factory=BodyReader)
    rejections: RejectionLog = field(default_factory=RejectionLog)

    async def by_name(self, request: web.Request) -> web.StreamResponse:
        """POST /webhooks/{system}/{connection}, and GET or POST with an unguessable part behind it"""
        named = request.match_info
        return await self._take(request, self.directory.find(named["system"], named["connection"]))

    async def called_back(self, request: web.Request) -> web.StreamResponse:
        """POST /callbacks/{system}/{connection}/{token}: what a partner says of a batch it had accepted"""
        named = request.match_info
        door = self.directory.find(named["system"], named["connection"])
        if door is None or door.callbacks is None:
            return await self._take(request, None)
        return await self._take(request, door, door.callbacks.parse_callback)

    async def by_contract(self, request: web.Request) -> web.StreamResponse:
        """POST /webhooks/{system}, where a header names the account"""
        door = self.directory.find_by_contract(request.match_info["system"], _headers(request))
        return await self._take(request, door)

    async def _take(
        self, request: web.Request, door: Door | None, parse: Callable[[dict[str, str], bytes], Notice] | None = None
    ) -> web.StreamResponse:
        received_at = self.house.now()
        name = "" if door is None else door.name
        topic = ""
        try:
            async with self.bodies.read(request) as body:
                if door is None:
                    _refuse(body)
                notice = (parse or door.parser.parse)(_headers(request) | _way(request), body)
            topic = notice.topic
            await self._keep(Arrival(door.connection_id, notice, received_at))
        except tuple(_ANSWERS) as error:
            result, problem = next(found for kind, found in _ANSWERS.items() if isinstance(error, kind))
            self.rejections.reject(name, result)
            self.listener(NoticeEvent(name, topic, result))
            return answer(problem, headers=_extra(problem))
        delay = None if notice.sent_at is None else (received_at - notice.sent_at).total_seconds()
        self.listener(NoticeEvent(name, topic, "kept", delay))
        return web.Response() if door.empty_response else web.Response(text="ok\n")

    async def _keep(self, arrival: Arrival) -> None:
        """Wait for the commit as long as the sender waits. Raises Overloaded, NotKept or Unstorable."""
        try:
            async with asyncio.timeout(self.answer_within):
                await self.collector.keep(arrival)
        except TimeoutError:
            raise Overloaded from None


def _refuse(body: bytes) -> NoReturn:
    """For a connection that does not exist, the work of checking a signature and the same refusal."""
    hmac.compare_digest(hmac.new(b"nobody", body, hashlib.sha256).digest(), bytes(32))
    raise UnauthorizedNotice("no such connection")


def _headers(request: web.Request) -> dict[str, str]:
    """Headers with lower-case names, without those that are not text: no partner sends such."""
    return {name.lower(): value for name, value in request.headers.items() if value.isascii() or _is_text(value)}


def _way(request: web.Request) -> dict[str, str]:
    """How a notice came in, beside its headers: systems that sign nothing prove themselves by the address."""
    return {
        ":method": request.method,
        ":token": request.match_info.get("token", ""),
        ":query": request.rel_url.raw_query_string,
    }


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _extra(problem: Problem) -> dict[str, str] | None:
    match problem.status:
        case 401:
            return CHALLENGE
        case 503:
            return RETRY_AFTER
        case _:
            return None
