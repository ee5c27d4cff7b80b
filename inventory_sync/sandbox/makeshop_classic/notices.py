"""Update notifications (更新通知API): the address the shop's person entered, called once with its marks filled in."""

from __future__ import annotations

import heapq
import uuid
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from inventory_sync.sandbox.kernel import Delivery

_NAMESPACE = uuid.UUID("9b0f3c52-6f5d-5e0e-8a54-7f1f2d3b6c10")


class NoticeBox:
    """Notices of one shop, to the address entered; none before there is one, and never a second try."""

    def __init__(self, shop: str) -> None:
        self.url: str | None = None
        self._shop = shop
        self._made = 0
        self._waiting: list[tuple[datetime, int, Delivery]] = []

    def tell(self, order: str, command: str, now: datetime, *, delay: float, form: bool) -> None:
        """Prepare the notice of one event at an order: `order`, `status` or `cancel`."""
        if self.url is None:
            return
        self._made += 1
        marks = {"[SHOPID]": self._shop, "[ORDERNUM]": order, "[CMD]": command}
        url = self.url
        for mark, value in marks.items():
            url = url.replace(mark, quote(value, safe=""))
        fields = {"shopid": self._shop, "ordernum": order, "cmd": command}
        headers = {"content-type": "application/x-www-form-urlencoded"}
        due = now + timedelta(seconds=delay)
        identity = str(uuid.uuid5(_NAMESPACE, f"{self._shop}:{self._made}"))
        delivery = Delivery(identity, url, headers, urlencode(fields).encode() if form else b"", due)
        heapq.heappush(self._waiting, (due, self._made, delivery))

    def due(self, now: datetime) -> list[Delivery]:
        """Notices due by `now`; each is handed out once."""
        ready = []
        while self._waiting and self._waiting[0][0] <= now:
            ready.append(heapq.heappop(self._waiting)[2])
        return ready

    def next_due(self) -> datetime | None:
        return self._waiting[0][0] if self._waiting else None
