"""Counters and histograms of one process, and the observer that feeds them from the engine.

Names have the prefix `inventory_sync_`; no label holds an item. What other processes count too, and what stands in the
database, is read there when somebody scrapes (`gauges.py`).
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from inventory_sync.engine.observer import Composed, Moved, Observer, Settled
from inventory_sync.web.directory import NoticeEvent

NAMESPACE = "inventory_sync"

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600)
"""Seconds."""

MOST_TOPICS = 100
"""Topics counted by name; a partner that made up more would blow up the number of series."""

MOST_FLYING = 50_000
"""Ops whose time of composing is remembered; ops in flight are fewer in any sane state."""

MOST_UNPLACED = 20_000
"""Changes that may wait for a scrape to find their route; older ones are not measured."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change the other side acknowledged, whose route has not been found yet. Durations in seconds."""

    op: str
    cell: int
    age: float | None
    lag: float | None


class Metrics:
    """The instruments of one process, in a registry of their own."""

    def __init__(self, version: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.notices = self._counter("notices_received", "Notices by what became of them", "connection topic result")
        self.notice_delay = self._histogram(
            "notice_delay_seconds", "Sent by the partner until it came in", "connection"
        )
        self.movements = self._counter("movements", "Changes that others made, found by readings", "connection cause")
        self.ops = self._counter("ops", "Writes by their outcome", "connection outcome")
        self.push = self._histogram("push_seconds", "Composed until the partner's answer was recorded", "connection")
        self.change_age = self._histogram(
            "change_age_seconds", "The partner's own time of a change until the other side acknowledged it", "route"
        )
        self.change_lag = self._histogram(
            "change_lag_seconds", "A change was heard of until the other side acknowledged it", "route"
        )
        self.refused = self._counter("refused_readings", "Readings that did not count", "connection")
        self.compensations = self._counter("compensations", "Double effects of ours taken back", "connection")
        self.doubts = self._counter("doubt_resolved", "Doubtful writes by how the doubt went on", "connection result")
        build = Gauge("build_info", "The program's version", ["version"], namespace=NAMESPACE, registry=self.registry)
        build.labels(version).set(1)
        self._topics: set[str] = set()

    def _counter(self, name: str, text: str, labels: str) -> Counter:
        return Counter(name, text, labels.split(), namespace=NAMESPACE, registry=self.registry)

    def _histogram(self, name: str, text: str, labels: str) -> Histogram:
        return Histogram(name, text, labels.split(), namespace=NAMESPACE, registry=self.registry, buckets=BUCKETS)

    def notice(self, event: NoticeEvent) -> None:
        """Count one delivery; the listener of the public port."""
        self.notices.labels(event.connection, self._topic(event.topic), event.result).inc()
        if event.delay_seconds is not None:
            self.notice_delay.labels(event.connection).observe(max(0.0, event.delay_seconds))

    def changed(self, route: str, age: float | None, lag: float | None) -> None:
        """Measure one change that arrived on the other side of a route. Seconds; None where it is not known."""
        if age is not None:
            self.change_age.labels(route).observe(age)
        if lag is not None:
            self.change_lag.labels(route).observe(lag)

    def _topic(self, topic: str) -> str:
        if topic in self._topics:
            return topic
        if len(self._topics) >= MOST_TOPICS:
            return "other"
        self._topics.add(topic)
        return topic


class MetricsObserver(Observer):
    """Feeds the instruments from what the engine says.

    The only route of a connection is known from memory; a change of a connection with more of them waits in `unplaced`
    until a scrape asks the database which route it was.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._composed: OrderedDict[str, datetime] = OrderedDict()
        self._only_route: Mapping[str, str] = {}
        self._unplaced: deque[Change] = deque(maxlen=MOST_UNPLACED)

    def know_routes(self, routes: Sequence[tuple[str, str, str]]) -> None:
        """Learn which routes there are, as (name, ledger connection, channel connection)."""
        of: dict[str, set[str]] = {}
        for name, ledger, channel in routes:
            of.setdefault(ledger, set()).add(name)
            of.setdefault(channel, set()).add(name)
        self._only_route = {connection: next(iter(names)) for connection, names in of.items() if len(names) == 1}

    def take_unplaced(self) -> list[Change]:
        """The changes whose route must be looked up; they are handed out once."""
        taken = list(self._unplaced)
        self._unplaced.clear()
        return taken

    def composed(self, event: Composed) -> None:
        self._composed[event.op] = event.at
        if len(self._composed) > MOST_FLYING:
            self._composed.popitem(last=False)

    def settled(self, event: Settled) -> None:
        self._metrics.ops.labels(event.connection, event.outcome).inc()
        composed_at = self._composed.pop(event.op, event.composed_at)
        if composed_at is not None:
            self._metrics.push.labels(event.connection).observe(_seconds(composed_at, event.settled_at) or 0.0)
        age, lag = _seconds(event.stamp, event.settled_at), _seconds(event.heard_at, event.settled_at)
        # Making a cell active moves no unit, and only what the partner acknowledged has arrived.
        if event.outcome != "applied" or event.delta == 0 or (age is None and lag is None):
            return
        route = self._only_route.get(event.connection)
        if route is None:
            self._unplaced.append(Change(event.op, event.cell, age, lag))
        else:
            self._metrics.changed(route, age, lag)

    def moved(self, event: Moved) -> None:
        self._metrics.movements.labels(event.connection, event.kind).inc()

    def refused(self, connection: str, reason: str) -> None:
        self._metrics.refused.labels(connection).inc()

    def doubted(self, connection: str, result: str) -> None:
        if result != "waiting":
            self._metrics.doubts.labels(connection, result).inc()

    def compensated(self, connection: str, cell: int, units: int) -> None:
        self._metrics.compensations.labels(connection).inc()


def _seconds(since: datetime | None, until: datetime) -> float | None:
    """How long it took; never below 0, for the partner's clock may be ahead of ours."""
    return None if since is None else max(0.0, (until - since).total_seconds())
