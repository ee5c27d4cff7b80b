"""A test bench: a simulated partner in its HTTP shell, real sockets on loopback, and a hand on everything between."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, ClassVar, Self

import aiohttp
from aiohttp import web

from inventory_sync.conformance import Door, Mail, Trouble
from inventory_sync.model.ambient import Ambient
from inventory_sync.sandbox.faults import FaultPlan, NoticeFaults, names_of
from inventory_sync.sandbox.kernel import Delivery, Fault, FaultKind, Request, Response, Simulator
from inventory_sync.sandbox.shell import SandboxShell
from inventory_sync.systems.http import AiohttpTransport
from inventory_sync.systems.port import CellRef, Client, ClientContext, NoticeParser, SystemDefinition
from tests.conformance.wire import Wire

START = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)  # noon in Japan, so that a test stays within one business day
INSTALLATION = "kit1"
IMPATIENT = 0.4  # seconds until a request is given up, where a behaviour waits for that
PATIENT = 10.0
NEVER = 1e6  # seconds; the shell would carry a late request out then, the rig does so when it is told

FAULTS = {
    Trouble.LOST_BEFORE: Fault(FaultKind.RESET_BEFORE),
    Trouble.LOST_AFTER: Fault(FaultKind.RESET_AFTER),
    Trouble.LATE: Fault(FaultKind.LATE, NEVER),
    Trouble.ERROR_BEFORE: Fault(FaultKind.ERROR_BEFORE),
    Trouble.ERROR_AFTER: Fault(FaultKind.ERROR_AFTER),
    Trouble.THROTTLE: Fault(FaultKind.THROTTLE),
}
PAGE = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body>0</body></html>"


class Clock:
    """The time of client and partner: it runs as real time does, and can be moved on."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._moved = 0.0

    def __call__(self) -> datetime:
        return START + timedelta(seconds=time.monotonic() - self._began + self._moved)

    def move(self, seconds: float) -> None:
        self._moved += seconds


