"""The one way from the adapter to MakeShop: its turn in the line, the request, and what the answer means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from inventory_sync.systems.errors import RetryLater
from inventory_sync.systems.http import NoAnswer, NotSent
from inventory_sync.systems.makeshop import classify, problems, protocol
from inventory_sync.systems.makeshop.classify import Answer
from inventory_sync.systems.makeshop.documents import Document
from inventory_sync.systems.makeshop.settings import MakeShopSettings
from inventory_sync.systems.makeshop.shapes import UnexpectedAnswer
from inventory_sync.systems.port import ClientContext
from inventory_sync.systems.serial import SerialBudget, SerialLine

T = TypeVar("T")

_ASK_TO_WAIT = frozenset({problems.THROTTLED.code, problems.UNAVAILABLE.code})


class Door:
    """Sends documents of one connection. Raises RetryLater, Doubt (writes only), Broken or Bug."""

    def __init__(self, settings: MakeShopSettings, context: ClientContext) -> None:
        self._settings = settings
        self._now = context.ambient.now
        self.budget = SerialBudget(settings.requests_per_second, self._now(), full=context.budget_full)
        self._line = SerialLine(context.transport, self.budget, self._now, _refuse)

    async def exchange(self, kind: str, document: Document, body: bytes, path: str = "") -> Answer:
        """Send the body of a document when its kind (`orders`, `write`, `read`) has its turn, and return its answer."""
        request = protocol.request(self._settings, body, path, self._now())
        try:
            response = await self._line.send(kind, request)
        except (NotSent, NoAnswer) as error:
            raise classify.undelivered(document, error) from error
        try:
            return classify.classify(document, response, self._now())
        except RetryLater as error:
            if error.code in _ASK_TO_WAIT:
                self.budget.pause(self._now() + timedelta(seconds=error.after))
            raise

    async def ask(
        self, kind: str, document: Document, variables: Mapping[str, Any], read: Callable[[Mapping[str, Any]], T]
    ) -> T:
        """What `read` makes of the answer to a document."""
        answer = await self.exchange(kind, document, protocol.encode(document, variables))
        return understand(document, lambda: read(answer.data))


def understand(document: Document, read: Callable[[], T]) -> T:
    """What `read` makes of an answer; what has another shape than promised is doubt about a write, else a Bug."""
    try:
        return read()
    except UnexpectedAnswer as error:
        raise classify.unexpected(document, error) from error


def _refuse(kind: str, seconds: float) -> RetryLater:
    return classify.later(problems.OUT_OF_BUDGET, kind, seconds)
