"""What the engine tells whoever watches it: metrics in the daemon, monitors in the simulation.

Hooks receive facts that are already committed. An observer never changes what the engine does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Settled:
    """One op with its outcome. Lags are taken from `heard_at` (we heard of the change) and `stamp` (it happened)."""

    connection: str
    cell: int
    op: str
    delta: int
    outcome: str
    heard_at: datetime | None
    stamp: datetime | None
    composed_at: datetime | None
    settled_at: datetime


@dataclass(frozen=True, slots=True)
class Moved:
    """One movement found by a reading."""

    connection: str
    cell: int
    delta: int
    asked_at: datetime
    answered_at: datetime
    previous_asked_at: datetime | None
    kind: str


@dataclass(frozen=True, slots=True)
class Composed:
    """One op as it was composed, before it left: what the cell will be told, and the target of that moment."""

    connection: str
    cell: int
    op: str
    delta: int
    known: int | None
    target: int | None
    role: str
    at: datetime


class Observer:
    """Base observer: hears everything, does nothing."""

    def settled(self, event: Settled) -> None:
        """An op got its outcome."""

    def moved(self, event: Moved) -> None:
        """A movement was journalled."""

    def composed(self, event: Composed) -> None:
        """An op was marked sent."""

    def refused(self, connection: str, reason: str) -> None:
        """A reading did not count."""

    def doubted(self, connection: str, result: str) -> None:
        """A doubtful batch was looked at: `resent`, `found`, `waiting`, `lower_number` …"""

    def compensated(self, connection: str, cell: int, units: int) -> None:
        """An effect of ours that happened twice is being taken back."""

    def alerted(self, code: str, subject: str) -> None:
        """An alert was opened."""


NO_OBSERVER = Observer()
