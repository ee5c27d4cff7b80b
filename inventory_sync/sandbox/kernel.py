"""What every simulator is made of: requests and answers, faults, webhooks to deliver, and an event log.

A simulator is a pure state machine. It never reads a clock, draws its own chance or opens a socket: `handle` applies a
request at an instant, `advance` says which webhooks are due, and who drives it (the HTTP shell, or the simulation)
decides what gets lost on the way. Nothing here knows the adapters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it reached the partner. Header names are lower-case; `query` is the raw query string."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes


class FaultKind(StrEnum):
    """What can go wrong on the way, per request."""

    NONE = "none"
    DELAY = "delay"  # answered `seconds` late
    RESET_BEFORE = "reset_before"  # connection reset, never carried out
    RESET_AFTER = "reset_after"  # carried out, the answer lost
    LATE = "late"  # no answer; carried out `seconds` later, after the caller gave up
    ERROR_AFTER = "error_after"  # carried out, answered 503
    ERROR_BEFORE = "error_before"  # answered 503, never carried out
    THROTTLE = "throttle"  # answered as over the limit, never carried out


@dataclass(frozen=True, slots=True)
class Fault:
    kind: FaultKind = FaultKind.NONE
    seconds: float = 0.0


NO_FAULT = Fault()


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook that is due. The driver posts it (or loses it) and reports back with `delivered`."""

    id: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    due: datetime


@dataclass(frozen=True, slots=True)
class StockChange:
    """One change of one cell, in the simulator's own words: the truth that everything is counted from.

    `actor` is `client` for a change asked for over the API by the product under test, else `outside`. `reference` is
    the idempotency key, memo or order the change came with. `after` is the number a customer or clerk would see.
    """

    at: datetime
    item: str
    location: str
    delta: int
    after: int
    actor: str
    cause: str
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Violation:
    """A limit of the partner that a client overstepped, or a rule that no well-behaved client breaks."""

    at: datetime
    rule: str
    detail: str


@dataclass(slots=True)
class EventLog:
    """A simulator's own log, in order. Never written by, or read from, the product under test."""

    changes: list[StockChange] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    requests: dict[str, int] = field(default_factory=dict)  # count by operation name

    def count(self, operation: str) -> None:
        self.requests[operation] = self.requests.get(operation, 0) + 1


class Simulator(Protocol):
    """A partner, whole. Times are aware datetimes given by the driver and never run backwards."""

    name: str
    log: EventLog

    def handle(self, request: Request, now: datetime) -> Response:
        """Carry out one request and answer it."""
        ...

    def throttled(self, request: Request, now: datetime) -> Response:
        """The answer this partner gives when it throttles a request without carrying it out."""
        ...

    def advance(self, now: datetime) -> list[Delivery]:
        """Webhooks due by `now` that were not handed out yet, in the order the partner sends them."""
        ...

    def delivered(self, delivery: Delivery, status: int | None, now: datetime) -> None:
        """What became of a delivery: the receiver's status, or None if it never answered in time."""
        ...

    def next_due(self) -> datetime | None:
        """When `advance` next has something, or None."""
        ...
