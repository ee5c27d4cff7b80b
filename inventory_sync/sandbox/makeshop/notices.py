"""Webhooks to be sent: installs at once, orders and products gathered for a cycle, all signed.

Events and the body of an install are documented (developers.makeshop.jp/guide/webhook.html); the signature's recipe and
the bodies of updates are not, and follow the switches.
"""

from __future__ import annotations

import base64
import hashlib
import heapq
import hmac
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import orjson

from inventory_sync.sandbox.kernel import Delivery
from inventory_sync.sandbox.makeshop.switches import NOTICE_CYCLE, MakeShopSwitches

_NAMESPACE = uuid.UUID("2f8f7e0e-7f0f-5a8b-9d27-0f6f9e2f4b61")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Event(StrEnum):
    """What a webhook can be about."""

    INSTALL = "install"
    UNINSTALL = "uninstall"
    CONSENT = "consent"
    ORDER = "order"
    PRODUCT = "product"


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """The addresses declared when the app was applied for, one for each event that is wanted."""

    urls: Mapping[Event, str]

    @classmethod
    def everything_to(cls, url: str) -> WebhookSettings:
        """One address for all events."""
        return cls(dict.fromkeys(Event, url))

    @classmethod
    def told_apart(cls, url: str) -> WebhookSettings:
        """An address of its own for each event: `url` with `?event=install`, `?event=order` and so on."""
        return cls({event: f"{url}?event={event.value}" for event in Event})


@dataclass(slots=True)
class _Letter:
    event: Event
    subjects: list[str] = field(default_factory=list)  # of an update: order numbers or system codes
    body: Mapping[str, Any] | None = None  # of anything else
    attempts: int = 0
    id: str = ""


class Outbox:
    """Webhooks of one shop. `switches` is asked whenever something is sent."""

    def __init__(self, shop: str, secret: str, switches: Callable[[], MakeShopSwitches]) -> None:
        self.settings: WebhookSettings | None = None
        self.secret = secret
        self.ended: Callable[[Event, bool], None] = lambda event, accepted: None
        self._shop = shop
        self._switches = switches
        self._numbers = 0
        self._waiting: list[tuple[datetime, int, _Letter]] = []
        self._gathering: dict[tuple[Event, datetime], _Letter] = {}
        self._sent: dict[str, _Letter] = {}

    def post(self, event: Event, body: Mapping[str, Any], now: datetime) -> bool:
        """Send something at once. False: no address was declared for it."""
        if self._url(event) is None:
            return False
        self._queue(_Letter(event, body=body), now)
        return True

    def note(self, event: Event, subject: str, now: datetime) -> None:
        """Tell of an order or product with the next cycle, once."""
        if self._url(event) is None:
            return
        cycle = NOTICE_CYCLE if event is Event.ORDER else self._switches().product_cycle
        due = _next_in(cycle, now)
        letter = self._gathering.get((event, due))
        if letter is None:
            letter = self._gathering[event, due] = _Letter(event)
            self._queue(letter, due)
        if subject not in letter.subjects:
            letter.subjects.append(subject)

    @contextmanager
    def silence(self) -> Iterator[None]:
        """What happens meanwhile is told to nobody."""
        settings, self.settings = self.settings, None
        try:
            yield
        finally:
            self.settings = settings

    def drop_updates(self) -> None:
        """Forget what was gathered and not sent."""
        self._gathering.clear()
        self._waiting = [each for each in self._waiting if each[2].body is not None]
        heapq.heapify(self._waiting)

    def due(self, now: datetime) -> list[Delivery]:
        """Webhooks due by `now`, each handed out once per attempt."""
        ready: list[Delivery] = []
        while self._waiting and self._waiting[0][0] <= now:
            due, _, letter = heapq.heappop(self._waiting)
            self._gathering.pop((letter.event, due), None)
            ready += [self._deliver(each, due, now) for each in self._split(letter)]
        return ready

    def next_due(self) -> datetime | None:
        return self._waiting[0][0] if self._waiting else None

    def answered(self, delivery: Delivery, status: int | None, now: datetime) -> None:
        """What became of a delivery: an install or the like is over, an update may be sent again."""
        letter = self._sent.pop(delivery.id, None)
        if letter is None:
            return
        if letter.body is not None:
            self.ended(letter.event, status == 200)
            return
        switches = self._switches()
        if status != 200 and letter.attempts <= switches.webhook_retries:
            self._queue(letter, now + timedelta(seconds=switches.webhook_retry_seconds))

    def _url(self, event: Event) -> str | None:
        return self.settings.urls.get(event) if self.settings else None

    def _queue(self, letter: _Letter, due: datetime) -> None:
        self._numbers += 1
        heapq.heappush(self._waiting, (due, self._numbers, letter))

    def _split(self, letter: _Letter) -> Sequence[_Letter]:
        """One letter for each subject, where the switches want that."""
        if letter.body is not None or letter.attempts or self._switches().update_body != "single":
            return [letter]
        return [_Letter(letter.event, [each]) for each in letter.subjects]

    def _deliver(self, letter: _Letter, due: datetime, now: datetime) -> Delivery:
        self._numbers += 1
        letter.attempts += 1
        letter.id = letter.id or str(uuid.uuid5(_NAMESPACE, f"{self._shop}:{self._numbers}"))
        self._sent[letter.id] = letter
        body = orjson.dumps(letter.body if letter.body is not None else self._update(letter))
        return Delivery(letter.id, self._url(letter.event) or "", self._headers(body, now), body, due)

    def _headers(self, body: bytes, now: datetime) -> dict[str, str]:
        told = str(int(now.timestamp()))
        return {
            "content-type": "application/json",
            "x-makeshop-request-timestamp": told,
            "x-makeshop-signature": sign(self.secret, told, body, self._switches()),
        }

    def _update(self, letter: _Letter) -> dict[str, Any]:
        switches = self._switches()
        body: dict[str, Any] = {"shop_id": self._shop}
        if switches.event_named:
            body["event"] = letter.event.value
        told = [_subject(letter.event, each) for each in letter.subjects]
        match switches.update_body:
            case "list":
                body["orders" if letter.event is Event.ORDER else "products"] = told
            case "single":
                body |= told[0]
            case "bare":
                pass
        return body


def sign(secret: str, timestamp: str, body: bytes, switches: MakeShopSwitches) -> str:
    """The signature of a webhook by the recipe the switches name."""
    over = {"timestamp_body": timestamp.encode() + body, "body": body, "timestamp": timestamp.encode()}
    digest = hmac.new(secret.encode(), over[switches.signature_over], hashlib.sha256).digest()
    return digest.hex() if switches.signature_encoding == "hex" else base64.b64encode(digest).decode()


def _subject(event: Event, subject: str) -> dict[str, str]:
    if event is Event.ORDER:
        return {"systemOrderNumber": subject, "displayOrderNumber": subject}
    return {"systemCode": subject}


def _next_in(cycle: float, now: datetime) -> datetime:
    """The end of the cycle that `now` falls into."""
    if cycle <= 0:
        return now
    ended = int((now - _EPOCH).total_seconds() // cycle)
    return _EPOCH + timedelta(seconds=(ended + 1) * cycle)