class HoldingPlan(FaultPlan):
    """A fault plan that keeps requests that are never answered, to let them land when a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[Request] = []

    def decide(self, request: Request) -> Fault:
        fault = super().decide(request)
        if fault.kind is FaultKind.LATE:
            self.held.append(request)
        return fault


class Meddler:
    """The simulator with somebody at the way out, who spoils answers and notes the tokens that are given."""

    def __init__(self, inner: Simulator, wire: Wire, sign_in: str) -> None:
        self.inner, self._wire, self._sign_in = inner, wire, sign_in
        self.name, self.log = inner.name, inner.log
        self.tokens: list[str] = []
        self._spoil: dict[str, deque[Trouble]] = {}

    def spoil(self, pattern: str, trouble: Trouble) -> None:
        """Spoil the next answer to a request whose name matches."""
        self._spoil.setdefault(pattern, deque()).append(trouble)

    def handle(self, request: Request, now: datetime) -> Response:
        response = self.inner.handle(request, now)
        names = names_of(request)
        if any(fnmatchcase(name, self._sign_in) for name in names):
            token = json.loads(response.body).get("access_token")
            self.tokens += [token] if token else []
        for pattern, waiting in self._spoil.items():
            if waiting and any(fnmatchcase(name, pattern) for name in names):
                return self._spoilt(response, waiting.popleft())
        return response

    def _spoilt(self, response: Response, trouble: Trouble) -> Response:
        if trouble is Trouble.HTML:
            return Response(200, {"content-type": "text/html; charset=utf-8"}, PAGE)
        if trouble is Trouble.CUT:
            return Response(200, response.headers, response.body[: len(response.body) // 2])
        self._wire.break_off_next_answer()
        return response

    def throttled(self, request: Request, now: datetime) -> Response:
        return self.inner.throttled(request, now)

    def advance(self, now: datetime) -> list[Delivery]:
        return self.inner.advance(now)

    def delivered(self, delivery: Delivery, status: int | None, now: datetime) -> None:
        self.inner.delivered(delivery, status, now)

    def next_due(self) -> datetime | None:
        return self.inner.next_due()

    def is_write(self, request: Request) -> bool:
        asked = getattr(self.inner, "is_write", None)
        return bool(asked and asked(request))

    def report_concurrency(self, running: int, now: datetime) -> None:
        told = getattr(self.inner, "report_concurrency", None)
        if told:
            told(running, now)


class Mailbox:
    """A real HTTP server that keeps what is posted to it and answers 200."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[Mail] = asyncio.Queue()
        self._runner: web.AppRunner | None = None

    async def open(self) -> str:
        app = web.Application()
        app.router.add_post("/hook", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}/hook"

    async def close(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.arrived.put_nowait(Mail(headers, await request.read()))
        return web.Response()


class Bench:
    """What every rig of a simulator shares. A subclass knows its partner: what is where, and who does what there."""

    definition: SystemDefinition
    doors: ClassVar[Mapping[Door, str]]  # names of requests, as `FaultPlan.queue` takes them
    level_event: tuple[str, str]  # a header of a notice about a level, and its value
    installation = INSTALLATION

    def __init__(self, simulator: Simulator) -> None:
        self.clock: Clock = Clock()
        self.faults = HoldingPlan()
        self.wire = Wire()
        self.meddler = Meddler(simulator, self.wire, self.doors[Door.SIGN_IN])
        self.shell = SandboxShell(self.meddler, faults=self.faults, clock=self.clock)
        self.mailbox = Mailbox()
        self._session: aiohttp.ClientSession | None = None
        self._numbers = 0

    async def __aenter__(self) -> Self:
        await self.wire.start(await self.shell.start())
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session:
            await self._session.close()
        await self.wire.stop()
        await self.shell.stop()
        await self.mailbox.close()

    # -- to be told by the subclass ---

    def settings(self, **changes: Any) -> Any:
        raise AttributeError("a rig makes its own settings")

    def open_webhooks(self, url: str) -> None:
        """What a person does at the partner so that notices arrive; nothing, where the adapter does it all."""

    @property
    def fixed_secrets(self) -> Sequence[str]:
        return ()

    # -- the rig ---

    def now(self) -> datetime:
        return self.shell.now()

    async def pause(self, seconds: float) -> None:
        self.clock.move(seconds)
        self.shell.poke()
        await asyncio.sleep(0)

    def client(self, *, budget_full: bool = True, impatient: bool = False) -> Client:
        return self.make_client(
            self.settings(request_timeout_seconds=IMPATIENT if impatient else PATIENT), full=budget_full
        )

    def make_client(self, settings: Any, *, full: bool = True) -> Client:
        if self._session is None:
            raise RuntimeError("the bench was not opened")
        context = ClientContext(
            AiohttpTransport(self._session), Ambient(now=self.now), self.installation, budget_full=full
        )
        return self.definition.make_client(settings, context)

    def parser(self) -> NoticeParser:
        make = self.definition.make_notice_parser
        if make is None:
            raise LookupError("this system sends no notices")
        return make(self.settings())

    @property
    def secrets(self) -> Sequence[str]:
        return [*self.fixed_secrets, *self.meddler.tokens]

    @property
    def tokens_issued(self) -> int:
        return len(self.meddler.tokens)

    @property
    def violations(self) -> Sequence[str]:
        return [f"{each.rule}: {each.detail}" for each in self.meddler.log.violations]

    def effects(self, cell: CellRef) -> Sequence[int]:
        return [
            change.delta
            for change in self.meddler.log.changes
            if change.actor == "client" and (change.item, change.location) == (cell.item, cell.location)
        ]

    def trouble(self, door: Door, *troubles: Trouble) -> None:
        for each in troubles:
            if each in FAULTS:
                self.faults.queue(self.doors[door], FAULTS[each])
            else:
                self.meddler.spoil(self.doors[door], each)

    def land(self) -> int:
        held, self.faults.held = self.faults.held, []
        for request in held:
            self.shell.act(lambda now, late=request: self.meddler.handle(late, now))  # type: ignore[misc]
        return len(held)

    async def drop_idle_connections(self) -> int:
        return await self.wire.close_idle()

    async def listen(self) -> str:
        url = await self.mailbox.open()
        self.open_webhooks(url)
        return url

    async def mail(self) -> Mail:
        name, value = self.level_event
        async with asyncio.timeout(5.0):
            while True:
                arrived = await self.mailbox.arrived.get()
                if arrived.headers.get(name) == value:
                    return arrived

    def repeat_notices(self) -> None:
        self.shell.notices.faults = NoticeFaults(duplication=1.0)

    def number(self) -> int:
        """A fresh number, for names that must differ."""
        self._numbers += 1
        return self._numbers
