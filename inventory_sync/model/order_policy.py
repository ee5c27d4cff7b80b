"""What policy makes of an order: when its units count, and what is kept apart until then.

Where orders are the source of changes, the channel's own level has fallen already when an order is listed. Units that
policy does not count yet are *parked*: the level is known to be lower by them, and nobody else is told. What a parked
order later does to that level (a cancel that restocks, an edit) is then nobody's movement either.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from inventory_sync.model.orders import MOST_PARTS

_LENGTH = re.compile(r"([0-9]+)([smhd])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Unpaid(StrEnum):
    """What becomes of the units of an order that is not paid."""

    RESERVE = "reserve"  # they count at once: nothing is sold twice
    HOLD = "hold"  # kept out of this channel's number, and told to nobody until it is paid
    IGNORE = "ignore"  # they do not count until it is paid: they can be sold once more


class UnknownSku(StrEnum):
    """What becomes of a line whose item no route knows."""

    KEEP = "keep"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class OrderPolicy:
    """The policy of one connection. `expires`: an order that stays unpaid for longer holds nothing any more."""

    unpaid: Unpaid = Unpaid.RESERVE
    expires: timedelta | None = None
    unknown: UnknownSku = UnknownSku.KEEP


def policy_of(settings: Mapping[str, Any] | None) -> OrderPolicy:
    """The policy that a connection's settings name; the default where they name none.

    >>> policy_of({"unpaid": "hold", "unpaid_expires": "36h"}).expires
    datetime.timedelta(days=1, seconds=43200)
    """
    told = settings or {}
    found = _LENGTH.fullmatch(told.get("unpaid_expires") or "")
    return OrderPolicy(
        Unpaid(told.get("unpaid", "reserve")),
        None if found is None else timedelta(**{_UNITS[found[2]]: int(found[1])}),
        UnknownSku(told.get("unknown_sku", "keep")),
    )


@dataclass(frozen=True, slots=True)
class Stand:
    """What is known of a line. `counted` and `parked` units took the level down, `live` of the parked are still in the
    order; `told`: units that the other sides were told of by it."""

    counted: int = 0
    parked: int = 0
    live: int = 0
    told: int = 0


@dataclass(frozen=True, slots=True)
class Listed:
    """A line as it is listed now. `paired`: a route knows its item; `expired`: it has been unpaid for too long."""

    state: str
    quantity: int
    payment: str = ""
    paired: bool = True
    expired: bool = False


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a line comes to. `fall` ≥ 0: the level is lower by it; `told`: what the other sides are told, signed;
    `held`: units kept out of the target; `waived`: what the level may yet do by itself (0: nothing)."""

    stand: Stand
    held: int = 0
    fall: int = 0
    told: int = 0
    waived: int = 0

    @property
    def quiet(self) -> int:
        """What the level is known to move by and nobody is told of."""
        return -self.fall - self.told


def weigh(line: Listed, before: Stand, policy: OrderPolicy, *, provisional_counts: bool) -> Weighed:
    """Weigh a line as it is listed now against what is known of it.

    >>> hold = OrderPolicy(Unpaid.HOLD)
    >>> first = weigh(Listed("placed", 3, "unpaid"), Stand(), hold, provisional_counts=True)
    >>> first.held, first.fall, first.told
    (3, 3, 0)
    >>> paid = weigh(Listed("placed", 3, "paid"), first.stand, hold, provisional_counts=True)
    >>> paid.held, paid.fall, paid.told
    (0, 0, -3)
    >>> over = weigh(Listed("cancelled", 3, "unpaid"), first.stand, hold, provisional_counts=True)
    >>> over.held, over.told, over.waived
    (0, 0, 3)
    """
    refunded = line.payment == "refunded" and line.state in ("provisional", "placed")
    takes = line.state in ("placed", "shipped", "returned") or (line.state == "provisional" and provisional_counts)
    counted, taken = before.counted, before.counted + before.parked
    held = back = live = 0
    if takes and not refunded:
        taken = max(taken, line.quantity)
        waits = line.payment == "unpaid" and line.state in ("provisional", "placed")
        lets_go = waits and (policy.unpaid is Unpaid.IGNORE or line.expired)
        if lets_go and line.expired:
            back = max(0, min(before.told, counted, line.quantity - before.live))
            counted -= back
        if not line.paired or (waits and policy.unpaid is Unpaid.HOLD) or lets_go:
            live = max(0, line.quantity - counted)
            held = 0 if lets_go else live
        else:
            counted = max(counted, line.quantity)
    elif line.state == "provisional" and not refunded and policy.unpaid is not Unpaid.IGNORE and not line.expired:
        held = max(0, line.quantity - counted)
    gained = counted - before.counted
    fall = taken - before.counted - before.parked
    return Weighed(
        Stand(counted, taken - counted, live, before.told + gained),
        held,
        fall,
        -gained,
        before.live + fall - gained - live,
    )


def rest(waived: Sequence[int], shown: int) -> list[int]:
    """What is left of `waived` once the level has shown `shown` of it.

    >>> rest([2, 3, -1], 3), rest([2, 3], 5), rest([2], 0)
    ([2, -1], [], [2])
    """
    if shown == 0:
        return list(waived)
    if len(waived) > MOST_PARTS:
        return []
    reached: dict[int, tuple[int, ...]] = {0: ()}
    for place, units in enumerate(waived):
        for total, places in list(reached.items()):
            reached.setdefault(total + units, (*places, place))
    used = reached.get(shown)
    return [] if used is None else [units for place, units in enumerate(waived) if place not in used]


def own_part(units: int, waived: Sequence[int]) -> int:
    """How much of an unexplained difference is taken as what `waived` said the level may do: as much as fits.

    A rise that may be an unpaid order's restock is told to nobody: too little is then sold, never too much.

    >>> own_part(5, [2]), own_part(1, [2]), own_part(-4, [2, -1]), own_part(3, [])
    (2, 1, -1, 0)
    """
    if units > 0:
        return min(units, sum(each for each in waived if each > 0))
    return max(units, sum(each for each in waived if each < 0))


def expired(first_seen_at: datetime, policy: OrderPolicy, now: datetime) -> bool:
    """Whether an unpaid order first listed then has waited too long by now."""
    return policy.expires is not None and first_seen_at + policy.expires <= now
