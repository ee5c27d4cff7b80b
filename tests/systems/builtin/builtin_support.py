"""A book behind the adapter, in process or over HTTP, and a door that can lose what goes through it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from inventory_sync.model.ambient import Ambient
from inventory_sync.model.ids import ItemKey, LocationKey, OpId
from inventory_sync.systems.builtin import definition
from inventory_sync.systems.builtin.client import BuiltinClient
from inventory_sync.systems.http import HttpRequest, HttpResponse, NoAnswer, NotSent, Transport
from inventory_sync.systems.port import CellRef, ClientContext, PlannedOp
from tests.ledger.ledger_support import Clock, Desk

INSTALLATION = "shop1"


def cell(sku: str = "A", location: str = "main") -> CellRef:
    return CellRef(ItemKey(sku), LocationKey(location))


def op(number: int, delta: int, sku: str = "A", location: str = "main") -> PlannedOp:
    return PlannedOp(OpId(f"{number:032x}"), cell(sku, location), delta)


class Door:
    """A transport that may lose a request or its answer, and keeps what went through."""

    def __init__(self, through: Transport) -> None:
        self.through = through
        self.trouble: list[str] = []
        self.requests: list[HttpRequest] = []

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        trouble = self.trouble.pop(0) if self.trouble else ""
        if trouble == "not sent":
            raise NotSent("nobody there")
        answer = await self.through.send(request)
        match trouble:
            case "lost":
                raise NoAnswer("cut")
            case "cut":
                return HttpResponse(200, answer.headers, answer.body[: len(answer.body) // 2])
            case "error":
                return HttpResponse(502, {}, b"<html>")
            case _:
                return answer


@dataclass(slots=True)
class Shop:
    """The adapter on one side, the book on the other."""

    desk: Desk
    door: Door
    settings: dict[str, Any]

    def client(self, *, budget_full: bool = True, **settings: Any) -> BuiltinClient:
        return client_of(self.door, self.desk.clock, self.settings | settings, budget_full=budget_full)


def client_of(
    transport: Transport, clock: Clock, settings: dict[str, Any], *, budget_full: bool = True
) -> BuiltinClient:
    ambient = Ambient(clock.now, clock.new_id, random.Random(1))
    context = ClientContext(transport, ambient, INSTALLATION, budget_full=budget_full)
    made = definition.make_client(definition.settings(**settings), context)
    assert isinstance(made, BuiltinClient)
    return made


class Scripted:
    """A transport that answers as the test says."""

    def __init__(self, *answers: HttpResponse | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[HttpRequest] = []

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer
