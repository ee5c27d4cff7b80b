"""What stands in the database, as gauges: read when somebody scrapes, and kept for a while so that this is cheap."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import asyncpg
import structlog
from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from inventory_sync.engine.lane import House
from inventory_sync.engine.status import standing
from inventory_sync.store import db
from inventory_sync.web.metrics import NAMESPACE, Metrics, MetricsObserver

log = structlog.get_logger()

KEPT_FOR = 5.0
"""Seconds a reading of the database is kept at least."""

SHARE = 50
"""A reading is kept this many times as long as it took, so that it never costs more than 2 % of the database's time."""

LONGEST_KEPT = 120.0

DATABASE_WITHIN = 8.0
"""Seconds the database has to answer; the scraper's usual limit is 10."""

PER_CONNECTION = (
    ("pending_ops", "Cells that are to be written", "pending"),
    ("oldest_pending_seconds", "Age of the oldest pending write", "oldest_pending_s"),
    ("in_doubt_ops", "Writes whose outcome is not known yet", "in_doubt"),
    ("quarantined_items", "Cells the partner refuses to take", "quarantined"),
    ("level_age_seconds_max", "Age of the oldest level we rely on", "oldest_reading_s"),
)
PER_CONNECTION_TIMES = (
    ("last_notice_timestamp_seconds", "When the latest notice came in", "heard_at"),
    ("credential_expiry_timestamp_seconds", "When the credential expires", "credential_expires_at"),
)
UNMATCHED = ("ledger_unmatched_count", "channel_unmatched_count", "ambiguous_count")


class MetricsPage(Collector):
    """The whole page of one process. `owner`: the name this process takes leases under; `budgets`: what is left of each
    connection's rate budget, in the partner's own unit; both optional, their gauges are absent without them."""

    def __init__(
        self,
        house: House,
        metrics: Metrics,
        observer: MetricsObserver,
        *,
        owner: str | None = None,
        budgets: Callable[[], Mapping[str, float]] | None = None,
        kept_for: float = KEPT_FOR,
        within: float = DATABASE_WITHIN,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._house = house
        self._metrics = metrics
        self._observer = observer
        self._owner = owner
        self._budgets = budgets
        self._kept_for = kept_for
        self._within = within
        self._clock = clock
        self._reading = asyncio.Lock()
        self._stale_at: float | None = None
        self._families: tuple[GaugeMetricFamily, ...] = ()
        metrics.registry.register(self)

    async def render(self) -> bytes:
        """The page in Prometheus' text format. Without a database: this process's own numbers, and `database_up` 0."""
        async with self._reading:
            if self._stale_at is None or self._clock() >= self._stale_at:
                await self._refresh()
        return generate_latest(self._metrics.registry)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        yield from self._families
        if self._budgets is not None:
            budget = _family(
                "rate_budget_available", "What is left of the rate budget, in the partner's unit", "connection"
            )
            for connection, left in sorted(self._budgets().items()):
                budget.add_metric([connection], left)
            yield budget

    async def _refresh(self) -> None:
        began = self._clock()
        up = _family("database_up", "Whether the database answered the latest scrape")
        try:
            async with asyncio.timeout(self._within):
                families = await self._read()
            up.add_metric([], 1)
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("metrics.incomplete", error=type(error).__name__)
            families = []
            up.add_metric([], 0)
        self._families = (up, *families)
        ended = self._clock()
        self._stale_at = ended + min(LONGEST_KEPT, max(self._kept_for, SHARE * (ended - began)))

    async def _read(self) -> list[GaugeMetricFamily]:
        status = await standing(self._house)
        self._observer.know_routes([(r["name"], r["ledger"], r["channel"]) for r in status["routes"]])
        await self._place()
        families = _of_connections(status["connections"]) + _of_routes(status["routes"])
        oversold = _family("oversold_cells", "Cells sold beyond what there is", "route")
        for row in await db.rows(self._house.pool, "oversold_by_route"):
            oversold.add_metric([row["route"]], row["cells"])
        families.append(oversold)
        held = _family("held_by_brake_cells", "Cells whose movement waits for a person", "route")
        for row in await db.rows(self._house.pool, "held_by_route"):
            held.add_metric([row["route"]], row["cells"])
        families.append(held)
        expected = _family("expected_movements", "Sales that somebody else is still to book in the ledger", "route")
        for row in await db.rows(self._house.pool, "expected_by_route"):
            expected.add_metric([row["route"]], row["sales"])
        families.append(expected)
        if self._owner is not None:
            held = _family("lease_held", "Whether this process works the connection's lane", "connection")
            for row in await db.rows(self._house.pool, "leases_of", owner=self._owner):
                held.add_metric([row["connection"]], float(row["held"]))
            families.append(held)
        return families

    async def _place(self) -> None:
        """Find the routes of the changes whose connection has more than one."""
        changes = {change.op: change for change in self._observer.take_unplaced()}
        if not changes:
            return
        found = await db.rows(
            self._house.pool, "routes_of_ops", ops=list(changes), cells=[change.cell for change in changes.values()]
        )
        for row in found:
            change = changes[row["op"]]
            self._metrics.changed(row["route"], change.age, change.lag)


def _family(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{NAMESPACE}_{name}", text, labels=labels)


def _of_connections(connections: list[dict[str, Any]]) -> list[GaugeMetricFamily]:
    families = []
    for name, text, field in PER_CONNECTION:
        family = _family(name, text, "connection")
        for connection in connections:
            family.add_metric([connection["name"]], float(connection[field]))
        families.append(family)
    for name, text, field in PER_CONNECTION_TIMES:
        family = _family(name, text, "connection")
        for connection in connections:
            if connection[field] is not None:
                family.add_metric([connection["name"]], datetime.fromisoformat(connection[field]).timestamp())
        families.append(family)
    return families


def _of_routes(routes: list[dict[str, Any]]) -> list[GaugeMetricFamily]:
    uncertain = _family("uncertain_units", "Units of which nobody can say whether they were written", "route")
    unmatched = _family("unmatched_items", "Items without a partner on the other side, or with several", "route")
    reconciled = _family(
        "reconcile_last_success_timestamp_seconds", "When both sides were last compared whole", "route"
    )
    for route in routes:
        uncertain.add_metric([route["name"]], float(route["uncertain"]))
        if route["matched_at"] is not None:
            unmatched.add_metric([route["name"]], float(sum(route["match"].get(name, 0) for name in UNMATCHED)))
        if route["reconciled_at"] is not None:
            reconciled.add_metric([route["name"]], datetime.fromisoformat(route["reconciled_at"]).timestamp())
    return [uncertain, unmatched, reconciled]
