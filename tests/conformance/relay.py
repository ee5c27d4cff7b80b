"""A relay in front of a real application: it plays faults on the way, and is out of the way otherwise."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import assert_never

import aiohttp
from aiohttp import web

from inventory_sync.conformance import Trouble
from inventory_sync.sandbox.faults import FaultPlan, names_of
from inventory_sync.sandbox.kernel import FaultKind, Request, Response
from tests.conformance.bench import spoilt
from tests.conformance.wire import Wire

LONGEST_HANG = 30.0  # seconds
NOT_PASSED_ON = frozenset({"content-length", "transfer-encoding", "connection", "host", "date", "server"})
THROTTLED = Response(429, {"content-type": "application/problem+json", "retry-after": "2"}, b'{"status": 429}')
"""What a proxy in front of an installation says when it is asked too often."""


class Relay:
    """Serves on loopback and passes everything on to `app`, which listens there too."""

    def __init__(self, faults: FaultPlan, wire: Wire, arrived: Callable[[], None]) -> None:
        self._faults = faults
        self._wire = wire
        self._arrived = arrived
        self._spoil: dict[str, deque[Trouble]] = {}
        self._runners: list[web.AppRunner] = []
        self._session: aiohttp.ClientSession | None = None
        self._behind = ""

    async def start(self, app: web.Application) -> str:
        """Begin to serve; returns the address."""
        self._behind = await self._serve(app)
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        front = web.Application()
        front.router.add_route("*", "/{path:.*}", self._take)
        return await self._serve(front)

    async def stop(self) -> None:
        if self._session:
            await self._session.close()
        for runner in reversed(self._runners):
            await runner.cleanup()

    def spoil(self, pattern: str, trouble: Trouble) -> None:
        """Spoil the next answer to a request whose name matches."""
        self._spoil.setdefault(pattern, deque()).append(trouble)

    async def pass_on(self, request: Request) -> Response:
        """Let the application carry a request out."""
        if self._session is None:
            raise RuntimeError("the relay was not started")
        query = f"?{request.query}" if request.query else ""
        async with self._session.request(
            request.method,
            f"{self._behind}{request.path}{query}",
            headers={name: value for name, value in request.headers.items() if name not in NOT_PASSED_ON},
            data=request.body or None,
        ) as answer:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            kept = {name: value for name, value in headers.items() if name not in NOT_PASSED_ON}
            return Response(answer.status, kept, await answer.read())

    async def _serve(self, app: web.Application) -> str:
        runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def _take(self, incoming: web.Request) -> web.StreamResponse:
        url = incoming.rel_url
        headers = {name.lower(): value for name, value in incoming.headers.items()}
        request = Request(incoming.method, url.raw_path, url.raw_query_string, headers, await incoming.read())
        self._arrived()
        match self._faults.decide(request).kind:
            case FaultKind.NONE | FaultKind.DELAY:
                return _as_answer(self._left_alone(request, await self.pass_on(request)))
            case FaultKind.RESET_BEFORE:
                return _reset(incoming)
            case FaultKind.RESET_AFTER:
                await self.pass_on(request)
                return _reset(incoming)
            case FaultKind.LATE:
                await asyncio.sleep(LONGEST_HANG)
                return _reset(incoming)
            case FaultKind.ERROR_AFTER:
                await self.pass_on(request)
                return web.Response(status=503, text="Service Unavailable")
            case FaultKind.ERROR_BEFORE:
                return web.Response(status=503, text="Service Unavailable")
            case FaultKind.THROTTLE:
                return _as_answer(THROTTLED)
            case other:
                assert_never(other)

    def _left_alone(self, request: Request, response: Response) -> Response:
        """The answer, unless somebody on the way out spoils it."""
        for pattern, waiting in self._spoil.items():
            if waiting and any(fnmatchcase(name, pattern) for name in names_of(request)):
                return spoilt(response, waiting.popleft(), self._wire)
        return response


def _as_answer(response: Response) -> web.Response:
    return web.Response(status=response.status, headers=dict(response.headers), body=response.body)


def _reset(incoming: web.Request) -> web.Response:
    if incoming.transport is not None:
        incoming.transport.abort()
    return web.Response(status=500)
