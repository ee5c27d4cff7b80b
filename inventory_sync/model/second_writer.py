"""A second writer: somebody else sets the same numbers, and undoes what we write."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

WINDOW = timedelta(minutes=10)
TIMES = 3
"""So often within the window one item's writes must have been undone …"""

ITEMS = 3
"""… on so many items of a connection."""


def found(undone: Iterable[int]) -> bool:
    """Whether a second writer is at work. `undone`: for each item, how often a reading undid our write in the window.

    >>> found([3, 3, 3]), found([9, 9, 2])
    (True, False)
    """
    return sum(1 for times in undone if times >= TIMES) >= ITEMS
