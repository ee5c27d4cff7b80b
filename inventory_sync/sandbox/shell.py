"""The HTTP shell around a simulator: the only place of the sandbox with sockets and a real clock.

It serves on loopback, plays the faults a plan decides as real network behaviour, and posts webhooks to their receivers.
Whoever started it drives the simulator in the same process with `act`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar, assert_never, runtime_checkable

import aiohttp
from aiohttp import web

from inventory_sync.sandbox.faults import FaultPlan, NoticePlan
from inventory_sync.sandbox.kernel import Delivery, FaultKind, Request, Response, Simulator

_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")

#: How long a request that is never answered is held at most, in seconds, if its caller never gives up.
HANG_LIMIT = 120.0
#: Webhooks under way at once.
PARALLEL_POSTS = 64
#: The simulator is asked for due webhooks at least this often, in seconds, for drivers that forget to `poke`.
LONGEST_NAP = 0.1
_MAX_BODY = 64 * 1024 * 1024
_LINGER_AND_RESET = struct.pack("ii", 1, 0)


@runtime_checkable
class CountsConcurrency(Protocol):
    """A simulator that limits how many writes may be under way at once."""

    def is_write(self, request: Request) -> bool: ...

    def report_concurrency(self, running: int, now: datetime) -> None: ...


@runtime_checkable
class HearsOfAbandoned(Protocol):
    """A simulator at which a request whose caller gave up is still under way."""

    def report_abandoned(self, request: Request, waited: float, lands_in: float, now: datetime) -> None: ...


def system_clock() -> datetime:
    return datetime.now(UTC)


class SandboxShell:
    """Serves one simulator over HTTP, from `start` to `stop`.

    `latency` gives the partner's own time for a request in seconds (the request takes effect first, then the answer
    waits). Webhook receivers have `connect_timeout` and `post_timeout` seconds.
    """

    def __init__(
        self,
        simulator: Simulator,
        *,
        faults: FaultPlan | None = None,
        notices: NoticePlan | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Callable[[], datetime] = system_clock,
        latency: Callable[[Request], float] | None = None,
        connect_timeout: float = 1.0,
        post_timeout: float = 5.0,
    ) -> None:
        self.simulator = simulator
        self.faults = faults or FaultPlan()
        self.notices = notices or NoticePlan()
        self._host, self._port = host, port
        self._clock, self._latest = clock, datetime.min.replace(tzinfo=UTC)
        self._latency = latency
        self._post_timeout = aiohttp.ClientTimeout(total=post_timeout, sock_connect=connect_timeout)
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None
        self._posts = asyncio.Semaphore(PARALLEL_POSTS)
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writes_running = 0
        self.base_url = ""

    async def start(self) -> str:
        """Begin to serve and to post webhooks; returns the base URL (no trailing slash)."""
        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.base_url = f"http://{host}:{port}"
        connector = aiohttp.TCPConnector(limit=PARALLEL_POSTS)
        self._session = aiohttp.ClientSession(connector=connector, timeout=self._post_timeout)
        self._spawn(self._post_due())
        return self.base_url

    async def stop(self) -> None:
        """End serving; what was under way, late requests included, never happens."""
        runner, session = self._runner, self._session
        self._runner, self._session = None, None
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if session:
            await session.close()
        if runner:
            await runner.cleanup()

    def now(self) -> datetime:
        """The time the simulator sees; it never runs backwards."""
        self._latest = max(self._latest, self._clock())
        return self._latest

    def act(self, deed: Callable[[datetime], _Result]) -> _Result:
        """Let somebody do something at the partner now (`deed` gets the time), and send the webhooks it causes."""
        result = deed(self.now())
        self.poke()
        return result

    def poke(self) -> None:
        """Look for due webhooks at once."""
        self._wake.set()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- requests ---

    async def _serve(self, incoming: web.Request) -> web.StreamResponse:
        request = Request(
            incoming.method,
            incoming.rel_url.raw_path,
            incoming.rel_url.raw_query_string,
            {name.lower(): value for name, value in incoming.headers.items()},
            await incoming.read(),
        )
        counted = self._count_write(request)
        try:
            return await self._play(incoming, request)
        finally:
            self._writes_running -= counted

    def _count_write(self, request: Request) -> int:
        simulator = self.simulator
        if not isinstance(simulator, CountsConcurrency) or not simulator.is_write(request):
            return 0
        self._writes_running += 1
        simulator.report_concurrency(self._writes_running, self.now())
        return 1

    async def _play(self, incoming: web.Request, request: Request) -> web.StreamResponse:
        fault = self.faults.decide(request)
        match fault.kind:
            case FaultKind.NONE:
                return await self._answer(request, 0.0)
            case FaultKind.DELAY:
                return await self._answer(request, fault.seconds)
            case FaultKind.RESET_BEFORE:
                return _reset(incoming)
            case FaultKind.RESET_AFTER:
                self._carry_out(request)
                return _reset(incoming)
            case FaultKind.LATE:
                return await self._never_answer(incoming, request, fault.seconds)
            case FaultKind.ERROR_AFTER:
                self._carry_out(request)
                return _unavailable()
            case FaultKind.ERROR_BEFORE:
                return _unavailable()
            case FaultKind.THROTTLE:
                return _as_answer(self.simulator.throttled(request, self.now()))
            case _:
                assert_never(fault.kind)

    def _carry_out(self, request: Request) -> Response:
        response = self.simulator.handle(request, self.now())
        self.poke()
        return response

    async def _answer(self, request: Request, seconds: float) -> web.StreamResponse:
        response = self._carry_out(request)
        wait = seconds + (self._latency(request) if self._latency else 0.0)
        if wait > 0:
            since = self.now()
            try:
                await asyncio.sleep(wait)
            except asyncio.CancelledError:
                waited = self._seconds_since(since)
                self._abandon(request, waited, max(0.0, wait - waited))
                raise
        return _as_answer(response)

    async def _never_answer(self, incoming: web.Request, request: Request, seconds: float) -> web.StreamResponse:
        """Hang until the caller gives up (which cancels this), then carry the request out `seconds` later."""
        since = self.now()
        try:
            await asyncio.sleep(HANG_LIMIT)
        finally:
            if self._runner is not None:  # else the shell is stopping, and so is the request
                self._abandon(request, self._seconds_since(since), seconds)
                self._spawn(self._carry_out_later(request, seconds))
        return _reset(incoming)

    def _abandon(self, request: Request, waited: float, lands_in: float) -> None:
        """Tell a simulator that wants to know that a caller gave up, unless the shell is stopping."""
        if self._runner is not None and isinstance(self.simulator, HearsOfAbandoned):
            self.simulator.report_abandoned(request, waited, lands_in, self.now())

    def _seconds_since(self, since: datetime) -> float:
        return (self.now() - since) / timedelta(seconds=1)

    async def _carry_out_later(self, request: Request, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._carry_out(request)

    # -- webhooks ---

    async def _post_due(self) -> None:
        while True:
            self._wake.clear()
            for delivery in self.simulator.advance(self.now()):
                self._send(delivery)
            due = self.simulator.next_due()
            nap = LONGEST_NAP if due is None else min(LONGEST_NAP, (due - self.now()) / timedelta(seconds=1))
            with contextlib.suppress(TimeoutError):  # asyncio.wait_for may swallow a cancellation here
                async with asyncio.timeout(nap):
                    await self._wake.wait()

    def _send(self, delivery: Delivery) -> None:
        fate = self.notices.decide(delivery)
        if fate.lost:
            self.simulator.delivered(delivery, 200, self.now())
            return
        first, *others = fate.copies
        self._spawn(self._post_and_report(delivery, first, fate.answer_arrives))
        for seconds in others:
            self._spawn(self._post_copy(delivery, seconds))

    async def _post_and_report(self, delivery: Delivery, seconds: float, answer_arrives: bool) -> None:
        status = await self._post(delivery, seconds)
        self.simulator.delivered(delivery, status if answer_arrives else None, self.now())
        self.poke()

    async def _post_copy(self, delivery: Delivery, seconds: float) -> None:
        await self._post(delivery, seconds)

    async def _post(self, delivery: Delivery, seconds: float) -> int | None:
        await asyncio.sleep(seconds)
        if self._session is None:
            return None
        try:
            async with (
                self._posts,
                self._session.post(
                    delivery.url, data=delivery.body, headers=dict(delivery.headers), allow_redirects=False
                ) as answer,
            ):
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.info("webhook.unanswered url=%s error=%s", delivery.url, type(error).__name__)
            return None


def _as_answer(response: Response) -> web.Response:
    return web.Response(status=response.status, headers=dict(response.headers), body=response.body)


def _unavailable() -> web.Response:
    return web.Response(status=503, text="Service Unavailable")


def _reset(incoming: web.Request) -> web.Response:
    """Drop the connection so that the caller sees a reset, not an orderly end; the response is never written."""
    transport = incoming.transport
    if transport is not None:
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_AND_RESET)
        transport.abort()
    return web.Response(status=500)
