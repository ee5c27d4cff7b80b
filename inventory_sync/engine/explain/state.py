"""What is gathered about one code: plain records, so that the verdict on them is a pure function.

Quantities are units, times are aware. Nothing here holds a secret or anything of a customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from inventory_sync.model.auto_buffer import Reckoned
from inventory_sync.model.decide import Decision
from inventory_sync.model.publish import PublishRule


@dataclass(frozen=True, slots=True)
class Item:
    """An item that carries the code, in one of its fields (`fields`) or as its key at the partner."""

    id: int
    connection_id: int
    connection: str
    key: str
    name: str
    codes: Mapping[str, str]
    tracked: bool
    bundle: bool
    gone: bool


@dataclass(frozen=True, slots=True)
class Link:
    """A connection as it stands."""

    id: int
    name: str
    system: str
    state: str
    reason: str = ""
    remedy: str = ""
    code: str = ""
    since: datetime | None = None

    @property
    def works(self) -> bool:
        return self.state == "linked"


@dataclass(frozen=True, slots=True)
class RouteState:
    """A route as it stands. `basis`: which number of the ledger counts."""

    id: int
    name: str
    state: str
    stopped_by: str
    blockers: tuple[str, ...]
    direction: str
    sales: str
    basis: str
    ledger: Link
    channel: Link


ACCEPTED = "accepted"
"""The state of a write that a partner accepted and carries out later; the engine's own word for it is `sent` too."""


@dataclass(frozen=True, slots=True)
class Op:
    """A write that has no outcome yet."""

    delta: int
    state: str
    composed_at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Why a partner's cell is not written. `excluded`: a person keeps it out."""

    code: str
    reason: str
    since: datetime
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """A movement that is held back until a person lets it go."""

    reason: str
    units: int
    held_at: datetime


@dataclass(frozen=True, slots=True)
class Movement:
    """A change that somebody else made. `happened_at`: by the partner's own word, where it says so."""

    id: int
    cell: int
    delta: int
    before: int
    after: int
    kind: str
    marked_at: datetime | None
    asked_at: datetime
    answered_at: datetime
    stamp: datetime | None = None
    cause: str = ""
    happened_at: datetime | None = None

    @property
    def causes(self) -> frozenset[str]:
        return frozenset(self.cause.split("+")) if self.cause else frozenset()

    @property
    def lag(self) -> timedelta | None:
        """From the partner's own time of the change until it was read; None where the partner told none."""
        told = self.happened_at or self.stamp
        return None if told is None else max(self.answered_at - told, timedelta(0))


@dataclass(frozen=True, slots=True)
class Write:
    """A write of ours. `before` and `target` as they were when it was composed."""

    id: str
    cell: int
    delta: int
    before: int | None
    target: int | None
    cause: str
    state: str
    reason: str
    composed_at: datetime
    settled_at: datetime | None
    heard_at: datetime | None = None
    stamp: datetime | None = None
    attempts: int = 1
    doubles: int = 0
    value: int | None = None
    reason_code: str | None = None

    @property
    def after(self) -> int | None:
        """The level that it left, once it took effect."""
        if self.state != "applied":
            return self.before
        return self.value if self.before is None else self.before + self.delta

    @property
    def lag(self) -> timedelta | None:
        """From the partner's own time of the change, else from when it was heard of, to the acknowledgement."""
        began = self.stamp or self.heard_at
        if began is None or self.settled_at is None or self.state != "applied":
            return None
        return max(self.settled_at - began, timedelta(0))


@dataclass(frozen=True, slots=True)
class CellState:
    """One stock number at a partner, as last known."""

    id: int
    connection_id: int
    connection: str
    item_key: str
    item: str
    location: str
    location_key: str
    known: int | None
    condition: str
    marked_at: datetime | None = None
    read_due: datetime | None = None
    read_asked_at: datetime | None = None
    read_answered_at: datetime | None = None
    settled_at: datetime | None = None
    gap: int = 0
    gap_since: datetime | None = None
    blocked: str = ""
    committed: int = 0
    aside: int = 0
    residual: int | None = None
    held_back: int = 0
    op: Op | None = None
    quarantine: Quarantine | None = None
    quarantined: bool = False
    holds: tuple[Hold, ...] = ()
    moves: tuple[Movement, ...] = ()
    writes: tuple[Write, ...] = ()

    @property
    def place(self) -> str:
        return f"{self.connection} / {self.location}"

    @property
    def read_again(self) -> bool:
        """A change was heard of, and what was read or written since may be older than it: it is read once more."""
        if self.marked_at is None:
            return False
        looks = [at for at in (self.read_answered_at, self.settled_at) if at is not None]
        return any(at >= self.marked_at for at in looks)


