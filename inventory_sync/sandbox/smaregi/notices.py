"""Webhooks that are to be sent: plain JSON with a fixed secret header, once each, in no promised order."""

from __future__ import annotations

import heapq
import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from inventory_sync.sandbox.kernel import Delivery
from inventory_sync.sandbox.smaregi.replies import dump

NoticeDelay = float | Callable[[random.Random], float]

EVENTS = frozenset({"pos:stock", "pos:products", "pos:stores"})
USER_AGENT = "Smaregi-Platform-Api-Webhook/1.2.4(sandbox)"
_NAMESPACE = uuid.UUID("6f1c3f9e-52d4-5c0a-9a5e-2f8b8a1d7c11")


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """What a person sets in the developer console: address, events, and one custom header with a secret."""

    url: str
    header: str
    secret: str
    events: frozenset[str] = EVENTS


class Outbox:
    """Webhooks of one contract, each due `delay` seconds after what it tells of."""

    def __init__(self, contract: str, chance: random.Random, delay: NoticeDelay) -> None:
        self.settings: WebhookSettings | None = None
        self.delay = delay
        self._contract = contract
        self._chance = chance
        self._made = 0
        self._waiting: list[tuple[datetime, int, Delivery]] = []

    def post(self, event: str, action: str, content: Mapping[str, object], now: datetime, *, event_id: bool) -> None:
        """Prepare one webhook, if the app has asked for this event."""
        settings = self.settings
        if settings is None or event not in settings.events:
            return
        self._made += 1
        identity = str(uuid.uuid5(_NAMESPACE, f"{self._contract}:{self._made}"))
        headers = {
            "content-type": "application/json",
            "user-agent": USER_AGENT,
            "smaregi-contract-id": self._contract,
            "smaregi-event": event,
            settings.header.lower(): settings.secret,
        }
        if event_id:
            headers["smaregi-event-id"] = identity
        body = dump({"contractId": self._contract, "event": event, "action": action, **content})
        wait = self.delay(self._chance) if callable(self.delay) else self.delay
        due = now + timedelta(seconds=max(0.0, wait))
        heapq.heappush(self._waiting, (due, self._made, Delivery(identity, settings.url, headers, body, due)))

    def due(self, now: datetime) -> list[Delivery]:
        """Webhooks due by `now`; each is handed out once."""
        ready: list[Delivery] = []
        while self._waiting and self._waiting[0][0] <= now:
            ready.append(heapq.heappop(self._waiting)[2])
        return ready

    def next_due(self) -> datetime | None:
        """When the next webhook is due."""
        return self._waiting[0][0] if self._waiting else None
