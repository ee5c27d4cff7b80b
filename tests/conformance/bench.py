"""A test bench: a partner behind a real port on loopback, and a hand on everything between it and an adapter.

`Bench` is what every rig shares; `SimulatorBench` puts a simulator in its HTTP shell behind it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, ClassVar, Self

import aiohttp

from inventory_sync.conformance import BelowZero, Door, Impossible, Mail, Trouble
from inventory_sync.model.ambient import Ambient
from inventory_sync.sandbox.faults import FaultPlan, NoticeFaults, names_of
from inventory_sync.sandbox.kernel import Delivery, Fault, FaultKind, Request, Response, Simulator
from inventory_sync.sandbox.shell import SandboxShell
from inventory_sync.systems.http import AiohttpTransport
from inventory_sync.systems.port import (
    CellRef,
    Client,
    ClientContext,
    Condition,
    NoticeKind,
    NoticeParser,
    SystemDefinition,
)
from tests.conformance.mailbox import Mailbox
from tests.conformance.wire import Wire

START = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)  # noon in Japan, so that a test stays within one business day
INSTALLATION = "kit1"
IMPATIENT = 0.3  # seconds until a request is given up, where a behaviour waits for that
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
        self.never_answered = 0

    def decide(self, request: Request) -> Fault:
        fault = super().decide(request)
        if fault.kind is FaultKind.LATE:
            self.held.append(request)
            self.never_answered += 1
        return fault


class Meddler:
    """The simulator with somebody at the way out, who spoils answers and notes the tokens that are given."""

    def __init__(self, inner: Simulator, wire: Wire, sign_in: str) -> None:
        self.inner, self._wire, self._sign_in = inner, wire, sign_in
        self.name, self.log = inner.name, inner.log
        self.tokens: list[str] = []
        self.given_up = 0
        self._spoil: dict[str, deque[Trouble]] = {}

    def spoil(self, pattern: str, trouble: Trouble) -> None:
        """Spoil the next answer to a request whose name matches."""
        self._spoil.setdefault(pattern, deque()).append(trouble)

    def handle(self, request: Request, now: datetime) -> Response:
        response = self.inner.handle(request, now)
        names = names_of(request)
        if any(fnmatchcase(name, self._sign_in) for name in names):
            self.tokens += _token(response)
        for pattern, waiting in self._spoil.items():
            if waiting and any(fnmatchcase(name, pattern) for name in names):
                return self._spoilt(response, waiting.popleft())
        return response

    def _spoilt(self, response: Response, trouble: Trouble) -> Response:
        return spoilt(response, trouble, self._wire)

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

    def report_abandoned(self, request: Request, waited: float, lands_in: float, now: datetime) -> None:
        self.given_up += 1
        told = getattr(self.inner, "report_abandoned", None)
        if told:
            told(request, waited, lands_in, now)


def spoilt(response: Response, trouble: Trouble, wire: Wire) -> Response:
    """An answer as somebody on the way out leaves it."""
    if trouble is Trouble.HTML:
        return Response(200, {"content-type": "text/html; charset=utf-8"}, PAGE)
    if trouble is Trouble.CUT:
        return Response(200, response.headers, response.body[: len(response.body) // 2])
    wire.break_off_next_answer()
    return response


def _token(response: Response) -> list[str]:
    """The token in an answer, where there is one."""
    try:
        token = json.loads(response.body).get("access_token")
    except ValueError:
        return []
    return [token] if token else []


class Bench:
    """What every rig shares. A subclass knows its partner: what is where, and who does what there."""

    definition: SystemDefinition
    doors: ClassVar[Mapping[Door, str]]  # names of requests, as `FaultPlan.queue` takes them
    unplayable: ClassVar[Mapping[tuple[Door, Trouble], str]] = {}
    installation = INSTALLATION
    below_zero = BelowZero.CARRIED_OUT
    notice_kind = NoticeKind.LEVELS
    on_database = False  # whether a rig is made with the URL of a migrated database
    between_clients = 0.0  # seconds that pass before a client is made

    def __init__(self) -> None:
        self.clock: Clock = Clock()
        self.faults = HoldingPlan()
        self.wire = Wire()
        self.mailbox = Mailbox()
        self._session: aiohttp.ClientSession | None = None
        self._numbers = 0

    async def __aenter__(self) -> Self:
        await self.wire.start(await self.start_partner())
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session:
            await self._session.close()
        await self.wire.stop()
        await self.stop_partner()
        await self.mailbox.close()

    # -- to be told by the subclass ---

    async def start_partner(self) -> str:
        """Begin to serve; returns the address."""
        raise AttributeError("a rig has a partner")

    async def stop_partner(self) -> None:
        """End serving."""
        raise AttributeError("a rig has a partner")

    def settings(self, **changes: Any) -> Any:
        raise AttributeError("a rig makes its own settings")

    def open_webhooks(self, url: str) -> None:
        """What a person does at the partner so that notices arrive; nothing, where the adapter does it all."""

    def is_awaited(self, mail: Mail) -> bool:
        """Whether a notice is of the kind that this rig tells of."""
        return True

    @property
    def fixed_secrets(self) -> Sequence[str]:
        return ()

    async def change(self, cell: CellRef, delta: int) -> None:
        raise AttributeError("a rig changes its own numbers")

    def spoil(self, pattern: str, trouble: Trouble) -> None:
        """Spoil the next answer to a request whose name matches."""
        raise AttributeError("a rig spoils the answers of its own partner")

    # -- the rig ---

    def now(self) -> datetime:
        return self.clock()

    async def pause(self, seconds: float) -> None:
        self.clock.move(seconds)
        await asyncio.sleep(0)

    def client(self, *, budget_full: bool = True, impatient: bool = False) -> Client:
        return self.make_client(
            self.settings(request_timeout_seconds=IMPATIENT if impatient else PATIENT), full=budget_full
        )

    def make_client(self, settings: Any, *, full: bool = True, found: Mapping[str, str] | None = None) -> Client:
        return self.definition.make_client(settings, self.context(full=full, found=found))

    def context(self, *, full: bool = True, found: Mapping[str, str] | None = None) -> ClientContext:
        """What a client is made with."""
        if self._session is None:
            raise RuntimeError("the bench was not opened")
        self.clock.move(self.between_clients)
        transport, ambient = AiohttpTransport(self._session), Ambient(now=self.now)
        return ClientContext(transport, ambient, self.installation, budget_full=full, calibration=found or {})

    def parser(self) -> NoticeParser:
        make = self.definition.make_notice_parser
        if make is None:
            raise LookupError("this system sends no notices")
        return make(self.settings())

    @property
    def secrets(self) -> Sequence[str]:
        return self.fixed_secrets

    @property
    def tokens_issued(self) -> int:
        return 0

    async def expire_tokens(self) -> bool:
        return False

    def hidden_quantity(self, cell: CellRef) -> int:
        raise LookupError("this partner hides no number")

    async def trade(self, cell: CellRef) -> Sequence[tuple[str, int]]:
        return ()

    async def add_bundle(self) -> Any:
        return Impossible("this partner knows no items whose stock is derived from others")

    async def odd_cell(self, condition: Condition) -> CellRef | Impossible:
        return Impossible(f"this partner knows no cell that is {condition}")

    def trouble(self, door: Door, *troubles: Trouble) -> None:
        for each in troubles:
            if each in FAULTS:
                self.faults.queue(self.doors[door], FAULTS[each])
            else:
                self.spoil(self.doors[door], each)

    async def drop_idle_connections(self) -> int:
        return await self.wire.close_idle()

    # -- notices ---

    async def listen(self) -> str:
        url = await self.mailbox.open()
        self.open_webhooks(url)
        return url

    async def provoke_notice(self, cell: CellRef) -> None:
        await self.change(cell, -1)

    async def mail(self) -> Mail:
        async with asyncio.timeout(5.0):
            while True:
                arrived = await self.mailbox.arrived.get()
                if self.is_awaited(arrived):
                    return arrived

    def number(self) -> int:
        """A fresh number, for names that must differ."""
        self._numbers += 1
        return self._numbers


class SimulatorBench(Bench):
    """A bench with a simulator in its HTTP shell."""

    def __init__(self, simulator: Simulator) -> None:
        super().__init__()
        self.meddler = Meddler(simulator, self.wire, self.doors.get(Door.SIGN_IN, "-"))
        self.shell = SandboxShell(self.meddler, faults=self.faults, clock=self.clock)

    async def start_partner(self) -> str:
        return await self.shell.start()

    async def stop_partner(self) -> None:
        await self.shell.stop()

    def now(self) -> datetime:
        return self.shell.now()

    async def pause(self, seconds: float) -> None:
        """Moves the clock on; afterwards the partner knows who gave up before, and has done what was due by then."""
        await self._until(lambda: self.meddler.given_up >= self.faults.never_answered)
        await super().pause(seconds)
        self.shell.poke()
        await self._until(lambda: (due := self.meddler.next_due()) is None or due > self.now())

    async def _until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(5.0):
            while not done():  # noqa: ASYNC110 - whoever gets there is not ours, and sets no event
                await asyncio.sleep(0)

    def spoil(self, pattern: str, trouble: Trouble) -> None:
        self.meddler.spoil(pattern, trouble)

    @property
    def secrets(self) -> Sequence[str]:
        return [*self.fixed_secrets, *self.meddler.tokens]

    @property
    def tokens_issued(self) -> int:
        return len(self.meddler.tokens)

    @property
    def violations(self) -> Sequence[str]:
        return [f"{each.rule}: {each.detail}" for each in self.meddler.log.violations]

    def place(self, cell: CellRef) -> tuple[str, str]:
        """Item and location of a cell, as the simulator's log names them."""
        return cell.item, cell.location

    async def effects(self, cell: CellRef) -> Sequence[int]:
        place = self.place(cell)
        return [
            change.delta
            for change in self.meddler.log.changes
            if change.actor == "client" and (change.item, change.location) == place
        ]

    async def land(self) -> int:
        held, self.faults.held = self.faults.held, []
        for request in held:
            self.shell.act(lambda now, late=request: self.meddler.handle(late, now))  # type: ignore[misc]
        return len(held)

    def repeat_notices(self) -> None:
        self.shell.notices.faults = NoticeFaults(duplication=1.0)
