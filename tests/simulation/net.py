"""The network of the simulation: requests travel to a simulator's core in virtual time, and faults befall them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from inventory_sync.sandbox.faults import FaultPlan
from inventory_sync.sandbox.kernel import FaultKind, Request, Response, Simulator
from inventory_sync.systems.http import HttpRequest, HttpResponse, NoAnswer
from tests.simulation.clock import Agenda
from tests.simulation.tasks import Tasks


class Network:
    """Carries requests of one process incarnation. What is on its way when the process dies still arrives."""

    def __init__(self, agenda: Agenda, tasks: Tasks, late: list[datetime]) -> None:
        self.agenda = agenda
        self.tasks = tasks
        self.late = late

    def transport(self, simulator: Simulator, faults: FaultPlan, notify: Callable[[], None]) -> SimulatedTransport:
        return SimulatedTransport(self, simulator, faults, notify)


class SimulatedTransport:
    """`Transport` into a simulator's core."""

    def __init__(self, network: Network, simulator: Simulator, faults: FaultPlan, notify: Callable[[], None]) -> None:
        self._network = network
        self._simulator = simulator
        self._faults = faults
        self._notify = notify
        # A partner counts requests as they arrive: what the way adds differently each time stays small beside a second.
        self._distance = network.agenda.chance.uniform(0.01, 0.15)

    async def send(self, request: HttpRequest) -> HttpResponse:
        agenda = self._network.agenda
        answer: asyncio.Future[HttpResponse] = asyncio.get_running_loop().create_future()
        parts = urlsplit(request.url)
        headers = {name.lower(): value for name, value in request.headers.items()} | {"host": parts.netloc}
        incoming = Request(request.method, parts.path, parts.query, headers, request.body)
        fault = self._faults.decide(incoming)
        there = self._distance + agenda.chance.uniform(0.0, 0.03)
        back = agenda.chance.uniform(0.01, 0.2)

        def lose(reason: str) -> None:
            if not answer.done():
                self._network.tasks.resume(answer)
                answer.set_exception(NoAnswer(reason))

        def reply(response: Response) -> None:
            if not answer.done():
                self._network.tasks.resume(answer)
                answer.set_result(HttpResponse(response.status, response.headers, response.body))

        def arrive() -> None:
            if fault.kind is FaultKind.THROTTLE:
                response = self._simulator.throttled(incoming, agenda.now)
            elif fault.kind is FaultKind.ERROR_BEFORE:
                response = Response(503, {}, b"")
            else:
                response = self._simulator.handle(incoming, agenda.now)
                self._notify()
            if fault.kind is FaultKind.ERROR_AFTER:
                response = Response(503, {}, b"")
            if fault.kind is FaultKind.RESET_AFTER:
                agenda.after(back, lambda: lose("connection reset"))
            elif fault.kind is not FaultKind.LATE:
                agenda.after(back + (fault.seconds if fault.kind is FaultKind.DELAY else 0.0), lambda: reply(response))

        if fault.kind is FaultKind.RESET_BEFORE:
            agenda.after(there, lambda: lose("connection reset"))
        elif fault.kind is FaultKind.LATE:
            agenda.after(request.timeout + fault.seconds, arrive)
            self._network.late.append(agenda.now + timedelta(seconds=request.timeout + fault.seconds))
        else:
            agenda.after(there, arrive)
        agenda.after(request.timeout, lambda: lose("timed out"))
        return await self._network.tasks.wait(answer)
