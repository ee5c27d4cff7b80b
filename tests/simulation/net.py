"""The network of the simulation: requests travel to a simulator's core in virtual time, and faults befall them."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from inventory_sync.sandbox.faults import FaultPlan
from inventory_sync.sandbox.kernel import Fault, FaultKind, Request, Response, Simulator
from inventory_sync.sandbox.shell import CountsConcurrency, HearsOfAbandoned
from inventory_sync.systems.http import HttpRequest, HttpResponse, NoAnswer
from tests.simulation.clock import Agenda
from tests.simulation.tasks import Tasks


@dataclass(slots=True)
class Wire:
    """What lies between us and one partner, for the whole story: requests under way, and when late ones arrive."""

    simulator: Simulator
    faults: FaultPlan
    notify: Callable[[], None]
    late: list[datetime] = field(default_factory=list)
    running: int = 0

    def enter(self, request: Request, now: datetime) -> bool:
        """A request arrives at the partner; whether it counts among those that are under way at once."""
        simulator = self.simulator
        if not isinstance(simulator, CountsConcurrency) or not simulator.is_write(request):
            return False
        self.running += 1
        simulator.report_concurrency(self.running, now)
        return True

    def abandon(self, request: Request, waited: float, lands_in: float, now: datetime) -> None:
        """Its caller gave a request up that is still to be answered, or carried out, in so many seconds."""
        if isinstance(self.simulator, HearsOfAbandoned):
            self.simulator.report_abandoned(request, waited, lands_in, now)


@dataclass(slots=True)
class Network:
    """Makes transports for one process incarnation, each with a wire of its own."""

    agenda: Agenda
    tasks: Tasks
    late: list[datetime]

    def transport(self, simulator: Simulator, faults: FaultPlan, notify: Callable[[], None]) -> SimulatedTransport:
        return SimulatedTransport(self.agenda, self.tasks, Wire(simulator, faults, notify, self.late))


class SimulatedTransport:
    """`Transport` of one process incarnation into a simulator's core. What is on its way when the process dies still
    arrives."""

    def __init__(self, agenda: Agenda, tasks: Tasks, wire: Wire) -> None:
        self.agenda = agenda
        self.tasks = tasks
        self.wire = wire
        # A partner counts requests as they arrive: what the way adds differently each time stays small beside a second.
        self.distance = agenda.chance.uniform(0.01, 0.15)

    async def send(self, request: HttpRequest) -> HttpResponse:
        journey = _Journey(self, request)
        journey.leave()
        try:
            return await self.tasks.wait(journey.answer)
        except asyncio.CancelledError:
            journey.give_up()
            raise


class _Journey:
    """One request on its way, whatever befalls it."""

    def __init__(self, transport: SimulatedTransport, request: HttpRequest) -> None:
        self._agenda, self._tasks, self._wire = transport.agenda, transport.tasks, transport.wire
        parts = urlsplit(request.url)
        headers = {name.lower(): value for name, value in request.headers.items()} | {"host": parts.netloc}
        self._request = Request(request.method, parts.path, parts.query, headers, request.body)
        self._timeout = request.timeout
        self._there = transport.distance + self._agenda.chance.uniform(0.0, 0.03)
        self._back = self._agenda.chance.uniform(0.01, 0.2)
        self._fault: Fault = self._wire.faults.decide(self._request)
        self._arrived_at: datetime | None = None
        self._open_until: datetime | None = None  # until when the partner works on it; None: not, or for ever
        self._under_way = False
        self._given_up = False
        self.answer: asyncio.Future[HttpResponse] = asyncio.get_running_loop().create_future()

    def leave(self) -> None:
        self._agenda.after(self._there, self._arrive)
        self._agenda.after(self._timeout, self.give_up)

    async def _arrive(self) -> None:
        fault, now = self._fault, self._agenda.now
        self._arrived_at = now
        self._under_way = self._wire.enter(self._request, now)
        match fault.kind:
            case FaultKind.LATE:
                if self._given_up:
                    self._hang_up()
            case FaultKind.RESET_BEFORE:
                self._leave_partner()
                self._lose("connection reset")
            case FaultKind.RESET_AFTER:
                await self._carry_out()
                self._leave_partner()
                self._agenda.after(self._back, lambda: self._lose("connection reset"))
            case FaultKind.DELAY:
                response = await self._carry_out()
                self._open_until = now + timedelta(seconds=fault.seconds)
                self._agenda.after(fault.seconds, self._leave_partner)
                self._agenda.after(fault.seconds + self._back, lambda: self._reply(response))
                if self._given_up:
                    self._hang_up()
            case _:
                response = await self._respond()
                self._leave_partner()
                self._agenda.after(self._back, lambda: self._reply(response))

    async def _respond(self) -> Response:
        if self._fault.kind is FaultKind.THROTTLE:
            return self._wire.simulator.throttled(self._request, self._agenda.now)
        if self._fault.kind is FaultKind.ERROR_BEFORE:
            return Response(503, {}, b"")
        response = await self._carry_out()
        return Response(503, {}, b"") if self._fault.kind is FaultKind.ERROR_AFTER else response

    async def _carry_out(self) -> Response:
        answer: Any = self._wire.simulator.handle(self._request, self._agenda.now)
        response: Response = await answer if inspect.isawaitable(answer) else answer
        self._wire.notify()
        return response

    def give_up(self) -> None:
        """The caller waits no longer: its time is over, or its process has died."""
        if self._given_up or (self.answer.done() and not self.answer.cancelled()):
            return
        self._given_up = True
        self._lose("timed out")
        if self._arrived_at is not None:
            self._hang_up()

    def _hang_up(self) -> None:
        """A request without a caller: it is answered into the void, or carried out later."""
        now = self._agenda.now
        waited = (now - self._arrived_at).total_seconds() if self._arrived_at is not None else 0.0
        if self._fault.kind is FaultKind.LATE:
            self._leave_partner()
            self._wire.abandon(self._request, waited, self._fault.seconds, now)
            self._wire.late.append(now + timedelta(seconds=self._fault.seconds))
            self._agenda.after(self._fault.seconds, self._carry_out)
        elif self._under_way and self._open_until is not None and self._open_until > now:
            self._leave_partner()
            self._wire.abandon(self._request, waited, (self._open_until - now).total_seconds(), now)

    def _leave_partner(self) -> None:
        if self._under_way:
            self._under_way = False
            self._wire.running -= 1

    def _lose(self, reason: str) -> None:
        if not self.answer.done():
            self._tasks.resume(self.answer)
            self.answer.set_exception(NoAnswer(reason))

    def _reply(self, response: Response) -> None:
        if not self.answer.done():
            self._tasks.resume(self.answer)
            self.answer.set_result(HttpResponse(response.status, response.headers, response.body))
