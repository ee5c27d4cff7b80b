"""A cell that runs away: its movements alternate or grow, or undo what we write, so that something feeds on itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from itertools import pairwise

WINDOW = timedelta(minutes=10)
"""Movements older than this are not looked at."""

ALTERNATIONS = 8
"""So many movements up and down by the same number of units are no trade."""

STEPS = 5
"""So many movements in a row, each larger than the one before, are no trade."""

GROWTH = 1.5
"""Each of them is at least so many times as large as the one before."""

FIGHT = 5
"""A cell whose writes were undone so often is fought over."""


class Course(StrEnum):
    """What a cell does that runs away."""

    ALTERNATES = "alternates"
    GROWS = "grows"
    FOUGHT_OVER = "fought_over"


def course(deltas: Sequence[int], undone: int = 0) -> Course | None:
    """What the latest movements of a cell show, oldest first; None for trade. `undone`: writes that were taken back.

    >>> course([4, -4, 4, -4, 4, -4, 4, -4])
    <Course.ALTERNATES: 'alternates'>
    >>> course([2, 4, 8, 16, 32])
    <Course.GROWS: 'grows'>
    >>> course([-1, -1, 5, -2, -1, 1]) is None
    True
    """
    if undone >= FIGHT:
        return Course.FOUGHT_OVER
    last = deltas[-ALTERNATIONS:]
    if len(last) == ALTERNATIONS and all(a == -b for a, b in pairwise(last)):
        return Course.ALTERNATES
    steps = deltas[-STEPS:]
    if len(steps) == STEPS and all(abs(b) >= GROWTH * abs(a) and abs(b) > abs(a) + 1 for a, b in pairwise(steps)):
        return Course.GROWS
    return None