@dataclass(frozen=True, slots=True)
class Part:
    """One ledger cell that a channel's number is made of. `shown` counts on the route's basis, less what is held."""

    cell: CellState
    ratio: int = 1
    intake: bool = True
    shown: int | None = None
    pending_down: int = 0
    own_up: int = 0
    owed_down: int = 0
    owed_up: int = 0
    sent_down: int = 0
    sent_up: int = 0
    expected: int = 0


@dataclass(frozen=True, slots=True)
class OpenSale:
    """A channel sale that somebody else books in the ledger, and that it does not show yet."""

    units: int
    reference: str
    overdue: bool
    due_at: datetime


@dataclass(frozen=True, slots=True)
class WaitingOrder:
    """An order of the channel's that does not count yet. `why`: kept, held, ignored, or provisional."""

    order: str
    units: int
    why: str


@dataclass(frozen=True, slots=True)
class Alert:
    """An open alert about a connection, a route, or one of its items."""

    code: str
    subject: str
    opened_at: datetime
    connection_id: int | None = None
    route_id: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ruled:
    """Where a pair's publish rule comes from. `own`: what is set for its code alone, in the words of the CSV; `by` and
    `at`: who set it, and when. `auto`: what the automatic buffer was last reckoned from. `ended_at`: when an offset
    ended."""

    own: tuple[str, ...] = ()
    by: str = ""
    at: datetime | None = None
    automatic: bool = False
    auto: Reckoned | None = None
    offset_until: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """A channel's number: what it shows, what it is made of, and what was decided about it just now.

    `offset`: units that the publish rule adds until a time; `excluded`: that rule leaves the item out.
    """

    route: RouteState
    pair: int
    value: str
    shape: str
    phase: str
    phase_reason: str
    cell: CellState
    parts: tuple[Part, ...]
    rule: PublishRule
    decision: Decision
    effective: int | None
    kept: int = 0
    held: int = 0
    offset: int = 0
    offset_until: datetime | None = None
    excluded: bool = False
    ruled: Ruled = Ruled()
    uncertain: int = 0
    zeroing: bool = False
    sales: tuple[OpenSale, ...] = ()
    waiting: tuple[WaitingOrder, ...] = ()
    alerts: tuple[Alert, ...] = ()

    @property
    def cells(self) -> tuple[CellState, ...]:
        return (self.cell, *(part.cell for part in self.parts))


@dataclass(frozen=True, slots=True)
class Nearest:
    """A code that almost is the one that was asked for, and how."""

    code: str
    connection: str
    en: str
    ja: str


class Lack(StrEnum):
    """Why an item is in no pair of a route."""

    UNMAPPED = "unmapped"
    NOT_MATCHED_YET = "not_matched_yet"
    NO_PLACES = "no_places"
    GONE = "gone"
    BUNDLE = "bundle"
    UNTRACKED = "untracked"
    NO_CODE = "no_code"
    AMBIGUOUS = "ambiguous"
    OTHER_BUNDLE = "other_bundle"
    OTHER_UNTRACKED = "other_untracked"
    COMPLAINT = "complaint"
    NEAR_MISS = "near_miss"
    UNMATCHED = "unmatched"
    MATCHES = "matches"


@dataclass(frozen=True, slots=True)
class Unpaired:
    """An item that is in no pair of a route. `side`: ledger or channel; `fields`: what the route matches by there.

    `why`: of an ambiguity; `en`, `ja`: what is wrong with a code table or a set.
    """

    route: RouteState
    side: str
    item: str
    value: str
    lack: Lack
    fields: tuple[str, ...] = ()
    why: str = ""
    near: tuple[Nearest, ...] = ()
    en: str = ""
    ja: str = ""
    waiting: tuple[WaitingOrder, ...] = ()

    @property
    def here(self) -> Link:
        return self.route.ledger if self.side == "ledger" else self.route.channel

    @property
    def there(self) -> Link:
        return self.route.channel if self.side == "ledger" else self.route.ledger


class Kind(StrEnum):
    """What an event of the timeline is."""

    NOTICE = "notice"
    READING = "reading"
    MOVEMENT = "movement"
    CAUSE = "cause"
    DECISION = "decision"
    WRITE = "write"
    ORDER = "order"
    EXPECTED = "expected"
    COMPENSATION = "compensation"
    HOLD = "hold"
    QUARANTINE = "quarantine"
    ALERT = "alert"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to one of the numbers. `lag_s`: seconds from the partner's own time (else from when it
    was heard of) until it was known here, or acknowledged there. `reason_code`: of the problem that it tells of."""

    at: datetime
    kind: Kind
    place: str
    en: str
    ja: str
    before: int | None = None
    after: int | None = None
    cause: str = ""
    lag_s: float | None = None
    reference: str = ""
    reason_code: str | None = None
