"""The one way from the adapter to Shopify: token, budget, request, and what the answer means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from inventory_sync.systems.errors import RetryLater
from inventory_sync.systems.http import HttpResponse, NoAnswer, NotSent
from inventory_sync.systems.port import ClientContext
from inventory_sync.systems.shopify import classify, credentials, protocol
from inventory_sync.systems.shopify.classify import Answer, UnexpectedAnswer
from inventory_sync.systems.shopify.documents import Document
from inventory_sync.systems.shopify.points import PointBudget
from inventory_sync.systems.shopify.problems import say
from inventory_sync.systems.shopify.settings import ShopifySettings
from inventory_sync.systems.shopify.versions import endpoint

T = TypeVar("T")


class Door:
    """Sends operations of one connection. Raises RetryLater, Doubt (writes only), Broken or Bug."""

    def __init__(self, settings: ShopifySettings, context: ClientContext, timeout: float) -> None:
        self._context = context
        self._base_url = settings.url
        self._path = endpoint(settings.api_version)
        self._timeout = timeout
        self.credentials = credentials.for_settings(settings, context, timeout)
        self.budget = PointBudget(context.ambient.now(), full=context.budget_full)

    async def exchange(self, document: Document, body: bytes, path: str, before: float = 0.0) -> Answer:
        """Send a body and return its answer; a token that is refused is renewed once and the body sent once more.

        `before`: points the caller has spent on the same errand. A shortage makes it wait for the whole errand, since
        it starts over.
        """
        token = await self.credentials.token()
        response = await self._post(document, body, path, token, before)
        if response.status == 401 and await self.credentials.renew(refused=token):
            response = await self._post(document, body, path, await self.credentials.token(), before)
        return classify.classify(document, response, classify.decode(response), self._context.ambient.now())

    async def _post(self, document: Document, body: bytes, path: str, token: str, before: float) -> HttpResponse:
        now = self._context.ambient.now()
        points = self.budget.cost(document)
        if self.budget.wait_for(points, now) > 0:
            after = self.budget.wait_for(points + before, now)
            raise RetryLater(say("IS-SHP-005"), after=after, executed=False, code="IS-SHP-005")
        self.budget.reserve(points, now)
        try:
            response = await self._context.transport.send(
                protocol.request(self._base_url, path, token, body, self._timeout)
            )
        except NotSent as error:
            self.budget.release(points, self._context.ambient.now())
            raise classify.undelivered(document, error) from error
        except NoAnswer as error:
            self.budget.settle(document, points, None, self._context.ambient.now())
            raise classify.undelivered(document, error) from error
        except BaseException:
            self.budget.settle(document, points, None, self._context.ambient.now())
            raise
        self._learn(document, points, response)
        return response

    def _learn(self, document: Document, points: float, response: HttpResponse) -> None:
        now = self._context.ambient.now()
        throttle = classify.read_throttle(classify.decode(response))
        self.budget.settle(document, points, throttle, now)
        if response.status == 429:
            self.budget.pause(now + timedelta(seconds=classify.retry_after(response, now)))

    async def ask(self, document: Document, variables: Mapping[str, Any], before: float = 0.0) -> Answer:
        """Send a document of ours at the connection's own API version."""
        return await self.exchange(document, protocol.encode(document, variables), self._path, before)


def understand(document: Document, read: Callable[[], T]) -> T:
    """What `read` makes of an answer; an answer of another shape counts as one that nobody can read."""
    try:
        return read()
    except UnexpectedAnswer as error:
        raise classify.unknown_outcome(document, "IS-SHP-004", f"{document.name}: {error}") from error


class Errand:
    """One call of the engine that may take several requests; it remembers the points it has spent."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._spent = 0.0

    async def ask(self, document: Document, variables: Mapping[str, Any], read: Callable[[Mapping[str, Any]], T]) -> T:
        """Send a document and return what `read` makes of the answer's data."""
        answer = await self._door.ask(document, variables, self._spent)
        self._spent += self._door.budget.cost(document)
        return understand(document, lambda: read(answer.data))
