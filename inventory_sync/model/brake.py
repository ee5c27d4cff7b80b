"""The brake: which movements are too many or too large to be told on before a person has seen them (rule 3.11).

Sales are never among them: the brake looks at cells that go up or to zero, and at one that jumps.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

SHARE = 0.2
"""More than this share of a route's cells going up or to zero at once is held."""

LEAST = 5
"""Fewer cells than this are never too many."""

WINDOW = timedelta(minutes=10)
"""Cells that moved within this time moved at once."""

JUMP, TIMES = 1000, 10
"""One cell that rises beyond the larger of JUMP units and TIMES its highest level ever is held by itself."""


ABOUT = 0.9
"""A fall of this share of what is held of a rise is about as large."""


@dataclass(frozen=True, slots=True)
class Net:
    """What is left of a movement: `held_back` units are still held of the cell, `flows` units are told on."""

    held_back: int
    flows: int


def net(held_back: int, delta: int, after: int, *, firm: bool = False) -> Net:
    """Set a movement of `delta` units, to the level `after`, off against what is held of its cell.

    A cell that was read as zero and rises above it was not empty: the whole hold is over, and the difference to before
    flows. A fall takes a held rise back only if it is about as large and more than could be sold, were the rise a
    mistake; any other fall may be a sale, and flows. `firm`: it is certainly a sale, or the rise was counted.

    >>> net(-10, 10, 10)
    Net(held_back=0, flows=0)
    >>> net(-10, 8, 8)
    Net(held_back=0, flows=-2)
    >>> net(90, -1, 99)
    Net(held_back=90, flows=-1)
    >>> net(90, -90, 10), net(90, -88, 12)
    (Net(held_back=0, flows=0), Net(held_back=0, flows=2))
    >>> net(5, -5, 10), net(90, -90, 10, firm=True)
    (Net(held_back=5, flows=-5), Net(held_back=90, flows=-90))
    """
    if held_back < 0 < delta:
        if after > 0:
            return Net(0, delta + held_back)
        back = min(delta, -held_back)
        return Net(held_back + back, delta - back)
    could_be_sold = after - delta - held_back
    if held_back > 0 > delta and not firm and -delta > could_be_sold and -delta >= ABOUT * held_back:
        return Net(0, delta + held_back)
    return Net(held_back, delta)


def turns(before: int, after: int) -> bool:
    """Whether a cell went up, or to zero.

    >>> turns(5, 6), turns(5, 0), turns(5, 4), turns(0, -1)
    (True, True, False, False)
    """
    return after > before or after <= 0 < before


def explained(delta: int, by_orders: int) -> bool:
    """Whether orders alone account for a movement: a sale, or a sale that was cancelled.

    `by_orders`: units by which orders changed the level in the same reading, as the partner's committed number says.

    >>> explained(-3, -3), explained(-3, -1), explained(2, 2), explained(5, 2)
    (True, False, True, False)
    """
    return by_orders <= delta if delta < 0 else by_orders >= delta


def jumps(after: int, highest: int) -> bool:
    """Whether a cell rose beyond anything it ever held.

    >>> jumps(1000, 0), jumps(1001, 0), jumps(4000, 500), jumps(5001, 500)
    (False, True, False, True)
    """
    return after > max(JUMP, TIMES * highest)


def enough(moved: int) -> int:
    """How many cells a route must have for `moved` of them to be few; below LEAST any number will do.

    >>> enough(4), enough(5), enough(21)
    (0, 25, 105)
    """
    return 0 if moved < LEAST else -(-moved * 100 // round(SHARE * 100))


def too_many(moved: int, cells: int) -> bool:
    """Whether `moved` cells of a route's `cells` on one side are too many at once.

    >>> too_many(4, 4), too_many(5, 25), too_many(5, 24)
    (False, False, True)
    """
    return cells < enough(moved)


@dataclass(frozen=True, slots=True)
class Turn:
    """A cell that went up or to zero: `after` this level, `highest` before it; `held`: a rise of it is held already."""

    cell: int
    flows: int
    after: int
    highest: int
    held: bool = False


def held(turned: Iterable[Turn], *, lately: int, cells: int) -> Collection[int]:
    """The cells of one side of a route whose movement is held, of those that turned together.

    `lately`: other cells of that side that turned within the window; `cells`: all of that side, or as many as matter.
    """
    found = list(turned)
    all_of_them = too_many(len({each.cell for each in found}) + lately, cells)
    return frozenset(
        each.cell
        for each in found
        if all_of_them or (each.flows > 0 and (each.held or jumps(each.after, each.highest)))
    )
