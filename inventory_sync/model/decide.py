"""What each cell should be told, as pure functions of what is known (the truth model's rules 3.3, 3.4 and 3.11).

A target is state, not a queue: these functions are asked when a decision is made and asked again, in the same
transaction that marks the op as sent, when a batch is composed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from inventory_sync.model.publish import PublishRule, published

RULE_VERSION = 2
"""Version of the rules on this page; every op carries it, and an older version never overrides a newer one."""

TO_ZERO, DECREASE, INCREASE, RUN_DOWN, RUN_UP, NOTHING = 0, 1, 2, 3, 4, 9
"""Urgency between cells: what sells something that is gone comes first, and what a run writes comes last."""


class Blocked(StrEnum):
    """Why a cell is not written although a difference is there. Shown by `status` and `explain`."""

    NOT = ""
    ROUTE_STOPPED = "route_stopped"
    WATCHING = "watching"
    NOT_ALIGNED = "not_aligned"
    WAITING = "waiting_for_a_person"
    CATCHING_UP = "catching_up"
    UNREAD = "unread"
    NOT_ACTIVE = "not_active"
    LEDGER_NOT_READABLE = "ledger_not_readable"
    LEDGER_DIRTY = "ledger_dirty"
    LEDGER_IN_DOUBT = "ledger_in_doubt"
    QUARANTINED = "quarantined"
    IN_FLIGHT = "in_flight"
    READ_FIRST = "read_first"
    BELOW_ZERO = "below_zero"
    UNEXPLAINED = "unexplained"
    FALL_READ_FIRST = "fall_read_first"
    IN_RUN = "in_run"
    HELD = "held_by_brake"
    NOT_PUBLISHED = "not_published"


@dataclass(frozen=True, slots=True)
class LedgerSide:
    """One component of a pair. Numbers are units at the ledger cell.

    `pending_down` ≤ 0: decreases of all pairs, and compensations, that this cell has yet to show (owed or sent).
    `own_up` ≥ 0: increases that came from this very pair's channel and that the cell has yet to show. `fell_at`: when
    a reading that found a fall here was asked.
    """

    ratio: int
    known: int | None
    readable: bool
    dirty: bool
    in_doubt: bool
    pending_down: int
    own_up: int
    fell_at: datetime | None = None

    @property
    def effective(self) -> int | None:
        """What the ledger cell holds once everything it was told has arrived; None while it cannot be read."""
        if self.known is None or not self.readable:
            return None
        return self.known + self.pending_down + self.own_up


@dataclass(frozen=True, slots=True)
class ChannelSide:
    """The channel cell of a pair, as it stands. `residual`: units that its last reading showed and no order explains.
    `unchecked`: it stopped at 0, and the orders that our decrease may have met are not listed yet.
    `rewrite`: an absolute write may have met an order, and the number, which cannot be read, must be set again.
    `held_back`: units of its own movements that wait for a person; they are neither told on nor fought."""

    known: int | None
    active: bool
    can_activate: bool
    dirty: bool
    in_flight: bool
    quarantined: bool
    settled_since_read: bool
    read_asked_at: datetime | None = None
    residual: int = 0
    unchecked: bool = False
    rewrite: bool = False
    readable: bool = True
    held_back: int = 0


@dataclass(frozen=True, slots=True)
class PairState:
    """All that decides what the channel of a pair is told. `expects`: somebody else books its sales in the ledger.
    `held`: units of orders that policy does not count yet. `watching`: what is decided is never written. `zeroing`: the
    route stopped, and a person wants the channel told 0."""

    ledger: tuple[LedgerSide, ...]
    channel: ChannelSide
    rule: PublishRule
    kept: int
    running: bool
    phase: str
    writes_channel: bool
    shape: str = "single"
    held: int = 0
    expects: bool = False
    watching: bool = False
    zeroing: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """`gap` units to write now (0: none), or `activate` first; `target` where it could be computed; else why not.

    `posts`: the gap is what a ledger cell is owed, not what a channel cell is told. `zero`: it is told 0 because a
    person stopped its route that way. `undo`: it takes a push back.
    """

    gap: int
    target: int | None
    urgency: int
    blocked: Blocked
    activate: bool = False
    posts: bool = False
    rewrite: bool = False
    zero: bool = False
    undo: bool = False


def effective(ledger: tuple[LedgerSide, ...], shape: str = "single") -> int | None:
    """Effective quantity of a pair: known level plus decreases at once, increases of others only once acknowledged.

    A pair's own increases count for itself at once: its channel shows them already. A pool is the sum of its
    components, a set the smallest whole quotient by ratio. None while a level is unknown.

    >>> effective((LedgerSide(1, 10, True, False, False, -2, 0),))
    8
    >>> effective((LedgerSide(2, 7, True, False, False, 0, 0), LedgerSide(1, 9, True, False, False, 0, 0)), "set")
    3
    """
    units = [side.effective for side in ledger]
    known = [each for each in units if each is not None]
    if len(known) < len(units):
        return None
    if shape == "set":
        return min(each // side.ratio for each, side in zip(known, ledger, strict=True))
    return sum(known)


def decide_channel(pair: PairState) -> Decision:
    """What the channel cell of a pair should be told now. Pure; asked again when the batch is composed."""
    channel = pair.channel
    if pair.rule.excluded:
        return _nothing(channel.known, Blocked.NOT_PUBLISHED)
    if pair.zeroing and not pair.running:
        return _zero(channel)
    units = effective(pair.ledger, pair.shape)
    if units is None:
        return _nothing(None, Blocked.LEDGER_NOT_READABLE)
    target = max(0, published(units, pair.rule, kept=pair.kept, held=pair.held) + channel.held_back)
    hindrance = _hindrance(pair, target)
    if hindrance is not None:
        return hindrance
    known = channel.known
    if known is None:
        if not channel.readable:
            return Decision(0, target, DECREASE, Blocked.NOT, rewrite=True)
        return _nothing(target, Blocked.UNREAD)
    gap = target - known
    if gap == 0:
        return Decision(0, target, DECREASE, Blocked.NOT, rewrite=True) if channel.rewrite else _nothing(target)
    if known < 0 and target <= 0:
        if channel.rewrite:  # what we know is what orders left of it; what it shows may be more
            return Decision(gap, target, TO_ZERO, Blocked.NOT, rewrite=True)
        return _nothing(target, Blocked.BELOW_ZERO)
    if gap < 0 and known + channel.residual <= 0:
        return _nothing(target, Blocked.UNEXPLAINED)  # it shows nothing to sell already
    if channel.dirty and channel.settled_since_read:
        return _nothing(target, Blocked.READ_FIRST)
    if pair.expects and _fell_unseen(pair):
        return _nothing(target, Blocked.FALL_READ_FIRST)
    if gap < 0:
        return Decision(gap, target, TO_ZERO if target == 0 else DECREASE, Blocked.NOT)
    wait = _increase_waits(pair)
    return Decision(gap, target, INCREASE, Blocked.NOT) if wait is Blocked.NOT else _nothing(target, wait)


def _zero(channel: ChannelSide) -> Decision:
    """What tells the channel of a stopped route 0, whatever its ledger holds. Never an increase."""
    if channel.in_flight:
        return _nothing(0, Blocked.IN_FLIGHT)
    if channel.quarantined:
        return _nothing(0, Blocked.QUARANTINED)
    if not channel.active or channel.known is None:
        return _nothing(0, Blocked.NOT_ACTIVE if not channel.active else Blocked.UNREAD)
    if channel.known <= 0:
        return _nothing(0)
    if channel.dirty and channel.settled_since_read:
        return _nothing(0, Blocked.READ_FIRST)
    return Decision(-channel.known, 0, TO_ZERO, Blocked.NOT, zero=True)


def _hindrance(pair: PairState, target: int) -> Decision | None:
    channel = pair.channel
    if pair.watching:
        return _nothing(target, Blocked.WATCHING)
    if not pair.running or not pair.writes_channel:
        return _nothing(target, Blocked.ROUTE_STOPPED)
    if channel.in_flight:
        return _nothing(target, Blocked.IN_FLIGHT)
    if channel.quarantined:
        return _nothing(target, Blocked.QUARANTINED)
    if not channel.active:
        if channel.can_activate and target > 0 and _increase_waits(pair) is Blocked.NOT:
            return Decision(0, target, INCREASE, Blocked.NOT, activate=True)
        return _nothing(target, Blocked.NOT_ACTIVE)
    if pair.phase in ("new", "suspended"):
        return _nothing(target, Blocked.NOT_ALIGNED)
    return None


def _increase_waits(pair: PairState) -> Blocked:
    if pair.phase == "waiting":
        return Blocked.WAITING
    if pair.phase == "catching_up":
        return Blocked.CATCHING_UP
    if any(side.dirty for side in pair.ledger):
        return Blocked.LEDGER_DIRTY
    if any(side.in_doubt for side in pair.ledger):
        return Blocked.LEDGER_IN_DOUBT
    if pair.channel.residual or pair.channel.unchecked:
        return Blocked.UNEXPLAINED
    if pair.channel.held_back > 0:
        return Blocked.HELD
    return Blocked.NOT


def _fell_unseen(pair: PairState) -> bool:
    """Whether a ledger cell fell and the channel was not read since: the fall may book a sale we have not heard of."""
    falls = [side.fell_at for side in pair.ledger if side.fell_at is not None]
    asked = pair.channel.read_asked_at
    return bool(falls) and (asked is None or asked <= max(falls))


@dataclass(frozen=True, slots=True)
class LedgerCell:
    """A ledger cell to which movements are owed. `owed_*` are sums over the pairs that may be posted now."""

    owed_down: int
    owed_up: int
    compensate: int
    known: int | None
    active: bool
    dirty: bool
    in_flight: bool
    quarantined: bool
    settled_since_read: bool


def decide_ledger(cell: LedgerCell) -> Decision:
    """What a ledger cell should be told now: decreases first and apart from increases."""
    down = cell.owed_down + min(cell.compensate, 0)
    up = cell.owed_up + max(cell.compensate, 0)
    gap = down or up
    if gap == 0:
        return _nothing(None, Blocked.NOT)
    if cell.in_flight:
        return _nothing(None, Blocked.IN_FLIGHT)
    if cell.quarantined:
        return _nothing(None, Blocked.QUARANTINED)
    if cell.known is None or not cell.active:
        return _nothing(None, Blocked.UNREAD if cell.known is None else Blocked.NOT_ACTIVE)
    if cell.dirty and cell.settled_since_read:
        return _nothing(None, Blocked.READ_FIRST)
    return Decision(gap, cell.known + gap, DECREASE if gap < 0 else INCREASE, Blocked.NOT, posts=True)


@dataclass(frozen=True, slots=True)
class UndoneCell:
    """A cell on which a push is taken back by `units`, whatever its pair's target is."""

    units: int
    known: int | None
    active: bool
    dirty: bool
    in_flight: bool
    quarantined: bool
    settled_since_read: bool
    channel: bool


