"""What goes wrong on the way, decided per request and per webhook: queued one by one for tests, or drawn from a seed.

A plan decides and counts; it opens no socket and reads no clock. The HTTP shell plays its decisions for real, a
simulation plays them in its own time. Both are off until something is queued or a chance is set.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from inventory_sync.sandbox.kernel import NO_FAULT, Delivery, Fault, FaultKind, Request

_OPERATION = re.compile(r"^\s*(?:#[^\n]*\n\s*)*(?:query|mutation)\s+(\w+)", re.ASCII)
_ROOT_FIELD = re.compile(r"\{\s*(?:\w+\s*:\s*)?(\w+)", re.ASCII)


def names_of(request: Request) -> tuple[str, ...]:
    """Names under which faults can be queued: `METHOD path`, and for GraphQL its operation and first root field.

    >>> names_of(Request("GET", "/pos/stock", "", {}, b""))
    ('GET /pos/stock',)
    """
    names = [f"{request.method} {request.path}"]
    if request.method == "POST" and b'"query"' in request.body:
        names.extend(_graphql_names(request.body))
    return tuple(names)


def _graphql_names(body: bytes) -> list[str]:
    try:
        parsed = json.loads(body)
    except ValueError:
        return []
    text = parsed.get("query") if isinstance(parsed, dict) else None
    if not isinstance(text, str):
        return []
    names = [match.group(1) for match in (_OPERATION.search(text), _ROOT_FIELD.search(text)) if match]
    chosen = parsed.get("operationName")
    return [chosen, *names] if isinstance(chosen, str) else names


@dataclass(frozen=True, slots=True)
class Chaos:
    """How often each fault is drawn (the rest is none), and between how many seconds a timed one lasts.

    `matching` limits it to requests one of whose names matches the shell-style pattern.
    """

    chances: Mapping[FaultKind, float]
    seconds: tuple[float, float] = (0.0, 1.0)
    matching: str = "*"

    def __post_init__(self) -> None:
        if any(chance < 0 for chance in self.chances.values()) or sum(self.chances.values()) > 1:
            raise ValueError("chances must not be negative nor add up to more than 1")
        if not 0 <= self.seconds[0] <= self.seconds[1]:
            raise ValueError("seconds must be a range from low to high, not negative")


class FaultPlan:
    """Decides the fault of each request: a queued one first, then one drawn by `chaos`, else none."""

    def __init__(self, chance: random.Random | None = None, chaos: Chaos | None = None) -> None:
        self._chance = chance or random.Random(0)
        self._chaos = chaos
        self._queues: dict[str, deque[Fault]] = {}
        self.decided: Counter[FaultKind] = Counter()

    def queue(self, name: str, *faults: Fault | FaultKind) -> None:
        """Faults for the next requests whose names match `name` (a shell-style pattern), one each, in order.

        `NO_FAULT` in between lets one request through.
        """
        queued = (fault if isinstance(fault, Fault) else Fault(fault) for fault in faults)
        self._queues.setdefault(name, deque()).extend(queued)

    def set_chaos(self, chaos: Chaos | None) -> None:
        """Start, change or (None) end the drawing of faults; what is queued stays queued."""
        self._chaos = chaos

    def clear(self) -> None:
        """End everything: no fault is decided until something is queued or set again."""
        self._chaos = None
        self._queues.clear()

    @property
    def pending(self) -> int:
        """How many queued faults were not decided yet."""
        return sum(len(queue) for queue in self._queues.values())

    def decide(self, request: Request) -> Fault:
        """The fault of this request; call once per request."""
        fault = self._queued(request) if self._queues else None
        if fault is None:
            fault = self._drawn(request) if self._chaos else NO_FAULT
        self.decided[fault.kind] += 1
        return fault

    def _queued(self, request: Request) -> Fault | None:
        names = names_of(request)
        for pattern, waiting in self._queues.items():
            if waiting and any(fnmatchcase(name, pattern) for name in names):
                return waiting.popleft()
        return None

    def _drawn(self, request: Request) -> Fault:
        chaos = self._chaos
        if chaos is None:
            return NO_FAULT
        if chaos.matching != "*" and not any(fnmatchcase(name, chaos.matching) for name in names_of(request)):
            return NO_FAULT
        point = self._chance.random()
        for kind, chance in chaos.chances.items():
            point -= chance
            if point < 0:
                return Fault(kind, self._chance.uniform(*chaos.seconds))
        return NO_FAULT


@dataclass(frozen=True, slots=True)
class NoticeFaults:
    """What happens to webhooks on the way, as chances from 0 to 1.

    `loss`: the partner believes it delivered and nothing arrives. `answer_loss`: it arrives and the receiver's answer
    is lost, so the partner tries again. `duplication`: it arrives twice. `delay`: seconds before each copy goes out,
    drawn between the two, which also puts webhooks out of order.
    """

    loss: float = 0.0
    answer_loss: float = 0.0
    duplication: float = 0.0
    delay: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class NoticeFate:
    """What becomes of one webhook: when each copy goes out (none: lost), and whether the answer gets back."""

    copies: tuple[float, ...]
    answer_arrives: bool = True

    @property
    def lost(self) -> bool:
        return not self.copies


class NoticePlan:
    """Decides the fate of each webhook from a seed; `faults` may be replaced while it runs."""

    def __init__(self, faults: NoticeFaults | None = None, chance: random.Random | None = None) -> None:
        self.faults = faults or NoticeFaults()
        self._chance = chance or random.Random(0)

    def decide(self, delivery: Delivery) -> NoticeFate:
        """The fate of this delivery; retries of the same delivery are decided anew."""
        del delivery  # every webhook runs the same risk
        faults, chance = self.faults, self._chance
        if chance.random() < faults.loss:
            return NoticeFate(())
        count = 2 if chance.random() < faults.duplication else 1
        copies = tuple(chance.uniform(*faults.delay) for _ in range(count))
        return NoticeFate(copies, answer_arrives=chance.random() >= faults.answer_loss)
