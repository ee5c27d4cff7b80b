"""The arithmetic of the ledger: what a line does to a cell. Pure.

A count says what was there at a time, and is believed: what happened after that time stays on top of it, what is said
of earlier times has been counted already. So a level depends on what was said, not on the order in which it came.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from inventory_sync.ledger.problems import BELOW_ZERO, OUT_OF_BOUNDS, Problem
from inventory_sync.ledger.values import MOST, Count, Line, Outcome


@dataclass(frozen=True, slots=True)
class CellState:
    """A cell between two lines. `counted_at`: the time its newest count speaks of. `row`: it has a level at all."""

    quantity: int = 0
    counted_at: datetime | None = None
    row: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What a line does: the cell after it, the units it moved, and whether it was of any effect."""

    state: CellState
    delta: int
    outcome: Outcome


def split(quantity: int, *, negative: bool) -> tuple[int, int]:
    """A quantity as (on hand, owed). Below 0 is owed, unless the label knows negative stock.

    >>> split(5, negative=False), split(-2, negative=False), split(-2, negative=True)
    ((5, 0), (0, 2), (-2, 0))
    """
    return (quantity, 0) if negative or quantity >= 0 else (0, -quantity)


def superseded(line: Line, counted_at: datetime | None) -> bool:
    """Whether a newer count of the cell has counted this line already.

    A line without `as_of` speaks of now, and is on top of every count. Of two counts of the same time the later to
    arrive is believed.
    """
    if line.as_of is None or counted_at is None:
        return False
    return line.as_of < counted_at if isinstance(line, Count) else line.as_of <= counted_at


def reckon(state: CellState, line: Line, *, at: datetime, later: int, negative: bool) -> Step | Problem:
    """Book one line on a cell. `at`: the time the line speaks of; `later`: units booked for times after `at`.

    Returns the problem where the line cannot be booked: below 0 where the label forbids it (unless the goods have been
    sold already), or beyond what a stock number can be.
    """
    if superseded(line, state.counted_at):
        return Step(replace(state, row=True), 0, Outcome.SUPERSEDED)
    counted_at: datetime | None
    if isinstance(line, Count):
        refused = line.quantity < 0 and not negative
        after, counted_at = line.quantity + later, at
    else:
        after, counted_at = state.quantity + line.delta, state.counted_at
        refused = after < 0 and line.delta < 0 and not negative and not line.kind.owes
    if refused:
        return BELOW_ZERO
    if abs(after) > MOST:
        return OUT_OF_BOUNDS
    return Step(CellState(after, counted_at, True), after - state.quantity, Outcome.BOOKED)