def decide_undo(cell: UndoneCell) -> Decision:
    """What a cell should be told so that a push is taken back. A channel is never told a number below 0.

    >>> decide_undo(UndoneCell(-6, 4, True, False, False, False, False, True)).gap
    -4
    >>> decide_undo(UndoneCell(6, 4, True, False, False, False, False, True)).target
    10
    """
    if cell.in_flight:
        return _nothing(None, Blocked.IN_FLIGHT)
    if cell.quarantined:
        return _nothing(None, Blocked.QUARANTINED)
    if cell.known is None or not cell.active:
        return _nothing(None, Blocked.UNREAD if cell.active else Blocked.NOT_ACTIVE)
    if cell.dirty and cell.settled_since_read:
        return _nothing(None, Blocked.READ_FIRST)
    gap = max(cell.units, -max(0, cell.known)) if cell.channel and cell.units < 0 else cell.units
    if gap == 0:
        return _nothing(cell.known, Blocked.BELOW_ZERO)
    return Decision(gap, cell.known + gap, RUN_DOWN if gap < 0 else RUN_UP, Blocked.NOT, undo=True)


def lower_number(known: int, delta: int) -> int:
    """What is believed of a cell when a write's outcome can never be learnt: never more than may be there to sell.

    A decrease is taken as not done (it is done again, at most |delta| too low), an increase as done.
    """
    return max(known, known + delta)


def _nothing(target: int | None, blocked: Blocked = Blocked.NOT) -> Decision:
    return Decision(0, target, NOTHING, blocked)
